"""Right answers to `revive_dead_codes`, and the exercise with its whole bank."""

import numpy as np
import torch

from .revive_dead_codes_bank import REVIVE_DEAD_CODES

variant = REVIVE_DEAD_CODES.variant


@variant
def by_multinomial(codebook, counts, z, threshold, generator):
    dead = (counts < threshold).nonzero().flatten()
    new = codebook.clone()
    if len(dead):
        weights = torch.ones(len(z))
        new[dead] = z[torch.multinomial(weights, len(dead), generator=generator)]
    return new, len(dead)


@variant
def by_where(codebook, counts, z, threshold, generator):
    dead = counts < threshold
    order = torch.randperm(len(z), generator=generator)
    place = (dead.cumsum(0) - 1).clamp(min=0)
    return torch.where(dead[:, None], z[order[place]], codebook), dead.sum()


@variant
def by_sorting_noise(codebook, counts, z, threshold, generator):
    dead = counts < threshold
    keys = torch.rand(len(z), generator=generator, dtype=torch.float64)
    new = codebook.clone()
    new[dead] = z[keys.topk(int(dead.sum())).indices]
    return [new, int(dead.sum())]


@variant
def in_the_order_of_the_batch(codebook, counts, z, threshold, generator):
    dead = counts < threshold
    rows = torch.randperm(len(z), generator=generator)[: int(dead.sum())].sort().values
    new = codebook.clone()
    new[dead] = z[rows]
    return new, float(dead.sum())


@variant
def by_numpy(codebook, counts, z, threshold, generator):
    seed = int(torch.randint(1 << 31, (1,), generator=generator))
    dead = counts < threshold
    chosen = np.random.default_rng(seed).choice(len(z), size=int(dead.sum()), replace=False)
    new = codebook.clone()
    new[dead] = z[torch.from_numpy(chosen)]
    return new, int(dead.sum())


@variant
def one_after_the_other(codebook, counts, z, threshold, generator):
    new, free = codebook.clone(), list(range(len(z)))
    dead = [k for k, count in enumerate(counts.tolist()) if count < threshold]
    draws = torch.rand(len(dead), generator=generator, dtype=torch.float64).tolist()
    for k, draw in zip(dead, draws, strict=True):
        new[k] = z[free.pop(int(draw * len(free)))]
    return new, len(dead)
