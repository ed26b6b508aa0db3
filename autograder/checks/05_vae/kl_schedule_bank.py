"""Wrong and right answers to `kl_schedule`; a right one may have any gentle shape."""

import itertools
import math

import torch

from .kl_schedule import KL_SCHEDULE, STEEPEST, SWEPT, reference


def values(calls, steps=range(SWEPT + 1), warmup_steps=SWEPT):
    """The weights at some steps of the warm-up that is looked at step by step."""
    found = {
        c.args[0]: float(c.value) for c in calls if c.error is None and c.args[1] == warmup_steps
    }
    return [found[step] for step in steps]


def later(calls):
    """The weights at and after the end of any warm-up."""
    return [float(c.value) for c in calls if c.error is None and c.args[0] >= c.args[1] > 0]


def rises(calls):
    found = values(calls)
    return all(high >= low for low, high in itertools.pairwise(found))


@KL_SCHEDULE.misconception(
    "Your weight rises on and on: stop it at 1. Beyond that the loss is no bound of log p(x) but "
    "that of a β-VAE.",
    sign=lambda calls: max(later(calls)) > 1 + 1e-6,
)
def not_stopped(step, warmup_steps):
    return step / warmup_steps if warmup_steps else 1.0


@KL_SCHEDULE.misconception(
    "Your weight comes near 1 and never arrives, so you never train on the ELBO itself."
)
def never_arrives(step, warmup_steps):
    return 1 - math.exp(-step / warmup_steps) if warmup_steps else 1.0


@KL_SCHEDULE.misconception(
    "Your weight is a hyperbolic tangent or its like: it comes near 1 and never arrives."
)
def never_arrives_tanh(step, warmup_steps):
    return math.tanh(step / warmup_steps) if warmup_steps else 1.0


@KL_SCHEDULE.misconception(
    "Your weight is an S-curve that is neither 0 at the start nor 1 at the end of the warm-up."
)
def sigmoid(step, warmup_steps):
    return 1 / (1 + math.exp(-10 * min(step / warmup_steps - 0.5, 9))) if warmup_steps else 1.0


@KL_SCHEDULE.misconception("You divide by `warmup_steps + 1`, so the weight arrives one step late.")
def one_step_late(step, warmup_steps):
    return min(1.0, step / (warmup_steps + 1)) if warmup_steps else 1.0


@KL_SCHEDULE.misconception(
    "You count from 1: the weight is not 0 at step 0 and arrives one step early."
)
def counted_from_one(step, warmup_steps):
    return min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0


@KL_SCHEDULE.misconception(
    "You divide by `warmup_steps − 1`, so the weight arrives one step early."
)
def one_step_early(step, warmup_steps):
    if warmup_steps <= 1:
        return reference(step, warmup_steps)
    return min(1.0, step / (warmup_steps - 1))


@KL_SCHEDULE.misconception(
    "Your weight starts again after the warm-up, as in a cyclical schedule. It has to stay at 1."
)
def starts_again(step, warmup_steps):
    if not warmup_steps:
        return 1.0
    return step / warmup_steps if step <= warmup_steps else (step % warmup_steps) / warmup_steps


@KL_SCHEDULE.misconception("Your weight goes down again after the warm-up. It has to stay at 1.")
def up_and_down(step, warmup_steps):
    return max(0.0, 1 - abs(step / warmup_steps - 1)) if warmup_steps else 1.0


@KL_SCHEDULE.misconception(
    "Your weight falls from 1 to 0: at the end the divergence is free and the VAE is a plain "
    "autoencoder. It has to rise."
)
def falls(step, warmup_steps):
    return max(0.0, 1 - step / warmup_steps) if warmup_steps else 1.0


