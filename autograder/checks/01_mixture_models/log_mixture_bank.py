"""Wrong and right answers to `log_mixture`."""

import math

import numpy as np
import scipy.special
import scipy.stats
import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from course_lib import mixture

from .log_mixture import LOG_MIXTURE

LOG_2PI = math.log(2 * math.pi)


def _per_coordinate(x: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    """log N(x_nd | μ_kd, σ_kd), shape (N, K, D)."""
    return Normal(loc, log_scale.exp()).log_prob(x[:, None])


def _log_components(x: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    return _per_coordinate(x, loc, log_scale).sum(-1)


def _log_joint(x: Tensor, logits: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    return logits.log_softmax(0) + _log_components(x, loc, log_scale)


@LOG_MIXTURE.misconception(
    "You used the logits without normalising them. They are any real numbers: the weights are "
    "their softmax, so use `log_softmax`."
)
def logits_not_normalised(x, logits, loc, log_scale):
    return torch.logsumexp(logits + _log_components(x, loc, log_scale), 1)


@LOG_MIXTURE.misconception(
    "You exponentiate the logits before you normalise them. With large logits this overflows, "
    "with very negative ones it gives 0/0: let `log_softmax` do both steps."
)
def naive_softmax(x, logits, loc, log_scale):
    weights = logits.exp() / logits.exp().sum()
    return torch.logsumexp(weights.log() + _log_components(x, loc, log_scale), 1)


@LOG_MIXTURE.misconception(
    "You divided the logits by their sum. That gives no probabilities: the weights are the "
    "softmax of the logits."
)
def logits_divided_by_sum(x, logits, loc, log_scale):
    weights = logits / logits.sum()
    return torch.logsumexp(weights.log() + _log_components(x, loc, log_scale), 1)


@LOG_MIXTURE.misconception(
    "You took each weight as the sigmoid of its logit. Sigmoids do not sum to one: the components "
    "exclude each other, so use the softmax."
)
def sigmoid_weights(x, logits, loc, log_scale):
    weights = torch.nn.functional.logsigmoid(logits)
    return torch.logsumexp(weights + _log_components(x, loc, log_scale), 1)


@LOG_MIXTURE.misconception(
    "You add π_k to the log-density of component k. A product of π_k and a density becomes a sum "
    "of logarithms: add log π_k."
)
def weights_added(x, logits, loc, log_scale):
    return torch.logsumexp(logits.softmax(0) + _log_components(x, loc, log_scale), 1)


@LOG_MIXTURE.misconception(
    "You multiply the log-density of component k by π_k before the log-sum-exp. That raises the "
    "density to a power: add log π_k instead."
)
def weights_as_powers(x, logits, loc, log_scale):
    return torch.logsumexp(logits.softmax(0) * _log_components(x, loc, log_scale), 1)


@LOG_MIXTURE.misconception(
    "You averaged the log-densities, Σ π_k log N. The logarithm goes outside: log Σ π_k N. By "
    "Jensen's inequality yours is never above the right value."
)
def average_of_logarithms(x, logits, loc, log_scale):
    return (logits.softmax(0) * _log_components(x, loc, log_scale)).sum(1)


@LOG_MIXTURE.misconception(
    "You added up the logarithms of the terms. That is the logarithm of their product; the "
    "components are summed: log-sum-exp."
)
def sum_of_logarithms(x, logits, loc, log_scale):
    return _log_joint(x, logits, loc, log_scale).sum(1)


@LOG_MIXTURE.misconception(
    "The weights are missing: you added the densities as they are, and the result integrates to K."
)
def no_weights(x, logits, loc, log_scale):
    return torch.logsumexp(_log_components(x, loc, log_scale), 1)


@LOG_MIXTURE.misconception(
    "Every component has the same weight 1/K in your answer: the logits are ignored."
)
def equal_weights(x, logits, loc, log_scale):
    return no_weights(x, logits, loc, log_scale) - math.log(len(logits))


@LOG_MIXTURE.misconception(
    "You divide by K on top of the weights. The weights sum to one already: take the sum over the "
    "components, not their mean."
)
def mean_over_components(x, logits, loc, log_scale):
    return torch.logsumexp(_log_joint(x, logits, loc, log_scale), 1) - math.log(len(logits))


@LOG_MIXTURE.misconception(
    "The weights enter twice, as π². Add log π once for each point, not for each coordinate."
)
def weights_twice(x, logits, loc, log_scale):
    joint = _log_joint(x, logits, loc, log_scale)
    return torch.logsumexp(logits.log_softmax(0) + joint, 1)


@LOG_MIXTURE.misconception(
    "You kept the largest component only. Where components overlap, the others count as well: "
    "log-sum-exp instead of max."
)
def largest_component(x, logits, loc, log_scale):
    return _log_joint(x, logits, loc, log_scale).amax(1)


@LOG_MIXTURE.misconception(
    "You took the density of the component with the largest weight only. A point can come from "
    "any component."
)
def heaviest_component(x, logits, loc, log_scale):
    return _log_components(x, loc, log_scale)[:, logits.argmax()]


@LOG_MIXTURE.misconception(
    "You mixed the parameters and not the densities: one Gaussian with the average mean and σ. A "
    "mixture keeps its components apart and adds their densities."
)
def average_of_parameters(x, logits, loc, log_scale):
    weights = logits.softmax(0)
    return mixture.log_gaussian(x, weights @ loc, (weights @ log_scale.exp()).log())


@LOG_MIXTURE.misconception(
    "You mixed every coordinate on its own and then combined the coordinates. That puts mass "
    "where no component is, at (μ₁x, μ₂y). All coordinates of a point come from one component: "
    "sum over D first, mix afterwards."
)
def mixture_of_each_coordinate(x, logits, loc, log_scale):
    per_coordinate = _per_coordinate(x, loc, log_scale)
    return torch.logsumexp(logits.log_softmax(0)[:, None] + per_coordinate, 1).sum(-1)


@LOG_MIXTURE.misconception(
    "You kept one value for each coordinate. Sum the log-densities over the coordinates inside "
    "each component, then mix."
)
def no_sum_over_coordinates(x, logits, loc, log_scale):
    per_coordinate = _per_coordinate(x, loc, log_scale)
    return torch.logsumexp(logits.log_softmax(0)[:, None] + per_coordinate, 1)


@LOG_MIXTURE.misconception(
    "You averaged over the coordinates. Independent coordinates multiply, so their logarithms add "
    "up."
)
def mean_over_coordinates(x, logits, loc, log_scale):
    log_components = _per_coordinate(x, loc, log_scale).mean(-1)
    return torch.logsumexp(logits.log_softmax(0) + log_components, 1)


@LOG_MIXTURE.misconception(
    "You read `log_scale` as the logarithm of the variance. It is log σ: the variance is `exp(2 * "
    "log_scale)`."
)
def log_scale_as_log_variance(x, logits, loc, log_scale):
    return mixture.log_mixture(x, logits, loc, log_scale / 2)


@LOG_MIXTURE.misconception(
    "The term −log σ is missing, so narrow components count too little and wide ones too much."
)
def no_log_scale_term(x, logits, loc, log_scale):
    joint = _log_joint(x, logits, loc, log_scale)
    return torch.logsumexp(joint + log_scale.sum(-1), 1)


@LOG_MIXTURE.misconception(
    "The constant −(D/2) log 2π is missing, so the density does not integrate to one."
)
def no_constant(x, logits, loc, log_scale):
    return mixture.log_mixture(x, logits, loc, log_scale) + x.shape[1] * LOG_2PI / 2


@LOG_MIXTURE.misconception(
    "You reduced the axis of the points. Each point keeps its own value: reduce the axis of the "
    "components."
)
def reduced_over_points(x, logits, loc, log_scale):
    return torch.logsumexp(_log_joint(x, logits, loc, log_scale), 0)


@LOG_MIXTURE.misconception(
    "You summed over the points as well. Each point keeps its own log-density."
)
def sum_over_points(x, logits, loc, log_scale):
    return mixture.log_mixture(x, logits, loc, log_scale).sum()


@LOG_MIXTURE.misconception(
    "You returned one value for each component. Add the components up, in the density: "
    "log-sum-exp over them."
)
def not_reduced(x, logits, loc, log_scale):
    return _log_joint(x, logits, loc, log_scale)


@LOG_MIXTURE.misconception(
    "You normalised each row and have the log-responsibilities. The density of the point is the "
    "normaliser itself: `logsumexp`, not `log_softmax`, over the components."
)
def log_responsibilities(x, logits, loc, log_scale):
    return torch.log_softmax(_log_joint(x, logits, loc, log_scale), 1)


@LOG_MIXTURE.misconception("You returned the density. Its logarithm was asked for.")
def density(x, logits, loc, log_scale):
    return mixture.log_mixture(x, logits, loc, log_scale).exp()


@LOG_MIXTURE.misconception(
    "You add up densities and take the logarithm of the sum. Far out every density underflows to "
    "zero and the logarithm is −∞: use `torch.logsumexp` on the logarithms."
)
def log_of_density(x, logits, loc, log_scale):
    return _log_joint(x, logits, loc, log_scale).exp().sum(1).log()


@LOG_MIXTURE.misconception(
    "A small number inside the logarithm hides the underflow: every point far out gets the same "
    "log-density. Use `torch.logsumexp` on the logarithms."
)
def log_of_density_plus_epsilon(x, logits, loc, log_scale):
    return (mixture.log_mixture(x, logits, loc, log_scale).exp() + 1e-12).log()


@LOG_MIXTURE.misconception(
    "You take out one maximum for the whole table. A point far out then still underflows: every "
    "row needs its own maximum, as `torch.logsumexp` does it."
)
def one_maximum_for_all_points(x, logits, loc, log_scale):
    joint = _log_joint(x, logits, loc, log_scale)
    return (joint - joint.max()).exp().sum(1).log() + joint.max()


@LOG_MIXTURE.variant
def by_distributions(x, logits, loc, log_scale):
    components = Independent(Normal(loc, log_scale.exp()), 1)
    return MixtureSameFamily(Categorical(logits=logits), components).log_prob(x)


@LOG_MIXTURE.variant
def by_softmax_and_logarithm(x, logits, loc, log_scale):
    log_weights = torch.log(torch.softmax(logits, dim=0))
    return torch.logsumexp(log_weights + _log_components(x, loc, log_scale), dim=1)


@LOG_MIXTURE.variant
def normalised_at_the_end(x, logits, loc, log_scale):
    joint = logits + _log_components(x, loc, log_scale)
    return torch.logsumexp(joint, 1) - torch.logsumexp(logits, 0)


@LOG_MIXTURE.variant
def with_a_running_sum(x, logits, loc, log_scale):
    total = torch.full((len(x),), -torch.inf, dtype=x.dtype)
    for k, log_weight in enumerate(torch.log_softmax(logits, 0)):
        total = torch.logaddexp(total, log_weight + mixture.log_gaussian(x, loc[k], log_scale[k]))
    return total


@LOG_MIXTURE.variant
def with_the_largest_taken_out(x, logits, loc, log_scale):
    joint = _log_joint(x, logits, loc, log_scale)
    largest = joint.max(dim=1, keepdim=True).values
    return (joint - largest).exp().sum(1).log() + largest[:, 0]


@LOG_MIXTURE.variant
def in_single_precision(x, logits, loc, log_scale):
    return by_distributions(x.float(), logits.float(), loc.float(), log_scale.float())


@LOG_MIXTURE.variant
def with_numpy(x, logits, loc, log_scale):
    x, loc, scale = x.numpy(), loc.numpy(), np.exp(log_scale.numpy())
    log_components = scipy.stats.norm.logpdf(x[:, None], loc, scale).sum(2)
    return scipy.special.logsumexp(
        scipy.special.log_softmax(logits.numpy()) + log_components, axis=1
    )
