"""`control_variate_grad(f, loc, log_scale, noise)`: the score function with a baseline.

Many baselines are right: the mean of the other draws, the next draw, the value at the mean of q.
So the checks ask for what all of them have: no bias, far less variance, no memory of a constant.
"""

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
    wavy,
)
from .score_function_grad import estimate, weighted_scores

LARGEST_RATIO = 0.3  # of the variances, where good baselines reach less than 0.1


def leave_one_out(f: Function, loc: Tensor, log_scale: Tensor, noise: Tensor) -> Pair:
    """Each draw's baseline is the mean of the other draws (Kool, van Hoof & Welling 2019)."""
    values = f(place(loc, log_scale, noise))
    others = (values.sum(-1, keepdim=True) - values) / (values.shape[-1] - 1)
    return weighted_scores(values - others, log_scale, noise)


CONTROL_VARIATE_GRAD = Exercise(
    name="control_variate_grad",
    unit="03_elbo",
    title="A baseline that costs no bias",
    points=4,
    difficulty=4,
    minutes=30,
    reference=leave_one_out,
    needs=("score_function_grad",),
    deterministic=False,
    hints=(
        "**Principle.** The mean of the score is zero. So a number b may be subtracted from h "
        "without changing the expectation: E[(h − b) ∇ log q] = E[h ∇ log q]. The variance does "
        "change, and it is smallest when b is near the typical value of h: then a draw is weighed "
        "by whether it is better or worse than usual. One condition: b must not depend on the "
        "draw that it is subtracted from. The average over all draws breaks it, because the draw "
        "itself is one of them; the gradient then shrinks by a factor (S − 1)/S. The average over "
        "the **other** draws keeps it, and costs no extra evaluation.",
        "**Place.** Start from your `score_function_grad`: draws, values (B, S), scores. Between "
        "values and weighing, subtract from each value the mean of the other S − 1 values of its "
        "repeat. You need no loop: their sum is the total minus the value itself. Divide by "
        "S − 1. Then weigh the scores with the differences and average over all S draws, by S. "
        "Keep repeats apart: the baseline of a repeat uses that repeat only. Test yourself: add "
        "1000 to h and nothing may change; with h constant both gradients are exactly zero. Over "
        "many repeats with S = 2 the average must still be the exact gradient, not half of it.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "scale = log_scale.exp()\n"
        "values = f(loc + scale * noise)                              # (B, S)\n"
        "num_samples = values.shape[-1]\n"
        "others = (values.sum(dim=-1, keepdim=True) - ...) / (...)    # (B, S)\n"
        "advantage = (values - ...)[..., None]                        # (B, S, 1)\n"
        "score_loc, score_log_scale = noise / scale, noise**2 - 1\n"
        "return (advantage * score_loc).mean(-2), (advantage * score_log_scale).mean(-2)\n"
        "```\n\n"
        "The second gap is S − 1. If your variance did not fall, you subtracted the baseline "
        "after weighing; it must be subtracted from the values, inside the brackets.",
    ),
)
NAME = CONTROL_VARIATE_GRAD.name


@CONTROL_VARIATE_GRAD.check
def is_unbiased(candidate: Candidate, rng: np.random.Generator) -> None:
    """Averages to the exact gradient over thousands of repeats, even with two draws each."""
    for repeats, num_samples in ((2500, 2), (2500, 2), (1600, 3)):
        target, (loc, log_scale) = draw_quadratic(rng, 2, constant=3.0), draw_q(rng, 2)
        # a gradient that is large beside its noise, so that a shrunken one shows
        target.slope.add_(3.0 * torch.sign(target.slope + target.matrix @ loc))
        noise = draw_noise(rng, repeats, num_samples, 2)
        value = candidate.call(Oracle(target.value), loc, log_scale, noise)
        exact = target.exact(loc, log_scale)
        expect_unbiased(value, exact, noise, NAME, f"of S = {num_samples} draws")


