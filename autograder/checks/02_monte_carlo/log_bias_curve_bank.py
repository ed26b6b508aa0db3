"""Wrong and right answers to `log_bias_curve`."""

import math

import numpy as np
import scipy.special
import torch
from torch import Tensor

from .log_bias_curve import LOG_BIAS_CURVE, reference


def _log_estimates(log_weights: Tensor, count: int) -> Tensor:
    """log p̂ of each row with its first draws, (R,)."""
    return torch.logsumexp(log_weights[:, :count], 1) - math.log(count)


def _curve(values) -> Tensor:
    return torch.stack([torch.as_tensor(value, dtype=torch.float64) for value in values])


@LOG_BIAS_CURVE.misconception(
    "You average the estimates over the repetitions before you take the logarithm. p̂ has no bias; "
    "its logarithm has: take the logarithm of each row's estimate, then average."
)
def logarithm_last(log_weights, log_marginal, num_samples):
    rows = math.log(len(log_weights))
    return _curve(
        _log_estimates(log_weights, count).logsumexp(0) - rows - log_marginal
        for count in num_samples
    )


@LOG_BIAS_CURVE.misconception(
    "You average log weights. The estimate is the mean of the weights, and the logarithm is taken "
    "once for each repetition; your curve does not depend on S."
)
def mean_of_log_weights(log_weights, log_marginal, num_samples):
    return _curve(log_weights[:, :count].mean() - log_marginal for count in num_samples)


@LOG_BIAS_CURVE.misconception(
    "You sum the weights of a row and do not divide by S, so the curve rises above zero."
)
def sum_for_mean(log_weights, log_marginal, num_samples):
    return _curve(
        torch.logsumexp(log_weights[:, :count], 1).mean() - log_marginal for count in num_samples
    )


@LOG_BIAS_CURVE.misconception(
    "You subtract your mean from log p(x). The bias is the mean of the estimate minus the truth, "
    "and it is negative here."
)
def sign_exchanged(log_weights, log_marginal, num_samples):
    return -reference(log_weights, log_marginal, num_samples)


@LOG_BIAS_CURVE.misconception(
    "You return the mean of log p̂. Subtract the true log p(x) to get the bias."
)
def truth_not_subtracted(log_weights, log_marginal, num_samples):
    return reference(log_weights, 0.0, num_samples)


@LOG_BIAS_CURVE.misconception("You add log p(x). The bias is the mean of log p̂ minus log p(x).")
def truth_added(log_weights, log_marginal, num_samples):
    return reference(log_weights, -log_marginal, num_samples)


@LOG_BIAS_CURVE.misconception(
    "You measure from the estimate with all draws. It is an estimate too: measure from the log "
    "p(x) that is given."
)
def measured_from_an_estimate(log_weights, log_marginal, num_samples):
    everything = torch.logsumexp(log_weights.flatten(), 0) - math.log(log_weights.numel())
    return reference(log_weights, everything, num_samples)


@LOG_BIAS_CURVE.misconception(
    "You measure from the last point of the curve. It is biased as well: measure from log p(x)."
)
def measured_from_the_last_point(log_weights, log_marginal, num_samples):
    curve = reference(log_weights, 0.0, num_samples)
    return curve - curve[-1]


@LOG_BIAS_CURVE.misconception(
    "You return absolute values. Keep the sign: that log p̂ is too low is the point."
)
def absolute_values(log_weights, log_marginal, num_samples):
    return reference(log_weights, log_marginal, num_samples).abs()


@LOG_BIAS_CURVE.misconception("You use all draws of a row, whatever S is. Use S of them.")
def all_draws(log_weights, log_marginal, num_samples):
    return reference(log_weights, log_marginal, [log_weights.shape[1]] * len(num_samples))


@LOG_BIAS_CURVE.misconception(
    "You take S rows and not S columns. A row is a repetition; its columns are the draws."
)
def rows_for_columns(log_weights, log_marginal, num_samples):
    return _curve(
        (torch.logsumexp(log_weights[:count], 1) - math.log(log_weights.shape[1])).mean()
        - log_marginal
        for count in num_samples
    )


