"""Wrong answers to `best_gaussian_proposal`.

Two right answers differ in the third digit, and so do two wrong ones of the same kind: a mistake is
recognised by answers near its own.
"""

import math
from collections.abc import Callable, Sequence

import torch

from autograder.candidate import Call
from autograder.exercise import Sign

from ._proposal import (
    GRID,
    Normal,
    Problem,
    best_on_grids,
    log_normal,
    moments,
    optimum,
    relative_variance,
)
from .best_gaussian_proposal import BEST_GAUSSIAN_PROPOSAL, reference

Recipe = Callable[[Problem], Normal]


def _answers(calls: Sequence[Call]) -> list[tuple[Problem, Normal]]:
    found = []
    for call in calls:
        if call.error is None and isinstance(call.value, (tuple, list)) and len(call.value) == 2:
            x, oracle, scale = call.args
            loc, width = (float(torch.as_tensor(part).double()) for part in call.value)
            found.append((Problem(x, oracle.function, scale), (loc, width)))
    return found


def _near(recipe: Recipe) -> Sign:
    """Every answer is within a hundredth or two of the recipe's."""

    def sign(calls: Sequence[Call]) -> bool:
        found = _answers(calls)
        return bool(found) and all(
            all(
                abs(a - b) < 0.01 + 0.01 * abs(b)
                for a, b in zip(answer, recipe(problem), strict=True)
            )
            for problem, answer in found
        )

    return sign


def mistake(message: str) -> Callable[[Recipe], Recipe]:
    """Register a recipe under its own name, as an answer of a student's."""

    def register(recipe: Recipe) -> Recipe:
        def implementation(x, decoder, scale):
            return recipe(Problem(x, decoder, scale))

        implementation.__name__ = recipe.__name__
        BEST_GAUSSIAN_PROPOSAL.misconception(message, sign=_near(recipe))(implementation)
        return recipe

    return register


@mistake("You return the prior. It wastes most draws: let the proposal follow x.")
def prior(problem):
    return 0.0, 1.0


@mistake(
    "You return the posterior's mean and standard deviation. They are too narrow for a posterior "
    "that is not normal: minimise the second moment of the weights, ∫ p(x, z)² / q(z) dz."
)
def posterior_moments(problem):
    return moments(problem.log_joint())


@mistake(
    "You return the peak of the posterior and its curvature there. That misses the long tail or "
    "the second peak, where the weights then explode."
)
def peak_and_curvature(problem):
    log_p = problem.log_joint()
    i = int(log_p.argmax())
    curvature = (2 * log_p[i] - log_p[i - 1] - log_p[i + 1]) / (GRID[1] - GRID[0]) ** 2
    return GRID[i].item(), curvature.item() ** -0.5


@mistake(
    "You maximise the mean log weight, the evidence lower bound. Its best q is narrow and sits on "
    "one peak; for the variance of the weights it is the worst choice."
)
def lower_bound_maximised(problem):
    log_p = problem.log_joint()

    def loss(loc, scale):
        log_q = log_normal(loc, scale)
        return (torch.softmax(log_q, -1) * (log_q - log_p)).sum(-1)

    return best_on_grids(loss, moments(log_p))


@mistake(
    "You squared the wrong one: you minimise ∫ q(z)² / p(z | x) dz, which makes q too narrow. The "
    "second moment of the weights is ∫ p(x, z)² / q(z) dz."
)
def squares_exchanged(problem):
    log_p = problem.log_joint()

    def loss(loc, scale):
        return torch.logsumexp(2 * log_normal(loc, scale) - log_p, -1)

    return best_on_grids(loss, moments(log_p))


@mistake(
    "You matched the squared density: its mean and standard deviation are those of p(x, z)², which "
    "is narrower than the posterior."
)
def moments_of_the_square(problem):
    return moments(2 * problem.log_joint())


@mistake(
    "The prior is missing: you fitted the likelihood as a function of z. The weights hold the "
    "joint density p(x | z) p(z)."
)
def likelihood_only(problem):
    log_p = problem.log_likelihood()
    mean, scale = moments(log_p)
    return best_on_grids(lambda m, s: relative_variance(log_p, m, s), (mean, 1.2 * scale))


@mistake("You fitted the mean and standard deviation of the likelihood, without the prior.")
def moments_of_the_likelihood(problem):
    return moments(problem.log_likelihood())


@mistake("You returned the variance. The scale is a standard deviation.")
def variance_returned(problem):
    loc, scale = optimum(problem)
    return loc, scale**2


@mistake("You returned the logarithm of the scale. Take its exponential.")
def log_scale_returned(problem):
    loc, scale = optimum(problem)
    return loc, math.log(scale)


@mistake("You returned the precision. The scale is a standard deviation.")
def precision_returned(problem):
    loc, scale = optimum(problem)
    return loc, scale**-2


@mistake("You returned (scale, loc). The order is loc, then scale.")
def order_exchanged(problem):
    return optimum(problem)[::-1]


