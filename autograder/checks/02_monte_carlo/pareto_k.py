"""`pareto_k(log_weights)`: how heavy the tail of the weights is.

Several good estimators exist, and the checks accept them all: they give weights whose tail has a
known shape, at its quantiles, so that no estimate has scatter. At 4000 weights the methods of
maximum likelihood, of Zhang and Stephens, of Vehtari et al. and of probability-weighted moments are
off by 0.02, 0.01, 0.05 and 0.08 or less.
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._tail import excesses, fit, gaussian_log_weights, perfect_log_weights


def reference(log_weights: Tensor) -> float:
    excess = excesses(log_weights)
    if excess[-1] <= 0:
        return -math.inf
    shape, _ = fit(excess)
    return (len(excess) * shape + 5) / (len(excess) + 10)


PARETO_K = Exercise(
    name="pareto_k",
    unit="02_monte_carlo",
    title="Does the average have a variance at all",
    points=4,
    difficulty=4,
    minutes=35,
    reference=reference,
    deterministic=False,
    hints=(
        "**Principle.** An effective sample size looks at the weights you have. The danger is in "
        "the weights that you have not drawn yet: one of them may be a million times larger. How "
        "likely that is can be read from the tail, the largest weights of the sample. Above a "
        "high threshold every reasonable distribution looks like a generalised Pareto "
        "distribution with density proportional to (1 + k y / σ) to the power −1/k − 1, where y "
        "is what a weight has above the threshold. The shape k says how many moments exist: k "
        "above ½ means no variance, k above 1 not even a mean. A bounded tail has a negative k, "
        "and an exponential one has k = 0.",
        "**Place.** Three steps. First leave the logarithms safely: subtract the largest log "
        "weight, then exponentiate; the shape does not depend on the unit. Then sort, and take "
        "the T largest weights, with T = ⌈min(S / 5, 3 √S)⌉. The threshold is the largest weight "
        "that is *not* among them; subtract it to get T excesses y, all positive. Last, fit. The "
        "log-likelihood has a trick: with b = −k/σ the best k for this b is the mean of log(1 − b "
        "y), so only one number is left to search. Compute the profile T (log(−b/k) − k − 1) on a "
        "grid of values b below 1 / max(y), without 0, and take the best one, or their average "
        "with the likelihood as weight.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "w = (log_weights - log_weights.max()).exp().sort().values      # rising\n"
        "T = math.ceil(min(len(w) / 5, 3 * math.sqrt(len(w))))\n"
        "y = w[-T:] - w[...]                                            # excesses\n"
        "m = 30 + int(math.sqrt(T))\n"
        "place = torch.arange(1, m + 1, dtype=w.dtype) - 0.5\n"
        "b = 1 / y[-1] + (1 - (m / place).sqrt()) / (3 * y[int(T / 4 + 0.5) - 1])\n"
        "k = torch.log1p(-b[:, None] * y).mean(...)                     # one for each b\n"
        "profile = T * ((-b / k).log() - k - 1)\n"
        "b_best = (torch.softmax(profile, 0) * b).sum()\n"
        "return torch.log1p(-b_best * y)...\n"
        "```\n\n"
        "The grid is the one of Zhang and Stephens. The gaps: the threshold's place, −T − 1; the "
        "axis of the excesses, 1; and a mean. Return a negative number where all excesses are "
        "zero.",
    ),
)


def value_of(value: Any, what: str) -> float:
    """Demand one number that is not NaN; −∞ stands for no tail at all."""
    if isinstance(value, (Tensor, float)) and torch.as_tensor(value).numel() == 1:
        number = float(torch.as_tensor(value).double())
        if number == -math.inf:
            return number
    return expect.number(value, what)


def _expect_shape(
    candidate: Candidate, log_weights: Tensor, shape: float, tolerance: float, what: str
) -> None:
    k = value_of(candidate.call(log_weights), "pareto_k")
    expect.true(
        abs(k - shape) <= tolerance,
        f"pareto_k is {k:.3f} for {what} whose tail has the shape {shape:.2f}; expected within "
        f"{tolerance:g} of it",
    )


@PARETO_K.check
def recovers_the_shape(candidate: Candidate, rng: np.random.Generator) -> None:
    """Finds the shape of a tail that is known: with a variance, on the edge, and without one."""
    for shape in (0.2, 0.5, 0.7):
        log_weights = perfect_log_weights(rng, shape)
        _expect_shape(candidate, log_weights, shape, 0.1, "4000 weights")


@PARETO_K.check
def sees_a_very_heavy_tail(candidate: Candidate, rng: np.random.Generator) -> None:
    """A tail so heavy that the average has next to no mean gets a k well above 0.7."""
    _expect_shape(candidate, perfect_log_weights(rng, 0.95), 0.95, 0.2, "4000 weights")


@PARETO_K.check
def bounded_tail_is_negative(candidate: Candidate, rng: np.random.Generator) -> None:
    """A tail that ends at a largest possible weight has a negative k."""
    _expect_shape(candidate, perfect_log_weights(rng, -0.3), -0.3, 0.1, "4000 bounded weights")


@PARETO_K.check
def flags_a_narrow_proposal(candidate: Candidate, rng: np.random.Generator) -> None:
    """A proposal much narrower than its target is flagged, k > 0.7; a wider one is not, k < 0.5."""
    scale = float(rng.uniform(0.2, 0.25))
    k = value_of(candidate.call(gaussian_log_weights(rng, scale, 3000)), "pareto_k")
    expect.true(
        k > 0.7,
        f"pareto_k is {k:.3f} for a normal proposal with {scale:.2f} times the target's standard "
        "deviation; expected more than 0.7",
    )
    scale = float(rng.uniform(1.2, 1.5))
    k = value_of(candidate.call(gaussian_log_weights(rng, scale, 3000)), "pareto_k")
    expect.true(
        k < 0.5,
        f"pareto_k is {k:.3f} for a normal proposal with {scale:.2f} times the target's standard "
        "deviation, whose weights are bounded; expected less than 0.5",
    )


@PARETO_K.check
def scale_of_weights_means_nothing(candidate: Candidate, rng: np.random.Generator) -> None:
    """A factor common to all weights changes nothing, not even one of exp(1000) or exp(−1000)."""
    for shift in (-1000.0, 1000.0):
        log_weights = perfect_log_weights(rng, 0.5, shift=shift)
        _expect_shape(candidate, log_weights, 0.5, 0.1, f"log weights near {shift:+.0f}")


@PARETO_K.edge_check
def works_for_few_draws(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for a hundred weights, if less exactly."""
    _expect_shape(candidate, perfect_log_weights(rng, 0.5, 100), 0.5, 0.3, "100 weights")


@PARETO_K.edge_check
def equal_weights_have_no_tail(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equal weights, as the exact posterior gives them, have no tail: a k below 0.5 and not NaN."""
    log_weights = torch.full((200,), float(rng.uniform(-5, 5)), dtype=torch.float64)
    k = value_of(candidate.call(log_weights), "pareto_k of equal weights")
    expect.true(k < 0.5, f"pareto_k is {k:.3f} for equal weights; expected less than 0.5")
