"""Wrong and right answers to `discretized_logistic_log_prob`."""

import math

import torch
from torch.nn import functional

from ._signs import at_ordinary_inputs, name_changes_in_place
from .discretized_logistic_log_prob import DISCRETIZED_LOGISTIC_LOG_PROB, each, reference

name_changes_in_place(DISCRETIZED_LOGISTIC_LOG_PROB)


def _is_ordinary(call):
    return bool(call.args[2].min() > -2.5)


misconception = at_ordinary_inputs(DISCRETIZED_LOGISTIC_LOG_PROB, _is_ordinary)
with_sign = DISCRETIZED_LOGISTIC_LOG_PROB.misconception
variant = DISCRETIZED_LOGISTIC_LOG_PROB.variant


def _cells(x, loc, log_scale, low, high):
    """log(F(b) − F(a)) for a cell from x + low to x + high."""
    scale = log_scale.exp()
    a, b = (x + low - loc) / scale, (x + high - loc) / scale
    gap = torch.log(-torch.expm1(a - b))
    return functional.logsigmoid(b) + functional.logsigmoid(-a) + gap


def _with_ends(x, loc, log_scale, low, high, first=True, last=True):
    scale, inside = log_scale.exp(), _cells(x, loc, log_scale, low, high)
    if first:
        inside = torch.where(x < 1e-6, functional.logsigmoid((x + high - loc) / scale), inside)
    if last:
        inside = torch.where(x > 1 - 1e-6, functional.logsigmoid(-(x + low - loc) / scale), inside)
    return inside.sum(-1)


def _half(num_levels):
    return 0.5 / (num_levels - 1)


def _log_density(x, loc, log_scale):
    r = (x - loc) / log_scale.exp()
    return functional.logsigmoid(r) + functional.logsigmoid(-r) - log_scale


@misconception(
    "The two end levels lose what lies beyond their cells: level 0 collects everything below it, "
    "the last level everything above."
)
def ends_not_open(x, loc, log_scale, num_levels):
    half = _half(num_levels)
    return _with_ends(x, loc, log_scale, -half, half, first=False, last=False)


@misconception("The highest level loses what lies above its cell: its probability is 1 − F(a).")
def last_level_not_open(x, loc, log_scale, num_levels):
    half = _half(num_levels)
    return _with_ends(x, loc, log_scale, -half, half, last=False)


@misconception("The lowest level loses what lies below its cell: its probability is F(b).")
def first_level_not_open(x, loc, log_scale, num_levels):
    half = _half(num_levels)
    return _with_ends(x, loc, log_scale, -half, half, first=False)


@misconception(
    "The two ends are swapped: level 0 collects what lies below it, F(b), and the last level what "
    "lies above, 1 − F(a)."
)
def ends_swapped(x, loc, log_scale, num_levels):
    half, scale = _half(num_levels), log_scale.exp()
    above = functional.logsigmoid(-(x - half - loc) / scale)
    below = functional.logsigmoid((x + half - loc) / scale)
    inside = _cells(x, loc, log_scale, -half, half)
    return torch.where(x < 1e-6, above, torch.where(x > 1 - 1e-6, below, inside)).sum(-1)


@misconception(
    "That is a density, not a probability: a level has the mass of its whole cell, F(b) − F(a)."
)
def density(x, loc, log_scale, num_levels):
    return _log_density(x, loc, log_scale).sum(-1)


@misconception(
    "You took the density at the level times the width of the cell. That is only near the mass of "
    "the cell, and the ends lose their tails."
)
def density_times_width(x, loc, log_scale, num_levels):
    return (_log_density(x, loc, log_scale) - math.log(num_levels - 1)).sum(-1)


@misconception(
    "The levels are 1/(L − 1) apart, not 1/L: L levels have L − 1 steps between 0 and 1."
)
def width_of_one_over_levels(x, loc, log_scale, num_levels):
    half = 0.5 / num_levels
    return _with_ends(x, loc, log_scale, -half, half)


@misconception(
    "Your cells are twice as wide as they should be and overlap: half of 1/(L − 1) to either "
    "side. For images between −1 and 1 the half is 1/(L − 1); here they lie between 0 and 1."
)
def cells_twice_as_wide(x, loc, log_scale, num_levels):
    return _with_ends(x, loc, log_scale, -2 * _half(num_levels), 2 * _half(num_levels))


@misconception(
    "Your cells begin at the level instead of lying around it: take half a step to either side."
)
def cell_above_the_level(x, loc, log_scale, num_levels):
    return _with_ends(x, loc, log_scale, 0.0, 2 * _half(num_levels))


@misconception(
    "Your cells end at the level instead of lying around it: take half a step to either side."
)
def cell_below_the_level(x, loc, log_scale, num_levels):
    return _with_ends(x, loc, log_scale, -2 * _half(num_levels), 0.0)


@misconception("You ignored `num_levels` and took 256 levels always.")
def always_256_levels(x, loc, log_scale, num_levels):
    return reference(x, loc, log_scale, 256)


