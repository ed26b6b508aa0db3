"""`log_mean_exp(a, dim)`: the logarithm of a mean of exponentials, without overflow."""

import math

import numpy as np
import scipy.special
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(a: Tensor, dim: int) -> Tensor:
    return torch.logsumexp(a, dim) - math.log(a.shape[dim])


LOG_MEAN_EXP = Exercise(
    name="log_mean_exp",
    unit="02_monte_carlo",
    title="The logarithm of an average, without underflow",
    points=3,
    difficulty=2,
    minutes=15,
    reference=reference,
    hints=(
        "**Principle.** An estimate of p(x) is an average of S densities. A density of an image "
        "is a number such as exp(−1000), which double precision rounds to zero, so you only ever "
        "hold the logarithms a_s. Averaging the logarithms is another quantity: the logarithm of "
        "the geometric mean, which is smaller. You must leave the logarithms, average, and come "
        "back. The way out is an identity: for every constant c, the logarithm of the mean of "
        "exp(a_s) equals c plus the logarithm of the mean of exp(a_s − c). Choose c such that "
        "the largest exponent becomes zero. Then nothing overflows, and whatever underflows was "
        "too small to matter.",
        "**Place.** `torch.logsumexp(a, dim)` takes out the largest value for you, along the "
        "axis that you name, and separately for each row. It gives the logarithm of the *sum*. A "
        "mean is a sum divided by the number of terms, and the logarithm of a quotient is a "
        "difference. The number of terms is the length of that one axis, `a.shape[dim]`, not the "
        "number of all values in the tensor. Its logarithm is subtracted after the logarithm of "
        "the sum is taken; nothing is divided any more. Test yourself: seven equal values give "
        "that value, and the values 0 and log 3 give log 2.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "log_sum = torch.logsumexp(..., dim=...)\n"
        "return log_sum - math.log(a.shape[...])\n"
        "```\n\n"
        "Both gaps in brackets hold `dim`, which may be negative. If you prefer to write it by "
        "hand, take `largest = a.amax(dim, keepdim=True)`, compute the mean of `(a - "
        "largest).exp()` along the axis, take its logarithm and add the largest value back, "
        "without the axis that was kept. One case needs care then: if a whole row is −∞, the "
        "difference is −∞ minus −∞, which is NaN, while the answer is −∞. `torch.logsumexp` "
        "knows that. If your result is infinite at ±1000, you exponentiate before you subtract.",
    ),
)


def _draw(rng: np.random.Generator, *shape: int) -> Tensor:
    """Values that differ by a few nats, off zero."""
    return torch.from_numpy(rng.normal(size=shape) * 1.5 + rng.choice([-4.0, 3.0]))


def _exact(a: Tensor, dim: int) -> Tensor:
    values = a.double().numpy()
    value = scipy.special.logsumexp(values, axis=dim) - math.log(values.shape[dim])
    return torch.as_tensor(value, dtype=torch.float64)


def _expect_exact(candidate: Candidate, a: Tensor, dim: int, what: str) -> None:
    expect.close(candidate.call(a, dim), _exact(a, dim), f"log_mean_exp of {what}")


@LOG_MEAN_EXP.check
def equals_exact_value(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the logarithm of the mean of the exponentials, along any axis of any tensor."""
    for shape, dim in (((7,), 0), ((5, 3), 0), ((5, 3), 1), ((4, 2, 3), -2)):
        _expect_exact(candidate, _draw(rng, *shape), dim, f"shape {shape} along dim = {dim}")


@LOG_MEAN_EXP.check
def works_when_sizes_coincide(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works on square tensors, along axes of length one, and with negative axes."""
    for shape, dim in (((3, 3), 0), ((3, 3), -1), ((1,), 0), ((4, 1), 0)):
        _expect_exact(candidate, _draw(rng, *shape), dim, f"shape {shape} along dim = {dim}")


@LOG_MEAN_EXP.check
def equal_values_give_that_value(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equal values give that value, however many there are."""
    value = float(rng.uniform(1, 3) * rng.choice([-1, 1]))
    a = torch.full((6,), value, dtype=torch.float64)
    _expect_exact(candidate, a, 0, f"six values that are all {value:.4g}")


@LOG_MEAN_EXP.check
def gradient_is_a_softmax(candidate: Candidate, rng: np.random.Generator) -> None:
    """Its gradient is the softmax of the values: each counts with its share of the sum."""
    a = _draw(rng, 4, 3)
    for dim in (0, 1):
        (actual,) = candidate.gradient(a, dim)
        what = f"the gradient of log_mean_exp along dim = {dim}"
        expect.close(actual, torch.softmax(a, dim), what)


@LOG_MEAN_EXP.check
def stable_far_from_zero(candidate: Candidate, rng: np.random.Generator) -> None:
    """Right at −1000 and at +1000, where exponentials are zero or infinite, also side by side."""
    for shift in ([-1000.0] * 3, [1000.0, 0.0, -1000.0]):
        a = _draw(rng, 3, 5) + torch.tensor(shift, dtype=torch.float64)[:, None]
        what = f"rows near {', '.join(f'{value:+.0f}' for value in shift)}"
        actual = expect.tensor(candidate.call(a, 1), (3,), f"log_mean_exp of {what}")
        expect.finite(actual, f"log_mean_exp of {what}")
        expect.close(actual, _exact(a, 1), f"log_mean_exp of {what}", rtol=1e-9, atol=1e-4)


@LOG_MEAN_EXP.edge_check
def differences_may_be_large(candidate: Candidate, rng: np.random.Generator) -> None:
    """One value that towers above the others by a thousand nats decides alone, divided by their
    number."""
    a = _draw(rng, 2, 6)
    a[0, int(rng.integers(6))] += 1000
    a[1, int(rng.integers(6))] -= 1000
    _expect_exact(candidate, a, 1, "rows with one value a thousand nats away")


@LOG_MEAN_EXP.edge_check
def weights_may_be_zero(candidate: Candidate, rng: np.random.Generator) -> None:
    """A value of −∞ counts as a density of zero, and a row of nothing else gives −∞ (not NaN)."""
    a = _draw(rng, 3, 4)
    a[0, :2] = a[1, 1:] = a[2] = -torch.inf
    _expect_exact(candidate, a, 1, "rows that hold −∞")
