"""`score_function_grad(f, loc, log_scale, noise)`: a gradient from values of f alone."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle
from autograder.exercise import Exercise

from ._gradients import (
    Function,
    Pair,
    draw_noise,
    draw_q,
    draw_quadratic,
    expect_asked,
    expect_pair,
    expect_unbiased,
    place,
    read,
    scores,
    wavy,
)


def weighted_scores(values: Tensor, log_scale: Tensor, noise: Tensor) -> Pair:
    """The mean over samples of h(z) ∇ log q(z)."""
    by_loc, by_log_scale = scores(log_scale, noise)
    return (values[..., None] * by_loc).mean(-2), (values[..., None] * by_log_scale).mean(-2)


def estimate(f: Function, loc: Tensor, log_scale: Tensor, noise: Tensor) -> Pair:
    return weighted_scores(f(place(loc, log_scale, noise)), log_scale, noise)


SCORE_FUNCTION_GRAD = Exercise(
    name="score_function_grad",
    unit="03_elbo",
    title="The score-function gradient",
    points=3,
    difficulty=3,
    minutes=25,
    reference=estimate,
    hints=(
        "**Principle.** You want the slope of E_q[h(z)] when q itself is moved, and you know only "
        "values of h. Move q a little: where its density grows, h counts more. The relative "
        "growth of the density is ∇ log q(z), the score, so ∇ E_q[h] = E_q[h(z) ∇ log q(z)]. "
        "Nothing is asked of h: it may have steps, or come from a simulation. For a Gaussian the "
        "score has two parts. With z = μ + σ ε it is ε/σ for the mean and ε² − 1 for log σ: if z "
        "lies right of the mean, moving right makes it more probable; if it lies far out, "
        "widening does.",
        "**Place.** First `z = loc + scale * noise` with `scale = log_scale.exp()`, shape "
        "(B, S, M). One question `f(z)` gives (B, S) values: one for each draw, shared by all M "
        "coordinates, so add a last axis with `[..., None]` before you multiply. The two scores "
        "have the shape (B, S, M). Multiply, and take the mean over the axis of the S draws, "
        "which is the second from the end. The B repeats stay apart. The derivative is with "
        "respect to log σ, not σ: that is why ε² − 1 carries no 1/σ. Differentiate log q = "
        "−½ (z − μ)²/σ² − log σ by hand with z held fixed to see both.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "scale = log_scale.exp()\n"
        "values = f(loc + ... * noise)[..., None]         # (B, S, 1)\n"
        "score_loc = noise / ...                          # (B, S, M)\n"
        "score_log_scale = ... - 1                        # (B, S, M)\n"
        "return (values * score_loc).mean(dim=...), (values * score_log_scale).mean(dim=...)\n"
        "```\n\n"
        "The axis to average is −2. Test yourself with h(z) = z in one dimension: its mean under "
        "q is μ, so with a hundred thousand draws the first result must be near 1 and the second "
        "near 0. With h(z) = z² they are 2μ and 2σ². Do not subtract anything from the values "
        "yet; that is the next exercise but one.",
    ),
)
NAME = SCORE_FUNCTION_GRAD.name


@SCORE_FUNCTION_GRAD.check
def weighs_scores_by_values(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the mean over the draws of h(z) times the score of q, for each repeat."""
    for repeats, num_samples, dim in ((3, 5, 2), (2, 4, 3)):
        f, _ = wavy(rng)
        loc, log_scale = draw_q(rng, dim)
        noise = draw_noise(rng, repeats, num_samples, dim)
        value = candidate.call(Oracle(f), loc, log_scale, noise)
        where = f"for B = {repeats}, S = {num_samples}, M = {dim}"
        expect_pair(value, estimate(f, loc, log_scale, noise), noise, NAME, where)


@SCORE_FUNCTION_GRAD.check
def works_when_sizes_coincide(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one draw, one repeat, one coordinate, and when all sizes agree."""
    for repeats, num_samples, dim in ((1, 1, 1), (3, 3, 3), (1, 4, 2), (4, 1, 2)):
        f, _ = wavy(rng)
        loc, log_scale = draw_q(rng, dim)
        noise = draw_noise(rng, repeats, num_samples, dim)
        value = candidate.call(Oracle(f), loc, log_scale, noise)
        where = f"for B = {repeats}, S = {num_samples}, M = {dim}"
        expect_pair(value, estimate(f, loc, log_scale, noise), noise, NAME, where)


@SCORE_FUNCTION_GRAD.check
def is_unbiased(candidate: Candidate, rng: np.random.Generator) -> None:
    """Averages to the exact gradient of E_q[h] over thousands of repeats."""
    target, (loc, log_scale) = draw_quadratic(rng, 2, constant=2.0), draw_q(rng, 2)
    noise = draw_noise(rng, 1200, 4, 2)
    value = candidate.call(Oracle(target.value), loc, log_scale, noise)
    expect_unbiased(value, target.exact(loc, log_scale), noise, NAME, "of a quadratic h")


@SCORE_FUNCTION_GRAD.check
def needs_no_slope(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is right for a step function too, whose slope is zero wherever it exists."""
    loc, log_scale = draw_q(rng, 1)

    def step(z: Tensor) -> Tensor:
        return (torch.as_tensor(z, dtype=torch.float64)[..., 0] > 0).double()

    noise = draw_noise(rng, 2000, 4, 1)
    value = candidate.call(Oracle(step), loc, log_scale, noise)
    u = -loc / log_scale.exp()
    density = torch.exp(-0.5 * u**2) / (2 * torch.pi) ** 0.5  # of P(z > 0) = Φ(μ/σ)
    exact = density / log_scale.exp(), density * u
    expect_unbiased(value, exact, noise, NAME, "of a step function")


@SCORE_FUNCTION_GRAD.check
def subtracts_nothing(candidate: Candidate, rng: np.random.Generator) -> None:
    """For a constant h it is that constant times the mean score: no baseline is subtracted."""
    loc, log_scale = draw_q(rng, 2)
    noise, constant = draw_noise(rng, 3, 4, 2), float(rng.uniform(2, 4))

    def flat(z: Tensor) -> Tensor:
        return torch.full(torch.as_tensor(z).shape[:-1], constant, dtype=torch.float64)

    value = candidate.call(Oracle(flat), loc, log_scale, noise)
    right = tuple(constant * part.mean(-2) for part in scores(log_scale, noise))
    expect_pair(value, right, noise, NAME, "of a constant")


@SCORE_FUNCTION_GRAD.check
def asks_where_q_draws(candidate: Candidate, rng: np.random.Generator) -> None:
    """Asks for values of h at z = μ + σ ε, and gives finite numbers."""
    f, _ = wavy(rng)
    oracle = Oracle(f)
    loc, log_scale = draw_q(rng, 2)
    noise = draw_noise(rng, 2, 3, 2)
    for part in read(candidate.call(oracle, loc, log_scale, noise), noise, NAME):
        expect.finite(part, "the gradient")
    expect_asked(oracle, place(loc, log_scale, noise))