@with_sign(
    "You used `log_scale` as the scale itself: take its exponential.",
    sign=lambda calls: all(_is_scaled_wrongly(c) for c in calls[:6] if c.verb == "call"),
)
def log_scale_as_scale(x, loc, log_scale, num_levels):
    half = _half(num_levels)
    a, b = (x - half - loc) / log_scale, (x + half - loc) / log_scale
    inside = (b.sigmoid() - a.sigmoid()).log()
    low, high = functional.logsigmoid(b), functional.logsigmoid(-a)
    return torch.where(x < 1e-6, low, torch.where(x > 1 - 1e-6, high, inside)).sum(-1)


@misconception(
    "You read `log_scale` as the logarithm of a variance: here s is `exp(log_scale)`, not the root "
    "of it."
)
def log_scale_as_log_variance(x, loc, log_scale, num_levels):
    return reference(x, loc, log_scale / 2, num_levels)


@misconception("You used exp(−log s): you multiply by s where you should divide by it.")
def multiplied_by_scale(x, loc, log_scale, num_levels):
    return reference(x, loc, -log_scale, num_levels)


@misconception(
    "You treat s as the standard deviation. The logistic with scale s has the distribution "
    "function sigmoid((t − μ)/s), without a factor."
)
def scale_as_standard_deviation(x, loc, log_scale, num_levels):
    return reference(x, loc, log_scale + math.log(math.sqrt(3) / math.pi), num_levels)


@misconception(
    "You used the distribution function of the normal. That of the logistic is the sigmoid."
)
def normal_instead(x, loc, log_scale, num_levels):
    half = _half(num_levels)
    a, b = ((x + shift - loc) / log_scale.exp() for shift in (-half, half))
    phi = torch.special.ndtr
    middle = torch.where(a > 0, phi(-a) - phi(-b), phi(b) - phi(a)).clamp(min=1e-300).log()
    low, high = torch.special.log_ndtr(b), torch.special.log_ndtr(-a)
    return torch.where(x < 1e-6, low, torch.where(x > 1 - 1e-6, high, middle)).sum(-1)


@misconception("You returned the probability. Return its logarithm, summed over the values.")
def probability(x, loc, log_scale, num_levels):
    return reference(x, loc, log_scale, num_levels).exp()


@misconception(
    "You added up the probabilities of the values. Independent values multiply: sum their "
    "logarithms."
)
def probabilities_added(x, loc, log_scale, num_levels):
    return each(x, loc, log_scale, num_levels).exp().sum(-1).log()


@misconception("You averaged over the values. Independent values multiply: sum their logarithms.")
def mean_over_values(x, loc, log_scale, num_levels):
    return each(x, loc, log_scale, num_levels).mean(-1)


@misconception(
    "You kept one number for each value. Sum over the last axis: one number for each point."
)
def one_for_each_value(x, loc, log_scale, num_levels):
    return each(x, loc, log_scale, num_levels)


@misconception("You summed over the whole batch. Every point keeps its own log probability.")
def summed_over_everything(x, loc, log_scale, num_levels):
    return each(x, loc, log_scale, num_levels).sum()


@misconception("You returned the negative log probability. Leave the sign as it is.")
def negative(x, loc, log_scale, num_levels):
    return -reference(x, loc, log_scale, num_levels)


@misconception("Your result is in bits. Use natural logarithms: nats.")
def in_bits(x, loc, log_scale, num_levels):
    return reference(x, loc, log_scale, num_levels) / math.log(2)


@misconception("You summed over the points and kept the values. Sum over the last axis.")
def wrong_axis(x, loc, log_scale, num_levels):
    return each(x, loc, log_scale, num_levels).sum(0)


@misconception("Your cells are 1/256 wide always. They are 1/(L − 1) wide: use `num_levels`.")
def width_of_one_over_256(x, loc, log_scale, num_levels):
    return _with_ends(x, loc, log_scale, -0.5 / 256, 0.5 / 256)


@misconception(
    "You turned the levels into whole numbers from 0 to L − 1, and left μ and s on the scale from "
    "0 to 1. Take all three on one scale."
)
def levels_as_whole_numbers(x, loc, log_scale, num_levels):
    return reference(x * (num_levels - 1), loc, log_scale, num_levels)


@misconception("You gave each of the L levels the same probability.")
def uniform_levels(x, loc, log_scale, num_levels):
    return torch.full((len(x),), -x.shape[1] * math.log(num_levels), dtype=x.dtype)


@with_sign(
    "The values are right, and no gradient flows: `detach`, `no_grad` or numpy cuts the path.",
    sign=lambda calls: (
        all(_is_right(call) for call in calls if call.verb == "call" and _is_ordinary(call))
        and all(call.error is not None for call in calls if call.verb == "gradient")
    ),
)
def gradient_cut(x, loc, log_scale, num_levels):
    return reference(x, loc, log_scale, num_levels).detach()


