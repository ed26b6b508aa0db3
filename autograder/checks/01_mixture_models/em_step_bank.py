"""Wrong and right answers to `em_step`."""

import numpy as np
import scipy.special
import scipy.stats
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from course_lib import mixture

from ._parameters import log_density, log_joint
from .em_step import EM_STEP, m_step, reference, scatter


def _resp(x: Tensor, weights: Tensor, loc: Tensor, covariance: Tensor) -> Tensor:
    return torch.softmax(log_joint(x, weights, loc, covariance), 1)


@EM_STEP.misconception(
    "The covariance is taken around the old means. The M step uses the new ones: update `loc` "
    "first, then measure the spread around it."
)
def old_means_in_covariance(x, weights, loc, covariance):
    resp = _resp(x, weights, loc, covariance)
    new_weights, new_loc, _ = m_step(x, resp)
    return new_weights, new_loc, scatter(x, resp, loc) / resp.sum(0)[:, None, None]


@EM_STEP.misconception(
    "You divide the covariance by the number of points. Component k holds only N_k of them: "
    "divide by N_k."
)
def covariance_divided_by_all_points(x, weights, loc, covariance):
    weights, loc, covariance = reference(x, weights, loc, covariance)
    return weights, loc, covariance * weights[:, None, None]


@EM_STEP.misconception(
    "The covariance is a weighted sum, not a weighted average: divide it by N_k."
)
def covariance_not_divided(x, weights, loc, covariance):
    weights, loc, covariance = reference(x, weights, loc, covariance)
    return weights, loc, covariance * weights[:, None, None] * len(x)


@EM_STEP.misconception(
    "You divide the covariance by N_k − 1. EM maximises the likelihood, and its maximum has N_k: "
    "the unbiased estimate is less likely."
)
def covariance_divided_by_one_less(x, weights, loc, covariance):
    weights, loc, covariance = reference(x, weights, loc, covariance)
    counts = (weights * len(x))[:, None, None]
    return weights, loc, covariance * counts / (counts - 1)


@EM_STEP.misconception("The weights come back as they were. Each becomes the fraction N_k / N.")
def weights_not_updated(x, weights, loc, covariance):
    return weights, *reference(x, weights, loc, covariance)[1:]


@EM_STEP.misconception(
    "Your weights are the counts N_k. They must sum to one: divide them by the number of points."
)
def weights_are_counts(x, weights, loc, covariance):
    weights, loc, covariance = reference(x, weights, loc, covariance)
    return weights * len(x), loc, covariance


@EM_STEP.misconception("Your new weights are all equal. Each should be the fraction N_k / N.")
def equal_weights(x, weights, loc, covariance):
    return torch.full_like(weights, 1 / len(weights)), *reference(x, weights, loc, covariance)[1:]


@EM_STEP.misconception(
    "The old weights play no part in your responsibilities. A rare component explains a point "
    "less often: add `weights.log()` to the log-densities."
)
def responsibilities_without_weights(x, weights, loc, covariance):
    return m_step(x, torch.softmax(log_density(x, loc, covariance), 1))


@EM_STEP.misconception(
    "You add the weights to the log-densities, or take their softmax, as if they were logits. "
    "They are probabilities: it is their logarithm that belongs there."
)
def weights_without_logarithm(x, weights, loc, covariance):
    return m_step(x, torch.softmax(weights + log_density(x, loc, covariance), 1))


@EM_STEP.misconception(
    "The responsibilities are normalised over the points. Each point shares itself among the "
    "components: every row sums to one, so normalise over `dim=1`."
)
def normalised_over_points(x, weights, loc, covariance):
    return m_step(x, torch.softmax(log_joint(x, weights, loc, covariance), 0))


@EM_STEP.misconception(
    "Your responsibilities are not normalised: divide the joint density of each component by "
    "their sum."
)
def not_normalised(x, weights, loc, covariance):
    return m_step(x, log_joint(x, weights, loc, covariance).exp())


@EM_STEP.misconception(
    "You give each point wholly to its most probable component. That is k-means; EM counts a "
    "point for every component, by its responsibility."
)
def hard_assignment(x, weights, loc, covariance):
    best = log_joint(x, weights, loc, covariance).argmax(1)
    return m_step(x, torch.nn.functional.one_hot(best, len(weights)).to(x.dtype))


@EM_STEP.misconception(
    "Only the diagonal of each covariance is left. Keep the whole matrix: the outer product of "
    "the centred point with itself."
)
def diagonal_only(x, weights, loc, covariance):
    weights, loc, covariance = reference(x, weights, loc, covariance)
    return weights, loc, covariance.diagonal(dim1=1, dim2=2).diag_embed()


