"""`reparam_grad(grad_f, loc, log_scale, noise)`: a gradient that follows the draws."""

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
    expect_pair,
    expect_unbiased,
    place,
    wavy,
)


def follow(grad_f: Function, loc: Tensor, log_scale: Tensor, noise: Tensor) -> Pair:
    slope = grad_f(place(loc, log_scale, noise))
    return slope.mean(-2), (slope * log_scale.exp() * noise).mean(-2)


REPARAM_GRAD = Exercise(
    name="reparam_grad",
    unit="03_elbo",
    title="The reparameterised gradient",
    points=3,
    difficulty=2,
    minutes=20,
    reference=follow,
    hints=(
        "**Principle.** Write the draw as a function of the parameters and of noise that does not "
        "depend on them: z = μ + σ ε. Then E_q[h(z)] is a mean over ε, whose distribution stays "
        "put, and the gradient may go inside: move the parameters, and each draw moves along. How "
        "does z move? By one for a step of μ, and by σ ε for a step of log σ, because the "
        "derivative of exp(log σ) is σ again. The chain rule does the rest: slope of h at the "
        "draw, times how the draw moves. This needs the slope of h, which the score-function "
        "estimator does without, and repays it with far less variance.",
        "**Place.** `scale = log_scale.exp()`, `z = loc + scale * noise`, one question "
        "`slope = grad_f(z)` of shape (B, S, M). For the mean the answer is the average slope "
        "over the draws. For log σ multiply each slope, coordinate by coordinate, with "
        "`scale * noise` before you average. The draws are on the second axis from the end; the "
        "repeats stay apart. No autograd is needed, and none would flow through `grad_f`. Test "
        "yourself with h(z) = z², whose slope is 2z: the exact gradients are 2μ and 2σ². If your "
        "second one is always zero, you cut the path from log σ to z.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "scale = log_scale.exp()\n"
        "z = ... + scale * noise                          # (B, S, M)\n"
        "slope = grad_f(...)                              # (B, S, M)\n"
        "return slope.mean(dim=...), (slope * ... * noise).mean(dim=...)\n"
        "```\n\n"
        "The gap in the second result is σ: dz/d log σ = σ ε. Had the parameter been σ itself, it "
        "would be ε alone; had it been the log variance, ½ σ ε. Average over the axis −2. The "
        "slope must be taken at the draws z, not at the mean of q and not at the noise, and every "
        "draw has its own ε.",
    ),
)
NAME = REPARAM_GRAD.name


@REPARAM_GRAD.check
def follows_the_chain_rule(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the mean over the draws of the slope of h times the movement of the draw."""
    for repeats, num_samples, dim in ((3, 5, 2), (2, 4, 3)):
        _, grad_f = wavy(rng)
        loc, log_scale = draw_q(rng, dim)
        noise = draw_noise(rng, repeats, num_samples, dim)
        value = candidate.call(Oracle(grad_f), loc, log_scale, noise)
        where = f"for B = {repeats}, S = {num_samples}, M = {dim}"
        expect_pair(value, follow(grad_f, loc, log_scale, noise), noise, NAME, where)


@REPARAM_GRAD.check
def agrees_with_a_small_step(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the change of the mean of h, with the noise held fixed, when a parameter moves."""
    f, grad_f = wavy(rng)
    loc, log_scale = draw_q(rng, 2)
    noise = draw_noise(rng, 2, 6, 2)
    steps = 1e-5 * torch.eye(2, dtype=torch.float64)

    def mean(loc: Tensor, log_scale: Tensor) -> Tensor:
        return f(place(loc, log_scale, noise)).mean(-1)

    by_loc = [(mean(loc + s, log_scale) - mean(loc - s, log_scale)) / 2e-5 for s in steps]
    by_scale = [(mean(loc, log_scale + s) - mean(loc, log_scale - s)) / 2e-5 for s in steps]
    right = torch.stack(by_loc, dim=-1), torch.stack(by_scale, dim=-1)
    value = candidate.call(Oracle(grad_f), loc, log_scale, noise)
    expect_pair(value, right, noise, NAME, "against finite differences")


@REPARAM_GRAD.check
def works_when_sizes_coincide(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one draw, one repeat, one coordinate, and when all sizes agree."""
    for repeats, num_samples, dim in ((1, 1, 1), (3, 3, 3), (1, 4, 2), (4, 1, 2)):
        _, grad_f = wavy(rng)
        loc, log_scale = draw_q(rng, dim)
        noise = draw_noise(rng, repeats, num_samples, dim)
        value = candidate.call(Oracle(grad_f), loc, log_scale, noise)
        where = f"for B = {repeats}, S = {num_samples}, M = {dim}"
        expect_pair(value, follow(grad_f, loc, log_scale, noise), noise, NAME, where)


@REPARAM_GRAD.check
def is_unbiased(candidate: Candidate, rng: np.random.Generator) -> None:
    """Averages to the exact gradient of E_q[h] over a thousand repeats."""
    target, (loc, log_scale) = draw_quadratic(rng, 2), draw_q(rng, 2)
    noise = draw_noise(rng, 1000, 4, 2)
    value = candidate.call(Oracle(target.gradient), loc, log_scale, noise)
    expect_unbiased(value, target.exact(loc, log_scale), noise, NAME, "of a quadratic h")


@REPARAM_GRAD.check
def is_free_of_variance_where_it_can(candidate: Candidate, rng: np.random.Generator) -> None:
    """For a straight h the gradient of the mean is the slope itself, without any variance."""
    slope = torch.from_numpy(rng.uniform(1, 3, size=2))
    loc, log_scale = draw_q(rng, 2)
    noise = draw_noise(rng, 4, 3, 2)

    def grad_f(z: Tensor) -> Tensor:
        return slope.expand(torch.as_tensor(z).shape)

    value = candidate.call(Oracle(grad_f), loc, log_scale, noise)
    right = slope.expand(4, 2), slope * log_scale.exp() * noise.mean(-2)
    expect_pair(value, right, noise, NAME, "of a straight h")


@REPARAM_GRAD.check
def works_in_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works when everything comes in single precision."""
    _, grad_f = wavy(rng)
    loc, log_scale = (part.float() for part in draw_q(rng, 2))
    noise = draw_noise(rng, 2, 5, 2).float()
    right = follow(grad_f, loc.double(), log_scale.double(), noise.double())
    value = candidate.call(Oracle(lambda z: grad_f(z).float()), loc, log_scale, noise)
    for part in expect.items(value, 2, f"the result of {NAME}"):
        expect.tensor(part, (2, 2), "a gradient")
    expect_pair(value, right, noise, NAME, "in single precision")
