"""Wrong and right answers to `fit_forward_and_reverse`.

The reverse fit may be found in many ways, so a mistake shows by where the four numbers lie, up to
a few per cent, whatever search found them.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from autograder.exercise import Sign

from ._grids import log_gaussian, normalise, reverse_divergences
from .fit_forward_and_reverse import FIT_FORWARD_AND_REVERSE, fit, moments, read, search

Wrong = Callable[[Tensor, Tensor], tuple[object, ...]]


def misconception(message: str) -> Callable[[Wrong], Wrong]:
    """Register a wrong fit; its sign is that the four numbers lie where this one's lie."""

    def register(wrong: Wrong) -> Wrong:
        return FIT_FORWARD_AND_REVERSE.misconception(message, sign=_looks_like(wrong))(wrong)

    return register


def _looks_like(wrong: Wrong) -> Sign:
    def sign(calls) -> bool:
        return all(_near(_four(call.value), _four(wrong(*call.args)), *call.args) for call in calls)

    return sign


def _four(value: object) -> list[float]:
    return [float(number) for number in value]


def _near(given: list[float], model: list[float], grid: Tensor, log_p: Tensor) -> bool:
    width = moments(grid, log_p)[1].item()
    return len(given) == len(model) == 4 and all(
        abs(a - b) <= 0.06 * max(abs(b), 0.2 * width) for a, b in zip(given, model, strict=True)
    )


def local_minima(grid: Tensor, log_p: Tensor) -> list[tuple[float, float, float]]:
    """KL(q‖p), mean and σ of the best Gaussian in each third of the mass, the best first."""
    found = []
    below = normalise(log_p).exp().cumsum(0)
    for share in (0.15, 0.5, 0.85):
        loc = grid[int((below < share).sum())].item()
        scales = moments(grid, log_p)[1] * torch.logspace(-1.2, 0.0, 30, dtype=torch.float64)
        locs = torch.full_like(scales, loc)
        values = reverse_divergences(grid, log_p, locs, scales)
        best = int(values.argmin())
        found.append((values[best].item(), loc, scales[best].item()))
    return sorted(found)


@misconception(
    "You returned the reverse fit first. The order is forward mean and σ, then reverse mean and σ."
)
def swapped(grid, log_p):
    forward, reverse = fit(grid, log_p)[:2], fit(grid, log_p)[2:]
    return *reverse, *forward


@misconception(
    "Both your fits match the moments of p. That is the forward fit; KL(q‖p) sits on one hill."
)
def moments_twice(grid, log_p):
    return *moments(grid, log_p), *moments(grid, log_p)


@misconception(
    "Both your fits sit on one hill. The forward one, KL(p‖q), has to cover all of p: match its "
    "mean and variance."
)
def search_twice(grid, log_p):
    return *search(grid, log_p), *search(grid, log_p)


@misconception("Your forward scale is a variance. Return the standard deviation, its root.")
def variance_for_scale(grid, log_p):
    mean, std = moments(grid, log_p)
    return mean, std**2, *search(grid, log_p)


@misconception("Both your scales are variances. Return standard deviations.")
def variances_for_scales(grid, log_p):
    mean, std = moments(grid, log_p)
    loc, scale = search(grid, log_p)
    return mean, std**2, loc, scale**2


@misconception("Both your scales are logarithms. Return σ itself.")
def logarithms_for_scales(grid, log_p):
    mean, std = moments(grid, log_p)
    loc, scale = search(grid, log_p)
    return mean, std.log(), loc, scale.log()


@misconception(
    "Your reverse fit sits on the taller hill. It is the heavier one, with more mass under it, "
    "that costs less: −log of its share."
)
def taller_hill(grid, log_p):
    peak = grid[log_p.argmax()]
    scales = moments(grid, log_p)[1] * torch.logspace(-1.5, 0.1, 60, dtype=torch.float64)
    locs = torch.full_like(scales, peak.item())
    best = scales[reverse_divergences(grid, log_p, locs, scales).argmin()]
    return *moments(grid, log_p), peak, best


