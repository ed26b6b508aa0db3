"""Weights whose tail is known exactly, and the fit of a generalised Pareto distribution."""

import math

import numpy as np
import torch
from torch import Tensor

SHARE = 0.3  # of the weights that follow the generalised Pareto distribution exactly


def tail_size(num_samples: int) -> int:
    return math.ceil(min(num_samples / 5, 3 * math.sqrt(num_samples)))


def perfect_log_weights(
    rng: np.random.Generator, shape: float, num_samples: int = 4000, shift: float = 0.0
) -> Tensor:
    """Log weights at the quantiles of a generalised Pareto tail above an arbitrary body, shuffled.

    Quantiles in place of draws: an estimate of the shape has no scatter, only its own small bias.
    """
    count = int(SHARE * num_samples)
    p = (np.arange(count) + 0.5) / count
    start, scale = rng.uniform(0.8, 1.2), rng.uniform(4.0, 6.0)
    tail = start + scale * ((1 - p) ** -shape - 1) / shape
    body = start * rng.uniform(0.02, 1, size=num_samples - count)
    log_weights = np.log(np.concatenate([body, tail]))
    return torch.from_numpy(rng.permutation(log_weights) + rng.uniform(-3, 3) + shift)


def gaussian_log_weights(rng: np.random.Generator, scale: float, num_samples: int) -> Tensor:
    """log p − log q at the quantiles of q = N(0, scale²), for the target p = N(0, 1)."""
    p = (torch.arange(num_samples, dtype=torch.float64) + 0.5) / num_samples
    z = torch.special.ndtri(p) * scale
    log_weights = -0.5 * z.square() + 0.5 * (z / scale).square() + math.log(scale)
    return log_weights[torch.from_numpy(rng.permutation(num_samples))]


def excesses(log_weights: Tensor, size: int | None = None) -> Tensor:
    """What the largest weights have above the largest of the others, rising, in units of the
    largest."""
    weights = (log_weights.double() - log_weights.double().max()).exp().sort().values
    size = tail_size(len(weights)) if size is None else size
    return weights[-size:] - weights[-size - 1]


def fit(excess: Tensor) -> tuple[float, float]:
    """Shape and scale by the method of Zhang and Stephens (2009); excesses rising."""
    count = len(excess)
    num_candidates = 30 + math.isqrt(count)
    place = torch.arange(1, num_candidates + 1, dtype=torch.float64) - 0.5
    quartile = excess[int(count / 4 + 0.5) - 1]
    b = 1 / excess[-1] + (1 - (num_candidates / place).sqrt()) / (3 * quartile)
    k = torch.log1p(-b[:, None] * excess).mean(1)
    log_profile = count * ((-b / k).log() - k - 1)
    best = (log_profile.softmax(0) * b).sum()
    shape = torch.log1p(-best * excess).mean()
    return shape.item(), (-shape / best).item()
