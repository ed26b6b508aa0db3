"""`jensen_gap(f, samples)`: how much a function of the mean exceeds the mean of the function."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle
from autograder.exercise import Exercise

Function = Callable[[Tensor], Tensor]


def gap(f: Function, samples: Tensor) -> Tensor:
    return f(samples.mean()) - f(samples).mean()


JENSEN_GAP = Exercise(
    name="jensen_gap",
    unit="03_elbo",
    title="Jensen's inequality, measured",
    points=2,
    difficulty=1,
    minutes=10,
    reference=gap,
    hints=(
        "**Principle.** There are two orders of doing things: average first and apply the "
        "function to the average, or apply the function to every value and average the results. "
        "For a straight line both give the same. For a concave function, such as the logarithm, "
        "the first is never smaller: the curve lies above each of its chords. The gap is the "
        "first minus the second. It is positive for concave functions and negative for convex "
        "ones, so its sign carries information and must not be thrown away. And it depends on the "
        "whole function: nothing may be assumed about f, it need not be the logarithm.",
        "**Place.** You need one average over `samples` before f and one after f. `samples.mean()` "
        "is a tensor with one element, and f accepts a tensor of any shape, so you can pass it as "
        "it is. `f(samples)` has one value for each sample; average those. Subtract in the order "
        "of the definition, function of the mean first. Test yourself with three functions: for "
        "`lambda t: 3 * t + 1` the gap is zero, for `torch.log` on positive samples it is "
        "positive, and for `torch.exp` it is negative. With a single sample it is zero for every "
        "function, because one number is its own mean.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "of_the_mean = f(...)            # one number: average first\n"
        "mean_of = f(...).mean()         # one number: apply f first\n"
        "return ... - ...\n"
        "```\n\n"
        "The first gap is the mean of the samples, the second all samples. In the last line the "
        "function of the mean comes first. If your answer has the wrong sign for the logarithm, "
        "you subtracted the other way round. If it is right for the logarithm and wrong "
        "otherwise, you wrote `torch.log` where `f` belongs. If it is right for concave functions "
        "only, you took an absolute value: a convex function has a gap below zero, and that is "
        "Jensen's inequality for it.",
    ),
)


def concave(scale: float) -> Function:
    return lambda t: torch.log(scale + torch.as_tensor(t, dtype=torch.float64))


def convex(scale: float) -> Function:
    return lambda t: torch.exp(scale * torch.as_tensor(t, dtype=torch.float64))


def straight(slope: float, offset: float) -> Function:
    return lambda t: slope * torch.as_tensor(t, dtype=torch.float64) + offset


def neither(offset: float) -> Function:
    def f(t: Tensor) -> Tensor:
        t = torch.as_tensor(t, dtype=torch.float64)
        return offset + torch.sin(2 * t) + 0.3 * t**3

    return f


def draw(rng: np.random.Generator, count: int) -> Tensor:
    """Positive values that scatter, skewed to the right, their mean well apart from the median."""
    return torch.from_numpy(rng.uniform(0.2, 0.6) + rng.gamma(1.5, 1.0, size=count).clip(0.05, 6))


def _expect_gap(candidate: Candidate, f: Function, samples: Tensor, what: str) -> None:
    given = expect.number(candidate.call(Oracle(f), samples), what)
    right = gap(f, samples.double()).item()
    expect.true(
        abs(given - right) <= 1e-4 * abs(right) + 1e-4,
        f"{what} is {given:.6g}; expected {right:.6g}",
    )


@JENSEN_GAP.check
def equals_exact_value(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the function of the mean minus the mean of the function, for any function."""
    for f, what in (
        (concave(rng.uniform(0.1, 0.5)), "jensen_gap of a concave function"),
        (convex(rng.uniform(0.4, 0.7)), "jensen_gap of a convex function"),
        (neither(rng.uniform(1, 2)), "jensen_gap of a function that is neither"),
    ):
        _expect_gap(candidate, f, draw(rng, int(rng.integers(6, 12))), what)


@JENSEN_GAP.check
def sign_follows_the_curvature(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is positive where the function bends down, and negative where it bends up."""
    samples = draw(rng, 9)
    for f, sign, kind in ((concave(0.1), 1, "concave"), (convex(0.5), -1, "convex")):
        given = expect.number(candidate.call(Oracle(f), samples), f"jensen_gap of a {kind} one")
        side = "positive" if sign > 0 else "negative"
        expect.true(
            sign * given > 0,
            f"jensen_gap of a {kind} function is {given:.4g}; expected a {side} number",
        )


@JENSEN_GAP.check
def straight_lines_have_none(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is zero for a straight line, and for a single sample."""
    line = straight(*rng.uniform(1, 3, size=2))
    _expect_gap(candidate, line, draw(rng, 8), "jensen_gap of a straight line")
    _expect_gap(candidate, concave(0.2), draw(rng, 1), "jensen_gap with a single sample")


@JENSEN_GAP.check
def a_constant_changes_nothing(candidate: Candidate, rng: np.random.Generator) -> None:
    """Adding a constant to the function changes nothing."""
    samples = draw(rng, 7)
    for offset in rng.uniform(-9, 9, size=2):
        _expect_gap(
            candidate, neither(offset), samples, f"jensen_gap with {offset:+.1f} added to f"
        )


@JENSEN_GAP.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision and with two equal samples."""
    _expect_gap(candidate, concave(0.2), draw(rng, 8).float(), "jensen_gap in single precision")
    twice = draw(rng, 1).repeat(2)
    _expect_gap(candidate, concave(0.2), twice, "jensen_gap of two equal samples")
