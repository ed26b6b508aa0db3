"""`forward_and_reverse_kl(grid, log_p, log_q)`: both divergences of two densities on a line."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._grids import STEPS, divergence, log_gaussian, two_hills

Question = tuple[Tensor, Tensor, Tensor]


def both(grid: Tensor, log_p: Tensor, log_q: Tensor) -> tuple[Tensor, Tensor]:
    return divergence(log_p, log_q), divergence(log_q, log_p)


FORWARD_AND_REVERSE_KL = Exercise(
    name="forward_and_reverse_kl",
    unit="03_elbo",
    title="Two divergences, as numbers",
    points=2,
    difficulty=2,
    minutes=15,
    reference=both,
    hints=(
        "**Principle.** KL(p‖q) is the mean of log p − log q under p: it looks where p has mass, "
        "and is large where q misses it. KL(q‖p) looks where q has mass, and is large where q "
        "claims what p does not have. The same two densities give two different numbers. On a "
        "grid a mean is a sum with weights: each point carries the share of the density that it "
        "stands for. The densities are given up to a constant factor, so both must be normalised "
        "first, inside the weights and inside the logarithms alike; otherwise the constants end "
        "up in the divergence.",
        "**Place.** The grid is even, so the share of a point is its density divided by the sum "
        "of the densities; the step cancels. In logarithms: subtract the log-sum-exp. "
        "`torch.log_softmax(log_p, dim=0)` does that in one call, without leaving the logarithm, "
        "which matters because the log densities may lie near ±1000. Exponentiate only to get the "
        "weights. Then multiply the weights with the difference of the two normalised log "
        "densities and add up. Do it twice: weights from p and log p − log q, then weights from q "
        "and log q − log p. Both results are never negative, and zero for equal densities.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "log_p = torch.log_softmax(log_p, dim=0)          # log share of each point\n"
        "log_q = torch.log_softmax(..., dim=0)\n"
        "forward = (log_p.exp() * (log_p - log_q)).sum()\n"
        "reverse = (... * (log_q - ...)).sum()\n"
        "return forward, reverse\n"
        "```\n\n"
        "In the last sum weights and the first logarithm both belong to q. If your numbers depend "
        "on a constant added to `log_p`, you did not normalise. If one is negative, weights and "
        "logarithms do not belong together. For two Gaussians you can compare with your "
        "`gaussian_kl`: the forward one is KL(p‖q), with the mean under p.",
    ),
)


def draw_gaussians(rng: np.random.Generator) -> Question:
    """Two Gaussians of different place and width, each with a constant added to its logarithm."""
    centre = rng.uniform(-2, 2)
    grid = torch.linspace(centre - 12, centre + 12, STEPS, dtype=torch.float64)
    shift = rng.choice([-1.0, 1.0]) * rng.uniform(0.5, 1.2)
    log_p = log_gaussian(grid, centre, rng.uniform(0.6, 0.8)) + rng.uniform(0.5, 3)
    log_q = log_gaussian(grid, centre + shift, rng.uniform(1.1, 1.5)) - rng.uniform(0.5, 3)
    return grid, log_p, log_q


def draw_hills(rng: np.random.Generator) -> Question:
    grid, log_p = two_hills(rng)
    loc = grid.mean() + rng.uniform(-2, 2)
    return grid, log_p, log_gaussian(grid, loc, rng.uniform(1.2, 2.0)) + rng.uniform(-2, 2)


def _expect_both(candidate: Candidate, args: Question, where: str, right: tuple | None = None):
    value = candidate.call(*args)
    if isinstance(value, Tensor) and tuple(value.shape) == (2,):
        value = tuple(value)
    pair = expect.items(value, 2, "the result of forward_and_reverse_kl")
    right = right or both(*(a.double() for a in args))
    for given, exact, name in zip(pair, right, ("KL(p‖q)", "KL(q‖p)"), strict=True):
        number = expect.number(given, f"{name} {where}")
        expect.true(
            abs(number - exact) <= 2e-4 * abs(exact) + 2e-4,
            f"{name} {where} is {number:.5g}; expected {float(exact):.5g}",
        )


@FORWARD_AND_REVERSE_KL.check
def agrees_with_two_gaussians(candidate: Candidate, rng: np.random.Generator) -> None:
    """For two Gaussians both numbers equal the closed form."""
    grid, log_p, log_q = draw_gaussians(rng)
    moments = []
    for log_density in (log_p, log_q):
        share = log_density.softmax(0)
        mean = (share * grid).sum()
        moments.append((mean, ((share * (grid - mean) ** 2).sum()).sqrt()))
    (mean_p, scale_p), (mean_q, scale_q) = moments
    distance_sq = (mean_p - mean_q) ** 2
    right = (
        0.5 * ((scale_p**2 + distance_sq) / scale_q**2 - 1) + (scale_q / scale_p).log(),
        0.5 * ((scale_q**2 + distance_sq) / scale_p**2 - 1) + (scale_p / scale_q).log(),
    )
    _expect_both(candidate, (grid, log_p, log_q), "of two Gaussians", right)


@FORWARD_AND_REVERSE_KL.check
def is_right_for_two_hills(candidate: Candidate, rng: np.random.Generator) -> None:
    """For a density with two hills and a Gaussian both numbers are right, and they differ."""
    for _ in range(2):
        _expect_both(candidate, draw_hills(rng), "of two hills and a Gaussian")


@FORWARD_AND_REVERSE_KL.check
def constants_do_not_matter(candidate: Candidate, rng: np.random.Generator) -> None:
    """A constant added to a log density changes nothing: both are normalised first."""
    grid, log_p, log_q = draw_hills(rng)
    for to_p, to_q in ((3.0, 0.0), (0.0, -4.0), (2.0, 2.0)):
        args = grid, log_p + to_p, log_q + to_q
        _expect_both(candidate, args, f"with {to_p:+g} added to log p and {to_q:+g} to log q")


@FORWARD_AND_REVERSE_KL.check
def is_zero_for_equal_densities(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is zero for the same density twice, also on a grid of another step."""
    grid, log_p, _ = draw_hills(rng)
    _expect_both(candidate, (grid, log_p, log_p + 1.5), "of equal densities")
    stretched = 3 * grid, *draw_gaussians(rng)[1:]
    _expect_both(candidate, stretched, "on a grid of a larger step")


@FORWARD_AND_REVERSE_KL.edge_check
def survives_extreme_logarithms(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays right where the log densities lie near ±1000, and where densities vanish in
    floating point."""
    grid, log_p, log_q = draw_gaussians(rng)
    _expect_both(candidate, (grid, log_p - 1000, log_q + 1000), "far from zero")
    narrow = log_gaussian(grid, grid.mean(), 0.33)  # e⁻⁶⁶⁰ at the ends of the grid
    _expect_both(candidate, (grid, narrow, log_q), "with a narrow p")
    grid = torch.linspace(-45, 45, STEPS, dtype=torch.float64) + rng.uniform(-1, 1)
    log_p, log_q = (
        log_gaussian(grid, grid.mean() + 5, 1.0),
        log_gaussian(grid, grid.mean() - 3, 1.2),
    )
    _expect_both(candidate, (grid, log_p + 1000, log_q - 1000), "where both densities vanish")
