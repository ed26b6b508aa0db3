"""Wrong and right answers to `best_return_time`."""

from collections.abc import Callable, Sequence

import numpy as np
import scipy.optimize
import scipy.stats
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, Normal

from autograder.candidate import Call
from course_lib import mixture
from course_lib.mixture import ScalarMixture

from .best_return_time import BEST_RETURN_TIME, conditional, expected_cost, quantile

NEAR = 0.12  # minutes, as far as two ways of computing the same wrong answer may differ
GRID = torch.arange(20.0, 125.0, 0.05, dtype=torch.float64)


def _misconception(message: str) -> Callable:
    """Register a mistake that is recognised if the answers are near its own, on every question."""

    def register(implementation: Callable) -> Callable:
        def sign(calls: Sequence[Call]) -> bool:
            return all(abs(float(c.value) - float(implementation(*c.args))) < NEAR for c in calls)

        return BEST_RETURN_TIME.misconception(message, sign=sign)(implementation)

    return register


def _best(duration, weights, loc, covariance, cost_wait, cost_miss):
    waiting = conditional(duration, weights, loc, covariance)
    return quantile(waiting, _level(cost_wait, cost_miss))


def _level(cost_wait, cost_miss):
    return cost_wait / (cost_wait + cost_miss)


def _mean(waiting: ScalarMixture) -> Tensor:
    return (waiting.weights * waiting.loc).sum()


def _density(waiting: ScalarMixture, time: Tensor) -> Tensor:
    heights = Normal(waiting.loc, waiting.scale).log_prob(time[:, None]).exp()
    return (waiting.weights * heights).sum(1)


def _marginal(weights, loc, covariance) -> ScalarMixture:
    return ScalarMixture(weights, loc[:, 1], covariance[:, 1, 1].sqrt())


@_misconception(
    "You return the mean of the waiting time. It ignores the costs, and minimises the squared "
    "error, which nobody pays here."
)
def mean_waiting(duration, weights, loc, covariance, cost_wait, cost_miss):
    return _mean(conditional(duration, weights, loc, covariance))


@_misconception(
    "You return the median. It is the best time only if a minute too early costs as much as one "
    "too late."
)
def median(duration, weights, loc, covariance, cost_wait, cost_miss):
    return quantile(conditional(duration, weights, loc, covariance), 0.5)


@_misconception(
    "The costs are exchanged: your time is late when being late is dear. The probability of "
    "having missed the eruption should be cost_wait / (cost_wait + cost_miss)."
)
def costs_exchanged(duration, weights, loc, covariance, cost_wait, cost_miss):
    return _best(duration, weights, loc, covariance, cost_miss, cost_wait)


@_misconception(
    "You use the ratio of the costs as the level. A probability must stay under one: divide by "
    "the sum of the costs."
)
def ratio_as_level(duration, weights, loc, covariance, cost_wait, cost_miss):
    level = min(cost_wait / cost_miss, 1 - 1e-9)
    return quantile(conditional(duration, weights, loc, covariance), level)


@_misconception(
    "Your level is always one tenth. That suits costs of one to nine only: compute it from the "
    "costs."
)
def always_one_tenth(duration, weights, loc, covariance, cost_wait, cost_miss):
    return quantile(conditional(duration, weights, loc, covariance), 0.1)


@_misconception(
    "You average the quantiles of the components. The quantile of a mixture is where its own "
    "distribution function, the weighted sum, reaches the level."
)
def average_of_quantiles(duration, weights, loc, covariance, cost_wait, cost_miss):
    waiting = conditional(duration, weights, loc, covariance)
    each = waiting.loc + waiting.scale * torch.special.ndtri(
        torch.tensor(_level(cost_wait, cost_miss), dtype=loc.dtype)
    )
    return (waiting.weights * each).sum()


def _gaussian_quantile(loc: Tensor, scale: Tensor, level: float) -> Tensor:
    return loc + scale * torch.special.ndtri(torch.tensor(level, dtype=loc.dtype))


@_misconception(
    "You use the most probable component only. The others are possible too, and they are why one "
    "end of the distribution is long."
)
def most_probable_component_only(duration, weights, loc, covariance, cost_wait, cost_miss):
    waiting = conditional(duration, weights, loc, covariance)
    k = waiting.weights.argmax()
    return _gaussian_quantile(waiting.loc[k], waiting.scale[k], _level(cost_wait, cost_miss))