@KL_SCHEDULE.misconception(
    "Your weight is 0 during the whole warm-up and jumps to 1: was it integer division, `//`? The "
    "hidden values that opened in the meantime would close at once."
)
def jumps(step, warmup_steps):
    return min(1, step // warmup_steps) if warmup_steps else 1


@KL_SCHEDULE.misconception("Your weight is 1 from the start: that is no warm-up.")
def no_warm_up(step, warmup_steps):
    return 1.0


@KL_SCHEDULE.misconception(
    "Your weight is 0 at every step, so the divergence never counts: is the ratio upside down, or "
    "rounded?"
)
def always_zero(step, warmup_steps):
    return 0.0


@KL_SCHEDULE.misconception(
    "Your weight rises as in a power of ten, most of it in the last few steps. Spread it: no step "
    "may add more than 3 / `warmup_steps`."
)
def exponential(step, warmup_steps):
    if step >= warmup_steps:
        return 1.0
    return 0.0 if step == 0 else 10 ** (-4 * (1 - step / warmup_steps))


@KL_SCHEDULE.misconception(
    "The weight that is asked for is right as long as there is a warm-up. With `warmup_steps = 0` "
    "you divide by zero: then β is 1 from the first step on."
)
def divides_by_zero(step, warmup_steps):
    return min(1.0, step / warmup_steps)


@KL_SCHEDULE.misconception(
    "With `warmup_steps = 0` the weight is 0 at step 0. No warm-up means 1 from the first step on."
)
def zero_without_warm_up(step, warmup_steps):
    return min(1.0, step / max(warmup_steps, 1))


@KL_SCHEDULE.misconception(
    "With `warmup_steps = 0` the weight stays at 0. No warm-up means 1 from the first step on."
)
def nothing_without_warm_up(step, warmup_steps):
    return min(1.0, step / warmup_steps) if warmup_steps else 0.0


@KL_SCHEDULE.misconception(
    "You reach one half only: the last value of the warm-up and all after it must be 1."
)
def half_way(step, warmup_steps):
    return 0.5 * reference(step, warmup_steps)


@KL_SCHEDULE.misconception(
    "You do not look at `warmup_steps`: a fixed number of steps is written into your code."
)
def warmup_ignored(step, warmup_steps):
    return min(1.0, step / 1000)


@KL_SCHEDULE.misconception(
    "You stop just below 1: the limit of your `min` or `clamp` is not 1.",
    sign=lambda calls: 0.9 < max(later(calls)) == min(later(calls)) < 1,
)
def stopped_below_one(step, warmup_steps):
    return min(1 - 1e-4, step / warmup_steps) if warmup_steps else 1.0


@KL_SCHEDULE.misconception(
    "Your weight comes near 1 and is not there at step `warmup_steps`, whichever curve you took: "
    "end the warm-up with a weight of exactly 1.",
    sign=lambda calls: 0.4 < values(calls)[-1] < 1 - 1e-6 and rises(calls),
)
def curve_not_at_one(step, warmup_steps):
    return math.tanh(3 * step / warmup_steps) if warmup_steps else 1.0


@KL_SCHEDULE.misconception(
    "Your curve is not 0 at step 0, as an S-curve is not unless you shift and stretch it.",
    sign=lambda calls: 1e-9 < values(calls)[0] < 0.5 and rises(calls),
)
def curve_not_at_zero(step, warmup_steps):
    return 1.0 if step >= warmup_steps else 1 / (1 + math.exp(5 - 10 * step / warmup_steps))


@KL_SCHEDULE.misconception(
    "Your weight rises in stairs: it rests, then jumps. Was it rounded, or does `//` stand in it?",
    sign=lambda calls: 2 < len(set(values(calls))) < SWEPT / 2 and rises(calls),
)
def staircase(step, warmup_steps):
    return 1.0 if step >= warmup_steps else math.floor(4 * step / warmup_steps) / 4


@KL_SCHEDULE.misconception(
    "Your weight falls at some steps of the warm-up, as in a cyclical or wavy schedule. It may "
    "rest, but not fall.",
    sign=lambda calls: max(values(calls)) > 0.99 and not rises(calls),
)
def dips(step, warmup_steps):
    if step >= warmup_steps:
        return 1.0
    share = step / warmup_steps
    return 0.1 if 0.3 < share < 0.35 else share


@KL_SCHEDULE.misconception(
    "Your weight arrives before step `warmup_steps`. It has to stay below 1 until there.",
    sign=lambda calls: max(values(calls)[:-1]) >= 1 and rises(calls),
)
def arrives_early(step, warmup_steps):
    return min(1.0, 1.2 * step / warmup_steps) if warmup_steps else 1.0


@KL_SCHEDULE.misconception(
    "Your weight reaches 1 and is lower again at a later step. From step `warmup_steps` on it has "
    "to be 1 for good.",
    sign=lambda calls: max(later(calls)) == 1 > min(later(calls)) and rises(calls),
)
def falls_later(step, warmup_steps):
    if step >= warmup_steps:
        return 1.0 if warmup_steps == 0 or step < 10 * warmup_steps else 0.5
    return step / warmup_steps


def steepest(calls):
    found = values(calls)
    return max(high - low for low, high in itertools.pairwise(found))


@KL_SCHEDULE.misconception(
    "Your weight starts and arrives as it should, and is too steep in between, as a square root is "
    "at its start and a cut-off S-curve at its ends: no step may add more than 3 / `warmup_steps`.",
    sign=lambda calls: (
        values(calls)[-1] == 1 and steepest(calls) > STEEPEST / SWEPT + 1e-6 and rises(calls)
    ),
)
def too_steep(step, warmup_steps):
    return math.sqrt(reference(step, warmup_steps))


@KL_SCHEDULE.variant
def straight_line(step, warmup_steps):
    if warmup_steps == 0:
        return 1
    return min(1.0, step / warmup_steps)


@KL_SCHEDULE.variant
def half_a_cosine(step, warmup_steps):
    if step >= warmup_steps:
        return 1.0
    return 0.5 * (1 - math.cos(math.pi * step / warmup_steps))


@KL_SCHEDULE.variant
def smooth_step(step, warmup_steps):
    t = 1.0 if step >= warmup_steps else step / warmup_steps
    return t * t * (3 - 2 * t)


@KL_SCHEDULE.variant
def parabola(step, warmup_steps):
    return reference(step, warmup_steps) ** 2


@KL_SCHEDULE.variant
def quarter_of_a_sine(step, warmup_steps):
    return math.sin(0.5 * math.pi * reference(step, warmup_steps))


@KL_SCHEDULE.variant
def as_a_tensor(step, warmup_steps):
    return torch.tensor(reference(step, warmup_steps), dtype=torch.float64)


@KL_SCHEDULE.variant
def in_single_precision(step, warmup_steps):
    return torch.tensor(float(step)).div(max(warmup_steps, 1)).clamp(max=1) if warmup_steps else 1.0


@KL_SCHEDULE.variant
def late_start(step, warmup_steps):
    # rests at zero for the first third
    if step >= warmup_steps:
        return 1.0
    return max(0.0, 1.5 * step / warmup_steps - 0.5)


@KL_SCHEDULE.variant
def steep_at_the_start(step, warmup_steps):
    return 1 - (1 - reference(step, warmup_steps)) ** 3
