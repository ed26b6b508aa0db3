"""Wrong and right answers to `beta_loss`."""

import torch

from .beta_loss import BETA_LOSS, reference

misconception = BETA_LOSS.misconception
variant = BETA_LOSS.variant


@misconception(
    "Your β weighs the reconstruction. A larger β then makes the code cheaper, the opposite of "
    "what the β-VAE is for: it belongs in front of the rate."
)
def beta_on_the_reconstruction(distortion, rate, beta):
    return (beta * distortion.sum(-1) + rate.sum(-1)).mean()


@misconception(
    "You multiply the mean of the distortion by β, as in much published code. That trains with "
    "the weight D/β in front of the rate. Sum over the values, and put β on the rate."
)
def beta_on_the_reconstruction_mean(distortion, rate, beta):
    return beta * distortion.mean() + rate.sum(-1).mean()


@misconception(
    "You averaged the distortion over the values of an image. The rate then weighs D times as "
    "much as β says: sum over the values."
)
def distortion_averaged_over_values(distortion, rate, beta):
    return (distortion.mean(-1) + beta * rate.sum(-1)).mean()


@misconception(
    "You averaged the rate over the hidden values. It then weighs M times less than β says: sum "
    "over them."
)
def rate_averaged_over_dimensions(distortion, rate, beta):
    return (distortion.sum(-1) + beta * rate.mean(-1)).mean()


@misconception(
    "You averaged both over everything. The means divide by D in one and by M in the other, so β "
    "is D/M times what you wrote."
)
def both_averaged(distortion, rate, beta):
    return distortion.mean() + beta * rate.mean()


@misconception(
    "You summed over the images too, so the loss and its gradient grow with the batch. Average "
    "over the images."
)
def summed_over_the_batch(distortion, rate, beta):
    return len(rate) * reference(distortion, rate, beta)


@misconception(
    "You summed the rate over the batch and averaged the distortion over it, so the rate weighs N "
    "times as much as β says."
)
def rate_summed_over_the_batch(distortion, rate, beta):
    return distortion.sum(-1).mean() + beta * rate.sum()


@misconception(
    "You averaged the rate over the images and summed the distortion over them, so the rate "
    "weighs N times less than β says."
)
def distortion_summed_over_the_batch(distortion, rate, beta):
    return distortion.sum() + beta * rate.sum(-1).mean()


@misconception(
    "Your β multiplies both prices. That scales the whole loss and changes nothing in training."
)
def beta_on_both(distortion, rate, beta):
    return beta * reference(distortion, rate, 1.0)


@misconception("You left β out: that is minus the bound, whatever β is.")
def beta_ignored(distortion, rate, beta):
    return reference(distortion, rate, 1.0)


@misconception("You divide the rate by β. A larger β must make the code more expensive: multiply.")
def divided_by_beta(distortion, rate, beta):
    return (distortion.sum(-1) + rate.sum(-1) / beta).mean() if beta else distortion.sum(-1).mean()


@misconception(
    "You mix the two prices with the weights 1 − β and β. The distortion keeps the weight 1."
)
def as_a_mixture(distortion, rate, beta):
    return ((1 - beta) * distortion.sum(-1) + beta * rate.sum(-1)).mean()


@misconception(
    "You subtract the rate. Both are prices, and they are added; the minus belongs to the bound, "
    "log p(x | z) − KL."
)
def rate_subtracted(distortion, rate, beta):
    return reference(distortion, rate, -beta)


@misconception(
    "You returned the bound, which is maximised. A loss has the opposite sign in both terms."
)
def sign_of_the_bound(distortion, rate, beta):
    return -reference(distortion, rate, beta)


@misconception(
    "You weigh the rate by β M/D, the normalised weight of Higgins et al. Here β is meant as it "
    "stands."
)
def normalised_beta(distortion, rate, beta):
    return reference(distortion, rate, beta * rate.shape[1] / distortion.shape[1])


@misconception("You weigh the rate by the square of β.")
def beta_squared(distortion, rate, beta):
    return reference(distortion, rate, beta**2)


@misconception("You add β to the rate. It is a weight, so multiply.")
def beta_added(distortion, rate, beta):
    return (distortion.sum(-1) + beta + rate.sum(-1)).mean()


@misconception("You weigh the rate by 1 + β: it is in your loss twice.")
def rate_counted_twice(distortion, rate, beta):
    return reference(distortion, rate, 1 + beta)


@misconception("You return one number for each image. Take their mean.")
def not_averaged(distortion, rate, beta):
    return distortion.sum(-1) + beta * rate.sum(-1)


@misconception(
    "The value is right, and no gradient flows through it: `detach`, `no_grad` or `.item()` cut "
    "the path."
)
def no_gradient(distortion, rate, beta):
    return reference(distortion, rate, beta).detach()


@misconception(
    "The value is right, and the gradient of the rate is zero: the encoder never learns what its "
    "code costs. Do not detach it."
)
def rate_detached(distortion, rate, beta):
    return reference(distortion, rate.detach(), beta)


@variant
def sums_divided_by_n(distortion, rate, beta):
    return (distortion.sum() + beta * rate.sum()) / distortion.shape[0]


@variant
def means_first(distortion, rate, beta):
    return distortion.mean(dim=0).sum() + beta * rate.mean(dim=0).sum()


@variant
def image_by_image(distortion, rate, beta):
    total = 0.0
    for values, nats in zip(distortion, rate, strict=True):
        total = total + values.sum() + beta * nats.sum()
    return total / len(rate)


@variant
def side_by_side(distortion, rate, beta):
    return torch.cat((distortion, beta * rate), dim=1).sum(dim=1).mean()


@variant
def by_einsum(distortion, rate, beta):
    n = len(rate)
    return torch.einsum("nd->", distortion) / n + beta * torch.einsum("nm->", rate) / n


@variant
def minus_the_bound(distortion, rate, beta):
    return -(-distortion.sum(1) - beta * rate.sum(1)).mean()