@_misconception(
    "You replace the mixture by one Gaussian with its mean and variance. Its quantiles are "
    "elsewhere: the waiting time may have two humps."
)
def one_gaussian(duration, weights, loc, covariance, cost_wait, cost_miss):
    waiting = conditional(duration, weights, loc, covariance)
    mean = _mean(waiting)
    variance = (waiting.weights * (waiting.scale**2 + (waiting.loc - mean) ** 2)).sum()
    return _gaussian_quantile(mean, variance.sqrt(), _level(cost_wait, cost_miss))


@_misconception(
    "The duration plays no part: you use the waiting times after all eruptions. Condition on this "
    "one."
)
def unconditional(duration, weights, loc, covariance, cost_wait, cost_miss):
    return quantile(_marginal(weights, loc, covariance), _level(cost_wait, cost_miss))


@_misconception(
    "You condition the weights, but keep the means and standard deviations of all waiting times. "
    "Within a component the duration tells about the waiting time too."
)
def marginal_components(duration, weights, loc, covariance, cost_wait, cost_miss):
    waiting = conditional(duration, weights, loc, covariance)
    marginal = _marginal(waiting.weights, loc, covariance)
    return quantile(marginal, _level(cost_wait, cost_miss))


@_misconception(
    "You condition means and standard deviations, but keep the old weights. The duration makes one "
    "component more probable."
)
def weights_not_conditioned(duration, weights, loc, covariance, cost_wait, cost_miss):
    waiting = conditional(duration, weights, loc, covariance)._replace(weights=weights)
    return quantile(waiting, _level(cost_wait, cost_miss))


@_misconception(
    "You use the standard deviations before conditioning. Knowing the duration narrows the "
    "waiting time."
)
def marginal_scale(duration, weights, loc, covariance, cost_wait, cost_miss):
    waiting = conditional(duration, weights, loc, covariance)
    wide = waiting._replace(scale=covariance[:, 1, 1].sqrt())
    return quantile(wide, _level(cost_wait, cost_miss))


@_misconception("You use variances as standard deviations in the distribution function.")
def variance_as_scale(duration, weights, loc, covariance, cost_wait, cost_miss):
    waiting = conditional(duration, weights, loc, covariance)
    return quantile(waiting._replace(scale=waiting.scale**2), _level(cost_wait, cost_miss))


@_misconception(
    "You return the most probable waiting time, the highest point of the density. It does not "
    "depend on the costs."
)
def mode(duration, weights, loc, covariance, cost_wait, cost_miss):
    return GRID[_density(conditional(duration, weights, loc, covariance), GRID).argmax()]


@_misconception("You return the level, a probability. Return the time at which it is reached.")
def level_returned(duration, weights, loc, covariance, cost_wait, cost_miss):
    return _level(cost_wait, cost_miss)


@_misconception("You return the lowest expected cost. Return the time that has it.")
def cost_returned(duration, weights, loc, covariance, cost_wait, cost_miss):
    best = _best(duration, weights, loc, covariance, cost_wait, cost_miss)
    return expected_cost(
        conditional(duration, weights, loc, covariance), best, cost_wait, cost_miss
    )


@_misconception(
    "You charge the squares of the minutes. A minute costs the same, however late you already "
    "are: the best time is a quantile."
)
def squared_minutes(duration, weights, loc, covariance, cost_wait, cost_miss):
    density = _density(conditional(duration, weights, loc, covariance), GRID)
    low, high = 20.0, 125.0
    for _ in range(20):
        middle = 0.5 * (low + high)
        early, late = (GRID - middle).clamp_min(0), (middle - GRID).clamp_min(0)
        falls = (density * (cost_miss * late - cost_wait * early)).sum() < 0
        low, high = (middle, high) if falls else (low, middle)
    return 0.5 * (low + high)


@_misconception("You return hours. The data are in minutes, and so is the answer.")
def hours(duration, weights, loc, covariance, cost_wait, cost_miss):
    return _best(duration, weights, loc, covariance, cost_wait, cost_miss) / 60


@_misconception(
    "You return the time relative to the mean waiting time. Return minutes since the eruption."
)
def relative_to_mean(duration, weights, loc, covariance, cost_wait, cost_miss):
    best = _best(duration, weights, loc, covariance, cost_wait, cost_miss)
    return best - _mean(conditional(duration, weights, loc, covariance))


@_misconception(
    "You averaged the edges by their costs: the mean waiting time, moved by a share of its "
    "standard deviation. Balance the probabilities instead."
)
def mean_moved_by_costs(duration, weights, loc, covariance, cost_wait, cost_miss):
    waiting = conditional(duration, weights, loc, covariance)
    mean = _mean(waiting)
    scale = (waiting.weights * (waiting.scale**2 + (waiting.loc - mean) ** 2)).sum().sqrt()
    return mean + scale * (cost_wait - cost_miss) / (cost_wait + cost_miss)