@mistake("Your loc has the wrong sign, or you passed −z to the decoder.")
def mirrored(problem):
    loc, scale = optimum(problem)
    return -loc, scale


@mistake(
    "You read `scale` as the variance of the noise. The likelihood is normal with standard "
    "deviation σ."
)
def noise_scale_as_variance(problem):
    return optimum(Problem(problem.x, problem.decoder, math.sqrt(problem.scale)))


@mistake(
    "The ½ before the squared distances is missing, in the prior and in the likelihood, so your "
    "posterior is too narrow."
)
def squares_not_halved(problem):
    log_p = 2 * problem.log_joint()
    mean, scale = moments(log_p)
    return best_on_grids(lambda m, s: relative_variance(log_p, m, s), (mean, 1.2 * scale))


@mistake(
    "You widen the posterior by a fixed factor to be safe. How much wider q should be depends on "
    "the shape of the posterior: minimise the second moment of the weights."
)
def widened_by_half(problem):
    mean, scale = moments(problem.log_joint())
    return mean, 1.5 * scale


@mistake(
    "You doubled the posterior's standard deviation to be safe. That wastes draws: minimise the "
    "second moment of the weights."
)
def widened_twofold(problem):
    mean, scale = moments(problem.log_joint())
    return mean, 2 * scale


@mistake(
    "You take a very wide proposal to be safe. Its weights are bounded, but most draws miss: "
    "minimise the second moment of the weights."
)
def very_wide(problem):
    return 0.0, 3.0


@mistake(
    "You centre q on the z whose decoding is nearest to x and take σ as its width. σ is a width in "
    "x; in z it is divided by the slope of the decoder, and the prior counts too."
)
def nearest_decoding(problem):
    return GRID[problem.log_likelihood().argmax()].item(), problem.scale


@mistake(
    "You optimise the mean only and keep the prior's width. The scale is the other half of the "
    "question."
)
def scale_of_the_prior(problem):
    log_p = problem.log_joint()
    locs = torch.linspace(-2, 2, 401, dtype=torch.float64)[:, None]
    return locs[int(relative_variance(log_p, locs, 1.0).argmin()), 0].item(), 1.0


@mistake(
    "You optimise the width only and keep the prior's mean. The posterior's place is the other "
    "half of the question."
)
def mean_of_the_prior(problem):
    log_p = problem.log_joint()
    scales = torch.linspace(0.2, 3, 561, dtype=torch.float64)[:, None]
    return 0.0, scales[int(relative_variance(log_p, 0.0, scales).argmin()), 0].item()


@mistake(
    "You minimise the variance of the log weights. The estimate averages the weights themselves, "
    "and their variance counts the rare large ones."
)
def variance_of_log_weights(problem):
    log_p = problem.log_joint()

    def loss(loc, scale):
        log_q = log_normal(loc, scale)
        q, ratio = torch.softmax(log_q, -1), log_p - log_q
        mean = (q * ratio).sum(-1, keepdim=True)
        return (q * (ratio - mean).square()).sum(-1)

    return best_on_grids(loss, moments(log_p))


@mistake(
    "You minimise log ∫ p(x, z) / q(z) dz: the square is missing. The second moment of the weights "
    "under q is ∫ p(x, z)² / q(z) dz."
)
def square_missing(problem):
    log_p = problem.log_joint()

    def loss(loc, scale):
        return torch.logsumexp(log_p - log_normal(loc, scale), -1)

    return best_on_grids(loss, (moments(log_p)[0], 2.0))


@mistake(
    "Your grid of proposals is too coarse: whole and half numbers only. Refine it around the best "
    "place."
)
def coarse_proposals(problem):
    log_p = problem.log_joint()
    steps = torch.arange(-3, 3.01, 0.5, dtype=torch.float64)
    scales = torch.arange(0.5, 3.01, 0.5, dtype=torch.float64)
    losses = relative_variance(log_p, steps[:, None, None], scales[None, :, None])
    place = int(losses.argmin())
    return steps[place // len(scales)].item(), scales[place % len(scales)].item()


@mistake(
    "You evaluate the weights at a few places near zero only. The grid of z must reach as far as "
    "the posterior does, and beyond: take −8 to 8."
)
def range_too_short(problem):
    inside = GRID.abs() <= 1.0
    log_p = problem.log_joint().where(inside, torch.tensor(-torch.inf, dtype=torch.float64))
    mean, scale = moments(log_p)
    return best_on_grids(lambda m, s: relative_variance(log_p, m, s), (mean, 1.2 * scale))


@BEST_GAUSSIAN_PROPOSAL.misconception(
    "You return one number. Return the pair (loc, scale).",
    sign=lambda calls: all(
        isinstance(c.value, float) or (isinstance(c.value, torch.Tensor) and c.value.numel() == 1)
        for c in calls
    ),
)
def one_number(x, decoder, scale):
    return reference(x, decoder, scale)[0]
