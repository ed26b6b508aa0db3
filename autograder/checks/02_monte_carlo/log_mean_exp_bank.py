"""Wrong and right answers to `log_mean_exp`."""

import math

import numpy as np
import scipy.special
import torch

from .log_mean_exp import LOG_MEAN_EXP


@LOG_MEAN_EXP.misconception(
    "You exponentiate the values as they are. At −1000 every exponential is zero and at +1000 it "
    "is infinite: take out the largest value first, or use `torch.logsumexp`."
)
def no_max_shift(a, dim):
    return a.exp().mean(dim).log()


@LOG_MEAN_EXP.misconception(
    "You take the logarithm of the sum. The mean is the sum divided by the number of values, so "
    "subtract its logarithm: K equal values must give that value."
)
def log_sum_exp(a, dim):
    return torch.logsumexp(a, dim)


@LOG_MEAN_EXP.misconception(
    "You average the logarithms. The logarithm goes outside the mean: log of the mean of the "
    "exponentials. By Jensen's inequality yours is never above it."
)
def mean_of_logs(a, dim):
    return a.mean(dim)


@LOG_MEAN_EXP.misconception(
    "You return the largest value. It is near the answer only if one value towers above the "
    "others, and even then log K must be subtracted."
)
def largest_value(a, dim):
    return a.amax(dim)


@LOG_MEAN_EXP.misconception(
    "You return the largest value minus log K. The other values belong to the sum as well."
)
def largest_value_over_count(a, dim):
    return a.amax(dim) - math.log(a.shape[dim])


@LOG_MEAN_EXP.misconception(
    "You divide the logarithm of the sum by the number of values. The sum is divided, inside the "
    "logarithm: outside, log K is subtracted."
)
def divided_outside(a, dim):
    return torch.logsumexp(a, dim) / a.shape[dim]


@LOG_MEAN_EXP.misconception(
    "You subtract the number of values. Dividing by K inside the logarithm is subtracting log K "
    "outside."
)
def count_subtracted(a, dim):
    return torch.logsumexp(a, dim) - a.shape[dim]


@LOG_MEAN_EXP.misconception("You add log K. A mean is smaller than the sum: subtract log K.")
def count_multiplied(a, dim):
    return torch.logsumexp(a, dim) + math.log(a.shape[dim])


@LOG_MEAN_EXP.misconception(
    "You divide by the number of all values in the tensor. Only those along `dim` are averaged: "
    "divide by `a.shape[dim]`."
)
def divided_by_all(a, dim):
    return torch.logsumexp(a, dim) - math.log(a.numel())


@LOG_MEAN_EXP.misconception(
    "You divide by the length of another axis. The values along `dim` are averaged: divide by "
    "`a.shape[dim]`."
)
def divided_by_another_axis(a, dim):
    return torch.logsumexp(a, dim) - math.log(a.shape[dim - 1])


@LOG_MEAN_EXP.misconception(
    "You divide by `len(a)`, the length of the first axis, whatever `dim` is. Divide by "
    "`a.shape[dim]`."
)
def divided_by_first_axis(a, dim):
    return torch.logsumexp(a, dim) - math.log(len(a))


@LOG_MEAN_EXP.misconception(
    "You divide by K − 1. That belongs to a sample variance; a mean divides by K."
)
def divided_by_one_less(a, dim):
    count = torch.tensor(a.shape[dim] - 1.0, dtype=a.dtype)
    return torch.logsumexp(a, dim) - count.log()


@LOG_MEAN_EXP.misconception(
    "Your logarithm of the number of values has the base 2. All logarithms here are natural: "
    "`math.log`."
)
def base_two(a, dim):
    return torch.logsumexp(a, dim) - math.log2(a.shape[dim])


@LOG_MEAN_EXP.misconception(
    "Your logarithm of the number of values has the base 10. All logarithms here are natural: "
    "`math.log`."
)
def base_ten(a, dim):
    return torch.logsumexp(a, dim) - math.log10(a.shape[dim])


@LOG_MEAN_EXP.misconception(
    "You divide by the square root of K. That is how an error shrinks; a mean divides by K."
)
def divided_by_root(a, dim):
    return torch.logsumexp(a, dim) - 0.5 * math.log(a.shape[dim])


@LOG_MEAN_EXP.misconception(
    "You average over all values at once. Only the axis `dim` goes; the others stay."
)
def dim_ignored(a, dim):
    return torch.logsumexp(a.flatten(), 0) - math.log(a.numel())


@LOG_MEAN_EXP.misconception("You reduce the first axis, whatever `dim` is.")
def always_first_axis(a, dim):
    return torch.logsumexp(a, 0) - math.log(a.shape[0])


@LOG_MEAN_EXP.misconception("You reduce the last axis, whatever `dim` is.")
def always_last_axis(a, dim):
    return torch.logsumexp(a, -1) - math.log(a.shape[-1])


@LOG_MEAN_EXP.misconception(
    "You keep the reduced axis, with length one. Leave it out: a tensor of shape (5, 3) along "
    "`dim=0` gives one of shape (3,)."
)
def axis_kept(a, dim):
    return torch.logsumexp(a, dim, keepdim=True) - math.log(a.shape[dim])


@LOG_MEAN_EXP.misconception("You return the mean of the exponentials. Take its logarithm.")
def mean_exp(a, dim):
    return a.exp().mean(dim)


@LOG_MEAN_EXP.misconception(
    "You take out one maximum for the whole tensor. A row far below it still underflows: each "
    "row needs its own maximum, as `torch.logsumexp` does it."
)
def one_maximum_for_all(a, dim):
    largest = a.max()
    return (a - largest).exp().mean(dim).log() + largest