@_misconception(
    "You multiply the mean waiting time by the level. Find the time at which the distribution "
    "function reaches the level."
)
def level_times_mean(duration, weights, loc, covariance, cost_wait, cost_miss):
    return _level(cost_wait, cost_miss) * _mean(conditional(duration, weights, loc, covariance))


@_misconception(
    "The columns are exchanged: you condition on the waiting time. Column 0 is the duration."
)
def columns_exchanged(duration, weights, loc, covariance, cost_wait, cost_miss):
    return _best(duration, weights, loc.flip(1), covariance.flip(1, 2), cost_wait, cost_miss)


@_misconception(
    "Your search looks at whole minutes only. Answer to 0.05 minutes, with a finer grid or by "
    "halving."
)
def whole_minutes(duration, weights, loc, covariance, cost_wait, cost_miss):
    best = _best(duration, weights, loc, covariance, cost_wait, cost_miss)
    return round(best)


@BEST_RETURN_TIME.variant
def bisection(duration, weights, loc, covariance, cost_wait, cost_miss):
    w, m, s = conditional(duration, weights, loc, covariance)
    low, high = (m - 10 * s).min(), (m + 10 * s).max()
    for _ in range(60):
        middle = (low + high) / 2
        reached = (w * torch.special.ndtr((middle - m) / s)).sum()
        if reached < cost_wait / (cost_wait + cost_miss):
            low = middle
        else:
            high = middle
    return float(low + high) / 2


@BEST_RETURN_TIME.variant
def grid_of_costs(duration, weights, loc, covariance, cost_wait, cost_miss):
    waiting = conditional(duration, weights, loc, covariance)
    w = torch.arange(0.0, 150.0, 0.05, dtype=loc.dtype)
    probability = _density(waiting, w)
    probability = probability / probability.sum()
    times = torch.arange(10.0, 140.0, 0.1, dtype=loc.dtype)
    lead = w - times[:, None]
    cost = cost_wait * lead.clamp_min(0) + cost_miss * (-lead).clamp_min(0)
    return times[(cost @ probability).argmin()]


@BEST_RETURN_TIME.variant
def grid_of_distribution_function(duration, weights, loc, covariance, cost_wait, cost_miss):
    times = np.arange(0, 150, 0.01)
    w, m, s = (a.numpy() for a in conditional(duration, weights, loc, covariance))
    reached = (w * scipy.stats.norm.cdf(times[:, None], m, s)).sum(1)
    return times[np.searchsorted(reached, cost_wait / (cost_wait + cost_miss))]


@BEST_RETURN_TIME.variant
def root_finder(duration, weights, loc, covariance, cost_wait, cost_miss):
    waiting = conditional(duration, weights, loc, covariance)
    level = cost_wait / (cost_wait + cost_miss)
    return scipy.optimize.brentq(lambda t: mixture.cdf(waiting, t).item() - level, 0, 200)


@BEST_RETURN_TIME.variant
def scalar_minimiser(duration, weights, loc, covariance, cost_wait, cost_miss):
    waiting = conditional(duration, weights, loc, covariance)
    found = scipy.optimize.minimize_scalar(
        lambda t: expected_cost(waiting, t, cost_wait, cost_miss),
        bounds=(20, 130),
        method="bounded",
    )
    return found.x


@BEST_RETURN_TIME.variant
def newton_steps(duration, weights, loc, covariance, cost_wait, cost_miss):
    waiting = conditional(duration, weights, loc, covariance)
    model = MixtureSameFamily(Categorical(waiting.weights), Normal(waiting.loc, waiting.scale))
    level = cost_wait / (cost_wait + cost_miss)
    t = torch.tensor(quantile(waiting, level), dtype=loc.dtype) + 1.0  # a start near enough
    for _ in range(20):
        step = (model.cdf(t) - level) / model.log_prob(t).exp()
        t = t - step.clamp(-2, 2)
    return t.reshape(1)


@BEST_RETURN_TIME.variant
def quantile_of_many_samples(duration, weights, loc, covariance, cost_wait, cost_miss):
    waiting = conditional(duration, weights, loc, covariance)
    generator = torch.Generator().manual_seed(0)
    labels = torch.multinomial(waiting.weights, 500_000, replacement=True, generator=generator)
    noise = torch.randn(500_000, generator=generator, dtype=loc.dtype)
    drawn = (waiting.loc[labels] + waiting.scale[labels] * noise).sort().values
    return drawn[int(len(drawn) * cost_wait / (cost_wait + cost_miss))]
