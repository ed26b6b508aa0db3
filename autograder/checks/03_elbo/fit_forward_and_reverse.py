"""`fit_forward_and_reverse(grid, log_p)`: the best Gaussian, by either divergence."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._grids import STEPS, log_gaussian, normalise, reverse_divergences, two_hills

Fit = tuple[float, float, float, float]
SHORTFALL = 0.02  # nats of KL(q‖p) above the best
DECEPTIVE = (  # share, places, widths of two hills: downhill from the moments of p is the wrong one
    (0.56, (-4.44, 4.49), (0.96, 1.33)),
    (0.73, (-5.27, 5.08), (0.55, 0.87)),
)


def moments(grid: Tensor, log_p: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of p: the minimum of KL(p‖q) over Gaussians q."""
    share = normalise(log_p).exp()
    mean = (share * grid).sum()
    return mean, (share * (grid - mean) ** 2).sum().sqrt()


def search(grid: Tensor, log_p: Tensor) -> tuple[Tensor, Tensor]:
    """The minimum of KL(q‖p): all places and widths of a coarse table, then of a finer one."""
    span = grid[-1] - grid[0]
    locs = torch.linspace(grid[0], grid[-1], 33, dtype=torch.float64)[2:-2]
    scales = span * torch.logspace(-2, -0.7, 9, dtype=torch.float64)
    for _ in range(3):
        loc, scale = (t.flatten() for t in torch.meshgrid(locs, scales, indexing="ij"))
        best = reverse_divergences(grid, log_p, loc, scale).argmin()
        step, factor = (locs[1] - locs[0]).item(), (scales[1] / scales[0]).item()
        locs = loc[best] + step * torch.linspace(-1, 1, 7, dtype=torch.float64)
        scales = scale[best] * factor ** torch.linspace(-1, 1, 7, dtype=torch.float64)
    return loc[best], scale[best]


