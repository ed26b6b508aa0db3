"""Wrong and right answers to `free_bits`."""

import math

import torch

from autograder.diagnosis import alike

from ._signs import name_changes_in_place
from .free_bits import FREE_BITS, exact, reference

name_changes_in_place(FREE_BITS)


@FREE_BITS.misconception(
    "You raise every entry to the floor and average then, so each image has to use its nats. "
    "Average over the batch first."
)
def clamped_before_the_mean(kl, floor):
    return kl.clamp(min=floor).mean(0).sum()


@FREE_BITS.misconception(
    "You compare the whole rate with the floor, so one busy hidden value frees all others. The "
    "floor is one for each hidden value."
)
def floor_of_the_total(kl, floor):
    return kl.mean(0).sum().clamp(min=floor)


@FREE_BITS.misconception(
    "You compare the whole rate with M times the floor, so one busy hidden value frees all others. "
    "Compare each hidden value by itself."
)
def floor_shared_by_all(kl, floor):
    return kl.mean(0).sum().clamp(min=kl.shape[1] * floor)


@FREE_BITS.misconception(
    "You compare the rate of each image with the floor. Compare the batch mean of each hidden "
    "value."
)
def floor_of_each_image(kl, floor):
    return kl.sum(1).clamp(min=floor).mean()


@FREE_BITS.misconception(
    "You compare the rate of each image with M times the floor. Compare the batch mean of each "
    "hidden value."
)
def shared_floor_of_each_image(kl, floor):
    return kl.sum(1).clamp(min=kl.shape[1] * floor).mean()


@FREE_BITS.misconception(
    "You take the smaller of the two, a ceiling: a hidden value that uses more pays nothing for "
    "it. Free bits is a floor, `clamp(min=floor)`."
)
def ceiling(kl, floor):
    return kl.mean(0).clamp(max=floor).sum()


@FREE_BITS.misconception(
    "You subtract the floor and charge what is left. The gradient is right, but the value lies "
    "below the rate, so it gives no bound any more: raise to the floor instead."
)
def hinge(kl, floor):
    return (kl.mean(0) - floor).relu().sum()


@FREE_BITS.misconception(
    "You subtract the floor without stopping at zero, so nothing is free: that shifts the loss by "
    "a constant."
)
def subtracted(kl, floor):
    return (kl.mean(0) - floor).sum()


@FREE_BITS.misconception(
    "You add the floor to every hidden value. That is a constant and changes no gradient."
)
def added(kl, floor):
    return (kl.mean(0) + floor).sum()


@FREE_BITS.misconception(
    "You leave out what lies below the floor. Its gradient is right, but it must be charged the "
    "floor."
)
def dropped_below(kl, floor):
    mean = kl.mean(0)
    return torch.where(mean < floor, torch.zeros_like(mean), mean).sum()


@FREE_BITS.misconception(
    "You summed over the batch before you compare with the floor. The floor is meant for the mean."
)
def summed_over_the_batch(kl, floor):
    return kl.sum(0).clamp(min=floor).sum()


@FREE_BITS.misconception(
    "You averaged over the hidden values. The rate is their sum; a mean makes the effective β M "
    "times smaller."
)
def mean_over_dimensions(kl, floor):
    return kl.mean(0).clamp(min=floor).mean()


@FREE_BITS.misconception("You return one number for each hidden value. Sum them.")
def not_summed(kl, floor):
    return kl.mean(0).clamp(min=floor)


@FREE_BITS.misconception("You ignore the floor: that is the ordinary rate.")
def floor_ignored(kl, floor):
    return kl.mean(0).sum()


@FREE_BITS.misconception(
    "You read the floor in bits. In spite of the name it is in nats here, as the divergence is."
)
def floor_in_bits(kl, floor):
    return reference(kl, floor * math.log(2))


@FREE_BITS.misconception(
    "The value is right, and no gradient flows through it: `detach`, `no_grad` or `.item()` cut "
    "the path."
)
def no_gradient(kl, floor):
    return reference(kl, floor).detach()


