"""`bic(log_likelihood, num_components, dim, num_points)`: the price of a mixture's parameters."""

import math

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from course_lib import mixture

BIC = Exercise(
    name="bic",
    unit="01_mixture_models",
    title="The Bayesian information criterion",
    points=2,
    difficulty=2,
    minutes=10,
    reference=mixture.bic,
    hints=(
        (
            "**Principle.** A mixture with more components can only fit the training points "
            "better, so the likelihood alone always votes for more. The criterion makes every "
            "free parameter pay. $\\mathrm{BIC} = -2\\,\\ell + p \\log N$: twice the missing "
            "log-likelihood, plus a price of $\\log N$ for each of the $p$ parameters that the "
            "fit could choose freely. Lower is better. The logarithm is the natural one, because "
            "the log-likelihood is in nats. What remains is to count, and to count only what is "
            "free: a number that follows from the others costs nothing."
        ),
        (
            "**Place.** Count three groups. *Weights*: $K$ numbers that sum to one, so the last "
            "follows from the others. *Means*: one for each component and coordinate. "
            "*Covariances*: each is a symmetric $D \\times D$ matrix, so the entries above the "
            "diagonal repeat those below; how many are left, with the diagonal? For D = 2 it is "
            "three, for D = 3 it is six. Test yourself: two components in two dimensions have p = "
            "11, three components in three dimensions p = 29. With the log-likelihood −1130.264 "
            "of two components on the 272 eruptions your function must return about 2322.19."
        ),
        (
            "**Nearly the code.**\n\n"
            "```python\n"
            "free_weights = ...                       # K numbers that sum to one\n"
            "free_means = num_components * dim\n"
            "free_covariances = num_components * ...  # symmetric, dim by dim\n"
            "num_params = free_weights + free_means + free_covariances\n"
            "return -2 * log_likelihood + num_params * ...\n"
            "```\n\n"
            "A symmetric matrix has D entries on the diagonal and D(D − 1)/2 below it; add the "
            "two. The gap in the last line is `math.log` of the number of points, not of the "
            "number of values. Nothing is halved: if your result is half of the expected one, you "
            "forgot the two; if it is negative where it should be positive, you return the "
            "version in which higher is better."
        ),
    ),
)


def num_params(num_components: int, dim: int) -> int:
    return num_components - 1 + num_components * dim + num_components * dim * (dim + 1) // 2


def _draw(rng: np.random.Generator) -> tuple[float, int, int, int]:
    """Likelihoods of either sign, small enough that one parameter more or less shows."""
    log_likelihood = float(rng.choice([-1.0, 1.0]) * rng.uniform(5, 100))
    num_components, dim = (int(value) for value in rng.permutation(np.arange(2, 7))[:2])
    return log_likelihood, num_components, dim, int(rng.integers(20, 1000))


def _ask(candidate: Candidate, *args: float) -> float:
    what = f"bic of {args[0]:.4g} nats, K = {args[1]}, D = {args[2]}, N = {args[3]}"
    return expect.number(candidate.call(*args), what)


def _expect_exact(candidate: Candidate, args: tuple[float, int, int, int]) -> None:
    log_likelihood, num_components, dim, num_points = args
    right = -2 * log_likelihood + num_params(num_components, dim) * math.log(num_points)
    what = f"bic({log_likelihood:.4f}, {num_components}, {dim}, {num_points})"
    given = expect.number(candidate.call(*args), what)
    expect.true(
        abs(given - right) <= 1e-5 * abs(right) + 1e-3,
        f"{what} is {given:.6g}; expected {right:.6g}",
    )


@BIC.check
def equals_exact_value(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals −2 log-likelihood plus log N for each free parameter."""
    for sign in (-1, 1, -1, 1):
        log_likelihood, *model = _draw(rng)
        _expect_exact(candidate, (sign * abs(log_likelihood), *model))


@BIC.check
def right_at_the_edges(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one component, one coordinate, one point, and a log-likelihood of zero."""
    log_likelihood, num_components, dim, num_points = _draw(rng)
    _expect_exact(candidate, (log_likelihood, 1, dim, num_points))
    _expect_exact(candidate, (log_likelihood, num_components, 1, num_points))
    _expect_exact(candidate, (log_likelihood, 1, 1, num_points))
    _expect_exact(candidate, (log_likelihood, num_components, dim, 1))
    _expect_exact(candidate, (0.0, num_components, dim, num_points))


@BIC.check
def one_nat_is_worth_two(candidate: Candidate, rng: np.random.Generator) -> None:
    """One nat more of log-likelihood lowers the criterion by two, whatever the model."""
    log_likelihood, *model = _draw(rng)
    drop = _ask(candidate, log_likelihood, *model) - _ask(candidate, log_likelihood + 1, *model)
    expect.true(
        abs(drop - 2) < 1e-2,
        f"one nat more changes bic by {-drop:.4g}; expected −2 (lower is better)",
    )


@BIC.check
def another_component_has_its_price(candidate: Candidate, rng: np.random.Generator) -> None:
    """One component more costs log N for its weight, its mean and its symmetric covariance."""
    log_likelihood, num_components, dim, num_points = _draw(rng)
    with_more = _ask(candidate, log_likelihood, num_components + 1, dim, num_points)
    price = with_more - _ask(candidate, log_likelihood, num_components, dim, num_points)
    count = 1 + dim + dim * (dim + 1) // 2
    expect.true(
        abs(price - count * math.log(num_points)) < 1e-2,
        f"one component more with D = {dim} costs {price / math.log(num_points):.4g} log N; "
        f"expected {count} log N",
    )
