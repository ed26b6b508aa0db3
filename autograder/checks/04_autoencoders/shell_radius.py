"""`shell_radius(dim)`: how far from the centre a standard normal point is, on average."""

import math

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def radius(dim: int) -> float:
    """E|z| = √2 Γ((D + 1)/2) / Γ(D/2), the mean of the chi distribution."""
    return math.sqrt(2) * math.exp(math.lgamma((dim + 1) / 2) - math.lgamma(dim / 2))


SHELL_RADIUS = Exercise(
    name="shell_radius",
    unit="04_autoencoders",
    title="The radius of the normal shell",
    points=2,
    difficulty=2,
    minutes=20,
    reference=radius,
    follow_up="The shell moves out like √D and stays about 0.7 thick in every dimension.",
    hints=(
        "**Principle.** The density of a standard normal is highest at the origin, but hardly any "
        "point lies there. The probability of a distance r is the density at r times the area of "
        "the sphere of that radius, which grows like r to the power D − 1. So the distance |z| "
        "has a density proportional to r to the power D − 1, times exp(−r²/2). Its mean is a "
        "quotient of two integrals: one with the power D, one with the power D − 1. Both are "
        "gamma functions in disguise. Note that the mean of |z| is not the root of the mean of "
        "|z|², which is √D: the root is concave.",
        "**Place.** Substitute u = r²/2, so that r = √(2u) and r dr = du. Then the integral of r "
        "to the power p times exp(−r²/2) is 2 to the power (p − 1)/2, times Γ((p + 1)/2). Divide "
        "the case p = D by the case p = D − 1: the powers of two leave √2, and the gamma "
        "functions leave Γ((D + 1)/2) over Γ(D/2). Gamma overflows above 171, so work with "
        "`math.lgamma`, its logarithm, subtract, and exponentiate the difference. Test yourself: "
        "for D = 1 the mean of |z| is √(2/π), 0.798, and for D = 3 it is 1.596.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "log_ratio = math.lgamma(...) - math.lgamma(...)\n"
        "return math.sqrt(2) * math.exp(log_ratio)\n"
        "```\n\n"
        "The gaps are (D + 1)/2 and D/2, in an order that you should find yourself: the radius "
        "grows with D. If you get √D, you took the root of the mean of |z|²; it is too large, for "
        "D = 1 by a quarter. If you are off by a constant factor of 1.414, the √2 is missing. If "
        "an error of the kind OverflowError or a NaN appears for large D, you used the gamma "
        "function itself. If large D are slightly wrong, you computed in float32: the logarithms "
        "are large and their difference is small.",
    ),
)


def _expect_radius(candidate: Candidate, dim: int, rtol: float = 1e-5) -> None:
    given, right = expect.number(candidate.call(dim), "shell_radius"), radius(dim)
    expect.true(
        abs(given - right) <= rtol * right,
        f"shell_radius({dim}) is {given:.7g}; expected {right:.7g}, the mean of |z|",
    )


@SHELL_RADIUS.check
def is_the_mean_distance(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the mean of |z| for a standard normal z, in few dimensions and in hundreds."""
    for dim in (
        1,
        2,
        3,
        int(rng.integers(4, 12)),
        int(rng.integers(20, 60)),
        100,
        int(rng.integers(350, 780)),
    ):
        _expect_radius(candidate, dim)


@SHELL_RADIUS.check
def two_dimensions_further_it_grows_by_one_part_in_d(
    candidate: Candidate, rng: np.random.Generator
) -> None:
    """Two dimensions more make it larger by the factor (D + 1)/D."""
    dim = int(rng.integers(2, 80))
    small, large = (expect.number(candidate.call(d), f"shell_radius({d})") for d in (dim, dim + 2))
    expect.true(
        abs(large / small - (dim + 1) / dim) < 2e-5,
        f"shell_radius({dim + 2}) / shell_radius({dim}) is {large / small:.6f}; expected "
        f"{dim + 1}/{dim} = {(dim + 1) / dim:.6f}",
    )


@SHELL_RADIUS.edge_check
def does_not_overflow(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays exact for 784 dimensions and for a hundred thousand."""
    for dim in (784, int(rng.integers(50_000, 100_000))):
        _expect_radius(candidate, dim, rtol=1e-6)
