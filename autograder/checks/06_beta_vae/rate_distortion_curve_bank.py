"""Wrong answers to `rate_distortion_curve`."""

import math

import torch

from .rate_distortion_curve import RATE_DISTORTION_CURVE, measure, reference

misconception = RATE_DISTORTION_CURVE.misconception


def _curve_of(betas, rates, distortions):
    best = (distortions + betas[:, None] * rates).argmin(dim=1)
    return rates[best], distortions[best]


def _with(train, change):
    """Runs whose answer is changed before it is measured."""
    return lambda beta: change(*train(beta))


# the two that count questions come first: other comparisons put more questions to the oracles
@misconception(
    "You train again for every comparison. One run for each β has to do: keep what you measured.",
    sign=lambda calls: (
        calls[-1].error is None and len(calls[0].args[0].questions) > len(calls[0].args[1])
    ),
)
def trains_again(train, betas):
    reference(train, betas)
    return reference(train, betas)


@misconception(
    "You called `train` with numbers that are not among `betas`. Ask for these values and no "
    "others.",
    sign=lambda calls: any(
        not torch.isclose(calls[0].args[1], torch.as_tensor(q[0]).double(), rtol=1e-4).any()
        for q in calls[0].args[0].questions
    ),
)
def trained_with_other_values(train, betas):
    return reference(lambda beta: train(1 / beta), betas)


@misconception(
    "You give each β the run that was trained for it. Where a run fails, another model is better "
    "at this very β: let every β choose among all of them."
)
def own_run_only(train, betas):
    _, rates, distortions = measure(train, betas)
    return rates, distortions


def _among(allowed, train, betas):
    """Every β chooses among the models whose place the table `allowed` (B, B) admits."""
    betas, rates, distortions = measure(train, betas)
    prices = distortions + betas[:, None] * rates
    best = prices.masked_fill(~allowed(len(betas)), math.inf).argmin(dim=1)
    return rates[best], distortions[best]


@misconception(
    "You let a β choose among its neighbours only. Where several runs in a row failed, the best "
    "model is further away: compare all of them."
)
def neighbours_only(train, betas):
    return _among(lambda n: torch.ones(n, n).tril(1).triu(-1).bool(), train, betas)


@misconception(
    "You let a β choose among the models of smaller values only. The best may come from a larger "
    "one: compare all of them."
)
def from_smaller_betas_only(train, betas):
    return _among(lambda n: torch.ones(n, n).tril().bool(), train, betas)


@misconception(
    "You let a β choose among the models of larger values only. The best may come from a smaller "
    "one: compare all of them."
)
def from_larger_betas_only(train, betas):
    return _among(lambda n: torch.ones(n, n).triu().bool(), train, betas)


@misconception(
    "You carry the best model so far from one β to the next and forget the others. A model that "
    "was passed over may be the best at a larger β: compare all of them each time."
)
def best_so_far(train, betas):
    betas, rates, distortions = measure(train, betas)
    best = [0]
    for i in range(1, len(betas)):
        is_better = distortions[i] + betas[i] * rates[i] < (
            distortions[best[-1]] + betas[i] * rates[best[-1]]
        )
        best.append(i if is_better else best[-1])
    return rates[best], distortions[best]


@misconception(
    "You chose with β on the distortion. It weighs the rate: the price is distortion plus β times "
    "rate."
)
def beta_on_the_distortion(train, betas):
    betas, rates, distortions = measure(train, betas)
    best = (betas[:, None] * distortions + rates).argmin(dim=1)
    return rates[best], distortions[best]


@misconception(
    "You forced the curve to fall by running minima and maxima. That makes up points which no "
    "model has: choose a model for each β."
)
def running_extremes(train, betas):
    _, rates, distortions = measure(train, betas)
    return rates.cummin(0).values, distortions.cummax(0).values


@misconception(
    "You sorted rates and distortions, each by itself, so that they belong to different models. "
    "Sort by β, and keep the pairs together."
)
def sorted_each_by_itself(train, betas):
    _, rates, distortions = measure(train, betas)
    return rates.sort(descending=True).values, distortions.sort().values


@misconception(
    "You sorted the runs by their rate. A failed run keeps its place on no curve at all: let every "
    "β choose the model that is best for it."
)
def sorted_by_rate(train, betas):
    _, rates, distortions = measure(train, betas)
    order = rates.argsort(descending=True)
    return rates[order], distortions[order]


@misconception(
    "You took the best model for β = 1 everywhere. Each β weighs the rate by itself, so each has a "
    "best model of its own."
)
def best_by_the_bound(train, betas):
    betas, rates, distortions = measure(train, betas)
    return _curve_of(torch.ones_like(betas), rates, distortions)


@misconception(
    "You compared the runs by the loss each was trained with, its own β in it. Losses with "
    "different β cannot be compared: price all models with the same β, row by row."
)
def own_losses_compared(train, betas):
    betas, rates, distortions = measure(train, betas)
    best = (distortions + betas * rates).argmin().expand(len(betas))
    return rates[best], distortions[best]