@LOG_BIAS_CURVE.misconception("You take one draw too many: the first S columns are `[:, :S]`.")
def one_draw_more(log_weights, log_marginal, num_samples):
    return _curve(
        (torch.logsumexp(log_weights[:, : count + 1], 1) - math.log(count + 1)).mean()
        - log_marginal
        for count in num_samples
    )


@LOG_BIAS_CURVE.misconception(
    "You take one draw too few, and none for S = 1: the first S columns are `[:, :S]`."
)
def one_draw_less(log_weights, log_marginal, num_samples):
    return _curve(
        (torch.logsumexp(log_weights[:, : count - 1], 1) - math.log(count)).mean() - log_marginal
        for count in num_samples
    )


@LOG_BIAS_CURVE.misconception(
    "You divide by the number of all draws in a row. S of them were summed: subtract log S."
)
def divided_by_all_draws(log_weights, log_marginal, num_samples):
    length = math.log(log_weights.shape[1])
    return _curve(
        (torch.logsumexp(log_weights[:, :count], 1) - length).mean() - log_marginal
        for count in num_samples
    )


@LOG_BIAS_CURVE.misconception(
    "You use the first row only. One repetition shows chance, not bias: average over all rows."
)
def first_row_only(log_weights, log_marginal, num_samples):
    return reference(log_weights[:1], log_marginal, num_samples)


@LOG_BIAS_CURVE.misconception("You take the median of the repetitions. A bias is about the mean.")
def median_of_repetitions(log_weights, log_marginal, num_samples):
    return _curve(
        _log_estimates(log_weights, count).median() - log_marginal for count in num_samples
    )


@LOG_BIAS_CURVE.misconception("You sum over the repetitions. Take their mean.")
def sum_over_repetitions(log_weights, log_marginal, num_samples):
    return _curve(
        (_log_estimates(log_weights, count) - log_marginal).sum() for count in num_samples
    )


@LOG_BIAS_CURVE.misconception("You return one curve for each repetition. Average over the rows.")
def not_averaged(log_weights, log_marginal, num_samples):
    return torch.stack([_log_estimates(log_weights, count) - log_marginal for count in num_samples])


@LOG_BIAS_CURVE.misconception(
    "You return the bias of p̂ itself, which is zero. The logarithm is what is biased."
)
def bias_of_the_estimate(log_weights, log_marginal, num_samples):
    return _curve(
        _log_estimates(log_weights, count).exp().mean() - math.exp(log_marginal)
        for count in num_samples
    )


@LOG_BIAS_CURVE.misconception(
    "You return the scatter of log p̂ over the repetitions. The bias is its mean minus the truth."
)
def standard_deviation(log_weights, log_marginal, num_samples):
    return _curve(_log_estimates(log_weights, count).std(correction=0) for count in num_samples)


@LOG_BIAS_CURVE.misconception(
    "You return the root of the mean squared error, which holds the scatter too. The bias is the "
    "mean error."
)
def root_mean_square(log_weights, log_marginal, num_samples):
    return _curve(
        (_log_estimates(log_weights, count) - log_marginal).square().mean().sqrt()
        for count in num_samples
    )


@LOG_BIAS_CURVE.misconception(
    "You return what theory predicts for many draws, minus half the relative variance over S. "
    "Measure it: for few draws the two differ."
)
def prediction_for_many_draws(log_weights, log_marginal, num_samples):
    relative = (log_weights - log_marginal).exp()
    return _curve(-relative.var(correction=0) / (2 * count) for count in num_samples)


@LOG_BIAS_CURVE.misconception(
    "You draw the S weights of a row with replacement. The same weight then counts twice, and the "
    "bias grows: use S different columns."
)
def with_replacement(log_weights, log_marginal, num_samples):
    generator = torch.Generator().manual_seed(0)
    parts = []
    for count in num_samples:
        shape = len(log_weights), count
        columns = torch.randint(log_weights.shape[1], shape, generator=generator)
        chosen = log_weights.gather(1, columns)
        parts.append((torch.logsumexp(chosen, 1) - math.log(count)).mean() - log_marginal)
    return _curve(parts)


@LOG_BIAS_CURVE.misconception("You keep the largest weight of each row for its mean.")
def largest_weight(log_weights, log_marginal, num_samples):
    return _curve(log_weights[:, :count].amax(1).mean() - log_marginal for count in num_samples)


