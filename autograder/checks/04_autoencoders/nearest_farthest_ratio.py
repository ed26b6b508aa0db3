"""`nearest_farthest_ratio(dim, num_points)`: in many dimensions everything is equally far."""

import math

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def ratio(dim: int, num_points: int) -> float:
    """Mean of smallest over largest distance: Γ(N) Γ(1 + 1/D) / Γ(N + 1/D)."""
    step = 1 / dim
    return math.exp(
        math.lgamma(num_points) + math.lgamma(1 + step) - math.lgamma(num_points + step)
    )


NEAREST_FARTHEST_RATIO = Exercise(
    name="nearest_farthest_ratio",
    unit="04_autoencoders",
    title="Nearest and farthest",
    points=3,
    difficulty=4,
    minutes=35,
    reference=ratio,
    follow_up=(
        "Pixels have hundreds of dimensions and codes have few: a reason why neighbours of codes "
        "mean more."
    ),
    hints=(
        "**Principle.** Think of the radii first. A ball of radius r has r to the power D of the "
        "volume of the unit ball, so this is the probability that a point lies within r. That "
        "means: the D-th power of a radius is uniform between 0 and 1. Now take the farthest of N "
        "points and call its radius R. All that you know of the others is that they are nearer, "
        "and within the ball of radius R they are again spread evenly. So the quotient of any of "
        "the others to R has the same distribution as a radius in the unit ball, and does not "
        "depend on R. You need the mean of the smallest of N − 1 such radii.",
        "**Place.** The smallest of n uniform numbers is larger than u with the probability (1 − "
        "u) to the power n, so its density is n (1 − u) to the power n − 1. The radius that "
        "belongs to it is u to the power 1/D. Its mean is n times the integral of u^(1/D) (1 − "
        "u)^(n − 1), which is n times the beta function B(1 + 1/D, n). With B(a, b) = Γ(a) Γ(b) / "
        "Γ(a + b) and n = N − 1 this becomes Γ(N) Γ(1 + 1/D) / Γ(N + 1/D). Test yourself: for two "
        "points on a line, D = 1 and N = 2, it is one half.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "log_ratio = (\n"
        "    math.lgamma(...)               # N\n"
        "    + math.lgamma(1 + ...)         # one over D\n"
        "    - math.lgamma(...)             # N + 1/D\n"
        ")\n"
        "return math.exp(log_ratio)\n"
        "```\n\n"
        "If your result is slightly too small for few points, you used the smallest of N radii "
        "instead of N − 1. If it falls with D, you have D where 1/D belongs. With N = 1 "
        "the nearest is the farthest, and the ratio is 1. For many points use logarithms: the "
        "gamma function overflows above 171.",
    ),
)


def _expect_ratio(candidate: Candidate, dim: int, num_points: int) -> None:
    given = expect.number(candidate.call(dim, num_points), "nearest_farthest_ratio")
    right = ratio(dim, num_points)
    expect.true(
        abs(given - right) <= 1e-5 * right,
        f"nearest_farthest_ratio({dim}, {num_points}) is {given:.7g}; expected {right:.7g}, the "
        "mean of smallest over largest distance",
    )


@NEAREST_FARTHEST_RATIO.check
def is_the_mean_quotient(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the mean of smallest over largest distance from the centre."""
    for low, high, count in ((2, 6, 5), (1, 4, 30), (8, 40, 12), (50, 200, 300)):
        num_points = int(count + rng.integers(count))
        _expect_ratio(candidate, int(rng.integers(low, high)), num_points)


@NEAREST_FARTHEST_RATIO.check
def is_exact_where_the_gamma_function_overflows(
    candidate: Candidate, rng: np.random.Generator
) -> None:
    """Is the same formula for more than 171 points and in more than 171 dimensions."""
    for dims, counts in (((2, 7), (175, 260)), ((7, 13), (260, 420)), ((175, 260), (5, 60))):
        _expect_ratio(candidate, int(rng.integers(*dims)), int(rng.integers(*counts)))


@NEAREST_FARTHEST_RATIO.check
def two_points_give_a_simple_fraction(candidate: Candidate, rng: np.random.Generator) -> None:
    """Two points give D/(D + 1), and a single point gives 1."""
    for dim in (1, int(rng.integers(2, 30))):
        _expect_ratio(candidate, dim, 2)
    _expect_ratio(candidate, int(rng.integers(1, 30)), 1)


@NEAREST_FARTHEST_RATIO.check
def grows_with_the_dimension(candidate: Candidate, rng: np.random.Generator) -> None:
    """Grows with the dimension, falls with the number of points, and stays between 0 and 1."""
    dim, count = int(rng.integers(2, 20)), int(rng.integers(3, 40))
    middle, higher, fuller = (
        expect.number(candidate.call(*pair), "nearest_farthest_ratio")
        for pair in ((dim, count), (2 * dim, count), (dim, 2 * count))
    )
    expect.true(
        0 < fuller < middle < higher < 1,
        f"for D = {dim}, N = {count} you give {middle:.4g}; with twice the dimensions "
        f"{higher:.4g}, with twice the points {fuller:.4g}; expected more and less",
    )


@NEAREST_FARTHEST_RATIO.edge_check
def does_not_overflow(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays exact for many points and for many dimensions."""
    for dim, num_points in ((3, 50_000), (20_000, 40), (784, 60_000)):
        _expect_ratio(candidate, dim + int(rng.integers(3)), num_points)