@EM_STEP.misconception(
    "All components got the same covariance. Each has its own, from its own responsibilities."
)
def tied_covariance(x, weights, loc, covariance):
    weights, loc, covariance = reference(x, weights, loc, covariance)
    return weights, loc, torch.einsum("k,kde->de", weights, covariance).expand_as(covariance)


@EM_STEP.misconception(
    "Your covariances are multiples of the identity: the spread is averaged over the coordinates. "
    "Keep the whole matrix."
)
def isotropic_covariance(x, weights, loc, covariance):
    weights, loc, covariance = reference(x, weights, loc, covariance)
    mean_variance = covariance.diagonal(dim1=1, dim2=2).mean(1)
    return weights, loc, mean_variance[:, None, None] * torch.eye(x.shape[1], dtype=x.dtype)


@EM_STEP.misconception(
    "The outer products are averaged without the responsibilities, so points of the other "
    "components count in full. Weight each by r_nk."
)
def unweighted_covariance(x, weights, loc, covariance):
    weights, loc, covariance = reference(x, weights, loc, covariance)
    return weights, loc, scatter(x, torch.ones(len(x), len(loc), dtype=x.dtype), loc) / len(x)


@EM_STEP.misconception(
    "The responsibilities enter the covariance squared: both factors of the outer product carry "
    "them. Weight one of the two."
)
def responsibilities_squared_in_covariance(x, weights, loc, covariance):
    resp = _resp(x, weights, loc, covariance)
    weights, loc, covariance = m_step(x, resp)
    return weights, loc, scatter(x, resp**2, loc) / resp.sum(0)[:, None, None]


@EM_STEP.misconception(
    "You return the Cholesky factor of each covariance. The covariance itself was asked for."
)
def cholesky_factor_returned(x, weights, loc, covariance):
    weights, loc, covariance = reference(x, weights, loc, covariance)
    return weights, loc, torch.linalg.cholesky(covariance)


@EM_STEP.misconception(
    "The means come back as they were. Each becomes the weighted mean of the points."
)
def means_not_updated(x, weights, loc, covariance):
    resp = _resp(x, weights, loc, covariance)
    return resp.mean(0), loc, scatter(x, resp, loc) / resp.sum(0)[:, None, None]


@EM_STEP.misconception("The covariances come back as they were. The M step updates them too.")
def covariance_not_updated(x, weights, loc, covariance):
    return *reference(x, weights, loc, covariance)[:2], covariance


@EM_STEP.misconception(
    "You divide the sum of the means by the number of points. Component k holds N_k of them: "
    "divide by N_k."
)
def means_divided_by_all_points(x, weights, loc, covariance):
    resp = _resp(x, weights, loc, covariance)
    loc = resp.T @ x / len(x)
    return resp.mean(0), loc, scatter(x, resp, loc) / resp.sum(0)[:, None, None]


@EM_STEP.misconception(
    "The densities underflow to zero for points far away, and zero over zero is NaN. Stay with "
    "logarithms: take the softmax of the log-densities plus log weights."
)
def densities_underflow(x, weights, loc, covariance):
    joint = log_joint(x, weights, loc, covariance).exp()
    return m_step(x, joint / joint.sum(1, keepdim=True))


@EM_STEP.misconception(
    "A small number in the denominator hides the underflow: a point far away then belongs to "
    "nobody. Take the softmax of the logarithms instead."
)
def epsilon_in_denominator(x, weights, loc, covariance):
    joint = log_joint(x, weights, loc, covariance).exp()
    return m_step(x, joint / (joint.sum(1, keepdim=True) + 1e-12))


@EM_STEP.misconception(
    "Something was added to the diagonal of the covariances. A plain EM step has no such floor; "
    "it biases every fit, and keeping a fit from collapsing is a later exercise."
)
def floor_added(x, weights, loc, covariance):
    weights, loc, covariance = reference(x, weights, loc, covariance)
    return weights, loc, covariance + 1e-3 * torch.eye(x.shape[1], dtype=x.dtype)


@EM_STEP.misconception(
    "You use the covariance as if it were its Cholesky factor (or its standard deviations) in the "
    "density. Take the factor first, or use `covariance_matrix=`."
)
def covariance_as_scale(x, weights, loc, covariance):
    return reference(x, weights, loc, covariance @ covariance)


@EM_STEP.misconception(
    "The determinants are missing from your log-densities. A wide component is lower everywhere: "
    "subtract half its log-determinant."
)
def no_determinant(x, weights, loc, covariance):
    log_scale = torch.linalg.slogdet(covariance).logabsdet / 2
    return m_step(x, torch.softmax(log_joint(x, weights, loc, covariance) + log_scale, 1))


