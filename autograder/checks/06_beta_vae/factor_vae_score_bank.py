"""Wrong answers to `factor_vae_score`."""

import torch

from ._signs import made_by
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
    "You made the vote from the test groups. Which hidden value stands for which cause must come "
    "from the training groups alone."
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
    "You let the test groups vote together with the training groups. Which hidden value stands for "
    "which cause must come from the training groups alone."
)
def all_groups_vote(train_groups, train_fixed, test_groups, test_fixed, scale):
    groups, fixed = torch.cat([train_groups, test_groups]), torch.cat([train_fixed, test_fixed])
    return reference(groups, fixed, test_groups, test_fixed, scale)


@FACTOR_VAE_SCORE.misconception(
    "You test the vote on all groups, also on those it was made from. The score is the share of "
    "the test groups alone."
)
def all_groups_tested(train_groups, train_fixed, test_groups, test_fixed, scale):
    groups, fixed = torch.cat([train_groups, test_groups]), torch.cat([train_fixed, test_fixed])
    return reference(train_groups, train_fixed, groups, fixed, scale)


@FACTOR_VAE_SCORE.misconception(
    "You swapped the two sets: the training groups make the vote, and the test groups test it."
)
def sets_swapped(train_groups, train_fixed, test_groups, test_fixed, scale):
    return reference(test_groups, test_fixed, train_groups, train_fixed, scale)


def with_choice(choose):
    """The score where another rule chooses the cause: choose(votes in their order) -> cause."""

    def score(train_groups, train_fixed, test_groups, test_fixed, scale):
        train = least(train_groups, scale)
        stands_for = [
            choose(train_fixed[train == m]) if (train == m).any() else 0 for m in range(len(scale))
        ]
        return accuracy(torch.tensor(stands_for), least(test_groups, scale), test_fixed)

    return score


@FACTOR_VAE_SCORE.misconception(
    "Each hidden value keeps the cause of the first training group that it won. Count all its "
    "groups and take the most frequent cause."
)
def first_vote(*args):
    return with_choice(lambda causes: int(causes[0]))(*args)


@FACTOR_VAE_SCORE.misconception(
    "Each hidden value ends with the cause of the last training group that it won: later groups "
    "overwrite earlier ones. Count all its groups and take the most frequent cause."
)
def last_vote(*args):
    return with_choice(lambda causes: int(causes[-1]))(*args)


@FACTOR_VAE_SCORE.misconception(
    "You take the median of the causes, as if their numbers had an order. Take the most frequent."
)
def median_of_causes(*args):
    return with_choice(lambda causes: int(causes.median()))(*args)


@FACTOR_VAE_SCORE.misconception(
    "You divide the votes by how often each cause was fixed. The majority counts groups, as they "
    "are."
)
def votes_in_proportion(train_groups, train_fixed, test_groups, test_fixed, scale):
    table = votes(least(train_groups, scale), train_fixed, len(scale)).double()
    stands_for = (table / table.sum(0).clamp(min=1)).argmax(1)
    return accuracy(stands_for, least(test_groups, scale), test_fixed)


@FACTOR_VAE_SCORE.misconception(
    "You compare the ranges, largest minus smallest, which a single outlier decides. Compare the "
    "variances."
)
def by_range(*args):
    return with_winners(
        lambda groups, scale: smallest((groups.amax(1) - groups.amin(1)) / scale, scale)
    )(*args)


@FACTOR_VAE_SCORE.misconception(
    "You compare mean absolute deviations. They weigh outliers less than the variance does: "
    "compare the variances."
)
def by_absolute_deviation(*args):
    def winners(groups, scale):
        away = (groups - groups.mean(1, keepdim=True)).abs().mean(1)
        return smallest(away / scale, scale)

    return with_winners(winners)(*args)


def with_spread(spread):
    """The score where `scale` serves for the limit only: spread(training groups) -> (M,)."""

    def score(train_groups, train_fixed, test_groups, test_fixed, scale):
        own = spread(train_groups)
        train, test = (
            smallest(groups.var(1) / own.square(), scale) for groups in (train_groups, test_groups)
        )
        return accuracy(majority(train, train_fixed, len(scale)), test, test_fixed)

    return score


@FACTOR_VAE_SCORE.misconception(
    "You divide by the spread of the training groups that you computed yourself. Divide by "
    "`scale`: it comes from all data.",
    sign=made_by(
        FACTOR_VAE_SCORE,
        with_spread(lambda groups: groups.flatten(0, 1).std(0)),
        with_spread(lambda groups: groups.var(1).mean(0).sqrt()),
        with_spread(lambda groups: groups.std(1).mean(0)),
    ),
)
def spread_of_the_groups(*args):
    return with_spread(lambda groups: groups.flatten(0, 1).std(0))(*args)


@FACTOR_VAE_SCORE.misconception(
    "You call a hidden value dead when its scale is below 0.05 times the largest. The limit is "
    "0.05 itself."
)
def limit_relative_to_the_largest(*args):
    def winners(groups, scale):
        share = groups.var(1) / scale.square()
        return torch.where(scale >= DEAD * scale.max(), share, torch.inf).argmin(1)

    return with_winners(winners)(*args)


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
    "You average the hits of each cause and then over the causes. Every test group counts the same."
)
def mean_over_causes(train_groups, train_fixed, test_groups, test_fixed, scale):
    stands_for = majority(least(train_groups, scale), train_fixed, len(scale))
    hit = (stands_for[least(test_groups, scale)] == test_fixed).double()
    return torch.stack([hit[test_fixed == f].mean() for f in test_fixed.unique()]).mean()


@FACTOR_VAE_SCORE.misconception(
    "You subtract what guessing would score. The score is the plain share of hits; state 1/F "
    "beside it."
)
def above_chance(train_groups, train_fixed, test_groups, test_fixed, scale):
    chance = 1 / (int(train_fixed.max()) + 1)
    score = reference(train_groups, train_fixed, test_groups, test_fixed, scale)
    return (score - chance) / (1 - chance)