def fit(grid: Tensor, log_p: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return *moments(grid, log_p), *search(grid, log_p)


FIT_FORWARD_AND_REVERSE = Exercise(
    name="fit_forward_and_reverse",
    unit="03_elbo",
    title="Cover both hills or choose one",
    points=3,
    difficulty=3,
    minutes=30,
    reference=fit,
    needs=("forward_and_reverse_kl",),
    deterministic=False,
    follow_up=(
        "The forward fit has its mean where p has hardly any mass; the reverse fit ignores the "
        "lighter hill. Variational inference minimises the reverse one."
    ),
    hints=(
        "**Principle.** KL(p‖q) is infinite in spirit wherever p has mass and q has none, so its "
        "best Gaussian covers everything, even the empty land between two hills. Its minimum is "
        "known: match the mean and the variance of p. KL(q‖p) punishes q for claiming what p does "
        "not have, so its best Gaussian sits on one hill and ignores the other, at a price of "
        "−log of that hill's share. Hence it takes the **heavier** hill, the one with more mass "
        "under it, which need not be the taller one. There is no formula for it: search.",
        "**Place.** Forward: turn `log_p` into shares with a softmax; the mean is Σ share · z, "
        "the variance Σ share · (z − mean)², and the answer its root. Reverse: write a helper "
        "that gives KL(q‖p) for one mean and one σ, with your `forward_and_reverse_kl` or "
        "directly. Then try a table of means along the grid and of σ from a fiftieth to a fifth "
        "of its length, and keep the best pair. Two or three rounds of refinement around it "
        "suffice: the divergence must be within 0.02 nats of the best. If you prefer an "
        "optimiser, start it on several places, because each hill has its own minimum.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "share = torch.softmax(log_p, dim=0)\n"
        "mean = (share * ...).sum()\n"
        "std = (share * (grid - mean) ** 2).sum()...\n"
        "log_share, best = torch.log_softmax(log_p, dim=0), (math.inf, 0.0, 1.0)\n"
        "for loc in torch.linspace(grid[0], grid[-1], 80):\n"
        "    for scale in (grid[-1] - grid[0]) * torch.logspace(-2, -0.7, 25):\n"
        "        log_q = torch.log_softmax(-0.5 * ((grid - loc) / scale) ** 2, dim=0)\n"
        "        value = (log_q.exp() * (log_q - ...)).sum()\n"
        "        best = min(best, (float(value), float(loc), float(scale)))\n"
        "return mean, std, best[1], best[2]\n"
        "```\n\n"
        "The gaps: the grid, a square root, and p's normalised logarithm. A table of 80 by 25 is "
        "fine enough.",
    ),
)


def read(value: Any) -> Fit:
    """Four numbers, the second and the fourth positive."""
    if isinstance(value, Tensor) and tuple(value.shape) == (4,):
        value = tuple(value)
    names = "loc_forward", "scale_forward", "loc_reverse", "scale_reverse"
    values = expect.items(value, 4, "the result of fit_forward_and_reverse")
    fitted = tuple(expect.number(v, name) for v, name in zip(values, names, strict=True))
    for place in (1, 3):
        expect.true(
            fitted[place] > 0,
            f"{names[place]} is {fitted[place]:.4g}; a standard deviation is positive",
        )
    return fitted


def _ask(candidate: Candidate, grid: Tensor, log_p: Tensor) -> Fit:
    return read(candidate.call(grid, log_p))


def _expect_forward(fitted: Fit, grid: Tensor, log_p: Tensor, where: str) -> None:
    mean, std = moments(grid, log_p)
    for given, exact, name in zip(
        fitted, (mean, std), ("mean", "standard deviation"), strict=False
    ):
        expect.true(
            abs(given - exact) < 0.01 * std,
            f"the forward fit {where} has the {name} {given:.4f}; expected {exact.item():.4f}, "
            "that of p itself",
        )


def _expect_reverse(fitted: Fit, grid: Tensor, log_p: Tensor, where: str) -> None:
    best = reverse_divergences(grid, log_p, *search(grid, log_p)).item()
    pair = (torch.tensor(value, dtype=torch.float64) for value in fitted[2:])
    reached = reverse_divergences(grid, log_p, *pair).item()
    expect.true(
        reached <= best + SHORTFALL,
        f"the reverse fit {where}, N({fitted[2]:.3f}, σ = {fitted[3]:.3f}), has KL(q‖p) = "
        f"{reached:.4f} nats; expected the best Gaussian's {best:.4f} (up to {SHORTFALL})",
    )


@FIT_FORWARD_AND_REVERSE.check
def forward_matches_the_moments(candidate: Candidate, rng: np.random.Generator) -> None:
    """By the forward divergence the best Gaussian has the mean and the spread of p."""
    for _ in range(2):
        grid, log_p = two_hills(rng)
        _expect_forward(_ask(candidate, grid, log_p), grid, log_p, "of two hills")


@FIT_FORWARD_AND_REVERSE.check
def reverse_takes_the_heavier_hill(candidate: Candidate, rng: np.random.Generator) -> None:
    """By the reverse divergence the best Gaussian sits on the heavier hill, however tall it is,
    also where one descent from the middle ends on the other."""
    grid, log_p = two_hills(rng)
    _expect_reverse(_ask(candidate, grid, log_p), grid, log_p, "of two hills")
    mirror = rng.choice([-1.0, 1.0])
    for heavy, places, scales in DECEPTIVE:
        hills = torch.stack(
            [
                log_gaussian(grid, grid.mean() + mirror * place, scale)
                for place, scale in zip(places, scales, strict=True)
            ]
        )
        log_p = (hills + torch.tensor([[heavy], [1 - heavy]], dtype=hills.dtype).log()).logsumexp(0)
        _expect_reverse(_ask(candidate, grid, log_p), grid, log_p, "of two hills")


@FIT_FORWARD_AND_REVERSE.edge_check
def any_constant_will_do(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays right where the log density lies near ±1000."""
    grid, log_p = two_hills(rng)
    for constant in (1000.0, -1000.0):
        fitted = _ask(candidate, grid, log_p + constant)
        _expect_forward(fitted, grid, log_p, f"with {constant:+g} added to log p")
        _expect_reverse(fitted, grid, log_p, f"with {constant:+g} added to log p")


@FIT_FORWARD_AND_REVERSE.check
def agree_where_p_is_gaussian(candidate: Candidate, rng: np.random.Generator) -> None:
    """Where p is a Gaussian itself, both fits are that Gaussian, in any unit."""
    for unit in (1.0, 40.0):
        grid = unit * torch.linspace(-8, 8, STEPS, dtype=torch.float64)
        loc, scale = unit * rng.uniform(-3, 3), unit * rng.uniform(0.6, 1.2)
        log_p = log_gaussian(grid, loc, scale) + 3.0
        fitted = _ask(candidate, grid, log_p)
        _expect_forward(fitted, grid, log_p, "of a Gaussian")
        _expect_reverse(fitted, grid, log_p, "of a Gaussian")


@FIT_FORWARD_AND_REVERSE.check
def bridges_hills_that_touch(candidate: Candidate, rng: np.random.Generator) -> None:
    """Where two hills overlap, the reverse fit is wider than either and covers both."""
    grid = torch.linspace(-8, 8, STEPS, dtype=torch.float64) + rng.uniform(-1, 1)
    centre, half = grid.mean(), rng.uniform(0.9, 1.1)
    hills = torch.stack([log_gaussian(grid, centre + side * half, 0.9) for side in (-1, 1)])
    log_p = hills.logsumexp(0)
    fitted = _ask(candidate, grid, log_p)
    _expect_forward(fitted, grid, log_p, "of two hills that touch")
    _expect_reverse(fitted, grid, log_p, "of two hills that touch")
