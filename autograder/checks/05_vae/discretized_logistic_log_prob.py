"""`discretized_logistic_log_prob(x, loc, log_scale, num_levels)`: probabilities of grey levels."""

import itertools

import numpy as np
import scipy.special
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

Args = tuple[Tensor, Tensor, Tensor, int]


def each(x: Tensor, loc: Tensor, log_scale: Tensor, num_levels: int) -> Tensor:
    """log(F(b) − F(a)) of each value; F(b) − F(a) = F(b) F(−a) (1 − e^{a − b}) never cancels."""
    half = 0.5 / (num_levels - 1)
    inverse = (-log_scale).exp()
    below = (x - half - loc) * inverse
    above = (x + half - loc) * inverse
    log_not_below, log_at_most = -_softplus(below), -_softplus(-above)
    gap = torch.log(-torch.expm1(-2 * half * inverse))
    inside = log_not_below + log_at_most + gap
    level = (x * (num_levels - 1)).round()
    last = torch.where(level >= num_levels - 1, log_not_below, inside)
    return torch.where(level <= 0, log_at_most, last)


def _softplus(a: Tensor) -> Tensor:
    """log(1 + eᵃ), without the switch to a straight line that torch's own makes at 20."""
    return torch.logaddexp(a, torch.zeros_like(a))


def reference(x: Tensor, loc: Tensor, log_scale: Tensor, num_levels: int) -> Tensor:
    return each(x, loc, log_scale, num_levels).sum(-1)


DISCRETIZED_LOGISTIC_LOG_PROB = Exercise(
    name="discretized_logistic_log_prob",
    unit="05_vae",
    title="A likelihood for 256 grey levels",
    points=3,
    difficulty=4,
    minutes=35,
    reference=reference,
    hints=(
        "**Principle.** A stored grey level is not a number on a line but one of L boxes, and a "
        "likelihood must say how probable each box is. Take a smooth density on the line, here the "
        "logistic, and let every box collect the mass above its own cell. Nothing may be lost: "
        "what lies below the lowest cell belongs to level 0, and what lies above the highest cell "
        "to the last level. Then the L probabilities sum to one whatever the parameters. The "
        "logistic is used because its distribution function is the sigmoid. The mass of a cell is "
        "the difference of two sigmoids, without an integral.",
        "**Place.** The levels are 1/(L − 1) apart, so a cell reaches half of that to either side. "
        "With a = (x − ½/(L − 1) − μ)/s and b = (x + ½/(L − 1) − μ)/s the probability is "
        "F(b) − F(a); for level 0 it is F(b), for the last level 1 − F(a) = F(−a). The trouble is "
        "the logarithm: far from μ both sigmoids are 1, or both 0, and the difference vanishes. "
        "It factors: F(b) − F(a) = F(b) F(−a) (1 − exp(a − b)), and no factor cancels. So add "
        "`logsigmoid(b)`, `logsigmoid(-a)` and `log(-expm1(a - b))`.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "half, s = 0.5 / (num_levels - 1), torch.exp(...)\n"
        "a, b = (x - half - loc) / s, (x + half - loc) / s\n"
        "width = -1 / ((num_levels - 1) * s)                 # a - b, without rounding\n"
        "each = F.logsigmoid(b) + F.logsigmoid(...) + torch.log(-torch.expm1(width))\n"
        "each = torch.where(x < half, F.logsigmoid(...), each)\n"
        "each = torch.where(x > 1 - half, F.logsigmoid(...), each)\n"
        "return each.sum(-1)\n"
        "```\n\n"
        "With `import torch.nn.functional as F`. The gaps are log s, −a, b for the lowest level, "
        "and −a for the highest one.",
    ),
)


def draw(rng: np.random.Generator, num_points: int, dim: int, num_levels: int) -> Args:
    """Levels, both ends among them, with locations and scales of ordinary size."""
    shape = num_points, dim
    level = rng.integers(num_levels, size=shape)
    level.flat[0], level.flat[-1] = 0, num_levels - 1
    loc, log_scale = rng.uniform(-0.1, 1.1, size=shape), rng.uniform(-1.8, -0.5, size=shape)
    x = torch.from_numpy(level / (num_levels - 1))
    return x, torch.from_numpy(loc), torch.from_numpy(log_scale), num_levels


def exact(x: Tensor, loc: Tensor, log_scale: Tensor, num_levels: int) -> Tensor:
    """By plain differences of distribution functions, on the side where they are small."""
    level = (x * (num_levels - 1)).round().numpy()
    edges = [(level + shift) / (num_levels - 1) for shift in (-0.5, 0.5)]
    edges[0] = np.where(level == 0, -np.inf, edges[0])
    edges[1] = np.where(level == num_levels - 1, np.inf, edges[1])
    a, b = ((edge - loc.numpy()) / np.exp(log_scale.numpy()) for edge in edges)
    sign = np.where(a + b > 0, -1.0, 1.0)
    mass = np.abs(scipy.special.expit(sign * b) - scipy.special.expit(sign * a))
    return torch.from_numpy(np.log(mass)).sum(-1)