@LOG_BIAS_CURVE.misconception("You sorted the result by S. Keep the order of `num_samples`.")
def sorted_by_size(log_weights, log_marginal, num_samples):
    return reference(log_weights, log_marginal, sorted(num_samples))


@LOG_BIAS_CURVE.misconception(
    "You sorted the weights of a row before you took the first S: those are the smallest or the "
    "largest, no sample of them."
)
def sorted_weights(log_weights, log_marginal, num_samples):
    return reference(log_weights.sort(1, descending=True).values, log_marginal, num_samples)


@LOG_BIAS_CURVE.misconception("You multiply by S. The curve itself was asked for, not S times it.")
def times_the_draws(log_weights, log_marginal, num_samples):
    return reference(log_weights, log_marginal, num_samples) * torch.tensor(num_samples)


@LOG_BIAS_CURVE.misconception(
    "You return one number, the average over all S. Return one for each entry of `num_samples`."
)
def one_number(log_weights, log_marginal, num_samples):
    return reference(log_weights, log_marginal, num_samples).mean()


@LOG_BIAS_CURVE.misconception(
    "Your curve has one value for each S up to the largest. Return the entries of `num_samples` "
    "only."
)
def every_size(log_weights, log_marginal, num_samples):
    return reference(log_weights, log_marginal, list(range(1, log_weights.shape[1] + 1)))


@LOG_BIAS_CURVE.misconception(
    "You leave the logarithms without taking out the largest weight. Near −1000 all weights "
    "underflow and the curve is −∞ or NaN: use your `log_mean_exp`."
)
def no_max_shift(log_weights, log_marginal, num_samples):
    return _curve(
        log_weights[:, :count].exp().mean(1).log().mean() - log_marginal for count in num_samples
    )


@LOG_BIAS_CURVE.misconception(
    "You leave out the estimates that are −∞ after an underflow, or put a small number into the "
    "logarithm. Use your `log_mean_exp`: nothing underflows."
)
def epsilon_in_the_logarithm(log_weights, log_marginal, num_samples):
    return _curve(
        (log_weights[:, :count].exp().mean(1) + 1e-30).log().mean() - log_marginal
        for count in num_samples
    )


@LOG_BIAS_CURVE.variant
def in_blocks(log_weights, log_marginal, num_samples):
    """All draws of a row are used: in as many groups of S as there are."""
    curve = []
    for count in num_samples:
        groups = log_weights.shape[1] // count
        blocks = log_weights[:, : groups * count].reshape(len(log_weights), groups, count)
        curve.append((blocks.logsumexp(-1) - math.log(count)).mean() - log_marginal)
    return torch.stack(curve)


@LOG_BIAS_CURVE.variant
def the_last_draws(log_weights, log_marginal, num_samples):
    return reference(log_weights.flip(1), log_marginal, num_samples)


@LOG_BIAS_CURVE.variant
def running_sums(log_weights, log_marginal, num_samples):
    sizes = torch.arange(1, log_weights.shape[1] + 1, dtype=log_weights.dtype)
    running = torch.logcumsumexp(log_weights, 1) - sizes.log()
    return running.mean(0)[torch.tensor(num_samples) - 1] - log_marginal


@LOG_BIAS_CURVE.variant
def relative_weights(log_weights, log_marginal, num_samples):
    relative = (log_weights - log_marginal).exp()
    return torch.tensor([relative[:, :n].mean(1).log().mean().item() for n in num_samples])


@LOG_BIAS_CURVE.variant
def a_list_of_numbers(log_weights, log_marginal, num_samples):
    return [float(v) for v in reference(log_weights, log_marginal, num_samples)]


@LOG_BIAS_CURVE.variant
def with_numpy(log_weights, log_marginal, num_samples):
    values = log_weights.numpy()
    return np.array(
        [
            np.mean(scipy.special.logsumexp(values[:, :n], axis=1) - np.log(n)) - log_marginal
            for n in num_samples
        ]
    )


@LOG_BIAS_CURVE.variant
def in_single_precision(log_weights, log_marginal, num_samples):
    centred = (log_weights - log_marginal).float()
    return reference(centred, 0.0, num_samples)
