"""One hidden number, one observed number, a bent decoder: posteriors and weights by quadrature."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autograder.candidate import Oracle

from ._gaussian import LOG_2PI

Decoder = Callable[[Tensor], Tensor]
Normal = tuple[float, float]

GRID = torch.linspace(-10, 10, 501, dtype=torch.float64)
STEP = 0.04


@dataclass(frozen=True)
class Problem:
    """z ~ N(0, 1), x | z ~ N(g(z), σ²).

    Attributes:
        x: The observed number.
        decoder: g.
        scale: σ.
    """

    x: float
    decoder: Decoder
    scale: float

    @property
    def arguments(self) -> tuple[float, Oracle, float]:
        return self.x, Oracle(self.decoder), self.scale

    def log_likelihood(self) -> Tensor:
        u = (self.x - self.decoder(GRID)) / self.scale
        return -0.5 * (u.square() + LOG_2PI) - math.log(self.scale)

    def log_joint(self) -> Tensor:
        """log p(x, z) on the grid."""
        return self.log_likelihood() - 0.5 * (GRID.square() + LOG_2PI)


def bend(rng: np.random.Generator) -> Problem:
    """Flat on one side and steep on the other: the posterior has a long tail and a short one."""
    low, high = rng.uniform(0.4, 0.6), rng.uniform(1.8, 2.6)
    sign, offset = rng.choice([-1.0, 1.0]), rng.uniform(1.0, 2.0)
    softplus = torch.nn.functional.softplus

    def decoder(z: Tensor) -> Tensor:
        z = sign * z
        return offset + low * z + (high - low) * softplus(6 * z) / 6

    return Problem(float(offset + rng.uniform(-0.1, 0.2)), decoder, float(rng.uniform(0.4, 0.5)))


def parabola(rng: np.random.Generator) -> Problem:
    """Two values of z explain x: the posterior has two peaks of unequal height."""
    curve, tilt = rng.uniform(0.8, 1.0), rng.uniform(0.3, 0.5) * rng.choice([-1.0, 1.0])
    x, scale = rng.uniform(1.7, 2.1), rng.uniform(0.4, 0.6)
    return Problem(float(x), lambda z: curve * z.square() + tilt * z, float(scale))


def line(rng: np.random.Generator) -> Problem:
    """The posterior is normal, so a normal proposal can be perfect."""
    slope = rng.uniform(0.8, 1.5) * rng.choice([-1.0, 1.0])
    shift, x = rng.uniform(0.5, 1.0), rng.uniform(1.5, 2.5)
    scale = float(rng.uniform(0.5, 0.8))
    return Problem(float(x), lambda z: slope * z + shift, scale)


def log_normal(loc: Tensor | float, scale: Tensor | float) -> Tensor:
    """log N(z | loc, scale) on the grid; parameters broadcast against its axis."""
    scale = torch.as_tensor(scale, dtype=torch.float64)
    return -0.5 * (((GRID - loc) / scale).square() + LOG_2PI) - scale.log()


def relative_variance(log_p: Tensor, loc: Tensor | float, scale: Tensor | float) -> Tensor:
    """Var_q[w] / p(x)², exact: ∫ p(x, z)² / q(z) dz over the squared evidence, minus one."""
    second = torch.logsumexp(2 * log_p - log_normal(loc, scale), -1) + math.log(STEP)
    return torch.expm1(second - 2 * (torch.logsumexp(log_p, -1) + math.log(STEP)))


def moments(log_p: Tensor) -> Normal:
    """Mean and standard deviation of the density proportional to exp(log_p)."""
    p = torch.softmax(log_p, -1)
    mean = (p * GRID).sum()
    return mean.item(), (p * (GRID - mean).square()).sum().sqrt().item()


def best_on_grids(loss: Callable[[Tensor, Tensor], Tensor], start: Normal) -> Normal:
    """Minimum over (loc, log scale), by grids that shrink around the best place so far."""
    loc, log_scale = start[0], math.log(start[1])
    width = torch.tensor([1.5, 0.8], dtype=torch.float64)
    offsets = torch.linspace(-1, 1, 9, dtype=torch.float64)
    for _ in range(7):
        locs = (loc + width[0] * offsets)[:, None, None]
        log_scales = (log_scale + width[1] * offsets)[None, :, None]
        place = int(loss(locs, log_scales.exp()).argmin())
        loc = locs.flatten()[place // 9].item()
        log_scale = log_scales.flatten()[place % 9].item()
        width = width * 0.4
    return loc, math.exp(log_scale)


def optimum(problem: Problem) -> Normal:
    """The normal proposal whose weights vary least; unique, for the loss is convex in the natural
    parameters."""
    log_p = problem.log_joint()
    mean, scale = moments(log_p)
    return best_on_grids(lambda m, s: relative_variance(log_p, m, s), (mean, 1.2 * scale))