@misconception(
    "Your reverse fit is the curvature at the highest point of p (Laplace). That is no divergence, "
    "and the highest point is on the wrong hill."
)
def curvature_at_the_peak(grid, log_p):
    top = int(log_p.argmax())
    step = grid[1] - grid[0]
    curvature = (log_p[top + 2] - 2 * log_p[top] + log_p[top - 2]) / (2 * step) ** 2
    return *moments(grid, log_p), grid[top], (-curvature).rsqrt() * 1.12


@misconception(
    "Your reverse mean is right and its σ is that of all of p. The fit is as wide as its own hill."
)
def width_of_everything(grid, log_p):
    mean, std = moments(grid, log_p)
    return mean, std, search(grid, log_p)[0], std


@misconception(
    "Your reverse σ is half of the best. A Gaussian on one hill has that hill's own width."
)
def half_as_wide(grid, log_p):
    loc, scale = search(grid, log_p)
    return *moments(grid, log_p), loc, scale / 2


@misconception(
    "Your reverse fit is the narrowest Gaussian that you tried: a term with log σ, q's entropy, is "
    "missing in your divergence."
)
def collapsed(grid, log_p):
    return *moments(grid, log_p), grid[log_p.argmax()], (grid[1] - grid[0]) / 2


@misconception(
    "Your reverse fit sits between the hills, with the width of the whole: the mean is taken under "
    "p instead of under q, or an optimiser stayed at its start."
)
def between_the_hills(grid, log_p):
    mean, std = moments(grid, log_p)
    return mean, std, (grid[0] + grid[-1]) / 2, std


@misconception("Your forward mean weighs all grid points alike. Weigh them with the density.")
def unweighted_moments(grid, log_p):
    return grid.mean(), grid.std(), *search(grid, log_p)


@misconception("Your forward mean is the highest point of p. KL(p‖q) is smallest at the mean of p.")
def mode_for_mean(grid, log_p):
    _, std = moments(grid, log_p)
    return grid[log_p.argmax()], std, *search(grid, log_p)


@misconception("Your forward variance is E[z²]: subtract the squared mean.")
def second_moment(grid, log_p):
    mean, _ = moments(grid, log_p)
    second = (log_p.softmax(0) * grid**2).sum().sqrt()
    return mean, second, *search(grid, log_p)


@misconception("Your forward fit uses log p as the weights. Exponentiate and normalise first.")
def logarithms_as_weights(grid, log_p):
    weight = log_p / log_p.sum()
    mean = (weight * grid).sum()
    spread = (weight * (grid - mean) ** 2).sum().abs().sqrt()
    return mean, spread, *search(grid, log_p)


@misconception(
    "Your forward σ is the mean absolute deviation. Take the root of the mean squared deviation."
)
def absolute_deviation(grid, log_p):
    mean, _ = moments(grid, log_p)
    deviation = (log_p.softmax(0) * (grid - mean).abs()).sum()
    return mean, deviation, *search(grid, log_p)


@FIT_FORWARD_AND_REVERSE.misconception(
    "You returned two pairs. Return four numbers in one tuple.",
    sign=lambda calls: all(
        len(call.value) == 2 and all(len(pair) == 2 for pair in call.value) for call in calls
    ),
)
def two_pairs(grid, log_p):
    return moments(grid, log_p), search(grid, log_p)


@FIT_FORWARD_AND_REVERSE.misconception(
    "You returned two numbers. Return four: the mean and σ of the forward fit, then of the reverse "
    "fit.",
    sign=lambda calls: all(len(call.value) == 2 for call in calls),
)
def reverse_only(grid, log_p):
    return search(grid, log_p)


