"""Wrong and right answers to `effective_sample_size`."""

import numpy as np
import torch

from .effective_sample_size import EFFECTIVE_SAMPLE_SIZE, reference


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You did not normalise the weights. Divide them by their sum first, or the unknown scale of "
    "the weights enters the count."
)
def not_normalised(log_weights):
    return 1 / log_weights.exp().square().sum(0)


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You used the log weights as if they were weights. Leave the logarithm first: "
    "`torch.softmax(log_weights, 0)`."
)
def log_weights_as_weights(log_weights):
    return log_weights.sum(0).square() / log_weights.square().sum(0)


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You squared the normalised log weights. Take the exponential before you square."
)
def log_shares_squared(log_weights):
    return 1 / torch.log_softmax(log_weights, 0).square().sum(0)


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "Your fraction is upside down: this is Σ w̃², between 1/S and 1. The count is one over it."
)
def inverted(log_weights):
    return torch.softmax(log_weights, 0).square().sum(0)


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You squared the sum of the shares, which is always one. Sum the squares."
)
def sum_squared(log_weights):
    return 1 / torch.softmax(log_weights, 0).sum(0).square()


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You took the square root at the end. The count is one over the sum of squares itself."
)
def root_taken(log_weights):
    return reference(log_weights).sqrt()


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You divided by S: this is the share of the draws that counts. Return the number."
)
def share_of_draws(log_weights):
    return reference(log_weights) / len(log_weights)


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You multiplied by S once more. Equal weights would then be worth S² draws."
)
def times_the_number_of_draws(log_weights):
    return reference(log_weights) * len(log_weights)


@EFFECTIVE_SAMPLE_SIZE.misconception("You returned the logarithm of the count.")
def logarithm(log_weights):
    return reference(log_weights).log()


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You took one over the largest share. That is another measure, and a larger weight among "
    "equal ones hides the rest: sum the squares of all shares."
)
def one_over_largest_share(log_weights):
    return 1 / torch.softmax(log_weights, 0).amax(0)


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You took the exponential of the entropy of the shares. It also counts from 1 to S, and is "
    "larger; the variance of an average is governed by the sum of squares."
)
def exponential_of_entropy(log_weights):
    shares = torch.softmax(log_weights, 0)
    return torch.special.entr(shares).sum(0).exp()


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You counted the draws with more than the average weight. The count weighs all draws by their "
    "shares: one over the sum of squares."
)
def number_above_average(log_weights):
    shares = torch.softmax(log_weights, 0)
    return (shares >= (1 - 1e-12) / len(shares)).double().sum(0)


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You counted the draws whose weight is not zero. Tiny weights count next to nothing."
)
def number_above_zero(log_weights):
    return torch.isfinite(log_weights).double().sum(0)


