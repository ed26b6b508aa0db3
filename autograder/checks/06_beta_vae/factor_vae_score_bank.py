"""Wrong and right answers to `factor_vae_score`."""

from collections import Counter

import torch

from .factor_vae_score import DEAD, FACTOR_VAE_SCORE, accuracy, least, majority, reference, votes


def with_winners(winners):
    """The score where the winners are found by another rule: winners(groups, scale) -> (V,)."""

    def score(train_groups, train_fixed, test_groups, test_fixed, scale):
        train, test = winners(train_groups, scale), winners(test_groups, scale)
        return accuracy(majority(train, train_fixed, len(scale)), test, test_fixed)

    return score


def smallest(share, scale):
    return torch.where(scale >= DEAD, share, torch.inf).argmin(1)


@FACTOR_VAE_SCORE.misconception(
    "You let the hidden value win that varies most. The fixed cause stands still: take the "
    "smallest variance."
)
def argmax(*args):
    return with_winners(
        lambda groups, scale: torch.where(
            scale >= DEAD, groups.var(1) / scale.square(), -1.0
        ).argmax(1)
    )(*args)


@FACTOR_VAE_SCORE.misconception(
    "You compare the variances as they are, so the hidden value with the smallest unit always "
    "wins. Divide by its variance over all data."
)
def not_normalised(*args):
    return with_winners(lambda groups, scale: smallest(groups.var(1), scale))(*args)


@FACTOR_VAE_SCORE.misconception(
    "You divide the variance by a standard deviation, so the unit is still in it. Divide by the "
    "square of `scale`."
)
def divided_by_the_scale(*args):
    return with_winners(lambda groups, scale: smallest(groups.var(1) / scale, scale))(*args)


@FACTOR_VAE_SCORE.misconception(
    "You divide the standard deviation in the group by a variance, so the unit is still in it. "
    "Both must be of the same kind."
)
def deviation_by_variance(*args):
    return with_winners(lambda groups, scale: smallest(groups.std(1) / scale.square(), scale))(
        *args
    )


@FACTOR_VAE_SCORE.misconception(
    "You multiply by the square of the scale where you must divide by it."
)
def multiplied(*args):
    return with_winners(lambda groups, scale: smallest(groups.var(1) * scale.square(), scale))(
        *args
    )


@FACTOR_VAE_SCORE.misconception(
    "You tested the vote on the groups it was made from. Test it on the groups that it has not "
    "seen."
)
def tested_on_training_votes(train_groups, train_fixed, test_groups, test_fixed, scale):
    return reference(train_groups, train_fixed, train_groups, train_fixed, scale)


@FACTOR_VAE_SCORE.misconception(
    "You made the vote from the test groups as well. Which hidden value stands for which cause "
    "must come from the training groups alone."
)
def made_from_test_votes(train_groups, train_fixed, test_groups, test_fixed, scale):
    return reference(test_groups, test_fixed, test_groups, test_fixed, scale)


@FACTOR_VAE_SCORE.misconception(
    "You put all groups together, for the vote and for the test. Make the vote from the training "
    "groups and test it on the others."
)
def all_groups_together(train_groups, train_fixed, test_groups, test_fixed, scale):
    groups, fixed = torch.cat([train_groups, test_groups]), torch.cat([train_fixed, test_fixed])
    return reference(groups, fixed, groups, fixed, scale)


@FACTOR_VAE_SCORE.misconception(
    "You kept dead hidden values. One that never varies wins every group without knowing anything: "
    "leave out those whose scale is below 0.05."
)
def dead_kept(*args):
    return with_winners(lambda groups, scale: (groups.var(1) / scale.square()).argmin(1))(*args)


@FACTOR_VAE_SCORE.misconception(
    "You compare the square of the scale with 0.05 and lose hidden values that are alive. The "
    "limit is for the standard deviation."
)
def limit_for_the_variance(*args):
    return with_winners(
        lambda groups, scale: torch.where(
            scale.square() >= DEAD, groups.var(1) / scale.square(), torch.inf
        ).argmin(1)
    )(*args)


@FACTOR_VAE_SCORE.misconception(
    "You let a hidden value with a variance of 0 in the group count as dead. Where the codes are "
    "the causes, that is the winner; dead is decided by `scale`, over all data."
)
def still_means_dead(*args):
    def winners(groups, scale):
        share = groups.var(1) / scale.square()
        return smallest(torch.where(groups.var(1) < 1e-12, torch.inf, share), scale)

    return with_winners(winners)(*args)


