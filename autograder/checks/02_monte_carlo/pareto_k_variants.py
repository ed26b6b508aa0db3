"""Right answers to `pareto_k`: other estimators, other tails."""

import math
from collections.abc import Callable

import numpy as np
import scipy.optimize
import scipy.stats
import torch
from torch import Tensor

from ._tail import excesses, fit
from .pareto_k_bank import PARETO_K

Formula = Callable[[Tensor], float]


def _no_tail(function: Formula) -> Formula:
    """−1 where all excesses are zero."""

    def variant(log_weights: Tensor) -> float:
        return -1.0 if excesses(log_weights)[-1] <= 0 else function(log_weights)

    variant.__name__ = function.__name__
    return variant


@PARETO_K.variant
@_no_tail
def without_the_weak_prior(log_weights):
    return fit(excesses(log_weights))[0]


@PARETO_K.variant
@_no_tail
def maximum_likelihood_by_scipy(log_weights):
    return scipy.stats.genpareto.fit(excesses(log_weights).numpy(), floc=0)[0]


@PARETO_K.variant
@_no_tail
def profile_on_a_grid(log_weights):
    y = excesses(log_weights).numpy()
    b = np.concatenate([-np.logspace(-4, 3, 400) / y[-1], np.linspace(0.01, 0.98, 60) / y[-1]])
    k = np.log1p(-b[:, None] * y).mean(1)
    return k[(np.log(-b / k) - k).argmax()]


@PARETO_K.variant
@_no_tail
def likelihood_of_both_parameters(log_weights):
    y = excesses(log_weights).numpy()
    y = y / y.mean()

    def loss(parameters):
        k, log_scale = parameters
        inside = 1 + k * y * math.exp(-log_scale)
        if (inside <= 0).any() or abs(k) < 1e-9:
            return 1e9
        return log_scale + (1 + 1 / k) * np.log(inside).mean()

    return scipy.optimize.minimize(loss, [0.3, 0.0], method="Nelder-Mead").x[0]


@PARETO_K.variant
@_no_tail
def probability_weighted_moments(log_weights):
    y = excesses(log_weights)
    rank = torch.arange(1, len(y) + 1, dtype=torch.float64)
    mean, weighted = y.mean(), ((len(y) - rank) / (len(y) - 1) * y).mean()
    return (2 - mean / (mean - 2 * weighted)).item()


@PARETO_K.variant
@_no_tail
def another_size_of_the_tail(log_weights):
    return torch.tensor(fit(excesses(log_weights, len(log_weights) // 10))[0])
