"""Wrong draws in `naive_log_marginal`, averaged as they should be."""

import math

import torch
from torch import Tensor

from . import naive_log_marginal_signs as signs
from .naive_log_marginal import NAIVE_LOG_MARGINAL


def draw(x: Tensor, low: Tensor, high: Tensor, num_samples: int, generator) -> Tensor:
    u = torch.rand(num_samples, len(x), len(low), generator=generator, dtype=x.dtype)
    return low + (high - low) * u


def log_values(x, log_joint, low, high, num_samples, generator) -> Tensor:
    return log_joint(x, draw(x, low, high, num_samples, generator))


def log_volume(low: Tensor, high: Tensor) -> Tensor:
    return (high - low).log().sum()


def finish(a: Tensor, low: Tensor, high: Tensor) -> Tensor:
    return log_volume(low, high) + a.logsumexp(0) - math.log(len(a))


@NAIVE_LOG_MARGINAL.misconception(
    "You draw a whole number of times that is not `num_samples`.", sign=signs.wrong_count
)
def number_of_draws_ignored(x, log_joint, low, high, num_samples, generator):
    return finish(log_values(x, log_joint, low, high, 100, generator), low, high)


@NAIVE_LOG_MARGINAL.misconception(
    "You use one z for all S draws. The average of S equal numbers is that number: draw S times.",
    sign=signs.draws(lambda p: len(p.z.unique(dim=0)) == 1),
)
def one_draw_repeated(x, log_joint, low, high, num_samples, generator):
    z = draw(x, low, high, 1, generator).expand(num_samples, -1, -1)
    return finish(log_joint(x, z), low, high)


@NAIVE_LOG_MARGINAL.misconception(
    "You use one random number for all coordinates of z, so the draws lie on the diagonal of the "
    "box. Each coordinate needs its own.",
    sign=signs.draws(
        lambda p: p.z.shape[1] > 1 and (p.u[:, 0] - p.u[:, 1]).abs().max() < 1e-5, 1000
    ),
)
def draws_on_the_diagonal(x, log_joint, low, high, num_samples, generator):
    u = torch.rand(num_samples, len(x), 1, generator=generator, dtype=x.dtype)
    return finish(log_joint(x, low + (high - low) * u), low, high)


@NAIVE_LOG_MARGINAL.misconception(
    "You draw from 0 to 1, whatever the box is. Stretch and move the draws: low + (high − low) u.",
    sign=signs.draws(lambda p: p.z.min() >= 0 and p.z.max() <= 1 and p.z.max() > 0.9),
)
def unit_box(x, log_joint, low, high, num_samples, generator):
    u = torch.rand(num_samples, len(x), len(low), generator=generator, dtype=x.dtype)
    return finish(log_joint(x, u), low, high)


@NAIVE_LOG_MARGINAL.misconception(
    "You stretch the draws to the box and forget to move them: they start at 0. Add `low`.",
    sign=signs.draws(lambda p: p.z.min() >= 0 and (p.z.amax(0) > 0.9 * (p.high - p.low)).all()),
)
def not_moved(x, log_joint, low, high, num_samples, generator):
    u = torch.rand(num_samples, len(x), len(low), generator=generator, dtype=x.dtype)
    return finish(log_joint(x, (high - low) * u), low, high)


@NAIVE_LOG_MARGINAL.misconception(
    "You stretch the draws by `high`. The side of the box is high − low.",
    sign=signs.draws(
        lambda p: (
            bool((p.z >= p.low).all() and (p.z <= p.low + p.high).all())
            and bool((p.z.amax(0) > p.low + 0.9 * p.high).all())
        )
    ),
)
def stretched_by_high(x, log_joint, low, high, num_samples, generator):
    u = torch.rand(num_samples, len(x), len(low), generator=generator, dtype=x.dtype)
    return finish(log_joint(x, low + high * u), low, high)