@FACTOR_VAE_SCORE.misconception(
    "You average the squares of the codes in place of their variance. Where the group lies is no "
    "matter: take off its mean first."
)
def not_centred(*args):
    return with_winners(
        lambda groups, scale: smallest(groups.square().mean(1) / scale.square(), scale)
    )(*args)


@FACTOR_VAE_SCORE.misconception(
    "You take for granted that hidden value number m stands for cause number m. Learn it from the "
    "training groups."
)
def same_number(train_groups, train_fixed, test_groups, test_fixed, scale):
    return float((least(test_groups, scale) == test_fixed).double().mean())


@FACTOR_VAE_SCORE.misconception(
    "You chose one hidden value for each cause. The vote goes the other way: each hidden value "
    "stands for one cause, and several may stand for the same."
)
def one_value_for_each_cause(train_groups, train_fixed, test_groups, test_fixed, scale):
    best = votes(least(train_groups, scale), train_fixed, len(scale)).argmax(0)
    return float((best[test_fixed] == least(test_groups, scale)).double().mean())


@FACTOR_VAE_SCORE.misconception(
    "You name the cause that was fixed most often, whoever won. Count for each hidden value by "
    "itself."
)
def most_frequent_cause(train_groups, train_fixed, test_groups, test_fixed, scale):
    return float((test_fixed == train_fixed.bincount().argmax()).double().mean())


@FACTOR_VAE_SCORE.misconception("You return the share of errors. The score is the share of hits.")
def share_of_errors(*args):
    return 1 - reference(*args)


@FACTOR_VAE_SCORE.misconception(
    "You return the number of hits. Divide by the number of test groups."
)
def number_of_hits(train_groups, train_fixed, test_groups, test_fixed, scale):
    score = reference(train_groups, train_fixed, test_groups, test_fixed, scale)
    return score * len(test_fixed)


@FACTOR_VAE_SCORE.misconception(
    "You average the hits of each hidden value and then over the hidden values. Every test group "
    "counts the same."
)
def mean_over_hidden_values(train_groups, train_fixed, test_groups, test_fixed, scale):
    stands_for = majority(least(train_groups, scale), train_fixed, len(scale))
    winners = least(test_groups, scale)
    hit = (stands_for[winners] == test_fixed).double()
    return torch.stack([hit[winners == m].mean() for m in winners.unique()]).mean()


@FACTOR_VAE_SCORE.misconception(
    "You subtract what guessing would score. The score is the plain share of hits; state 1/F "
    "beside it."
)
def above_chance(train_groups, train_fixed, test_groups, test_fixed, scale):
    chance = 1 / (int(train_fixed.max()) + 1)
    score = reference(train_groups, train_fixed, test_groups, test_fixed, scale)
    return (score - chance) / (1 - chance)


@FACTOR_VAE_SCORE.variant
def by_standard_deviations(*args):
    def winners(groups, scale):
        share = groups.std(dim=1, unbiased=False) / scale
        share[:, scale < DEAD] = float("inf")
        return share.argmin(dim=1)

    return with_winners(winners)(*args)


@FACTOR_VAE_SCORE.variant
def scaled_first(train_groups, train_fixed, test_groups, test_fixed, scale):
    alive = scale >= DEAD
    train, test = (g[..., alive] / scale[alive] for g in (train_groups, test_groups))
    one = torch.ones(int(alive.sum()), dtype=scale.dtype)
    return torch.tensor(reference(train, train_fixed, test, test_fixed, one))


@FACTOR_VAE_SCORE.variant
def with_counters(train_groups, train_fixed, test_groups, test_fixed, scale):
    def winner(group):
        live = [m for m in range(len(scale)) if scale[m] >= DEAD]
        return min(live, key=lambda m: (group[:, m].var() / scale[m] ** 2).item())

    counters = {}
    for group, factor in zip(train_groups, train_fixed.tolist(), strict=True):
        counters.setdefault(winner(group), Counter())[factor] += 1
    stands_for = {m: counter.most_common(1)[0][0] for m, counter in counters.items()}
    hits = [
        stands_for[winner(g)] == f for g, f in zip(test_groups, test_fixed.tolist(), strict=True)
    ]
    return sum(hits) / len(hits)


@FACTOR_VAE_SCORE.variant
def by_mode(train_groups, train_fixed, test_groups, test_fixed, scale):
    train, test = least(train_groups, scale), least(test_groups, scale)
    hits = sum(
        (test_fixed[test == m] == train_fixed[train == m].mode().values).sum().item()
        for m in test.unique()
    )
    return torch.tensor([hits / len(test)], dtype=torch.float64)
