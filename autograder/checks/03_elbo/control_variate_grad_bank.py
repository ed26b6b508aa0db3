"""Wrong and right answers to `control_variate_grad`."""

import torch

from ._gradients import place, scores
from .control_variate_grad import CONTROL_VARIATE_GRAD, leave_one_out
from .score_function_grad import estimate, weighted_scores


def draw_values(f, loc, log_scale, noise):
    return f(place(loc, log_scale, noise))


def others(values):
    """For each draw the mean of the other draws."""
    return (values.sum(-1, keepdim=True) - values) / (values.shape[-1] - 1)


@CONTROL_VARIATE_GRAD.misconception(
    "No baseline is subtracted: this is the plain score-function estimator."
)
def no_baseline(f, loc, log_scale, noise):
    return estimate(f, loc, log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "Your baseline is the mean of all draws, and each draw is one of them. That is a bias: the "
    "gradient shrinks to (S − 1)/S. Leave the draw itself out."
)
def mean_with_itself(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    return weighted_scores(values - values.mean(-1, keepdim=True), log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "You add the baseline. It is subtracted from the values, to bring them near zero."
)
def baseline_added(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    return weighted_scores(values + others(values), log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "You subtract the baseline after weighing: h ∇ log q − b. It belongs inside the brackets, "
    "(h − b) ∇ log q."
)
def subtracted_after_weighing(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    mean = values.mean(-1, keepdim=True)
    return tuple(part - mean for part in estimate(f, loc, log_scale, noise))


@CONTROL_VARIATE_GRAD.misconception("You multiply by the baseline. Subtract it from the values.")
def baseline_multiplied(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    return weighted_scores(values * others(values), log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "You divide by the baseline. A ratio changes the gradient; subtract instead."
)
def baseline_divided(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    return weighted_scores(values / others(values), log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "Your baseline divides the sum of the other draws by S. There are S − 1 of them."
)
def others_divided_by_all(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    baseline = (values.sum(-1, keepdim=True) - values) / values.shape[-1]
    return weighted_scores(values - baseline, log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "Your baseline divides the sum of all draws by S − 1, and the draw itself is still in it. "
    "Subtract its value from the sum first."
)
def all_divided_by_others(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    baseline = values.sum(-1, keepdim=True) / (values.shape[-1] - 1)
    return weighted_scores(values - baseline, log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "Your baseline is the sum of the other draws, not their mean: divide by S − 1."
)
def sum_of_others(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    baseline = values.sum(-1, keepdim=True) - values
    return weighted_scores(values - baseline, log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "You corrected for the missing draw twice: with the draw left out, the estimator is unbiased "
    "already. Average over S."
)
def corrected_twice(f, loc, log_scale, noise):
    count = noise.shape[-2]
    return tuple(p * count / (count - 1) for p in leave_one_out(f, loc, log_scale, noise))


@CONTROL_VARIATE_GRAD.misconception(
    "Your baseline averages over all repeats too. Repeats are independent estimates: each has its "
    "own baseline, and yours contains the draw itself."
)
def mean_over_everything(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    return weighted_scores(values - values.mean(), log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "Your baseline averages over the repeats and not over the draws: use the last axis of the "
    "values."
)
def mean_over_repeats(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    return weighted_scores(values - values.mean(0, keepdim=True), log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "The baseline of a repeat is taken from its neighbour. Use the other draws of the same repeat."
)
def baseline_of_the_next_repeat(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    baseline = values.mean(-1, keepdim=True).roll(1, 0)
    return weighted_scores(values - baseline, log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "You subtract the median of the draws. Each draw influences it, which is a bias: leave the "
    "draw itself out."
)
def median_with_itself(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    middle = values.quantile(0.5, dim=-1, keepdim=True)
    return weighted_scores(values - middle, log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "You subtract the smallest value of the draws. It depends on the draws themselves, which is a "
    "bias."
)
def smallest_value(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    return weighted_scores(values - values.amin(-1, keepdim=True), log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "You subtract the largest value of the draws. It depends on the draws themselves, which is a "
    "bias."
)
def largest_value(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    return weighted_scores(values - values.amax(-1, keepdim=True), log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "You subtract the first draw's value from all, its own included: the first draw counts "
    "nothing, and the gradient shrinks to (S − 1)/S."
)
def first_draw(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    return weighted_scores(values - values[..., :1], log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "You standardise the values: subtracting their mean and dividing by their spread changes the "
    "gradient's length."
)
def standardised(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    centred = values - values.mean(-1, keepdim=True)
    return weighted_scores(centred / (values.std(-1, keepdim=True) + 1e-8), log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "You subtract each value from itself, and nothing is left. The baseline comes from the other "
    "draws."
)
def itself(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    return weighted_scores(values - values, log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "You fit the coefficient of the control variate on the draws that it is applied to. That is a "
    "bias for small S: fit it on the other draws."
)
def coefficient_from_the_same_draws(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)[..., None]
    return tuple(
        ((values - (values * s**2).sum(-2, keepdim=True) / (s**2).sum(-2, keepdim=True)) * s).mean(
            -2
        )
        for s in scores(log_scale, noise)
    )


@CONTROL_VARIATE_GRAD.misconception(
    "Only the gradient for loc has a baseline. Both scores have mean zero: subtract it in both."
)
def only_for_loc(f, loc, log_scale, noise):
    first, _ = leave_one_out(f, loc, log_scale, noise)
    return first, estimate(f, loc, log_scale, noise)[1]


@CONTROL_VARIATE_GRAD.misconception(
    "Your baseline is the constant 1. It helps only if h happens to be near 1; take it from the "
    "other draws."
)
def a_fixed_constant(f, loc, log_scale, noise):
    return weighted_scores(draw_values(f, loc, log_scale, noise) - 1, log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "You leave the sign of the baseline to chance: the absolute difference |h − b| is not h − b."
)
def absolute_difference(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    return weighted_scores((values - others(values)).abs(), log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception(
    "You return the negative gradients. A loss descends; this is the gradient of E_q[h] itself."
)
def negative(f, loc, log_scale, noise):
    return tuple(-part for part in leave_one_out(f, loc, log_scale, noise))


@CONTROL_VARIATE_GRAD.misconception(
    "You use the variance where the standard deviation belongs: z = μ + σ ε with "
    "`scale = log_scale.exp()`."
)
def variance_as_scale(f, loc, log_scale, noise):
    return leave_one_out(f, loc, 2 * log_scale, noise)


@CONTROL_VARIATE_GRAD.misconception("The score of the mean is ε/σ. You left out the 1/σ.")
def score_without_scale(f, loc, log_scale, noise):
    first, second = leave_one_out(f, loc, log_scale, noise)
    return first * log_scale.exp(), second


@CONTROL_VARIATE_GRAD.misconception(
    "You return the gradient for log_scale first. The order is (loc, log_scale)."
)
def swapped(f, loc, log_scale, noise):
    return leave_one_out(f, loc, log_scale, noise)[::-1]


@CONTROL_VARIATE_GRAD.misconception("You add up the draws. The expectation is their mean.")
def sum_over_draws(f, loc, log_scale, noise):
    return tuple(p * noise.shape[-2] for p in leave_one_out(f, loc, log_scale, noise))


@CONTROL_VARIATE_GRAD.misconception(
    "You averaged over the repeats as well. They are independent estimates: keep the first axis."
)
def averaged_over_repeats(f, loc, log_scale, noise):
    return tuple(part.mean(0) for part in leave_one_out(f, loc, log_scale, noise))


@CONTROL_VARIATE_GRAD.variant
def next_draw(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    return weighted_scores(values - values.roll(1, -1), log_scale, noise)


@CONTROL_VARIATE_GRAD.variant
def value_at_the_mean(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    return weighted_scores(values - f(loc), log_scale, noise)


@CONTROL_VARIATE_GRAD.variant
def corrected_mean(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    count = noise.shape[1]
    centred = (values - values.mean(1, keepdim=True)) * count / (count - 1)
    return weighted_scores(centred, log_scale, noise)


@CONTROL_VARIATE_GRAD.variant
def covariance_of_values_and_scores(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)[..., None]
    centred = values - values.mean(1, keepdim=True)
    return tuple(
        (centred * (score - score.mean(1, keepdim=True))).sum(1) / (noise.shape[1] - 1)
        for score in scores(log_scale, noise)
    )


@CONTROL_VARIATE_GRAD.variant
def one_draw_at_a_time(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    first, second = 0.0, 0.0
    count = noise.shape[1]
    for s in range(count):
        rest = torch.cat((values[:, :s], values[:, s + 1 :]), dim=1).mean(1)
        advantage = (values[:, s] - rest)[:, None] / count
        first = first + advantage * noise[:, s] / log_scale.exp()
        second = second + advantage * (noise[:, s] ** 2 - 1)
    return first, second


@CONTROL_VARIATE_GRAD.variant
def without_the_constant_of_the_score(f, loc, log_scale, noise):
    # the advantages of a repeat sum to zero, so a constant in the score drops out
    values = draw_values(f, loc, log_scale, noise)
    advantage = (values - others(values))[..., None]
    z = place(loc, log_scale, noise)
    return (advantage * z).mean(-2) / (2 * log_scale).exp(), (advantage * noise**2).mean(-2)


@CONTROL_VARIATE_GRAD.variant
def median_of_the_others(f, loc, log_scale, noise):
    values = draw_values(f, loc, log_scale, noise)
    count = values.shape[1]
    keep = ~torch.eye(count, dtype=torch.bool)
    rest = values[:, None].expand(-1, count, -1)[:, keep].reshape(len(values), count, count - 1)
    return weighted_scores(values - rest.median(-1).values, log_scale, noise)


@CONTROL_VARIATE_GRAD.variant
def antithetic_value(f, loc, log_scale, noise):
    # the mirror image of another draw is independent of the draw itself
    mirrored = draw_values(f, loc, log_scale, -noise).roll(1, -1)
    values = draw_values(f, loc, log_scale, noise)
    return weighted_scores(values - mirrored, log_scale, noise)
