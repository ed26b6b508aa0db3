"""`log_gaussian(x, loc, log_scale)`: the log-density of a Gaussian with independent coordinates."""

import numpy as np
import scipy.stats
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from course_lib import mixture

LOG_GAUSSIAN = Exercise(
    name="log_gaussian",
    unit="01_mixture_models",
    title="The log-density of a Gaussian",
    points=2,
    difficulty=1,
    minutes=10,
    reference=mixture.log_gaussian,
    hints=(
        "**Principle.** The coordinates are independent, so the density is a product of "
        "one-dimensional densities, and its logarithm is a sum over the coordinates. Write the "
        "one-dimensional density first, take its logarithm on paper, and only then write code. "
        "Three terms appear for each coordinate: a squared distance, measured in units of σ; the "
        "logarithm of σ, because a wider bell is lower; and a constant that makes the area one. "
        "You are given log σ, not σ and not log σ². Never compute the density and then its "
        "logarithm: thirty-nine standard deviations away the density is zero in double precision, "
        "while its logarithm is a harmless −761.",
        "**Place.** Standardise first: subtract `loc` from `x` and divide by "
        "`torch.exp(log_scale)`. Broadcasting does this for all points at once, because `x` has "
        "the shape (N, D) and `loc` the shape (D,). The squared result is the first term, with a "
        "factor of one half. The second term is `log_scale` itself, subtracted and not halved. "
        "The third is half the logarithm of 2π, also subtracted once for every coordinate. Then "
        "sum over the last axis, so that one number for each point is left. Test yourself: at x = "
        "loc with log_scale = 0 in two dimensions the answer is −log 2π, about −1.8379; with "
        "log_scale = 1 in both coordinates it is two less.",
        "**Nearly the code.** Call the standardised distance `u`:\n\n"
        "```python\n"
        "u = (x - loc) / torch.exp(log_scale)              # (N, D)\n"
        "per_coordinate = -0.5 * u**2 - ... - ...          # (N, D)\n"
        "return per_coordinate.sum(dim=...)                # (N,)\n"
        "```\n\n"
        "The two gaps in the second line are `log_scale` and half of `math.log(2 * math.pi)`. "
        "Both are the same for every point, and broadcasting adds them to each row. The gap in "
        "the third line is the axis that holds the D coordinates. If your result has N rows and D "
        "columns you forgot the sum; if it is a single number you summed over the points as well. "
        "If it is right at σ = 1 and wrong elsewhere, look at how you turned `log_scale` into σ.",
    ),
)


def _draw(
    rng: np.random.Generator, count: int, dim: int, spread: float = 3.0
) -> tuple[Tensor, ...]:
    """Points up to `spread` standard deviations from the mean, with scales well away from one."""
    loc = rng.normal(size=dim) * 5
    log_scale = rng.choice([-1.0, 1.0], size=dim) * rng.uniform(0.5, 1.5, size=dim)
    x = loc + np.exp(log_scale) * rng.uniform(-spread, spread, size=(count, dim))
    return torch.from_numpy(x), torch.from_numpy(loc), torch.from_numpy(log_scale)


def _exact(x: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    density = scipy.stats.norm.logpdf(x.numpy(), loc.numpy(), log_scale.exp().numpy())
    return torch.from_numpy(density.sum(-1))


@LOG_GAUSSIAN.check
def equals_scipy(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the exact value within three standard deviations, in one, two and five dimensions."""
    for count, dim in ((7, 1), (6, 2), (3, 5)):
        args = _draw(rng, count, dim)
        expect.close(candidate.call(*args), _exact(*args), f"log_gaussian with D = {dim}")


@LOG_GAUSSIAN.check
def works_for_one_point(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for a single point, and when there are as many points as coordinates."""
    for count, dim in ((1, 2), (1, 1), (3, 3)):
        args = _draw(rng, count, dim)
        expect.close(candidate.call(*args), _exact(*args), f"log_gaussian for N = {count}")


@LOG_GAUSSIAN.check
def integrates_to_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """The density integrates to one over the plane."""
    _, loc, log_scale = _draw(rng, 1, 2)
    nodes = torch.arange(-6, 6.1, 0.5, dtype=torch.float64)
    x = loc + log_scale.exp() * torch.cartesian_prod(nodes, nodes)
    density = expect.tensor(candidate.call(x, loc, log_scale), (len(x),), "log_gaussian").exp()
    area = (density.sum() * 0.5**2 * log_scale.exp().prod()).item()
    expect.true(
        abs(area - 1) < 1e-3,
        f"exp(log_gaussian) integrates to {area:.4g} over the plane; expected 1",
    )


@LOG_GAUSSIAN.edge_check
def finite_in_the_tail(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays finite and right where the density itself underflows to zero."""
    _, loc, log_scale = _draw(rng, 1, 2)
    for distance, dtype in ((60.0, torch.float64), (25.0, torch.float32)):
        direction = torch.tensor([[1.0, 0.0], [0.0, -1.0], [0.6, 0.8]], dtype=torch.float64)
        x = (loc + log_scale.exp() * distance * direction).to(dtype)
        args = x, loc.to(dtype), log_scale.to(dtype)
        actual = candidate.call(*args)
        what = f"log_gaussian at {distance:.0f} standard deviations"
        expect.finite(expect.tensor(actual, (3,), what), what)
        expect.close(actual, _exact(*(a.double() for a in args)), what, rtol=1e-3)


@LOG_GAUSSIAN.edge_check
def right_at_extreme_scales(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays right when σ is very small, and when it is very large."""
    for sign in (-1.0, 1.0):
        log_scale = sign * torch.tensor([6.0, 5.5], dtype=torch.float64)
        z = torch.from_numpy(rng.uniform(-3, 3, size=(6, 2)))
        loc = log_scale.exp() * z[0]
        args = loc + log_scale.exp() * z[1:], loc, log_scale
        what = f"log_gaussian with log σ = {sign * 6:+g} and {sign * 5.5:+g}"
        expect.close(candidate.call(*args), _exact(*args), what)
