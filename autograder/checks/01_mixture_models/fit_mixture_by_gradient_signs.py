"""How a fit ended: what the signs of `fit_mixture_by_gradient` read.

Two right fits differ in the last digits, so nothing can be replayed. A sign reads the fitted
parameters: which of them moved, what structure they have, and which repair would be the optimum.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from autograder.candidate import Call

from ._parameters import Parameters, log_joint, log_likelihood, symmetric
from .em_step import m_step
from .fit_mixture_by_gradient import SHORTFALL, optimum


@dataclass(frozen=True)
class Fit:
    """One question and its answer; the last three fields are the student's parameters."""

    x: Tensor
    start: Parameters
    weights: Tensor
    loc: Tensor
    covariance: Tensor

    def kept(self, index: int) -> bool:
        """Whether one of the parameters is where it started."""
        now = (self.weights, self.loc, self.covariance)[index]
        return torch.allclose(now, self.start[index], rtol=1e-5, atol=1e-7)

    def is_best(
        self, weights: Tensor, loc: Tensor, covariance: Tensor, slack: float = 20 * SHORTFALL
    ) -> bool:
        """Whether these parameters are the optimum, as far as an unfinished fit can tell."""
        return log_likelihood(self.x, weights, loc, covariance) >= self.best - slack

    @cached_property
    def best(self) -> float:
        return log_likelihood(self.x, *optimum(self.x, *self.start))

    @property
    def likelihood(self) -> float:
        return log_likelihood(self.x, self.weights, self.loc, self.covariance)

    @property
    def start_likelihood(self) -> float:
        return log_likelihood(self.x, *self.start)


def fits(calls: Sequence[Call]) -> list[Fit]:
    return [
        Fit(call.args[0], call.args[1:], *(part.double() for part in call.value)) for call in calls
    ]


def unit(x: Tensor) -> Tensor:
    return x.std(0)


def rescaled(fit: Fit) -> Tensor:
    """The covariances, if they are in standardised units."""
    return fit.covariance * unit(fit.x)[:, None] * unit(fit.x)


def constrained_em(
    x: Tensor,
    weights: Tensor,
    loc: Tensor,
    covariance: Tensor,
    project: Callable[[Tensor, Tensor], Tensor],
) -> Parameters:
    """The optimum of a smaller model, quickly."""
    covariance = project(covariance, weights)
    for _ in range(150):
        resp = torch.softmax(log_joint(x, weights, loc, covariance), 1)
        weights, loc, covariance = m_step(x, resp)
        covariance = project(covariance, weights)
    return weights, loc, covariance.clone()


def hard_step(x: Tensor, weights: Tensor, loc: Tensor, covariance: Tensor) -> Parameters:
    best = log_joint(x, weights, loc, covariance).argmax(1)
    return m_step(x, torch.nn.functional.one_hot(best, len(weights)).to(x.dtype))


def is_lower(covariance: Tensor) -> bool:
    return bool((covariance.triu(1) == 0).all() and (covariance.tril(-1) != 0).any())


def is_no_covariance(covariance: Tensor) -> bool:
    skew = (covariance - covariance.mT).abs().max() > 1e-4 * covariance.abs().max()
    return bool(skew or (torch.linalg.eigvalsh(symmetric(covariance)) <= 0).any())


def other_product(covariance: Tensor) -> Tensor:
    """L Lᵀ from Lᵀ L: reversing the coordinates turns the one into a Cholesky factorisation."""
    factor = torch.linalg.cholesky(covariance.flip(1, 2)).flip(1, 2).mT
    return factor @ factor.mT


def alike(parts: Tensor, rtol: float = 0.02) -> bool:
    """Whether all components have the same."""
    return torch.allclose(parts, parts[:1].expand_as(parts), rtol=rtol, atol=1e-6)


def off_diagonal(covariance: Tensor) -> Tensor:
    return covariance - covariance.diagonal(dim1=1, dim2=2).diag_embed()
