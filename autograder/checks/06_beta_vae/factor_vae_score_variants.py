"""Right answers to `factor_vae_score`."""

from collections import Counter

import torch

from .factor_vae_score import DEAD, least, reference
from .factor_vae_score_bank import FACTOR_VAE_SCORE, with_winners


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
