"""`log_bias_curve(log_weights, log_marginal, num_samples)`: how far the logarithm is too low.

The rows that the checks hand out are all possible sequences of a few weights, each once. The
average over the rows is then the exact mean of log p̂, whichever S columns an answer takes.
"""

import itertools
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(log_weights: Tensor, log_marginal: float, num_samples: list[int]) -> Tensor:
    means = [
        torch.logsumexp(log_weights[:, :count], 1).mean() - math.log(count) for count in num_samples
    ]
    return torch.stack(means) - log_marginal


LOG_BIAS_CURVE = Exercise(
    name="log_bias_curve",
    unit="02_monte_carlo",
    title="How much too low the logarithm is",
    points=3,
    difficulty=2,
    minutes=20,
    reference=reference,
    needs=("log_mean_exp",),
    follow_up=(
        "The curve is never above zero, and for many draws it is half the relative variance of "
        "one weight, divided by S."
    ),
    hints=(
        "**Principle.** The estimate of p(x) is right on average. Its logarithm is not, because "
        "the logarithm is curved: an estimate that is too low by a half loses more than one that "
        "is too high by a half gains. To measure this you need many repetitions of the same "
        "experiment. One repetition takes S weights, averages them, and takes the logarithm. "
        "Average these logarithms over the repetitions, and subtract the true log p(x). Two "
        "averages are involved, one inside the logarithm over the draws and one outside over the "
        "repetitions. If you average both inside, the bias you want to see is gone.",
        "**Place.** A row of `log_weights` is one repetition with as many draws as the largest S "
        "needs. For a given S use the first S columns. Your `log_mean_exp` over axis 1 gives "
        "one log p̂ for each row; average these plainly over the rows and subtract "
        "`log_marginal`. Do this for each entry of `num_samples`, in its order, and stack the "
        "results. Test yourself: if all weights are equal to p(x), the bias is zero for every S; "
        "with S = 1 it is the average of all log weights minus log p(x); and it is never above "
        "zero, up to chance.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "biases = []\n"
        "for count in num_samples:\n"
        "    log_estimates = log_mean_exp(log_weights[:, :...], dim=...)   # (R,)\n"
        "    biases.append(log_estimates.mean() - ...)\n"
        "return torch.stack(biases)\n"
        "```\n\n"
        "The gaps are the number of draws, the axis of the draws, and the true log p(x). If your "
        "curve is flat, you do not use `count`, or you average logarithms inside. If it is zero "
        "everywhere, you averaged over the rows inside the logarithm as well. If it lies above "
        "zero, the sign is exchanged, or the number of draws was not divided by. If the first "
        "value is right and the later ones are not, look at which axis you cut.",
    ),
)


def all_sequences(values: Tensor, length: int) -> Tensor:
    """Every sequence of this length, one for each row."""
    places = torch.tensor(list(itertools.product(range(len(values)), repeat=length)))
    return values[places]


def _draw_values(rng: np.random.Generator, count: int) -> Tensor:
    """Log weights a few nats apart, far from zero."""
    steps = rng.uniform(0.8, 1.6, size=count).cumsum()
    return torch.from_numpy(steps - rng.uniform(6, 9))


def _log_mean(values: Tensor) -> float:
    return (values.logsumexp(0) - math.log(len(values))).item()


def as_tensor(value: Any) -> Any:
    """A list of numbers counts as a tensor."""
    if isinstance(value, (list, tuple)) and value:
        numbers = [expect.number(part, "an entry of log_bias_curve") for part in value]
        return torch.tensor(numbers, dtype=torch.float64)
    return value


def _expect_exact(
    candidate: Candidate, rows: Tensor, log_marginal: float, num_samples: list[int], what: str
) -> Tensor:
    value = as_tensor(candidate.call(rows, log_marginal, num_samples))
    expected = reference(rows.double(), log_marginal, num_samples)
    return expect.close(value, expected, f"log_bias_curve {what}")


@LOG_BIAS_CURVE.check
def equals_the_exact_bias(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the exact mean of log p̂ minus log p, where all sequences of weights can be listed."""
    for count, length, sizes in ((2, 8, [1, 2, 5, 8]), (3, 6, [2, 6, 3])):
        values = _draw_values(rng, count)
        rows = all_sequences(values, length)[torch.from_numpy(rng.permutation(count**length))]
        what = f"for all sequences of {count} weights, num_samples = {sizes}"
        _expect_exact(candidate, rows, _log_mean(values), sizes, what)


@LOG_BIAS_CURVE.check
def is_below_zero_and_rises(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is below zero and rises towards it with the number of draws."""
    values = _draw_values(rng, 2)
    sizes = [1, 2, 4, 9]
    value = as_tensor(candidate.call(all_sequences(values, 9), _log_mean(values), sizes))
    curve = expect.tensor(value, (4,), "log_bias_curve")
    expect.true(
        (curve < 0).all(),
        f"log_bias_curve has the values {_list(curve)}; the mean of log p̂ is below log p",
    )
    expect.true(
        (curve.diff() > 0).all(),
        f"log_bias_curve has the values {_list(curve)} for {sizes} draws; it rises towards zero",
    )


@LOG_BIAS_CURVE.check
def falls_like_one_over_the_draws(candidate: Candidate, rng: np.random.Generator) -> None:
    """For small weights' variance it is half of it over S: the slope is −1 in a log-log plot."""
    values = torch.from_numpy(rng.uniform(-4, -2) + np.array([-0.15, 0.15]))
    rows, sizes, log_mean = all_sequences(values, 10), [1, 2, 5, 10], _log_mean(values)
    curve = _expect_exact(candidate, rows, log_mean, sizes, "for weights of small variance")
    slope = (curve[-1] / curve[0]).abs().log().item() / math.log(10)
    expect.true(
        abs(slope + 1) < 0.05, f"the slope in a log-log plot is {slope:.3f}; theory says −1"
    )


@LOG_BIAS_CURVE.check
def equal_weights_have_no_bias(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equal weights have no bias, and the curve is measured from the log p(x) that is given."""
    level = float(rng.uniform(-3, -1))
    rows = torch.full((4, 6), level, dtype=torch.float64)
    for log_marginal in (level, level + 0.3):
        what = f"for weights that are all exp({level:.3g}), with log p(x) = {log_marginal:.3g}"
        _expect_exact(candidate, rows, log_marginal, [1, 3, 6], what)


@LOG_BIAS_CURVE.edge_check
def survives_tiny_weights(candidate: Candidate, rng: np.random.Generator) -> None:
    """Right for log weights near −1000, where every weight underflows to zero."""
    values = _draw_values(rng, 2) - 1000
    rows = all_sequences(values, 6)
    _expect_exact(candidate, rows, _log_mean(values), [1, 3, 6], "for log weights near −1000")


@LOG_BIAS_CURVE.edge_check
def works_for_one_repetition(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for a single row, a single size, and sizes in any order."""
    level = float(rng.uniform(-3, -1))
    rows = torch.full((1, 5), level, dtype=torch.float64)
    _expect_exact(candidate, rows, level - 0.2, [4], "for one row and one size")
    values = _draw_values(rng, 2)
    rows = all_sequences(values, 5)
    _expect_exact(candidate, rows, _log_mean(values), [5, 1, 3], "for sizes in another order")


def _list(values: Tensor) -> str:
    return "(" + ", ".join(f"{value:.4g}" for value in values.tolist()) + ")"