@misconception(
    "You chose by the distortion alone. That is the model with the smallest β, for every β."
)
def best_by_distortion(train, betas):
    _, rates, distortions = measure(train, betas)
    best = distortions.argmin().expand(len(betas))
    return rates[best], distortions[best]


@misconception("You chose the model with the largest price, not the smallest: `argmin`.")
def worst_of_all(train, betas):
    betas, rates, distortions = measure(train, betas)
    best = (distortions + betas[:, None] * rates).argmax(dim=1)
    return rates[best], distortions[best]


@misconception(
    "Your table of prices is transposed: β must change from row to row and the model from column "
    "to column, with the minimum over the models."
)
def transposed_table(train, betas):
    betas, rates, distortions = measure(train, betas)
    best = (distortions + betas[:, None] * rates).argmin(dim=0)
    return rates[best], distortions[best]


@misconception(
    "You return the points in the order in which the betas were given. Begin with the smallest."
)
def in_the_given_order(train, betas):
    place = betas.argsort().argsort()
    rates, distortions = reference(train, betas)
    return rates[place], distortions[place]


@misconception("Your points begin with the largest β. Begin with the smallest.")
def from_the_largest(train, betas):
    rates, distortions = reference(train, betas)
    return rates.flip(0), distortions.flip(0)


@misconception("You return distortions and rates in exchanged places: the rates come first.")
def exchanged(train, betas):
    return reference(train, betas)[::-1]


@misconception(
    "You multiplied the rate by β before you returned it. Rates are in plain nats; β only chooses "
    "the model."
)
def rate_times_beta(train, betas):
    rates, distortions = reference(train, betas)
    return betas.sort().values * rates, distortions


@misconception("You return the loss where the distortion is asked for: there is a rate in it.")
def loss_for_distortion(train, betas):
    rates, distortions = reference(train, betas)
    return rates, distortions + betas.sort().values * rates


@misconception(
    "You return minus the bound, distortion plus rate, where the distortion alone is asked for."
)
def bound_for_distortion(train, betas):
    rates, distortions = reference(train, betas)
    return rates, distortions + rates


@misconception(
    "You averaged the distortion over the values of a point. It is a sum over them, as the rate is "
    "a sum over the hidden values."
)
def distortion_averaged_over_values(train, betas):
    betas, rates, distortions = measure(_with(train, lambda d, m, v: (d / d.shape[1], m, v)), betas)
    return _curve_of(betas, rates, distortions)


@misconception("You averaged the rate over the hidden values. It is a sum over them.")
def rate_averaged_over_dimensions(train, betas):
    width = []

    def run(beta):
        distortion, loc, log_var = train(beta)
        width.append(loc.shape[1])
        return distortion, loc, log_var

    betas, rates, distortions = measure(run, betas)
    return _curve_of(betas, rates / width[0], distortions)


@misconception("You averaged over values and hidden values. Both prices are sums over them.")
def both_averaged(train, betas):
    width = []

    def run(beta):
        distortion, loc, log_var = train(beta)
        width.append(loc.shape[1])
        return distortion / distortion.shape[1], loc, log_var

    betas, rates, distortions = measure(run, betas)
    return _curve_of(betas, rates / width[0], distortions)


@misconception("You summed over the points. Rate and distortion are means over them.")
def summed_over_points(train, betas):
    count = []

    def run(beta):
        answer = train(beta)
        count.append(len(answer[0]))
        return answer

    betas, rates, distortions = measure(run, betas)
    return _curve_of(betas, count[0] * rates, count[0] * distortions)


@misconception(
    "You read `log_var` as the logarithm of the standard deviation. It is that of the variance."
)
def log_var_as_log_scale(train, betas):
    return reference(_with(train, lambda d, m, v: (d, m, 2 * v)), betas)


@misconception("The ½ of the divergence is missing, so your rates are twice too large.")
def rate_without_the_half(train, betas):
    betas, rates, distortions = measure(train, betas)
    return _curve_of(betas, 2 * rates, distortions)


@misconception("Your divergence has the wrong sign: a rate is never negative.")
def rate_negative(train, betas):
    betas, rates, distortions = measure(train, betas)
    return _curve_of(betas, -rates, distortions)


@misconception("Your rates are in bits. Stay with nats, the unit of the distortion.")
def in_bits(train, betas):
    betas, rates, distortions = measure(train, betas)
    rates, distortions = _curve_of(betas, rates, distortions)
    return rates / math.log(2), distortions


@misconception(
    "You kept only the models that no other beats, so there are fewer points than values of β. "
    "Every β gets a point; two may share one.",
    sign=lambda calls: (
        isinstance(calls[-1].value, (tuple, list))
        and len(calls[-1].value[0]) < len(calls[-1].args[1])
    ),
)
def failed_runs_dropped(train, betas):
    betas, rates, distortions = measure(train, betas)
    best = (distortions + betas[:, None] * rates).argmin(dim=1)
    kept = best == torch.arange(len(betas))
    return rates[kept], distortions[kept]
