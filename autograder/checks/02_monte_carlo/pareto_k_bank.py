"""Wrong answers to `pareto_k`.

Right answers differ in the third digit, and so do wrong ones: a mistake is recognised by the
neighbourhood of its values.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from autograder.candidate import Call
from autograder.exercise import Sign

from ._tail import excesses, fit, tail_size
from .pareto_k import PARETO_K, reference

Formula = Callable[[Tensor], float]


def _weights(log_weights: Tensor) -> Tensor:
    """Rising, in units of the largest."""
    return (log_weights - log_weights.max()).exp().sort().values


def _numbers(calls: Sequence[Call]) -> list[tuple[Tensor, float]]:
    found = [(c.args[0], c.value) for c in calls if c.error is None]
    pairs = [(w, float(torch.as_tensor(v).double())) for w, v in found]
    return [(w, v) for w, v in pairs if math.isfinite(v)]


def _safe(formula: Formula, log_weights: Tensor) -> float:
    try:
        return float(formula(log_weights))
    except (ValueError, IndexError, RuntimeError):
        return math.nan


def near(formula: Formula, tolerance: float = 0.06) -> Sign:
    """Every finite answer for many weights is about this, up to a tenth of the largest ones."""

    def sign(calls: Sequence[Call]) -> bool:
        found = [pair for pair in _numbers(calls) if len(pair[0]) > 1000]
        expected = [_safe(formula, log_weights) for log_weights, _ in found]
        return len(found) > 2 and all(
            abs(value - right) <= tolerance * max(1, abs(right))
            for (_, value), right in zip(found, expected, strict=True)
        )

    return sign


def _misconception(message: str, formula: Formula, tolerance: float = 0.06) -> Callable:
    return PARETO_K.misconception(message, sign=near(formula, tolerance))


def _shape(excess: Tensor) -> float:
    return fit(excess)[0]


def _right(log_weights: Tensor) -> float:
    return _shape(excesses(log_weights))


def _of_log_weights(log_weights: Tensor) -> float:
    values, size = log_weights.sort().values, tail_size(len(log_weights))
    return _shape(values[-size:] - values[-size - 1])


def _of_all(log_weights: Tensor) -> float:
    weights = _weights(log_weights)
    return _shape(weights[1:] - weights[0])


def _unsorted(log_weights: Tensor) -> float:
    size = tail_size(len(log_weights))
    weights = (log_weights - log_weights.max()).exp()[-size - 1 :].sort().values
    return _shape(weights[1:] - weights[0])


def _smallest(log_weights: Tensor) -> float:
    weights = _weights(log_weights)[: tail_size(len(log_weights)) + 1]
    return _shape(weights[1:] - weights[0])


def _not_subtracted(log_weights: Tensor) -> float:
    return _shape(_weights(log_weights)[-tail_size(len(log_weights)) :])


def _hill(log_weights: Tensor) -> float:
    weights, size = _weights(log_weights), tail_size(len(log_weights))
    return (weights[-size:] / weights[-size - 1]).log().mean().item()


def _log_log_line(log_weights: Tensor) -> float:
    weights, size = _weights(log_weights), tail_size(len(log_weights))
    log_rank = torch.arange(size, 0, -1, dtype=torch.float64).log()
    log_weight = weights[-size:].log()
    log_weight, log_rank = log_weight - log_weight.mean(), log_rank - log_rank.mean()
    return -(log_weight.square().sum() / (log_weight * log_rank).sum()).item()


def _moments(log_weights: Tensor) -> float:
    excess = excesses(log_weights)
    return 0.5 * (1 - excess.mean().square() / excess.var()).item()


def _scale(log_weights: Tensor) -> float:
    return fit(excesses(log_weights))[1]


def _half_of_all(log_weights: Tensor) -> float:
    return _shape(excesses(log_weights, len(log_weights) // 2))


def _five_largest(log_weights: Tensor) -> float:
    return _shape(excesses(log_weights, 5))


def _variation(log_weights: Tensor) -> float:
    weights = _weights(log_weights)
    return (weights.std() / weights.mean()).item()


def _tail_variation(log_weights: Tensor) -> float:
    excess = excesses(log_weights)
    return (excess.std() / excess.mean()).item()


@_misconception(
    "Your k has the opposite sign. Some authors write −k; here a heavy tail has a positive k.",
    lambda log_weights: -_right(log_weights),
)
def sign_of_other_authors(log_weights):
    return -reference(log_weights)


@_misconception(
    "You fit the logarithms of the weights. The tail of the weights themselves matters: subtract "
    "the largest and exponentiate first.",
    _of_log_weights,
)
def fitted_to_log_weights(log_weights):
    return _of_log_weights(log_weights)


@_misconception(
    "You fit all weights. Only the tail looks like a generalised Pareto distribution: take the T "
    "largest.",
    _of_all,
)
def fitted_to_all(log_weights):
    return _of_all(log_weights)


@_misconception(
    "You take half of the weights for the tail. Then the body is fitted too: T = ⌈min(S / 5, 3 "
    "√S)⌉.",
    _half_of_all,
)
def half_of_all(log_weights):
    return _half_of_all(log_weights)


@_misconception(
    "You fit the five largest weights only. So few say next to nothing: T = ⌈min(S / 5, 3 √S)⌉.",
    _five_largest,
)
def five_largest(log_weights):
    return _five_largest(log_weights)


@_misconception("You take the last draws and not the largest weights. Sort first.", _unsorted)
def not_sorted(log_weights):
    return _unsorted(log_weights)


@_misconception(
    "You take the smallest weights for the tail. The largest ones make the variance.", _smallest
)
def smallest_weights(log_weights):
    return _smallest(log_weights)


@_misconception(
    "You fit the largest weights as they are. Subtract the threshold, the largest weight outside "
    "the tail: the distribution describes what they have above it.",
    _not_subtracted,
)
def threshold_not_subtracted(log_weights):
    return _not_subtracted(log_weights)


@_misconception("You return the scale σ of the fit. The shape k was asked for.", _scale, 0.02)
def scale_returned(log_weights):
    return _scale(log_weights)


@_misconception(
    "You return the tail index 1/k. A heavy tail has a large k.",
    lambda log_weights: 1 / _right(log_weights),
    0.3,
)
def tail_index(log_weights):
    return 1 / reference(log_weights)


@_misconception(
    "You use Hill's estimator, the mean of the logarithms of weight over threshold. It holds for "
    "pure powers and is never negative: fit both k and σ.",
    _hill,
    0.025,
)
def hill_estimator(log_weights):
    return _hill(log_weights)


@_misconception(
    "You fit a line to the tail in a doubly logarithmic plot. It holds for pure powers only and "
    "is never negative: fit both k and σ.",
    _log_log_line,
)
def line_in_a_log_log_plot(log_weights):
    return _log_log_line(log_weights)


@_misconception(
    "You compute k from the mean and the variance of the excesses. That can never exceed ½, "
    "because above it there is no variance: use the likelihood.",
    _moments,
)
def method_of_moments(log_weights):
    return _moments(log_weights)


@_misconception(
    "You cut k off at zero. A negative k is good news: the weights are bounded.",
    lambda log_weights: max(_right(log_weights), 0.0),
)
def negative_cut_off(log_weights):
    return max(reference(log_weights), 0.0)


@_misconception(
    "You cut k off at one half, or pull it there. The estimate itself was asked for.",
    lambda log_weights: min(_right(log_weights), 0.5),
)
def cut_off_at_one_half(log_weights):
    return min(reference(log_weights), 0.5)


@_misconception(
    "You return the absolute value of k. Its sign tells a bounded tail from a heavy one.",
    lambda log_weights: abs(_right(log_weights)),
    0.12,
)
def absolute_value(log_weights):
    return abs(reference(log_weights))


@_misconception(
    "You return the coefficient of variation of the weights. It looks at all weights you have, "
    "not at the tail of those you have not.",
    _variation,
    0.02,
)
def coefficient_of_variation(log_weights):
    return _variation(log_weights)


@_misconception(
    "You return the coefficient of variation of the tail. Fit the generalised Pareto distribution.",
    _tail_variation,
    0.02,
)
def variation_of_the_tail(log_weights):
    return _tail_variation(log_weights)


@_misconception(
    "You return the share of the largest weight. It describes the draws you have; k describes "
    "those you have not.",
    lambda log_weights: torch.softmax(log_weights, 0).max().item(),
    0.01,
)
def largest_share(log_weights):
    return torch.softmax(log_weights, 0).max()


@_misconception(
    "You return the effective share of the draws. Two samples with the same share may have very "
    "different tails.",
    lambda log_weights: 1 / torch.softmax(log_weights, 0).square().sum().item() / len(log_weights),
    0.01,
)
def effective_share(log_weights):
    return 1 / torch.softmax(log_weights, 0).square().sum() / len(log_weights)


@PARETO_K.misconception(
    "You return a judgement. The number k itself was asked for.",
    sign=lambda calls: all(
        isinstance(c.value, bool) or (isinstance(c.value, Tensor) and c.value.dtype == torch.bool)
        for c in calls
    ),
)
def judgement(log_weights):
    return reference(log_weights) > 0.7


def _breaks_far_from_zero(calls: Sequence[Call]) -> bool:
    """Right near zero, and NaN, infinite or an error for log weights near ±1000."""
    far = [c for c in calls if c.args[0].abs().median() > 500]
    broken = [c for c in far if c.error or not math.isfinite(float(torch.as_tensor(c.value)))]
    return bool(far) and len(broken) == len(far) and near(_right, 0.1)(calls)


@PARETO_K.misconception(
    "You exponentiate the log weights as they are. Near ±1000 they vanish or overflow: subtract "
    "the largest first, which changes no shape.",
    sign=_breaks_far_from_zero,
)
def no_max_shift(log_weights):
    weights, size = log_weights.exp().sort().values, tail_size(len(log_weights))
    return _shape(weights[-size:] - weights[-size - 1])


def _nan_for_equal_weights(calls: Sequence[Call]) -> bool:
    equal = [c for c in calls if c.args[0].min() == c.args[0].max()]
    wrong = all(c.error is not None or not float(c.value) <= 0 for c in equal)
    return bool(equal) and wrong and near(_right, 0.1)(calls)


@PARETO_K.misconception(
    "Equal weights give NaN, an error, or a large k. They have no tail: return a negative number "
    "where all excesses are zero.",
    sign=_nan_for_equal_weights,
)
def nan_for_equal_weights(log_weights):
    return _right(log_weights)
