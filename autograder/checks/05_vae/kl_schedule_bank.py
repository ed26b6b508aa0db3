"""Wrong and right answers to `kl_schedule`; a right one may have any gentle shape."""

import math

import torch

from .kl_schedule import KL_SCHEDULE, reference


@KL_SCHEDULE.misconception(
    "Your weight rises on and on: stop it at 1. Beyond that the loss is no bound of log p(x) but "
    "that of a β-VAE."
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
