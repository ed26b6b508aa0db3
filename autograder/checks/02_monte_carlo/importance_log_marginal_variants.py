"""More wrong answers to `importance_log_marginal`, and right ones."""

import math
import statistics
from collections.abc import Sequence

import scipy.special
import torch
from torch.distributions import Independent, MultivariateNormal, Normal

from autograder.candidate import Call

from ._gaussian import LOG_2PI, log_standard_normal
from .importance_log_marginal import IMPORTANCE_LOG_MARGINAL, reference
from .importance_log_marginal_bank import average, place, terms, weights_of


def _with_own_noise(calls: Sequence[Call]) -> bool:
    """Exact where all weights are equal, and elsewhere off by no more than chance may do."""
    errors = []
    for call in calls:
        if call.error is None:
            x, oracle, *rest = call.args
            error = call.value.double() - reference(x, oracle.function, *rest)
            errors.append(error.abs().median())
            if not rest[0].any() and errors[-1] < 1e-4:
                return False  # exact with the prior as q, where other noise would show
    exact = [bool(error < 1e-4) for error in errors]
    return any(exact) and not all(exact) and statistics.median(errors) < 3


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You use the variances of q, the diagonal of L Lᵀ, as standard deviations of independent "
    "coordinates. q is correlated, and its factor is L."
)
def variances_as_scales(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, _ = terms(x, log_likelihood, loc, scale_tril, noise)
    variances = (scale_tril @ scale_tril.mT).diagonal(dim1=-2, dim2=-1)
    log_q = Normal(loc, variances).log_prob(place(loc, scale_tril, noise)).sum(-1)
    return average(likelihood + prior - log_q)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You average the log prior over the M hidden values. They are independent: sum."
)
def prior_averaged(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, q = terms(x, log_likelihood, loc, scale_tril, noise)
    return average(likelihood + prior / noise.shape[-1] - q)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "The ½ before z² is missing in the prior: log N(z | 0, 1) = −z²/2 − ½ log 2π."
)
def prior_not_halved(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, q = terms(x, log_likelihood, loc, scale_tril, noise)
    z = place(loc, scale_tril, noise)
    return average(likelihood + prior - 0.5 * z.square().sum(-1) - q)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You cut the weights off from above. That lowers the variance and makes the estimate too low: "
    "it is no longer unbiased."
)
def weights_truncated(x, log_likelihood, loc, scale_tril, noise):
    log_weights = weights_of(x, log_likelihood, loc, scale_tril, noise)
    return average(log_weights.minimum(average(log_weights) + 0.5 * math.log(len(noise))))


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You limit the ratio p(z) / q(z). The weights are what they are: leave them whole."
)
def ratio_limited(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, q = terms(x, log_likelihood, loc, scale_tril, noise)
    return average(likelihood + (prior - q).clamp(-1, 1))


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You reduced the axis of the points. The draws are on axis 0, and they are averaged."
)
def averaged_over_points(x, log_likelihood, loc, scale_tril, noise):
    log_weights = weights_of(x, log_likelihood, loc, scale_tril, noise)
    return log_weights.logsumexp(1) - math.log(len(x))


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You divide by the number of points. The average runs over the S draws."
)
def divided_by_points(x, log_likelihood, loc, scale_tril, noise):
    return weights_of(x, log_likelihood, loc, scale_tril, noise).logsumexp(0) - math.log(len(x))


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You returned the log weights, one for each draw. Average them over the draws."
)
def not_averaged(x, log_likelihood, loc, scale_tril, noise):
    return weights_of(x, log_likelihood, loc, scale_tril, noise)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You summed over the points. Each point keeps its own log p(x)."
)
def sum_over_points(x, log_likelihood, loc, scale_tril, noise):
    return reference(x, log_likelihood, loc, scale_tril, noise).sum()


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You averaged over the points. Each point keeps its own log p(x)."
)
def mean_over_points(x, log_likelihood, loc, scale_tril, noise):
    return reference(x, log_likelihood, loc, scale_tril, noise).mean()


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You use the first point's proposal for all points. Each point has its own mean and factor."
)
def first_proposal_for_all(x, log_likelihood, loc, scale_tril, noise):
    loc, scale_tril = loc[:1].expand_as(loc), scale_tril[:1].expand_as(scale_tril)
    return reference(x, log_likelihood, loc, scale_tril, noise)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You use one draw for all points, or one for all S. `noise` has its own ε for each of the S "
    "draws of each point."
)
def noise_shared_by_points(x, log_likelihood, loc, scale_tril, noise):
    return reference(x, log_likelihood, loc, scale_tril, noise[:, :1].expand_as(noise))


