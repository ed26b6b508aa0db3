"""The β-VAE whose best solution is known: linear maps, Gaussian data, a fixed noise.

The data's coordinates are independent, with the variances v_d. A direction with v > βσ² is open:
q has the variance βσ²/v, and the error that is left is βσ². All others are closed, and cost v.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


def curve(variances: Tensor, noise_var: float, betas: Tensor) -> tuple[Tensor, Tensor]:
    """Least rate and distortion for each β, (B,) each: Shannon 1959 by "water-filling"."""
    level = betas[:, None] * noise_var
    rates = 0.5 * (variances / level).log().clamp(min=0).sum(-1)
    error = torch.minimum(variances, level).sum(-1)
    constant = 0.5 * len(variances) * (LOG_2PI + math.log(noise_var))
    return rates, error / (2 * noise_var) + constant


def draw_variances(rng: np.random.Generator, dim: int) -> Tensor:
    """Variances that fall from about 6 to about 0.1, in random order."""
    spread = np.exp(np.linspace(1.8, -2.3, dim) + rng.uniform(-0.2, 0.2, size=dim))
    return torch.from_numpy(rng.permutation(spread))


@dataclass(frozen=True, eq=False)
class Run:
    """A trained model on N points: what it costs them.

    Attributes:
        distortion: −log p(x_nd | z) on average over q, (N, D).
        loc: Means of q, (N, M).
        log_var: Log variances of q, (N, M).
    """

    distortion: Tensor
    loc: Tensor
    log_var: Tensor

    @property
    def rate(self) -> float:
        loc, log_var = self.loc, self.log_var
        return float(0.5 * (loc.square() + log_var.exp() - log_var - 1).sum(-1).mean())

    @property
    def total_distortion(self) -> float:
        return float(self.distortion.sum(-1).mean())


@dataclass(frozen=True, eq=False)
class Data:
    """N points with exactly these second moments, and the models that are trained on them."""

    x: Tensor
    variances: Tensor
    noise_var: float

    def train(self, beta: float, closed: Tensor | None = None, haste: float = 1.0) -> Run:
        """The best model for β; a failed run closes directions, or makes q narrower by `haste`."""
        level = beta * self.noise_var
        is_open = self.variances > level
        if closed is not None:
            is_open &= ~closed
        share = torch.where(is_open, 1 - level / self.variances, 0.0)  # of x that comes back
        q_var = haste * torch.where(is_open, level / self.variances, 1.0)
        weight_sq = torch.where(is_open, self.variances - level, 0.0)
        error = (self.x * (1 - share)).square() + weight_sq * q_var
        constant = 0.5 * (LOG_2PI + math.log(self.noise_var))
        # V = w / v, with w² = v − βσ²
        loc = self.x * weight_sq.sqrt() / self.variances
        idle = torch.zeros(len(self.x), 1, dtype=self.x.dtype)  # a hidden value that nobody uses
        return Run(
            error / (2 * self.noise_var) + constant,
            torch.cat((loc, idle), 1),
            torch.cat((q_var.log().expand_as(loc), idle), 1),
        )


def draw_data(rng: np.random.Generator, num_points: int, dim: int) -> Data:
    """Points (N, D) whose mean squares are the variances exactly."""
    variances = draw_variances(rng, dim)
    x = torch.from_numpy(rng.normal(size=(num_points, dim)))
    x = x * (variances / x.square().mean(0)).sqrt()
    return Data(x, variances, float(rng.uniform(0.3, 0.6)))