@LOG_MEAN_EXP.misconception(
    "You subtract the largest value before you exponentiate, and do not add it back afterwards."
)
def maximum_not_added_back(a, dim):
    return (a - a.amax(dim, keepdim=True)).exp().mean(dim).log()


@LOG_MEAN_EXP.misconception(
    "You multiply the mean by the exponential of the largest value before you take the logarithm. "
    "That overflows again: add the largest value after the logarithm."
)
def maximum_put_back_too_early(a, dim):
    largest = a.amax(dim, keepdim=True)
    return ((a - largest).exp().mean(dim) * largest.squeeze(dim).exp()).log()


@LOG_MEAN_EXP.misconception(
    "You take out the mean of the values. The largest may still be far above it and overflow: "
    "take out the largest."
)
def mean_taken_out(a, dim):
    centre = a.mean(dim, keepdim=True)
    return (a - centre).exp().mean(dim).log() + centre.squeeze(dim)


@LOG_MEAN_EXP.misconception(
    "You take out the smallest value. The differences are then positive, and their exponentials "
    "overflow: take out the largest."
)
def minimum_taken_out(a, dim):
    smallest = a.amin(dim, keepdim=True)
    return (a - smallest).exp().mean(dim).log() + smallest.squeeze(dim)


@LOG_MEAN_EXP.misconception(
    "A small number inside the logarithm hides the underflow: every value far below it comes out "
    "the same. Take out the largest value instead."
)
def epsilon_in_the_logarithm(a, dim):
    return (a.exp().mean(dim) + 1e-12).log()


@LOG_MEAN_EXP.misconception(
    "You limit the values to a range whose exponentials can be computed. Values outside it then "
    "count wrong: take out the largest value instead."
)
def values_limited(a, dim):
    return a.clamp(-700, 700).exp().mean(dim).log()


@LOG_MEAN_EXP.misconception(
    "A row of −∞ gives NaN: your shift computes −∞ − (−∞). All its densities are zero, so the "
    "answer is −∞."
)
def nan_for_a_row_of_zeros(a, dim):
    largest = a.amax(dim, keepdim=True)
    return (a - largest).exp().mean(dim).log() + largest.squeeze(dim)


@LOG_MEAN_EXP.misconception(
    "You leave the values of −∞ out of the count. A density of zero is a value like any other, "
    "and the mean divides by all of them."
)
def zeros_not_counted(a, dim):
    return torch.logsumexp(a, dim) - torch.isfinite(a).sum(dim).to(a.dtype).log()


@LOG_MEAN_EXP.misconception(
    "You replace infinite results by a finite number. A row of zero densities has the logarithm "
    "−∞, and later steps rely on it."
)
def infinite_replaced(a, dim):
    return torch.nan_to_num(torch.logsumexp(a, dim) - math.log(a.shape[dim]))


@LOG_MEAN_EXP.misconception(
    "You normalise the values and lose their size: a log-softmax sums to one whatever the "
    "values are. The logarithm of the normaliser itself was asked for."
)
def mean_of_log_softmax(a, dim):
    return torch.logsumexp(torch.log_softmax(a, dim), dim) - math.log(a.shape[dim])


@LOG_MEAN_EXP.misconception("Your result has the wrong sign.")
def wrong_sign(a, dim):
    return math.log(a.shape[dim]) - torch.logsumexp(a, dim)


@LOG_MEAN_EXP.misconception(
    "Your result has no gradient: `detach`, `no_grad`, `.item()` or numpy cut it. Stay with torch "
    "operations, because later units maximise this quantity.",
    sign=lambda calls: any(
        call.verb == "gradient" and getattr(call.error, "code", "") == "no_gradient"
        for call in calls
    ),
)
def gradient_cut(a, dim):
    return torch.logsumexp(a.detach(), dim) - math.log(a.shape[dim])


@LOG_MEAN_EXP.variant
def softplus_of_differences(a, dim):
    total = None
    for value in a.unbind(dim):
        total = value if total is None else torch.logaddexp(total, value)
    return total - math.log(a.shape[dim])


@LOG_MEAN_EXP.variant
def count_inside(a, dim):
    return torch.logsumexp(a - math.log(a.shape[dim]), dim)


@LOG_MEAN_EXP.variant
def by_hand(a, dim):
    largest = a.amax(dim, keepdim=True)
    shift = torch.where(torch.isfinite(largest), largest, torch.zeros_like(largest))
    return ((a - shift).exp().mean(dim, keepdim=True).log() + shift).squeeze(dim)


@LOG_MEAN_EXP.variant
def by_hand_with_a_fixed_shift(a, dim):
    shift = a.detach().max(dim, keepdim=True).values.nan_to_num(neginf=0.0)
    return torch.log(torch.exp(a - shift).sum(dim) / a.size(dim)) + shift.squeeze(dim)


@LOG_MEAN_EXP.variant
def axis_moved_to_the_front(a, dim):
    front = a.movedim(dim, 0)
    return front.logsumexp(0) - torch.tensor(float(len(front)), dtype=a.dtype).log()


@LOG_MEAN_EXP.variant
def with_an_own_backward(a, dim):
    class LogMeanExp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, values):
            ctx.save_for_backward(values)
            out = scipy.special.logsumexp(values.detach().numpy(), axis=dim)
            return torch.as_tensor(np.asarray(out - math.log(values.shape[dim])))

        @staticmethod
        def backward(ctx, outer):
            (values,) = ctx.saved_tensors
            return outer.unsqueeze(dim) * torch.softmax(values, dim)

    return LogMeanExp.apply(a)


@LOG_MEAN_EXP.variant
def in_single_precision(a, dim):
    single = a.float()
    return torch.logsumexp(single, dim) - math.log(a.shape[dim])