NAME = DISCRETIZED_LOGISTIC_LOG_PROB.name


@DISCRETIZED_LOGISTIC_LOG_PROB.check
def levels_sum_to_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """The probabilities of all levels sum to 1, also where much of the mass lies outside."""
    for num_levels in (5, 256):
        x = torch.arange(num_levels, dtype=torch.float64).repeat(3)[:, None] / (num_levels - 1)
        loc = torch.tensor([rng.uniform(0.2, 0.8), -0.2, 1.3]).double()
        log_scale = torch.tensor([-2.0, -1.0, -0.5]).double()
        args = (part.repeat_interleave(num_levels)[:, None] for part in (loc, log_scale))
        value = expect.tensor(candidate.call(x, *args, num_levels), (len(x),), NAME)
        for total, place in zip(value.exp().reshape(3, -1).sum(1), loc, strict=True):
            expect.true(
                abs(total - 1) < 1e-4,
                f"the probabilities of the {num_levels} levels for loc = {place:.2g} sum to "
                f"{total:.4g}; expected 1",
            )


@DISCRETIZED_LOGISTIC_LOG_PROB.check
def images_sum_to_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """The probabilities of all images of two values with four levels sum to 1."""
    x = torch.tensor(list(itertools.product(range(4), repeat=2)), dtype=torch.float64) / 3
    _, loc, log_scale, _ = draw(rng, 1, 2, 4)
    args = loc.repeat(16, 1), log_scale.repeat(16, 1)
    total = expect.tensor(candidate.call(x, *args, 4), (16,), NAME).exp().sum().item()
    expect.true(
        abs(total - 1) < 1e-4,
        f"the probabilities of all 16 images of D = 2 values with 4 levels sum to {total:.4g}; "
        "expected 1",
    )


@DISCRETIZED_LOGISTIC_LOG_PROB.check
def equals_the_mass_of_the_cell(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the logistic mass above the cell of each level, whatever the sizes."""
    for sizes in ((4, 6, 16), (1, 5, 256), (3, 3, 3), (4, 1, 2)):
        args = draw(rng, *sizes)
        what = f"{NAME} for N, D and L = {sizes}"
        expect.close(candidate.call(*args), exact(*args), what)


@DISCRETIZED_LOGISTIC_LOG_PROB.check
def ends_collect_the_tails(candidate: Candidate, rng: np.random.Generator) -> None:
    """The lowest level gets all the mass below it, and the highest all the mass above."""
    x = torch.tensor([[0.0], [1.0], [0.0], [1.0]], dtype=torch.float64)
    loc = torch.tensor([[-0.3], [1.3], [0.4], [0.7]], dtype=torch.float64)
    log_scale = torch.from_numpy(rng.uniform(-2.0, -1.0, size=(4, 1)))
    args = x, loc, log_scale, 8
    expect.close(candidate.call(*args), exact(*args), f"{NAME} of the two end levels")


@DISCRETIZED_LOGISTIC_LOG_PROB.check
def decoders_can_learn(candidate: Candidate, rng: np.random.Generator) -> None:
    """The gradients for location and scale are right."""
    x, loc, log_scale, num_levels = draw(rng, 3, 4, 16)
    leaves = loc.clone().requires_grad_(), log_scale.clone().requires_grad_()
    right = torch.autograd.grad(each(x, *leaves, num_levels).sum(), leaves)
    found = candidate.gradient(x, loc, log_scale, num_levels, wrt=(1, 2))
    for name, given, known in zip(("loc", "log_scale"), found, right, strict=True):
        expect.close(given, known, f"the gradient for {name}")


@DISCRETIZED_LOGISTIC_LOG_PROB.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    *args, num_levels = draw(rng, 4, 6, 64)
    args = [part.float() for part in args]
    args[2] = args[2].clamp(min=-1.5)  # so that no difference of sigmoids vanishes
    right = exact(*(part.double() for part in args), num_levels)
    value = candidate.call(*args, num_levels)
    expect.close(value, right, f"{NAME} in single precision", rtol=1e-3, atol=1e-3)


@DISCRETIZED_LOGISTIC_LOG_PROB.edge_check
def survives_levels_far_away(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays right, and its gradient finite, for levels far from a narrow logistic."""
    x, _, _, num_levels = draw(rng, 3, 3, 256)
    loc = torch.tensor([[-0.9, 0.5, 1.9]]).double().expand(3, 3).contiguous()
    log_scale = torch.tensor([[-7.9], [-5.0], [-3.0]]).double().expand(3, 3).contiguous()
    args = x, loc, log_scale, num_levels
    expect.close(candidate.call(*args), reference(*args), f"{NAME} far away")
    for name, slope in zip(
        ("loc", "log_scale"), candidate.gradient(*args, wrt=(1, 2)), strict=True
    ):
        expect.finite(slope, f"the gradient for {name} far away")
