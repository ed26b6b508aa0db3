"""Densities on a line: two hills, and Gaussians to compare with them."""

import math

import numpy as np
import torch
from torch import Tensor

STEPS = 241


def log_gaussian(grid: Tensor, loc: Tensor | float, scale: Tensor | float) -> Tensor:
    scale = torch.as_tensor(scale, dtype=torch.float64)
    return -0.5 * ((grid - loc) / scale) ** 2 - scale.log() - 0.5 * math.log(2 * math.pi)


def normalise(log_p: Tensor) -> Tensor:
    """Log probabilities of the grid's points; its even step cancels in every divergence."""
    return log_p.log_softmax(-1)


def divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """KL(p‖q) of two densities on the same grid, both normalised first."""
    log_p, log_q = normalise(log_p), normalise(log_q)
    return (log_p.exp() * (log_p - log_q)).sum(-1)


def two_hills(rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A grid and an unnormalised log density: the heavier hill is wide, the lighter one taller."""
    heavy = rng.uniform(0.58, 0.66)
    wide, narrow = rng.uniform(1.0, 1.3), rng.uniform(0.45, 0.55)
    centre, side = rng.uniform(-2, 2), rng.choice([-1.0, 1.0])
    low, high = centre - side * rng.uniform(2.6, 3.2), centre + side * rng.uniform(3.0, 3.6)
    grid = torch.linspace(centre - 10, centre + 10, STEPS, dtype=torch.float64)
    hills = torch.stack(
        (
            math.log(heavy) + log_gaussian(grid, low, wide),
            math.log(1 - heavy) + log_gaussian(grid, high, narrow),
        )
    )
    return grid, hills.logsumexp(0) + rng.uniform(-5, 5)


def reverse_divergences(grid: Tensor, log_p: Tensor, loc: Tensor, scale: Tensor) -> Tensor:
    """KL(q‖p) of Gaussians with these means and standard deviations, one for each."""
    return divergence(log_gaussian(grid, loc[..., None], scale[..., None]), log_p)
