"""Wrong and right answers to `capacity_schedule`."""

import math

import numpy as np
import torch

from .capacity_schedule import CAPACITY_SCHEDULE, reference

misconception = CAPACITY_SCHEDULE.misconception
variant = CAPACITY_SCHEDULE.variant


@misconception("Your capacity rises on and on. Stop it at the maximum when `num_steps` is reached.")
def not_stopped(step, num_steps, max_capacity):
    return max_capacity * step / num_steps if num_steps else max_capacity


@misconception(
    "Your capacity comes near the maximum and never arrives, so you train at a rate that you do "
    "not report."
)
def never_arrives(step, num_steps, max_capacity):
    return max_capacity * (1 - math.exp(-step / num_steps)) if num_steps else max_capacity


@misconception(
    "Your capacity is half of the maximum at the end: it arrives at step 2 × `num_steps` only."
)
def half_way(step, num_steps, max_capacity):
    return max_capacity * min(1.0, step / (2 * num_steps)) if num_steps else max_capacity


@misconception("You divide by `num_steps + 1`, so the capacity arrives one step late.")
def one_step_late(step, num_steps, max_capacity):
    return max_capacity * min(1.0, step / (num_steps + 1)) if num_steps else max_capacity


@misconception("You divide by `num_steps − 1`, so the capacity arrives one step early.")
def one_step_early(step, num_steps, max_capacity):
    if num_steps <= 1:
        return reference(step, num_steps, max_capacity)
    return max_capacity * min(1.0, step / (num_steps - 1))


@misconception("You count the steps from 1: the capacity must be 0 at step 0.")
def counted_from_one(step, num_steps, max_capacity):
    return max_capacity * min(1.0, (step + 1) / num_steps) if num_steps else max_capacity


@misconception("You return the share of the way, from 0 to 1. Multiply it by the maximum.")
def share_of_the_way(step, num_steps, max_capacity):
    return reference(step, num_steps, 1.0)


@misconception(
    "Your capacity rises by one nat in each step until it reaches the maximum, whatever "
    "`num_steps` is."
)
def one_nat_a_step(step, num_steps, max_capacity):
    return min(float(step), max_capacity) if num_steps else max_capacity


@misconception(
    "Your capacity is 0 during the whole rise and jumps to the maximum. Was it integer division, "
    "`//`?"
)
def jumps(step, num_steps, max_capacity):
    return max_capacity * min(1, step // num_steps) if num_steps else max_capacity


@misconception("You rounded the capacity down to whole nats. Use `/`, not `//` or `int`.")
def rounded_down(step, num_steps, max_capacity):
    if step >= num_steps:
        return max_capacity
    return float(max_capacity * step // num_steps)


@misconception("Your capacity is the maximum from the start.")
def always_the_maximum(step, num_steps, max_capacity):
    return max_capacity


@misconception(
    "Your capacity falls from the maximum to 0. It starts at 0 and rises: the code learns to speak "
    "little by little."
)
def falls(step, num_steps, max_capacity):
    return max_capacity - reference(step, num_steps, max_capacity) if num_steps else max_capacity


@misconception(
    "Your capacity starts again from 0 after `num_steps`. It has to stay at the maximum."
)
def starts_again(step, num_steps, max_capacity):
    if not num_steps:
        return max_capacity
    return max_capacity * (step if step <= num_steps else step % num_steps) / num_steps


@misconception(
    "Your capacity rises along a cosine. A straight line is asked for: the same amount in every "
    "step."
)
def half_a_cosine(step, num_steps, max_capacity):
    if step >= num_steps:
        return max_capacity
    return max_capacity * 0.5 * (1 - math.cos(math.pi * step / num_steps))


@misconception("Your capacity rises along a curve with a square. A straight line is asked for.")
def parabola(step, num_steps, max_capacity):
    return max_capacity if step >= num_steps else max_capacity * (step / num_steps) ** 2


@misconception("You converted bits and nats. The capacity has the unit of the maximum, nats.")
def in_bits(step, num_steps, max_capacity):
    return reference(step, num_steps, max_capacity) / math.log(2)


@misconception(
    "What you return is right as long as there is a rise. With `num_steps = 0` you divide by zero: "
    "then the capacity is the maximum from the first step on."
)
def divides_by_zero(step, num_steps, max_capacity):
    return max_capacity * min(1.0, step / num_steps)


@misconception(
    "With `num_steps = 0` you divide by zero at step 0, as you ask `step > num_steps`. The "
    "capacity has arrived at this very step: `>=`."
)
def greater_for_at_least(step, num_steps, max_capacity):
    return max_capacity if step > num_steps else max_capacity * step / num_steps


@misconception(
    "With `num_steps = 0` your capacity is 0 at step 0. No rise means the maximum from the first "
    "step on."
)
def zero_without_a_rise(step, num_steps, max_capacity):
    return max_capacity * min(1.0, step / max(num_steps, 1))


@variant
def by_min(step, num_steps, max_capacity):
    if num_steps == 0:
        return max_capacity
    return max_capacity * min(1.0, step / num_steps)


@variant
def by_the_amount_of_a_step(step, num_steps, max_capacity):
    per_step = max_capacity / num_steps if num_steps else math.inf
    return min(max_capacity, per_step * step) if step else (0.0 if num_steps else max_capacity)


@variant
def by_interpolation(step, num_steps, max_capacity):
    if num_steps == 0:
        return max_capacity
    return np.interp(step, [0, num_steps], [0.0, max_capacity])


@variant
def as_a_tensor(step, num_steps, max_capacity):
    share = torch.tensor(step / num_steps if num_steps else 1.0)
    return share.clamp(max=1.0) * max_capacity


@variant
def counted_backwards(step, num_steps, max_capacity):
    left = max(num_steps - step, 0)
    return max_capacity - max_capacity * left / max(num_steps, 1)
