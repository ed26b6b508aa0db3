"""Wrong and right answers to `iwae_bound`."""

import math

import torch

from .iwae_bound import IWAE_BOUND, bound


@IWAE_BOUND.misconception(
    "You averaged the log weights. That is the ELBO for any number of draws: average the weights, "
    "then take the logarithm."
)
def mean_of_logarithms(log_weights):
    return log_weights.mean(0)


@IWAE_BOUND.misconception(
    "The −log S is missing: you took the sum of the weights and not their mean, so the bound grows "
    "with S even for equal weights."
)
def sum_of_weights(log_weights):
    return log_weights.logsumexp(0)


@IWAE_BOUND.misconception(
    "You subtract log N, the number of points. The mean runs over the S draws."
)
def divided_by_points(log_weights):
    return log_weights.logsumexp(0) - math.log(log_weights.shape[1])


@IWAE_BOUND.misconception("You add log S. Dividing by S subtracts it.")
def log_count_added(log_weights):
    return log_weights.logsumexp(0) + math.log(len(log_weights))


@IWAE_BOUND.misconception(
    "You divide by S outside the logarithm. The S belongs inside: subtract log S."
)
def divided_outside(log_weights):
    return log_weights.logsumexp(0) / len(log_weights)


@IWAE_BOUND.misconception("You divide by S − 1. The mean of S weights divides by S.")
def divided_by_one_less(log_weights):
    return log_weights.logsumexp(0) - math.log(max(len(log_weights) - 1, 1))


@IWAE_BOUND.misconception(
    "You kept the largest weight only. All draws count: log-sum-exp instead of max."
)
def largest_weight(log_weights):
    return log_weights.amax(0)


@IWAE_BOUND.misconception(
    "You kept the largest weight and divided it by S. The other draws count as well."
)
def largest_weight_divided(log_weights):
    return log_weights.amax(0) - math.log(len(log_weights))


@IWAE_BOUND.misconception(
    "You reduced the points. The draws are on the first axis: one number for each point remains."
)
def reduced_points(log_weights):
    return log_weights.logsumexp(1) - math.log(log_weights.shape[1])


@IWAE_BOUND.misconception("You averaged over the points as well. Every point has its own bound.")
def averaged_over_points(log_weights):
    return bound(log_weights).mean()


@IWAE_BOUND.misconception("You summed over the points as well. Every point has its own bound.")
def summed_over_points(log_weights):
    return bound(log_weights).sum()


@IWAE_BOUND.misconception(
    "You put all points into one log-sum-exp. The mean over draws is taken for each point."
)
def points_in_one_sum(log_weights):
    return log_weights.flatten().logsumexp(0) - math.log(log_weights.numel())


@IWAE_BOUND.misconception("You returned the mean weight itself. Take its logarithm.")
def no_logarithm(log_weights):
    return bound(log_weights).exp()


@IWAE_BOUND.misconception(
    "You return the negative bound. That is a loss; the bound lies below log p(x)."
)
def negative(log_weights):
    return -bound(log_weights)


@IWAE_BOUND.misconception("Your result is in bits. Use the natural logarithm: nats.")
def in_bits(log_weights):
    return bound(log_weights) / math.log(2)


@IWAE_BOUND.misconception(
    "Your value is Σ w̃ log w, the log weights averaged with the normalised weights. Its gradient, "
    "with w̃ held fixed, is the right one, but its value is no bound."
)
def surrogate(log_weights):
    return (log_weights.softmax(0).detach() * log_weights).sum(0)


@IWAE_BOUND.misconception(
    "You average the log weights with the normalised weights as factors. The bound is the "
    "logarithm of the mean weight."
)
def weighted_mean_of_logarithms(log_weights):
    return (log_weights.softmax(0) * log_weights).sum(0)