@FREE_BITS.misconception(
    "The value is right and the gradient is that of the ordinary rate, so a hidden value below the "
    "floor is still pushed down. Clamp with autograd on."
)
def gradient_of_the_rate(kl, floor):
    rate = kl.mean(0).sum()
    return rate + (reference(kl, floor) - rate).detach()


@FREE_BITS.misconception(
    "Your step at the floor is smooth (softplus or log-sum-exp), so what lies below still pays and "
    "still gets a gradient. Use a sharp maximum."
)
def smooth_floor(kl, floor):
    return (floor + torch.nn.functional.softplus(kl.mean(0) - floor)).sum()


@FREE_BITS.misconception("Your result has the wrong sign. The charge is part of a loss.")
def negative(kl, floor):
    return -reference(kl, floor)


@FREE_BITS.misconception(
    "You averaged over the hidden values, the wrong axis. Average over the images, the rows, and "
    "compare each hidden value with the floor."
)
def wrong_axis(kl, floor):
    return kl.mean(1).clamp(min=floor).sum()


@FREE_BITS.misconception(
    "You divided the floor by the number of images. It is compared with the mean over the images "
    "as it is."
)
def floor_divided_by_points(kl, floor):
    return kl.mean(0).clamp(min=floor / len(kl)).sum()


@FREE_BITS.misconception("You return M times the floor, whatever the divergences are.")
def floor_only(kl, floor):
    return torch.tensor(kl.shape[1] * floor, dtype=kl.dtype)


def _has_own_floor(calls):
    """All values are right for one and the same floor, found where all divergences are zero."""
    plain = [call for call in calls if call.verb == "call" and call.error is None]
    own = next(float(c.value) / c.args[0].shape[1] for c in plain if not c.args[0].any())
    return len(plain) > 3 and all(
        alike(call.value.double(), exact(call.args[0], own)[0]) for call in plain
    )


@FREE_BITS.misconception(
    "You compare with a floor of your own, always the same number. Use the argument.",
    sign=_has_own_floor,
)
def fixed_floor(kl, floor):
    return kl.mean(0).clamp(min=0.5).sum()


@FREE_BITS.misconception(
    "You keep the floor from falling below a number of your own. It may be as small as it likes: "
    "use the argument as it is."
)
def smallest_floor(kl, floor):
    return kl.mean(0).clamp(min=max(floor, 0.01)).sum()


@FREE_BITS.misconception(
    "The value is right, and a hidden value below the floor still has a small gradient (a leak, or "
    "a smooth maximum). Its gradient has to be exactly zero.",
    sign=lambda calls: (
        all(
            alike(call.value.double(), exact(*call.args)[0])
            for call in calls
            if call.verb == "call" and call.args[1] > 0.1
        )
        and any(
            call.verb == "gradient"
            and call.error is None
            and call.value[0][:, call.args[0].mean(0) < call.args[1]].any()
            for call in calls
        )
    ),
)
def leaks(kl, floor):
    return reference(kl, floor) + 1e-7 * kl.mean(0).sum()


@FREE_BITS.variant
def by_maximum(kl, floor):
    mean = torch.mean(kl, dim=0)
    return torch.maximum(mean, torch.full_like(mean, floor)).sum()


@FREE_BITS.variant
def by_relu(kl, floor):
    return (floor + torch.relu(kl.mean(0) - floor)).sum()


@FREE_BITS.variant
def by_where(kl, floor):
    mean = kl.sum(0) / kl.shape[0]
    return torch.where(mean > floor, mean, torch.as_tensor(floor, dtype=kl.dtype)).sum()


@FREE_BITS.variant
def column_by_column(kl, floor):
    total = torch.zeros((), dtype=kl.dtype)
    for column in kl.unbind(1):
        mean = column.mean()
        total = total + max(floor, mean)
    return total
