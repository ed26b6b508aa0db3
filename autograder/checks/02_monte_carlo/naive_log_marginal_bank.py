"""Wrong averages in `naive_log_marginal`, of places drawn as they should be."""

import math

from . import naive_log_marginal_signs as signs
from ._gaussian import log_standard_normal
from .naive_log_marginal import NAIVE_LOG_MARGINAL

# after the wrong draws: what was drawn explains more than how it was averaged
from .naive_log_marginal_draws_bank import draw, finish, log_values, log_volume


@NAIVE_LOG_MARGINAL.misconception(
    "The volume is missing. An integral is the average height times the volume of the box: add "
    "the sum of log(high − low).",
    sign=signs.recipe(lambda p: p.log_mean),
)
def no_volume(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return a.logsumexp(0) - math.log(num_samples)


@NAIVE_LOG_MARGINAL.misconception(
    "You divide by the volume. The density of the draws is 1/V, and the weight is its inverse: add "
    "log V.",
    sign=signs.recipe(lambda p: p.log_mean - p.log_volume),
)
def volume_divides(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return a.logsumexp(0) - math.log(num_samples) - log_volume(low, high)


@NAIVE_LOG_MARGINAL.misconception(
    "You add the volume itself. The result is a logarithm: add log V.",
    sign=signs.recipe(lambda p: p.log_mean + (p.high - p.low).prod()),
)
def volume_without_logarithm(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return a.logsumexp(0) - math.log(num_samples) + (high - low).prod()


@NAIVE_LOG_MARGINAL.misconception(
    "You multiply the logarithm by the volume. A product inside becomes a sum outside: add log V.",
    sign=signs.recipe(lambda p: p.log_mean * (p.high - p.low).prod()),
)
def volume_times_logarithm(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return (a.logsumexp(0) - math.log(num_samples)) * (high - low).prod()


@NAIVE_LOG_MARGINAL.misconception(
    "You added up the sides of the box. The volume is their product, so the logarithms of the "
    "sides are added.",
    sign=signs.recipe(lambda p: p.log_mean + (p.high - p.low).sum().log()),
)
def sum_of_sides(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return a.logsumexp(0) - math.log(num_samples) + (high - low).sum().log()


@NAIVE_LOG_MARGINAL.misconception(
    "You use one side of the box only. In M dimensions the volume is the product of M sides.",
    sign=signs.recipe(lambda p: p.log_mean + (p.high - p.low)[0].log()),
)
def first_side_only(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return a.logsumexp(0) - math.log(num_samples) + (high - low)[0].log()


@NAIVE_LOG_MARGINAL.misconception(
    "You averaged the logarithms of the sides. The volume is the product of the sides: sum their "
    "logarithms.",
    sign=signs.recipe(lambda p: p.log_mean + (p.high - p.low).log().mean()),
)
def mean_of_log_sides(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return a.logsumexp(0) - math.log(num_samples) + (high - low).log().mean()


@NAIVE_LOG_MARGINAL.misconception(
    "You take the product of the upper ends as the volume. A side is as long as high − low.",
    sign=signs.recipe(lambda p: p.log_mean + p.high.log().sum()),
)
def volume_from_upper_ends(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return a.logsumexp(0) - math.log(num_samples) + high.log().sum()


@NAIVE_LOG_MARGINAL.misconception(
    "You sum the densities and do not divide by S: the answer grows with the number of draws. Use "
    "the mean.",
    sign=signs.recipe(lambda p: p.log_volume + p.a.logsumexp(0)),
)
def sum_for_mean(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return log_volume(low, high) + a.logsumexp(0)


@NAIVE_LOG_MARGINAL.misconception(
    "You average the log densities. Averaging estimates an integral of p(x, z), not of its "
    "logarithm: log of the mean of the exponentials.",
    sign=signs.recipe(lambda p: p.log_volume + p.a.mean()),
)
def mean_of_logs(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return log_volume(low, high) + a.mean(0)


@NAIVE_LOG_MARGINAL.misconception(
    "You keep the best draw only. The integral is an average over all draws, the bad ones "
    "included.",
    sign=signs.recipe(lambda p: p.log_volume + p.a.amax()),
)
def best_draw(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return log_volume(low, high) + a.amax(0)


@NAIVE_LOG_MARGINAL.misconception(
    "You weight the log densities by their own size. The draws are uniform, so all have the same "
    "weight 1/S, and the logarithm comes last.",
    sign=signs.recipe(lambda p: p.log_volume + (p.a.softmax(0) * p.a).sum()),
)
def self_weighted(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return log_volume(low, high) + (a.softmax(0) * a).sum(0)


@NAIVE_LOG_MARGINAL.misconception(
    "You divide by the number of points. The average runs over the draws: divide by S.",
    sign=signs.recipe(lambda p: p.log_volume + p.a.logsumexp(0) - math.log(p.num_points)),
)
def divided_by_points(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return log_volume(low, high) + a.logsumexp(0) - math.log(len(x))


@NAIVE_LOG_MARGINAL.misconception(
    "You divide by S and by N. Each point has its own S draws: divide by S only.",
    sign=signs.recipe(lambda p: p.log_volume + p.log_mean - math.log(p.num_points)),
)
def divided_by_all_draws(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return finish(a, low, high) - math.log(len(x))


@NAIVE_LOG_MARGINAL.misconception(
    "You multiply by the prior again. `log_joint` holds it already.",
    sign=signs.recipe(
        lambda p: (
            p.log_volume + (p.a + log_standard_normal(p.z)).logsumexp(0) - math.log(p.num_samples)
        )
    ),
)
def prior_twice(x, log_joint, low, high, num_samples, generator):
    z = draw(x, low, high, num_samples, generator)
    return finish(log_joint(x, z) + log_standard_normal(z), low, high)


@NAIVE_LOG_MARGINAL.misconception(
    "You divide by the prior. The draws are uniform, so their density is 1/V everywhere.",
    sign=signs.recipe(
        lambda p: (
            p.log_volume + (p.a - log_standard_normal(p.z)).logsumexp(0) - math.log(p.num_samples)
        )
    ),
)
def divided_by_the_prior(x, log_joint, low, high, num_samples, generator):
    z = draw(x, low, high, num_samples, generator)
    return finish(log_joint(x, z) - log_standard_normal(z), low, high)


@NAIVE_LOG_MARGINAL.misconception(
    "You returned the density. Its logarithm was asked for.",
    sign=signs.recipe(lambda p: (p.log_volume + p.log_mean).exp()),
)
def density(x, log_joint, low, high, num_samples, generator):
    return finish(log_values(x, log_joint, low, high, num_samples, generator), low, high).exp()


@NAIVE_LOG_MARGINAL.misconception(
    "You summed over the points. Each point keeps its own log p(x).",
    sign=signs.over_points(lambda value: value.sum()),
)
def sum_over_points(x, log_joint, low, high, num_samples, generator):
    return finish(log_values(x, log_joint, low, high, num_samples, generator), low, high).sum()


@NAIVE_LOG_MARGINAL.misconception(
    "You averaged over the points. Each point keeps its own log p(x).",
    sign=signs.over_points(lambda value: value.mean()),
)
def mean_over_points(x, log_joint, low, high, num_samples, generator):
    return finish(log_values(x, log_joint, low, high, num_samples, generator), low, high).mean()


@NAIVE_LOG_MARGINAL.misconception(
    "You reduced the axis of the points. The draws are on axis 0, and they are averaged.",
    sign=lambda calls: all(tuple(c.value.shape) == (c.args[4],) for c in signs.answered(calls)),
)
def wrong_axis(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return log_volume(low, high) + a.logsumexp(1) - math.log(num_samples)


@NAIVE_LOG_MARGINAL.misconception(
    "You kept one value for each draw. Average over the draws, axis 0.",
    sign=lambda calls: all(
        tuple(c.value.shape) == (c.args[4], len(c.args[0])) for c in signs.answered(calls)
    ),
)
def not_averaged(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return log_volume(low, high) + a


@NAIVE_LOG_MARGINAL.misconception(
    "You add up log V for each draw inside the sum, so it counts S times. Add it once.",
    sign=signs.recipe(lambda p: p.num_samples * p.log_volume + p.log_mean),
)
def volume_for_each_draw(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return num_samples * log_volume(low, high) + a.logsumexp(0) - math.log(num_samples)


@NAIVE_LOG_MARGINAL.misconception(
    "You leave the logarithms without taking out the largest value. Where all densities underflow "
    "the answer is −∞: use your `log_mean_exp`.",
    sign=signs.recipe(lambda p: p.log_volume + p.a.exp().mean().log()),
)
def no_max_shift(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return log_volume(low, high) + a.exp().mean(0).log()


@NAIVE_LOG_MARGINAL.misconception(
    "A small number inside the logarithm hides the underflow: every tiny density comes out the "
    "same. Use your `log_mean_exp`.",
    sign=signs.recipe(lambda p: p.log_volume + (p.a.exp().mean() + 1e-300).log()),
)
def epsilon_in_the_logarithm(x, log_joint, low, high, num_samples, generator):
    a = log_values(x, log_joint, low, high, num_samples, generator)
    return log_volume(low, high) + (a.exp().mean(0) + 1e-300).log()