@IWAE_BOUND.misconception(
    "The value is right, and no gradient flows through it: `detach`, `no_grad` or `.item()` cut "
    "the path to the log weights."
)
def no_gradient(log_weights):
    return bound(log_weights).detach()


@IWAE_BOUND.misconception(
    "The value is right and the gradient is that of the ELBO, 1/S for every draw. A draw's "
    "gradient is its normalised weight."
)
def gradient_of_the_elbo(log_weights):
    mean = log_weights.mean(0)
    return mean + (bound(log_weights) - mean).detach()


@IWAE_BOUND.misconception(
    "The value is right and the gradient uses squared weights. Those belong to another estimator "
    "of encoder gradients; the bound's own gradient is w̃."
)
def squared_weights(log_weights):
    path = (log_weights.softmax(0).square().detach() * log_weights).sum(0)
    return path + (bound(log_weights) - path).detach()


@IWAE_BOUND.misconception(
    "The gradient stops at the largest weight, which you detached in one place only: what you "
    "subtract you must add again with its gradient, or detach both."
)
def largest_detached_once(log_weights):
    largest = log_weights.amax(0)
    mean = (log_weights - largest).exp().mean(0)
    return mean.log() + largest.detach()


@IWAE_BOUND.misconception(
    "You exponentiate the log weights as they are. They underflow or overflow: use "
    "`torch.logsumexp`."
)
def underflows(log_weights):
    return log_weights.exp().mean(0).log()


@IWAE_BOUND.misconception(
    "You shift by the largest log weight of all points. A point far below it underflows: shift "
    "each point by its own."
)
def shifted_by_the_largest_of_all(log_weights):
    largest = log_weights.max()
    return (log_weights - largest).exp().mean(0).log() + largest


@IWAE_BOUND.misconception("You shifted by the largest log weight and did not add it again.")
def shift_not_undone(log_weights):
    return bound(log_weights) - log_weights.amax(0)


@IWAE_BOUND.misconception(
    "You corrected the bias of the logarithm. That may land above log p(x): it is no bound any "
    "more."
)
def bias_corrected(log_weights):
    share = log_weights.softmax(0)
    relative_variance = len(log_weights) * share.square().sum(0) - 1
    return bound(log_weights) + 0.5 * relative_variance / len(log_weights)


@IWAE_BOUND.misconception(
    "You leave out draws of weight zero. They count in S: a mean over the others is too large."
)
def zeros_left_out(log_weights):
    count = torch.isfinite(log_weights).sum(0)
    return log_weights.logsumexp(0) - count.to(log_weights.dtype).log()


@IWAE_BOUND.misconception(
    "You replaced the mean by the median. Rare large weights carry the mean; the median does not "
    "see them."
)
def median_weight(log_weights):
    return log_weights.median(0).values


@IWAE_BOUND.variant
def shifted_by_hand(log_weights):
    largest = log_weights.amax(dim=0, keepdim=True).detach()
    return torch.log(torch.mean(torch.exp(log_weights - largest), dim=0)) + largest[0]


@IWAE_BOUND.variant
def count_inside(log_weights):
    return torch.logsumexp(log_weights - math.log(log_weights.shape[0]), dim=0)


@IWAE_BOUND.variant
def one_draw_at_a_time(log_weights):
    total = log_weights[0]
    for row in log_weights[1:]:
        total = torch.logaddexp(total, row)
    return total - math.log(len(log_weights))


@IWAE_BOUND.variant
def point_by_point(log_weights):
    columns = [torch.logsumexp(column, 0) for column in log_weights.unbind(1)]
    return torch.stack(columns) - torch.tensor(float(len(log_weights))).log()


@IWAE_BOUND.variant
def by_softmax(log_weights):
    # −log softmax + log w is the log of the sum, whichever draw is asked
    first = log_weights.argmax(0, keepdim=True)
    log_share = log_weights.log_softmax(0).gather(0, first)
    return (log_weights.gather(0, first) - log_share)[0] - math.log(len(log_weights))