@NAIVE_LOG_MARGINAL.misconception(
    "You draw from 0 to `high`: the part of the box below zero is never visited.",
    sign=signs.draws(lambda p: p.z.min() >= 0 and bool((p.z.amax(0) > 0.9 * p.high).all())),
)
def from_zero_to_high(x, log_joint, low, high, num_samples, generator):
    u = torch.rand(num_samples, len(x), len(low), generator=generator, dtype=x.dtype)
    return finish(log_joint(x, high * u), low, high)


@NAIVE_LOG_MARGINAL.misconception(
    "You draw from the standard normal and count the draws as uniform. Draw with `torch.rand`; "
    "draws from the prior need other weights.",
    sign=signs.draws(lambda p: abs(p.z.mean()) < 0.3 and 0.7 < p.z.std() < 1.3),
)
def normal_draws(x, log_joint, low, high, num_samples, generator):
    z = torch.randn(num_samples, len(x), len(low), generator=generator, dtype=x.dtype)
    return finish(log_joint(x, z), low, high)


@NAIVE_LOG_MARGINAL.misconception(
    "You draw normal numbers around the middle of the box. Every place in the box must be as "
    "likely as any other: `torch.rand`.",
    sign=signs.draws(lambda p: bool(((p.u < -0.1) | (p.u > 1.1)).any() and p.u.std() > 0.3)),
)
def normal_draws_as_wide_as_the_box(x, log_joint, low, high, num_samples, generator):
    noise = torch.randn(num_samples, len(x), len(low), generator=generator, dtype=x.dtype)
    return finish(log_joint(x, (low + high) / 2 + (high - low) / 2 * noise), low, high)


@NAIVE_LOG_MARGINAL.misconception(
    "You draw normal numbers and push those outside onto the walls of the box. Use `torch.rand`: "
    "every place must be as likely as any other.",
    sign=signs.draws(lambda p: bool((p.u.isclose(p.u.new_zeros(()))).float().mean() > 0.02)),
)
def clamped_normal_draws(x, log_joint, low, high, num_samples, generator):
    noise = torch.randn(num_samples, len(x), len(low), generator=generator, dtype=x.dtype)
    z = ((low + high) / 2 + (high - low) / 3 * noise).clamp(low, high)
    return finish(log_joint(x, z), low, high)


@NAIVE_LOG_MARGINAL.misconception(
    "You start in the middle of the box and stretch by half a side, so its lower half is never "
    "visited. `torch.rand` runs from 0 to 1: low + (high − low) u.",
    sign=signs.draws(lambda p: bool((p.u > 0.499).all()) and bool((p.u.amax(0) > 0.9).all())),
)
def upper_half_only(x, log_joint, low, high, num_samples, generator):
    u = torch.rand(num_samples, len(x), len(low), generator=generator, dtype=x.dtype)
    return finish(log_joint(x, (low + high) / 2 + (high - low) / 2 * u), low, high)


@NAIVE_LOG_MARGINAL.misconception(
    "You draw whole numbers. z is continuous: `torch.rand`, not `torch.randint`.",
    sign=signs.draws(lambda p: bool((p.z == p.z.round()).all())),
)
def whole_numbers(x, log_joint, low, high, num_samples, generator):
    return finish(log_joint(x, draw(x, low, high, num_samples, generator).round()), low, high)


@NAIVE_LOG_MARGINAL.misconception(
    "You draw without the generator that was given, so a seed does not repeat the answer. Pass "
    "`generator=generator`.",
    sign=signs.seed_ignored,
)
def generator_unused(x, log_joint, low, high, num_samples, generator):
    return finish(log_values(x, log_joint, low, high, num_samples, None), low, high)


@NAIVE_LOG_MARGINAL.misconception(
    "Your draws are the same whatever the generator: a fixed grid, or a seed set inside. Draw at "
    "random with `generator=generator`.",
    sign=signs.always_the_same,
)
def seed_set_inside(x, log_joint, low, high, num_samples, generator):
    own = torch.Generator().manual_seed(0)
    return finish(log_values(x, log_joint, low, high, num_samples, own), low, high)
