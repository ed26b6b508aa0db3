"""`effective_sample_size(log_weights)`: how many equal weights these are worth."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(log_weights: Tensor) -> Tensor:
    return 1 / torch.softmax(log_weights, 0).square().sum(0)


EFFECTIVE_SAMPLE_SIZE = Exercise(
    name="effective_sample_size",
    unit="02_monte_carlo",
    title="How many draws were worth something",
    points=3,
    difficulty=2,
    minutes=15,
    reference=reference,
    hints=(
        "**Principle.** A thousand draws of which one has almost all the weight are worth one. "
        "The effective sample size counts: it is S if all weights are equal, 1 if one weight is "
        "everything, and j if j weights are equal and the others are zero. Only the shares matter. "
        "If every weight is multiplied by the same constant, such as the unknown p(x), the count "
        "must not change. So normalise the weights first, to sum to one over the draws. Then look "
        "at the sum of their squares: for j equal shares it is j times 1/j², that is 1/j. The "
        "count is one over it. Large shares dominate a sum of squares, which is what we want.",
        "**Place.** You are given the logarithms of the weights, of shape (S, N): one column for "
        "each point. Subtracting a column's own log-sum-exp and taking the exponential normalises "
        "it; `torch.softmax` along axis 0 does both and does not overflow. Square these shares, "
        "sum them over the draws, and take one over the sum, for each point. Square after you "
        "left the logarithms, not before: the square of a logarithm means nothing here. Test "
        "yourself: the weights 1, 1, 1, 1 give 4; the weights 1, 0, 0 give 1; the weights 3 and "
        "1 give 1.6; and adding 1000 to all log weights changes nothing.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "shares = torch.softmax(log_weights, dim=...)      # (S, N), columns sum to 1\n"
        "return 1 / (shares ** ...).sum(dim=...)           # (N,)\n"
        "```\n\n"
        "The gaps are the axis of the draws, the power two, and the same axis again. By hand and "
        "without leaving logarithms it is twice the log-sum-exp of the log weights minus the "
        "log-sum-exp of twice the log weights, and the exponential of that. If your answer is "
        "always 1, you squared the sum instead of summing the squares. If it is between 0 and 1, "
        "you returned the share of the draws, or forgot to take one over the sum. If it is NaN "
        "or zero at log weights near a thousand, you exponentiated before you normalised.",
    ),
)


def _exact(log_weights: Tensor) -> Tensor:
    """(Σ w)² / Σ w², with each column's largest weight as unit."""
    weights = (log_weights.double() - log_weights.double().amax(0)).exp()
    return weights.sum(0).square() / weights.square().sum(0)


def _expect_exact(candidate: Candidate, log_weights: Tensor, what: str) -> None:
    actual = candidate.call(log_weights)
    expect.close(actual, _exact(log_weights), f"effective_sample_size {what}")


def _draw(rng: np.random.Generator, num_samples: int, num_points: int) -> Tensor:
    """Columns of very different spread, at different heights."""
    spread = rng.permutation(np.linspace(0.5, 2.0, num_points))
    height = rng.uniform(-6, -3, size=num_points)
    return torch.from_numpy(rng.normal(size=(num_samples, num_points)) * spread + height)


@EFFECTIVE_SAMPLE_SIZE.check
def equals_exact_value(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is one over the sum of the squared shares, for each point on its own."""
    for num_samples, num_points in ((50, 3), (7, 4), (5, 5), (6, 1)):
        log_weights = _draw(rng, num_samples, num_points)
        what = f"of weights of shape ({num_samples}, {num_points})"
        _expect_exact(candidate, log_weights, what)


@EFFECTIVE_SAMPLE_SIZE.check
def equal_weights_count_fully(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equal weights count fully: S of them are worth S, and a single one is worth 1."""
    for num_samples in (8, 1):
        height = torch.from_numpy(rng.uniform(-4, -2, size=2))
        log_weights = height.repeat(num_samples, 1)
        _expect_exact(candidate, log_weights, f"of {num_samples} equal weights")


@EFFECTIVE_SAMPLE_SIZE.check
def one_weight_alone_counts_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """One weight that towers above the others is worth 1, and j equal ones are worth j."""
    log_weights = _draw(rng, 9, 3) - 60
    for n, count in enumerate((1, 2, 5)):
        log_weights[rng.permutation(9)[:count], n] = -2.0 * n
    _expect_exact(candidate, log_weights, "of 1, 2 and 5 equal weights among tiny ones")


@EFFECTIVE_SAMPLE_SIZE.check
def scale_of_weights_means_nothing(candidate: Candidate, rng: np.random.Generator) -> None:
    """A factor common to all weights of a point changes nothing."""
    log_weights = _draw(rng, 12, 3)
    shift = torch.tensor([2.5, -4.0, 7.0], dtype=torch.float64)
    _expect_exact(candidate, log_weights + shift, "after a shift of each column")


@EFFECTIVE_SAMPLE_SIZE.check
def survives_extreme_weights(candidate: Candidate, rng: np.random.Generator) -> None:
    """Right for log weights near −1000 and +1000, side by side."""
    shift = torch.tensor([-1000.0, 1000.0, 0.0], dtype=torch.float64)
    _expect_exact(candidate, _draw(rng, 12, 3) + shift, "of log weights near −1000, 1000 and 0")


@EFFECTIVE_SAMPLE_SIZE.edge_check
def weights_may_be_zero(candidate: Candidate, rng: np.random.Generator) -> None:
    """Draws of weight zero, log weight −∞, count nothing."""
    log_weights = _draw(rng, 10, 2)
    log_weights[rng.permutation(10)[:4], 0] = -torch.inf
    log_weights[1:, 1] = -torch.inf
    _expect_exact(candidate, log_weights, "of weights that hold zeros")
    shifts = torch.tensor([-1000.0, 1000.0], dtype=log_weights.dtype)
    far = log_weights[:, :1] + shifts
    _expect_exact(candidate, far, "of weights near e^±1000 that hold zeros")
