"""Wrong and right answers to `capacity_loss`."""

import math

import torch

from .capacity_loss import CAPACITY_LOSS, reference

misconception = CAPACITY_LOSS.misconception
variant = CAPACITY_LOSS.variant


@misconception(
    "You take the absolute value for each image and average then, so every image is forced to "
    "spend the same number of nats. Average the rates first."
)
def abs_for_each_image(distortion, rate, capacity, weight):
    return (distortion + weight * (rate - capacity).abs()).mean()


@misconception(
    "You took no absolute value. A rate below the capacity is then rewarded, and C is a constant "
    "without any effect on the gradient."
)
def no_absolute_value(distortion, rate, capacity, weight):
    return distortion.mean() + weight * (rate.mean() - capacity)


@misconception(
    "You punish only a rate above the capacity. Below it nothing pushes the rate up, so the code "
    "may collapse: the penalty has two sides."
)
def only_above(distortion, rate, capacity, weight):
    return distortion.mean() + weight * torch.relu(rate.mean() - capacity)


@misconception(
    "You punish only a rate below the capacity. Above it nothing holds the rate: the penalty has "
    "two sides."
)
def only_below(distortion, rate, capacity, weight):
    return distortion.mean() + weight * torch.relu(capacity - rate.mean())


@misconception(
    "You square the distance. Near the capacity that pushes with almost no force; the loss is "
    "defined with the absolute value."
)
def squared(distortion, rate, capacity, weight):
    return distortion.mean() + weight * (rate.mean() - capacity) ** 2


@misconception(
    "You square the distance for each image. The distance is absolute, and it is that of the mean."
)
def squared_for_each_image(distortion, rate, capacity, weight):
    return (distortion + weight * (rate - capacity) ** 2).mean()


@misconception(
    "Your weight is on the distortion. It belongs to the distance of the rate from the capacity."
)
def weight_on_the_distortion(distortion, rate, capacity, weight):
    return weight * distortion.mean() + (rate.mean() - capacity).abs()


@misconception("You weigh the whole loss. The distortion keeps the weight 1.")
def weight_on_both(distortion, rate, capacity, weight):
    return weight * (distortion.mean() + (rate.mean() - capacity).abs())


@misconception("You left the weight out.")
def weight_ignored(distortion, rate, capacity, weight):
    return distortion.mean() + (rate.mean() - capacity).abs()


@misconception(
    "You left the capacity out: that is the β-VAE with β = weight, which taxes every nat."
)
def capacity_ignored(distortion, rate, capacity, weight):
    return distortion.mean() + weight * rate.mean()


@misconception(
    "You multiply the rate by the weight before the capacity is subtracted. The weight belongs "
    "outside the absolute value: |R − C| is in nats."
)
def weight_inside(distortion, rate, capacity, weight):
    return distortion.mean() + (weight * rate.mean() - capacity).abs()


@misconception("You add the capacity to the rate. Subtract it: what counts is their distance.")
def capacity_added(distortion, rate, capacity, weight):
    return distortion.mean() + weight * (rate.mean() + capacity).abs()


@misconception(
    "You compare the rate of the whole batch with the capacity. It is meant for one image on "
    "average: take the mean of the rates."
)
def rate_summed_over_the_batch(distortion, rate, capacity, weight):
    return distortion.mean() + weight * (rate.sum() - capacity).abs()


@misconception("You summed the distortion over the batch. Average it, as the rate.")
def distortion_summed_over_the_batch(distortion, rate, capacity, weight):
    return distortion.sum() + weight * (rate.mean() - capacity).abs()


@misconception("Your loss is N times too large: you summed over the images where a mean is wanted.")
def summed_over_the_batch(distortion, rate, capacity, weight):
    return len(rate) * reference(distortion, rate, capacity, weight)


@misconception("You read the capacity in bits. It is in nats, as the rate is.")
def capacity_in_bits(distortion, rate, capacity, weight):
    return reference(distortion, rate, capacity * math.log(2), weight)


@misconception(
    "You take the absolute value of the whole loss or of the whole difference; it belongs around "
    "the distance of rate and capacity alone."
)
def abs_of_everything(distortion, rate, capacity, weight):
    return (distortion.mean() + weight * (rate.mean() - capacity)).abs()


@misconception("You subtract the penalty, so the loss rewards a rate far from the capacity.")
def penalty_subtracted(distortion, rate, capacity, weight):
    return distortion.mean() - weight * (rate.mean() - capacity).abs()


@misconception(
    "You added both punishment and tax: the rate itself is in the loss once more. Here the "
    "distance from the capacity takes its place."
)
def rate_added_again(distortion, rate, capacity, weight):
    return reference(distortion, rate, capacity, weight) + rate.mean()


@misconception("You return one number for each image. Average the distortion over the batch.")
def distortion_not_averaged(distortion, rate, capacity, weight):
    return distortion + weight * (rate.mean() - capacity).abs()


@misconception(
    "The value is right, and no gradient reaches the rate: `detach`, `no_grad` or `.item()` cuts "
    "the path."
)
def rate_detached(distortion, rate, capacity, weight):
    return reference(distortion, rate.detach(), capacity, weight)


@misconception(
    "The value is right, and no gradient flows through it at all: `detach`, `no_grad` or `.item()` "
    "cuts the path."
)
def no_gradient(distortion, rate, capacity, weight):
    return reference(distortion, rate, capacity, weight).detach()


@variant
def by_maximum(distortion, rate, capacity, weight):
    excess = rate.mean() - capacity
    return distortion.mean() + weight * torch.maximum(excess, -excess)


@variant
def by_two_relus(distortion, rate, capacity, weight):
    excess = rate.sum() / rate.shape[0] - capacity
    return distortion.mean() + weight * (torch.relu(excess) + torch.relu(-excess))


@variant
def by_the_sign(distortion, rate, capacity, weight):
    sign = 1.0 if rate.mean() > capacity else -1.0
    return (distortion + sign * weight * (rate - capacity)).mean()


@variant
def by_the_l1_loss(distortion, rate, capacity, weight):
    target = torch.as_tensor(capacity, dtype=rate.dtype)
    return distortion.mean() + weight * torch.nn.functional.l1_loss(rate.mean(), target)


@variant
def by_pythons_abs(distortion, rate, capacity, weight):
    return torch.mean(distortion) + abs(weight * rate.mean() - weight * capacity)