@IMPORTANCE_LOG_MARGINAL.misconception("You returned the density. Its logarithm was asked for.")
def density(x, log_likelihood, loc, scale_tril, noise):
    return reference(x, log_likelihood, loc, scale_tril, noise).exp()


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You leave the logarithms without taking out the largest weight. Where all weights underflow "
    "the answer is −∞: use your `log_mean_exp`."
)
def no_max_shift(x, log_likelihood, loc, scale_tril, noise):
    return weights_of(x, log_likelihood, loc, scale_tril, noise).exp().mean(0).log()


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You draw noise of your own. Use the `noise` that is given: then the answer can be repeated.",
    sign=_with_own_noise,
)
def own_noise(x, log_likelihood, loc, scale_tril, noise):
    return reference(x, log_likelihood, loc, scale_tril, torch.randn_like(noise))


@IMPORTANCE_LOG_MARGINAL.variant
def density_of_q_from_the_noise(x, log_likelihood, loc, scale_tril, noise):
    z = loc + torch.einsum("nij,snj->sni", scale_tril, noise)
    # the constants (M/2) log 2π of prior and proposal cancel
    log_ratio = 0.5 * (noise.square() - z.square()).sum(-1)
    log_ratio = log_ratio + scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return (log_likelihood(x, z) + log_ratio).logsumexp(0) - math.log(noise.shape[0])


@IMPORTANCE_LOG_MARGINAL.variant
def with_distributions(x, log_likelihood, loc, scale_tril, noise):
    prior = Independent(Normal(torch.zeros_like(loc), torch.ones_like(loc)), 1)
    q = MultivariateNormal(loc, covariance_matrix=scale_tril @ scale_tril.mT)
    z = loc + (scale_tril @ noise.unsqueeze(-1)).squeeze(-1)
    log_weights = log_likelihood(x, z) + prior.log_prob(z) - q.log_prob(z)
    largest = log_weights.amax(0)
    return largest + (log_weights - largest).exp().mean(0).log()


@IMPORTANCE_LOG_MARGINAL.variant
def draw_by_draw(x, log_likelihood, loc, scale_tril, noise):
    parts = [weights_of(x, log_likelihood, loc, scale_tril, one[None]) for one in noise]
    return average(torch.cat(parts))


@IMPORTANCE_LOG_MARGINAL.variant
def point_by_point(x, log_likelihood, loc, scale_tril, noise):
    values = []
    for n in range(len(x)):
        one = slice(n, n + 1)
        log_weights = weights_of(x[one], log_likelihood, loc[one], scale_tril[one], noise[:, one])
        values.append(scipy.special.logsumexp(log_weights[:, 0].numpy()) - math.log(len(noise)))
    return torch.tensor(values, dtype=torch.float64)


@IMPORTANCE_LOG_MARGINAL.variant
def with_rows_times_the_transpose(x, log_likelihood, loc, scale_tril, noise):
    z = loc + (noise[:, :, None, :] @ scale_tril.mT)[:, :, 0]
    log_prior = (-0.5 * z**2 - 0.5 * LOG_2PI).sum(dim=2)
    u = torch.linalg.solve_triangular(scale_tril, (z - loc)[..., None], upper=False)[..., 0]
    log_q = log_standard_normal(u) - torch.linalg.slogdet(scale_tril).logabsdet
    total = log_likelihood(x, z) + log_prior - log_q
    return torch.logsumexp(total - math.log(len(total)), dim=0)


@IMPORTANCE_LOG_MARGINAL.variant
def in_single_precision(x, log_likelihood, loc, scale_tril, noise):
    return reference(x, log_likelihood, loc.float(), scale_tril.float(), noise.float())