@FIT_FORWARD_AND_REVERSE.misconception(
    "You exponentiate the log density as it is. With a constant of ±1000 in it that vanishes or "
    "overflows: let `torch.softmax` normalise."
)
def exponentiated_first(grid, log_p):
    p = log_p.exp() / log_p.exp().sum()
    mean = (p * grid).sum()
    std = (p * (grid - mean) ** 2).sum().sqrt()
    return mean, std, *search(grid, log_p)


@FIT_FORWARD_AND_REVERSE.misconception(
    "Your forward fit is right. Your reverse fit stays on the lighter hill, a local minimum: start "
    "your search on every hill and compare.",
    sign=lambda calls: any(_is_on_the_lighter_hill(call) for call in calls),
)
def local_minimum(grid, log_p):
    _, loc, scale = local_minima(grid, log_p)[-1]
    return *moments(grid, log_p), loc, scale


def _is_on_the_lighter_hill(call) -> bool:
    """The best place and this one are far apart, and q fits the hill that it is on."""
    _, _, loc, scale = read(call.value)
    grid, log_p = call.args
    best, best_scale = (part.item() for part in search(grid, log_p))
    fits = any(
        abs(loc - other) < other_scale and 0.6 < scale / other_scale < 1.6
        for _, other, other_scale in local_minima(grid, log_p)
    )
    return fits and abs(loc - best) > 2 * best_scale


@FIT_FORWARD_AND_REVERSE.variant
def with_a_loop(grid, log_p):
    log_share = torch.log_softmax(log_p, dim=0)
    best = (math.inf, 0.0, 1.0)
    span = grid[-1] - grid[0]
    for loc in torch.linspace(grid[0].item(), grid[-1].item(), 80):
        log_q = torch.log_softmax(
            -0.5
            * ((grid - loc) / (span * torch.logspace(-2, -0.7, 25, dtype=grid.dtype))[:, None])
            ** 2,
            dim=1,
        )
        values = (log_q.exp() * (log_q - log_share)).sum(1)
        chosen = int(values.argmin())
        scale = float(span * torch.logspace(-2, -0.7, 25, dtype=grid.dtype)[chosen])
        best = min(best, (float(values[chosen]), float(loc), scale))
    return *moments(grid, log_p), best[1], best[2]


@FIT_FORWARD_AND_REVERSE.variant
def as_a_tensor(grid, log_p):
    return torch.stack(fit(grid, log_p))


@FIT_FORWARD_AND_REVERSE.variant
def as_a_list_of_floats(grid, log_p):
    return [float(value) for value in fit(grid, log_p)]


@FIT_FORWARD_AND_REVERSE.variant
def by_newton_from_many_starts(grid, log_p):
    log_share = normalise(log_p)
    width = moments(grid, log_p)[1]
    starts = torch.linspace(0.05, 0.95, 12, dtype=grid.dtype)
    below = log_share.exp().cumsum(0)
    loc = torch.stack([grid[int((below < share).sum())] for share in starts])
    free = torch.stack((loc / width, torch.full_like(loc, -1.2))).requires_grad_()
    optimiser = torch.optim.Adam([free], lr=0.05)

    def values():
        log_q = normalise(log_gaussian(grid / width, free[0][:, None], free[1].exp()[:, None]))
        return (log_q.exp() * (log_q - log_share)).sum(1)

    for _ in range(200):
        optimiser.zero_grad()
        values().sum().backward()
        optimiser.step()
    best = int(values().argmin())
    place, log_scale = free.detach()[:, best]
    return *moments(grid, log_p), place * width, log_scale.exp() * width


@FIT_FORWARD_AND_REVERSE.variant
def moments_by_trapezoids(grid, log_p):
    density = torch.exp(log_p - log_p.max())
    mass = torch.trapezoid(density, grid)
    mean = torch.trapezoid(density * grid, grid) / mass
    variance = torch.trapezoid(density * grid**2, grid) / mass - mean**2
    return mean, variance.sqrt(), *search(grid, log_p)
