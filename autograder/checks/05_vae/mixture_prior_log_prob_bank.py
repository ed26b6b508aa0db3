"""Wrong and right answers to `mixture_prior_log_prob`."""

import math

import torch
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
)

from .mixture_prior_log_prob import MIXTURE_PRIOR_LOG_PROB, reference


def inside(z, loc, log_scale):
    """Log-densities of all coordinates under all components, (…, K, M)."""
    u = (z[..., None, :] - loc) * (-log_scale).exp()
    return -(0.5 * u.square() + log_scale + 0.5 * math.log(2 * math.pi))


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "You built a product of one-dimensional mixtures: each coordinate chooses its own component, "
    "so there is mass at places that no component covers. Sum over the coordinates first, then mix."
)
def product_of_mixtures(z, logits, loc, log_scale):
    table = inside(z, loc, log_scale) + logits.log_softmax(0)[:, None]
    return table.logsumexp(-2).sum(-1)


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "The logits are used as log weights. They do not sum to one: take `log_softmax` of them."
)
def logits_as_log_weights(z, logits, loc, log_scale):
    return (inside(z, loc, log_scale).sum(-1) + logits).logsumexp(-1)


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "You added the weights where their logarithms belong: `log_softmax`, not `softmax`."
)
def weights_without_logarithm(z, logits, loc, log_scale):
    return (inside(z, loc, log_scale).sum(-1) + logits.softmax(0)).logsumexp(-1)


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "The weights are missing: your components are added as they are and not averaged."
)
def no_weights(z, logits, loc, log_scale):
    return inside(z, loc, log_scale).sum(-1).logsumexp(-1)


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "All your components have the same weight. The logits say how much each of them holds."
)
def equal_weights(z, logits, loc, log_scale):
    return inside(z, loc, log_scale).sum(-1).logsumexp(-1) - math.log(len(loc))


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "You average the log-densities of the components. Average the densities: `logsumexp`."
)
def mean_of_logarithms(z, logits, loc, log_scale):
    return (inside(z, loc, log_scale).sum(-1) * logits.softmax(0)).sum(-1)


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "You took `log_scale` for the logarithm of the variance. It is log σ."
)
def taken_for_log_variance(z, logits, loc, log_scale):
    return reference(z, logits, loc, 0.5 * log_scale)


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "You divide by σ in the square and have no −log σ: the density does not integrate to one."
)
def no_normaliser(z, logits, loc, log_scale):
    table = inside(z, loc, log_scale) + log_scale
    return (table.sum(-1) + logits.log_softmax(0)).logsumexp(-1)


@MIXTURE_PRIOR_LOG_PROB.misconception("The constant −½ log 2π of each coordinate is missing.")
def no_constant(z, logits, loc, log_scale):
    return reference(z, logits, loc, log_scale) + 0.5 * loc.shape[1] * math.log(2 * math.pi)


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "You have one −½ log 2π in all. Each of the M coordinates has one."
)
def one_constant(z, logits, loc, log_scale):
    return reference(z, logits, loc, log_scale) + 0.5 * (loc.shape[1] - 1) * math.log(2 * math.pi)


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "The deviation is not divided by σ: the widths enter only by −log σ."
)
def not_scaled(z, logits, loc, log_scale):
    u = z[..., None, :] - loc
    table = -(0.5 * u.square() + log_scale + 0.5 * math.log(2 * math.pi))
    return (table.sum(-1) + logits.log_softmax(0)).logsumexp(-1)


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "You average over the coordinates. Their log-densities add up: `sum`, not `mean`."
)
def mean_over_coordinates(z, logits, loc, log_scale):
    return (inside(z, loc, log_scale).mean(-1) + logits.log_softmax(0)).logsumexp(-1)


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "You kept the best component only. All of them add to the density: `logsumexp`, not `max`."
)
def best_component(z, logits, loc, log_scale):
    return (inside(z, loc, log_scale).sum(-1) + logits.log_softmax(0)).amax(-1)


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "You replaced the mixture by one Gaussian with its mean and its average variance: it has its "
    "peak where no component is."
)
def one_gaussian(z, logits, loc, log_scale):
    weights = logits.softmax(0)[:, None]
    mean = (weights * loc).sum(0)
    var = (weights * ((2 * log_scale).exp() + (loc - mean) ** 2)).sum(0)
    return Normal(mean, var.sqrt()).log_prob(z).sum(-1)


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "You ignore the parameters: that is the standard normal prior, which does not learn."
)
def standard_normal(z, logits, loc, log_scale):
    return Normal(0.0, 1.0).log_prob(z).sum(-1) + 0 * logits.sum() + 0 * (loc + log_scale).sum()


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "You return the density. Return its logarithm, from `logsumexp`."
)
def density(z, logits, loc, log_scale):
    return reference(z, logits, loc, log_scale).exp()


@MIXTURE_PRIOR_LOG_PROB.misconception("You return the negative log-density. Drop the minus sign.")
def negative(z, logits, loc, log_scale):
    return -reference(z, logits, loc, log_scale)


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "You sum over the points. Return one number for each of them."
)
def summed_over_points(z, logits, loc, log_scale):
    return reference(z, logits, loc, log_scale).sum()


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "The value is right, and nothing can be learnt: `detach`, `no_grad` or `.item()` cuts the "
    "gradient."
)
def no_gradient(z, logits, loc, log_scale):
    return reference(z, logits, loc, log_scale).detach()


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "The value is right, and the logits do not learn: they get no gradient."
)
def logits_cut(z, logits, loc, log_scale):
    return reference(z, logits.detach(), loc, log_scale)


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "You exponentiate the log-densities as they are. Far from all components they underflow: use "
    "`torch.logsumexp`."
)
def underflows(z, logits, loc, log_scale):
    return (inside(z, loc, log_scale).sum(-1).exp() * logits.softmax(0)).sum(-1).log()


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "You take the exponential of the logits as they are. It overflows: use `log_softmax`."
)
def logits_overflow(z, logits, loc, log_scale):
    weights = logits.exp() / logits.exp().sum()
    return (inside(z, loc, log_scale).sum(-1) + weights.log()).logsumexp(-1)


@MIXTURE_PRIOR_LOG_PROB.variant
def by_distributions(z, logits, loc, log_scale):
    components = Independent(Normal(loc, log_scale.exp()), 1)
    return MixtureSameFamily(Categorical(logits=logits), components).log_prob(z)


@MIXTURE_PRIOR_LOG_PROB.variant
def component_by_component(z, logits, loc, log_scale):
    log_weights = logits - logits.logsumexp(0)
    found = [
        log_weights[k] + Normal(loc[k], log_scale[k].exp()).log_prob(z).sum(-1)
        for k in range(len(logits))
    ]
    return torch.logsumexp(torch.stack(found), dim=0)


@MIXTURE_PRIOR_LOG_PROB.variant
def by_full_covariance(z, logits, loc, log_scale):
    tril = torch.diag_embed(log_scale.exp())
    components = MultivariateNormal(loc, scale_tril=tril)
    return torch.logsumexp(logits.log_softmax(0) + components.log_prob(z[..., None, :]), -1)


@MIXTURE_PRIOR_LOG_PROB.variant
def with_a_shift_by_hand(z, logits, loc, log_scale):
    table = inside(z, loc, log_scale).sum(-1) + torch.log_softmax(logits, dim=-1)
    largest = table.amax(-1, keepdim=True).detach()
    return (table - largest).exp().sum(-1).log() + largest[..., 0]