@EM_STEP.misconception(
    "The log-determinant is not halved in your log-densities: it is ½ log|Σ|, the logarithm of |L|."
)
def determinant_not_halved(x, weights, loc, covariance):
    log_scale = torch.linalg.slogdet(covariance).logabsdet / 2
    return m_step(x, torch.softmax(log_joint(x, weights, loc, covariance) - log_scale, 1))


@EM_STEP.misconception(
    "You compute the responsibilities again between two updates of one step. The M step uses one "
    "set of responsibilities, from the old parameters, for all three."
)
def responsibilities_recomputed(x, weights, loc, covariance):
    new_weights, new_loc, _ = reference(x, weights, loc, covariance)
    resp = _resp(x, new_weights, new_loc, covariance)
    return new_weights, new_loc, scatter(x, resp, new_loc) / resp.sum(0)[:, None, None]


@EM_STEP.misconception("You make two steps at once. One E step and one M step were asked for.")
def two_steps(x, weights, loc, covariance):
    return reference(x, *reference(x, weights, loc, covariance))


@EM_STEP.misconception("The parameters come back unchanged.")
def nothing_updated(x, weights, loc, covariance):
    return weights, loc, covariance


@EM_STEP.misconception(
    "The components come back in another order. Component k of the result must continue component "
    "k of the arguments."
)
def components_sorted(x, weights, loc, covariance):
    weights, loc, covariance = reference(x, weights, loc, covariance)
    order = weights.argsort(descending=True)
    return weights[order], loc[order], covariance[order]


@EM_STEP.misconception(
    "The mean was not subtracted: your matrix holds second moments, not covariances."
)
def second_moment_returned(x, weights, loc, covariance):
    weights, loc, covariance = reference(x, weights, loc, covariance)
    return weights, loc, covariance + loc[:, :, None] * loc[:, None, :]


@EM_STEP.variant
def loop_over_components(x, weights, loc, covariance):
    columns = [
        weights[k].log() + MultivariateNormal(loc[k], covariance[k]).log_prob(x)
        for k in range(len(weights))
    ]
    resp = torch.softmax(torch.stack(columns, dim=1), dim=1)
    counts = resp.sum(dim=0)
    new_loc = (resp.T @ x) / counts.unsqueeze(1)
    new_covariance = torch.zeros_like(covariance)
    for k in range(len(weights)):
        centred = x - new_loc[k]
        new_covariance[k] = (resp[:, k, None] * centred).T @ centred / counts[k]
    return counts / len(x), new_loc, new_covariance


@EM_STEP.variant
def moments_form_as_list(x, weights, loc, covariance):
    resp = _resp(x, weights, loc, covariance)
    counts = resp.sum(0)
    loc = resp.T @ x / counts[:, None]
    second = torch.einsum("nk,nd,ne->kde", resp, x, x) / counts[:, None, None]
    return [counts / counts.sum(), loc, second - loc[:, :, None] * loc[:, None, :]]


@EM_STEP.variant
def in_single_precision(x, weights, loc, covariance):
    return reference(x.float(), weights.float(), loc.float(), covariance.float())


@EM_STEP.variant
def with_numpy(x, weights, loc, covariance):
    x, weights, loc, covariance = (a.numpy() for a in (x, weights, loc, covariance))
    columns = [
        np.log(w) + np.reshape(scipy.stats.multivariate_normal(m, c).logpdf(x), -1)
        for w, m, c in zip(weights, loc, covariance, strict=True)
    ]
    log_joint = np.stack(columns, 1)
    resp = np.exp(log_joint - scipy.special.logsumexp(log_joint, axis=1, keepdims=True))
    counts = resp.sum(0)
    loc = resp.T @ x / counts[:, None]
    covariance = [np.cov(x.T, aweights=r, ddof=0).reshape(x.shape[1], -1) for r in resp.T]
    return counts / len(x), loc, np.stack(covariance)


@EM_STEP.variant
def inverse_and_determinant(x, weights, loc, covariance):
    centred = x[:, None, :] - loc
    distance = torch.einsum("nkd,kde,nke->nk", centred, torch.linalg.inv(covariance), centred)
    resp = torch.softmax(
        weights.log() - 0.5 * distance - 0.5 * torch.linalg.det(covariance).log(), 1
    )
    return m_step(x, resp)


@EM_STEP.variant
def course_library(x, weights, loc, covariance):
    start = mixture.MixtureParams(weights=weights, loc=loc, covariance=covariance)
    step = mixture.em_step(x, start)
    return step.weights, step.loc, step.covariance


@EM_STEP.variant
def tiny_number_against_division_by_zero(x, weights, loc, covariance):
    resp = _resp(x, weights, loc, covariance)
    counts = resp.sum(0) + 1e-10
    loc = resp.T @ x / counts[:, None]
    return counts / len(x), loc, scatter(x, resp, loc) / counts[:, None, None]