@EFFECTIVE_SAMPLE_SIZE.misconception("You return the number of draws, whatever their weights.")
def number_of_draws(log_weights):
    return torch.full_like(log_weights[0], len(log_weights))


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You normalised over the points. The shares of one point's draws sum to one: axis 0."
)
def normalised_over_points(log_weights):
    return 1 / torch.softmax(log_weights, 1).square().sum(0)


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You normalised and summed over the points. The draws are on axis 0."
)
def wrong_axis(log_weights):
    return 1 / torch.softmax(log_weights, 1).square().sum(1)


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You normalised all points together. Each point has its own weights: axis 0 only."
)
def normalised_over_everything(log_weights):
    shares = torch.softmax(log_weights.flatten(), 0).reshape(log_weights.shape)
    return 1 / shares.square().sum(0)


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You return one number for all points. Each point has its own count."
)
def one_number_for_all(log_weights):
    return reference(log_weights).sum()


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You average the counts of the points. Each point has its own."
)
def mean_over_points(log_weights):
    return reference(log_weights).mean()


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You exponentiate before you normalise. Log weights near ±1000 overflow or vanish: let "
    "`torch.softmax` do both steps."
)
def no_max_shift(log_weights):
    weights = log_weights.exp()
    return weights.sum(0).square() / weights.square().sum(0)


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You take out one maximum for all points. A point far below it still vanishes: each column "
    "needs its own."
)
def one_maximum_for_all(log_weights):
    weights = (log_weights - log_weights.max()).exp()
    return weights.sum(0).square() / weights.square().sum(0)


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You take out the mean of the log weights. The largest may be far above it, and a weight of "
    "zero makes the mean −∞: take out the largest."
)
def mean_taken_out(log_weights):
    weights = (log_weights - log_weights.mean(0)).exp()
    return weights.sum(0).square() / weights.square().sum(0)


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "A small number in the denominator makes the answer depend on the scale of the weights. "
    "Normalise with `torch.softmax`."
)
def epsilon_in_the_denominator(log_weights):
    weights = log_weights.exp()
    return weights.sum(0).square() / (weights.square().sum(0) + 1e-12)


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You wrote S / (1 + variance of the weights). The weights must be divided by their mean first: "
    "the formula holds for the squared coefficient of variation."
)
def variance_not_relative(log_weights):
    return len(log_weights) / (1 + log_weights.exp().var(0, correction=0))


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You wrote S / (1 + cv) with the coefficient of variation, not its square."
)
def coefficient_not_squared(log_weights):
    relative = torch.softmax(log_weights, 0) * len(log_weights)
    return len(log_weights) / (1 + relative.std(0, correction=0))


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You used the sample variance with S − 1. Then one weight alone counts less than one draw, and "
    "a single draw counts NaN: divide by S."
)
def variance_with_one_less(log_weights):
    relative = torch.softmax(log_weights, 0) * len(log_weights)
    return len(log_weights) / (1 + relative.var(0))


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You subtract the variance of the shares from S. Write S / (1 + cv²), or one over the sum of "
    "the squared shares."
)
def variance_subtracted(log_weights):
    relative = torch.softmax(log_weights, 0) * len(log_weights)
    return len(log_weights) - relative.var(0, correction=0)


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You read the log weights as logarithms to the base 2 or 10. They are natural logarithms."
)
def base_two(log_weights):
    return reference(log_weights * np.log(2))


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You halve the log weights, or forgot the square: Σ w̃ over Σ of the square roots."
)
def powers_halved(log_weights):
    return reference(0.5 * log_weights)


@EFFECTIVE_SAMPLE_SIZE.misconception(
    "You cut off the counts, or round them. Return the number as it is."
)
def rounded(log_weights):
    return reference(log_weights).round()


@EFFECTIVE_SAMPLE_SIZE.variant
def one_over_squared_shares(log_weights):
    return 1 / (torch.softmax(log_weights, dim=0) ** 2).sum(dim=0)


@EFFECTIVE_SAMPLE_SIZE.variant
def in_logarithms(log_weights):
    twice = 2 * torch.logsumexp(log_weights, 0)
    return (twice - torch.logsumexp(2 * log_weights, 0)).exp()


@EFFECTIVE_SAMPLE_SIZE.variant
def largest_weight_as_unit(log_weights):
    weights = torch.exp(log_weights - log_weights.max(0, keepdim=True).values)
    return weights.sum(0) ** 2 / (weights**2).sum(0)


@EFFECTIVE_SAMPLE_SIZE.variant
def coefficient_of_variation(log_weights):
    relative = torch.softmax(log_weights, 0) * log_weights.shape[0]
    return log_weights.shape[0] / (1 + relative.var(0, correction=0))


@EFFECTIVE_SAMPLE_SIZE.variant
def point_by_point_with_numpy(log_weights):
    counts = []
    for column in log_weights.numpy().T:
        weights = np.exp(column - column.max())
        shares = weights / weights.sum()
        counts.append(1 / np.sum(shares**2))
    return np.array(counts)


@EFFECTIVE_SAMPLE_SIZE.variant
def in_single_precision(log_weights):
    return 1 / torch.softmax(log_weights.float(), 0).square().sum(0)