@with_sign(
    "All values are right, and the gradient is NaN or infinite far from μ: `torch.where` hides the "
    "logarithm of a zero, but its gradient gets through. Give the branch that is not taken another "
    "number, or take a formula in which nothing vanishes.",
    sign=lambda calls: (
        all(_is_right(call) for call in calls if call.verb == "call")
        and any(
            call.verb == "gradient"
            and call.error is None
            and not all(slope.isfinite().all() for slope in call.value)
            for call in calls
        )
    ),
)
def gradient_not_finite(x, loc, log_scale, num_levels):
    half = _half(num_levels)
    a, b = ((x + shift - loc) / log_scale.exp() for shift in (-half, half))
    mass = b.sigmoid() - a.sigmoid()
    stable = _cells(x, loc, log_scale, -half, half)
    inside = torch.where(mass > 1e-9, mass.log(), stable)
    low, high = functional.logsigmoid(b), functional.logsigmoid(-a)
    return torch.where(x < 1e-6, low, torch.where(x > 1 - 1e-6, high, inside)).sum(-1)


@with_sign(
    "The formula is right for ordinary widths. Far from μ the two sigmoids are equal in floating "
    "point, and the logarithm of their difference is −∞, or a floor or a density in its place; or "
    "`log_scale` is clamped. Write the difference as F(b) F(−a) (1 − exp(a − b)).",
    sign=lambda calls: (
        all(_is_right(call) for call in calls if call.verb == "call" and _is_ordinary(call))
        and not all(_is_right(call) for call in calls if call.verb == "call")
    ),
)
def plain_difference(x, loc, log_scale, num_levels):
    half = _half(num_levels)
    a, b = ((x + shift - loc) / log_scale.exp() for shift in (-half, half))
    low, high = functional.logsigmoid(b), functional.logsigmoid(-a)
    inside = (b.sigmoid() - a.sigmoid()).clamp(min=1e-12).log()
    return torch.where(x < 1e-6, low, torch.where(x > 1 - 1e-6, high, inside)).sum(-1)


def _is_scaled_wrongly(call):
    wrong = log_scale_as_scale(*call.args)
    return torch.allclose(call.value, wrong, rtol=1e-3, atol=1e-3, equal_nan=True)


def _is_right(call):
    if call.error is not None:
        return False
    *args, num_levels = call.args
    right = reference(*(part.double() for part in args), num_levels)
    return torch.allclose(call.value.double(), right, rtol=1e-3, atol=1e-3)


@variant
def by_factors(x, loc, log_scale, num_levels):
    half, scale = _half(num_levels), log_scale.exp()
    a, b = (x - half - loc) / scale, (x + half - loc) / scale
    width = -1 / ((num_levels - 1) * scale)
    inside = functional.logsigmoid(b) + functional.logsigmoid(-a) + (-torch.expm1(width)).log()
    inside = torch.where(x < half, functional.logsigmoid(b), inside)
    return torch.where(x > 1 - half, functional.logsigmoid(-a), inside).sum(-1)


@variant
def by_a_difference_of_logarithms(x, loc, log_scale, num_levels):
    half, scale = _half(num_levels), log_scale.exp()
    a, b = (x - half - loc) / scale, (x + half - loc) / scale
    mirrored = x > loc  # on the right side the upper tails are the small numbers
    high = functional.logsigmoid(torch.where(mirrored, -a, b))
    low = functional.logsigmoid(torch.where(mirrored, -b, a))
    inside = high + torch.log1p(-torch.exp((low - high).clamp(max=-1e-14)))
    inside = torch.where(x < half, functional.logsigmoid(b), inside)
    return torch.where(x > 1 - half, functional.logsigmoid(-a), inside).sum(-1)


@variant
def with_levels_as_whole_numbers(x, loc, log_scale, num_levels):
    level = (x * (num_levels - 1)).round()
    loc, log_scale = loc * (num_levels - 1), log_scale + math.log(num_levels - 1)
    inside = _cells(level, loc, log_scale, -0.5, 0.5)
    first = functional.logsigmoid((level + 0.5 - loc) / log_scale.exp())
    last = functional.logsigmoid(-(level - 0.5 - loc) / log_scale.exp())
    each_value = torch.where(level == 0, first, inside)
    return torch.where(level == num_levels - 1, last, each_value).sum(dim=1)


@variant
def on_the_scale_from_minus_one_to_one(x, loc, log_scale, num_levels):
    centred, inverse = 2 * (x - loc), (-log_scale).exp() / 2
    step = 1 / (num_levels - 1)
    plus, minus = inverse * (centred + step), inverse * (centred - step)
    log_cdf_plus = plus - functional.softplus(plus)
    log_one_minus_cdf_minus = -functional.softplus(minus)
    gap = torch.log(-torch.expm1(-2 * step * inverse))
    inside = log_cdf_plus + log_one_minus_cdf_minus + gap
    x = 2 * x - 1
    last = torch.where(x > 0.9999, log_one_minus_cdf_minus, inside)
    return torch.where(x < -0.9999, log_cdf_plus, last).sum(-1)