@CONTROL_VARIATE_GRAD.check
def has_far_less_variance(candidate: Candidate, rng: np.random.Generator) -> None:
    """Has far less variance than the plain estimator where h is far from zero."""
    target = draw_quadratic(rng, 2, constant=float(rng.choice([-300.0, 300.0])))
    loc, log_scale = draw_q(rng, 2)
    noise = draw_noise(rng, 800, 6, 2)
    value = candidate.call(Oracle(target.value), loc, log_scale, noise)
    plain = estimate(target.value, loc, log_scale, noise)
    for part, without, which in zip(
        read(value, noise, NAME), plain, ("loc", "log_scale"), strict=True
    ):
        ratio = (part.var(0) / without.var(0)).max().item()
        expect.true(
            ratio < LARGEST_RATIO,
            f"{NAME}: the gradient for {which} has {ratio:.2g} times the variance of the plain "
            "estimator where h is about ±300; expected a small fraction",
        )


@CONTROL_VARIATE_GRAD.check
def a_constant_changes_nothing(candidate: Candidate, rng: np.random.Generator) -> None:
    """Adding a constant to h changes nothing, in any single repeat."""
    f, _ = wavy(rng)
    loc, log_scale = draw_q(rng, 2)
    noise = draw_noise(rng, 3, 5, 2)
    right = read(candidate.call(Oracle(f), loc, log_scale, noise), noise, NAME)
    for constant in (float(rng.uniform(5, 50)), -1000.0):
        value = candidate.call(Oracle(lambda z, c=constant: f(z) + c), loc, log_scale, noise)
        expect_pair(value, right, noise, NAME, f"after {constant:+.3g} was added to h")


@CONTROL_VARIATE_GRAD.check
def a_constant_has_no_slope(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is zero for a constant h, in any single repeat."""
    loc, log_scale = draw_q(rng, 2)
    noise = draw_noise(rng, 3, 4, 2)

    def flat(z: Tensor) -> Tensor:
        return torch.full(torch.as_tensor(z).shape[:-1], 7.0, dtype=torch.float64)

    value = candidate.call(Oracle(flat), loc, log_scale, noise)
    zero = torch.zeros(3, 2, dtype=torch.float64)
    expect_pair(value, (zero, zero), noise, NAME, "of a constant")


@CONTROL_VARIATE_GRAD.check
def repeats_stay_apart(candidate: Candidate, rng: np.random.Generator) -> None:
    """A repeat depends on its own noise only: alone it gives the same as among others."""
    f, _ = wavy(rng)
    loc, log_scale = draw_q(rng, 2)
    noise = draw_noise(rng, 4, 4, 2)
    together = read(candidate.call(Oracle(f), loc, log_scale, noise), noise, NAME)
    for chosen in ([2], [3, 1]):
        value = candidate.call(Oracle(f), loc, log_scale, noise[chosen])
        right = tuple(part[chosen] for part in together)
        expect_pair(value, right, noise[chosen], NAME, f"of repeats {chosen} alone")


@CONTROL_VARIATE_GRAD.check
def asks_where_q_draws(candidate: Candidate, rng: np.random.Generator) -> None:
    """Asks for values of h at z = μ + σ ε, whatever else it asks for."""
    oracle = Oracle(wavy(rng)[0])
    loc, log_scale = draw_q(rng, 2)
    noise = draw_noise(rng, 2, 3, 2)
    read(candidate.call(oracle, loc, log_scale, noise), noise, NAME)
    expect_asked(oracle, place(loc, log_scale, noise))


@CONTROL_VARIATE_GRAD.check
def works_for_any_sizes(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives finite gradients of the right shape for one repeat, one coordinate, and two draws."""
    for repeats, num_samples, dim in ((1, 2, 1), (2, 2, 2), (3, 3, 3)):
        f, _ = wavy(rng)
        noise = draw_noise(rng, repeats, num_samples, dim)
        value = candidate.call(Oracle(f), *draw_q(rng, dim), noise)
        for part in read(value, noise, NAME):
            expect.finite(part, "the gradient")
