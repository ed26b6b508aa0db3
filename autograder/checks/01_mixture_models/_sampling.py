"""What the checks and signs of `sample_mixture` share: samples, and their distance from theory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import scipy.stats
import torch
from torch import Tensor

from autograder import expect

RARE = 1e-11  # how often a right answer may fail a single comparison


@dataclass(frozen=True)
class Sample:
    """One answer of the student's function, with the mixture that it was asked for."""

    weights: Tensor
    loc: Tensor
    scale_tril: Tensor
    x: Tensor
    labels: Tensor

    def whitened(self, factor: Callable[[Tensor], Tensor] = lambda tril: tril) -> Tensor:
        """z = A⁻¹ (x − μ), with each row's own component; A is L unless `factor` changes it."""
        return self.undo(factor(self.scale_tril), self.x - self.loc[self.labels])

    def undo(self, factors: Tensor, difference: Tensor) -> Tensor:
        """A⁻¹ d, row by row, with the factor of each row's component."""
        inverse = torch.linalg.inv(factors)[self.labels]
        return (inverse * difference[:, None]).sum(-1)

    def counts(self) -> Tensor:
        return torch.bincount(self.labels, minlength=len(self.weights)).double()

    def mean(self) -> Tensor:
        """The mean of the mixture as a whole."""
        return self.weights @ self.loc

    def covariance(self) -> Tensor:
        """The covariance of the mixture as a whole: within the components and between them."""
        within = (self.weights[:, None, None] * self.scale_tril @ self.scale_tril.mT).sum(0)
        distance = self.loc - self.mean()
        return within + (self.weights * distance.T) @ distance

    def ks_distance(self) -> float:
        """The largest distance between a margin's empirical and exact distribution functions."""
        scale = self.scale_tril.square().sum(-1).sqrt()
        x = self.x.sort(0).values
        below = torch.special.ndtr((x[:, None] - self.loc) / scale)  # (S, K, D)
        exact = (self.weights[:, None] * below).sum(1)
        steps = torch.arange(len(x) + 1, dtype=torch.float64)[:, None] / len(x)
        return max((exact - steps[:-1]).max().item(), (steps[1:] - exact).max().item())


def read(value: Any, args: Sequence[Any]) -> Sample:
    """Demand (x, labels) of the right shapes and kinds."""
    count, weights, loc, scale_tril = args[:4]
    x, labels = expect.items(value, 2, "the result of sample_mixture")
    x = expect.tensor(x, (count, loc.shape[1]), "x")
    expect.finite(x, "x")
    if not isinstance(labels, Tensor):
        raise expect.Failure(f"labels is a {type(labels).__name__}; a tensor was expected")
    expect.true(
        tuple(labels.shape) == (count,),
        f"labels has the shape {tuple(labels.shape)}; expected ({count},), one for each row",
    )
    expect.true(
        not labels.dtype.is_floating_point and labels.dtype != torch.bool,
        f"labels holds {labels.dtype}; component numbers are integers",
    )
    low, high = labels.min().item(), labels.max().item()
    expect.true(
        low >= 0 and high < len(weights),
        f"labels run from {low} to {high}; components are numbered from 0 to {len(weights) - 1}",
    )
    return Sample(weights, loc, scale_tril, x, labels.long())


def frequency_distance(samples: Sequence[Sample], expected: Sequence[Tensor]) -> tuple[float, int]:
    """χ² between label counts and expected frequencies, summed over samples; degrees of freedom."""
    total, freedom = 0.0, 0
    for sample, frequency in zip(samples, expected, strict=True):
        mean = len(sample.labels) * frequency
        total += ((sample.counts() - mean).square() / mean).sum().item()
        freedom += len(frequency) - 1
    return total, freedom


def too_large(chi_sq: float, freedom: int) -> bool:
    return chi_sq > scipy.stats.chi2.isf(RARE, freedom)


def too_small(chi_sq: float, freedom: int) -> bool:
    return chi_sq < scipy.stats.chi2.ppf(RARE, freedom)


def is_standard(z: Tensor) -> bool:
    """Whether thousands of rows have mean 0 and covariance I, up to a tenth or so."""
    covariance = z.mT @ z / len(z)
    identity = torch.eye(z.shape[1], dtype=z.dtype)
    return bool((z.mean(0).abs() < 0.1).all() and ((covariance - identity).abs() < 0.12).all())
