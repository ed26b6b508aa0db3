"""Wrong and right answers to `exact_log_marginal`."""

import math

import numpy as np
import scipy.stats
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal

from ._gaussian import LOG_2PI, Model, log_standard_normal
from .exact_log_marginal import EXACT_LOG_MARGINAL, reference


def _eye(x: Tensor) -> Tensor:
    return torch.eye(x.shape[1], dtype=x.dtype)


def _parts(x: Tensor, weight: Tensor, bias: Tensor, scale: float) -> tuple[Tensor, Tensor, float]:
    """Squared distance (N,), log-determinant (), and D log 2π."""
    covariance = weight @ weight.T + scale**2 * _eye(x)
    centred = x - bias
    distance = (centred * torch.linalg.solve(covariance, centred.T).T).sum(-1)
    return distance, torch.logdet(covariance), x.shape[1] * LOG_2PI


def _normal(x: Tensor, bias: Tensor, covariance: Tensor) -> Tensor:
    return MultivariateNormal(bias, covariance_matrix=covariance, validate_args=False).log_prob(x)


def _nearly_exact(calls) -> bool:
    """Within a nat of the truth in the first answers, and nowhere equal to it."""
    first = [call for call in calls if call.error is None][:3]
    errors = torch.cat([call.value.double() - reference(*call.args) for call in first])
    return len(first) == 3 and bool((errors.abs() > 1e-6).all() and (errors.median().abs() < 0.5))


@EXACT_LOG_MARGINAL.misconception(
    "You use the density of x for z = 0. z is not known: the covariance of x grows by W Wᵀ when z "
    "is integrated out."
)
def likelihood_at_zero(x, weight, bias, scale):
    return Normal(bias, scale).log_prob(x).sum(-1)


@EXACT_LOG_MARGINAL.misconception(
    "You use σ where the variance belongs: the noise adds σ² to the diagonal of the covariance."
)
def scale_not_squared(x, weight, bias, scale):
    return _normal(x, bias, weight @ weight.T + scale * _eye(x))


@EXACT_LOG_MARGINAL.misconception(
    "The noise is missing: W Wᵀ alone has rank M, so x could not leave an M-dimensional plane. "
    "Add σ² I."
)
def no_noise(x, weight, bias, scale):
    return _normal(x, bias, weight @ weight.T)


@EXACT_LOG_MARGINAL.misconception(
    "You add a tiny number to the diagonal to make W Wᵀ positive definite. What belongs there is "
    "the noise, σ²."
)
def jitter_for_noise(x, weight, bias, scale):
    return _normal(x, bias, weight @ weight.T + 1e-4 * _eye(x))


@EXACT_LOG_MARGINAL.misconception(
    "You multiplied Wᵀ W, an M by M matrix. x has D values, so its covariance is W Wᵀ."
)
def gram_matrix(x, weight, bias, scale):
    covariance = weight.T @ weight + scale**2 * torch.eye(weight.shape[1], dtype=x.dtype)
    return _normal(x, bias, covariance)


@EXACT_LOG_MARGINAL.misconception(
    "The noise is scaled twice: σ² multiplies W Wᵀ as well. The covariance is W Wᵀ + σ² I."
)
def noise_scales_the_weights(x, weight, bias, scale):
    return _normal(x, bias, scale**2 * (weight @ weight.T + _eye(x)))


@EXACT_LOG_MARGINAL.misconception(
    "You divide W Wᵀ by σ². That belongs to the posterior's precision; the covariance of x is W Wᵀ "
    "+ σ² I."
)
def weights_over_noise(x, weight, bias, scale):
    return _normal(x, bias, weight @ weight.T / scale**2 + _eye(x))


@EXACT_LOG_MARGINAL.misconception(
    "You add the prior's identity on top of the noise: (1 + σ²) on the diagonal. The prior's "
    "variance enters through W Wᵀ only."
)
def prior_added_to_noise(x, weight, bias, scale):
    return _normal(x, bias, weight @ weight.T + (1 + scale**2) * _eye(x))


@EXACT_LOG_MARGINAL.misconception("The bias is missing. The mean of x is b.")
def no_bias(x, weight, bias, scale):
    return reference(x, weight, 0 * bias, scale)


@EXACT_LOG_MARGINAL.misconception("You add the bias to x. The distance from the mean is x − b.")
def bias_added(x, weight, bias, scale):
    return reference(x, weight, -bias, scale)


@EXACT_LOG_MARGINAL.misconception(
    "You keep the variances and drop the covariances. All values of x share the same z, so they "
    "are correlated."
)
def independent_values(x, weight, bias, scale):
    variance = weight.square().sum(-1) + scale**2
    return Normal(bias, variance.sqrt()).log_prob(x).sum(-1)


@EXACT_LOG_MARGINAL.misconception(
    "You passed the covariance as a Cholesky factor. Write `covariance_matrix=` or take "
    "`torch.linalg.cholesky` first."
)
def covariance_as_factor(x, weight, bias, scale):
    covariance = weight @ weight.T + scale**2 * _eye(x)
    return MultivariateNormal(bias, scale_tril=covariance, validate_args=False).log_prob(x)


@EXACT_LOG_MARGINAL.misconception(
    "You passed the covariance as a precision matrix. Write `covariance_matrix=`."
)
def covariance_as_precision(x, weight, bias, scale):
    return _normal(x, bias, torch.linalg.inv(weight @ weight.T + scale**2 * _eye(x)))


@EXACT_LOG_MARGINAL.misconception(
    "The squared distance uses Σ where Σ⁻¹ belongs: solve with the covariance, do not multiply."
)
def covariance_not_inverted(x, weight, bias, scale):
    _, log_det, constant = _parts(x, weight, bias, scale)
    covariance, centred = weight @ weight.T + scale**2 * _eye(x), x - bias
    return -0.5 * ((centred @ covariance * centred).sum(-1) + log_det + constant)


@EXACT_LOG_MARGINAL.misconception("The ½ before the squared distance is missing.")
def distance_not_halved(x, weight, bias, scale):
    distance, log_det, constant = _parts(x, weight, bias, scale)
    return -distance - 0.5 * (log_det + constant)


@EXACT_LOG_MARGINAL.misconception(
    "The ½ before the logarithm of the determinant is missing: the density divides by its root."
)
def determinant_not_halved(x, weight, bias, scale):
    distance, log_det, constant = _parts(x, weight, bias, scale)
    return -0.5 * (distance + constant) - log_det


@EXACT_LOG_MARGINAL.misconception(
    "The log determinant is halved twice: the diagonal of a Cholesky factor multiplies "
    "to the root of the determinant, so the ½ is in it already."
)
def determinant_halved_twice(x, weight, bias, scale):
    distance, log_det, constant = _parts(x, weight, bias, scale)
    return -0.5 * (distance + constant) - 0.25 * log_det


@EXACT_LOG_MARGINAL.misconception(
    "The determinant enters with the wrong sign: a wider density is lower."
)
def determinant_added(x, weight, bias, scale):
    distance, log_det, constant = _parts(x, weight, bias, scale)
    return -0.5 * (distance - log_det + constant)


@EXACT_LOG_MARGINAL.misconception("The determinant is missing, so the density has no unit area.")
def no_determinant(x, weight, bias, scale):
    distance, _, constant = _parts(x, weight, bias, scale)
    return -0.5 * (distance + constant)


@EXACT_LOG_MARGINAL.misconception("The constant −(D/2) log 2π is missing.")
def no_constant(x, weight, bias, scale):
    distance, log_det, _ = _parts(x, weight, bias, scale)
    return -0.5 * (distance + log_det)


@EXACT_LOG_MARGINAL.misconception(
    "You count the constant ½ log 2π once. It belongs to each of the D values of x."
)
def constant_once(x, weight, bias, scale):
    distance, log_det, _ = _parts(x, weight, bias, scale)
    return -0.5 * (distance + log_det + LOG_2PI)


@EXACT_LOG_MARGINAL.misconception(
    "You count the constant ½ log 2π M times, once for each hidden value. x has D values."
)
def constant_for_latents(x, weight, bias, scale):
    distance, log_det, _ = _parts(x, weight, bias, scale)
    return -0.5 * (distance + log_det + weight.shape[1] * LOG_2PI)


@EXACT_LOG_MARGINAL.misconception("The ½ before D log 2π is missing.")
def constant_not_halved(x, weight, bias, scale):
    distance, log_det, constant = _parts(x, weight, bias, scale)
    return -0.5 * (distance + log_det) - constant


@EXACT_LOG_MARGINAL.misconception(
    "You compute the determinant first and its logarithm then. In hundreds of dimensions the "
    "determinant underflows to zero: use a Cholesky factor or `torch.logdet`."
)
def log_of_determinant(x, weight, bias, scale):
    distance, _, constant = _parts(x, weight, bias, scale)
    covariance = weight @ weight.T + scale**2 * _eye(x)
    return -0.5 * (distance + torch.linalg.det(covariance).log() + constant)


@EXACT_LOG_MARGINAL.misconception(
    "You add noise of your own to the diagonal, or keep σ from becoming small. The covariance is "
    "exactly W Wᵀ + σ² I."
)
def floor_under_the_noise(x, weight, bias, scale):
    return reference(x, weight, bias, max(scale, 0.3))


@EXACT_LOG_MARGINAL.misconception("You returned the density. Its logarithm was asked for.")
def density(x, weight, bias, scale):
    return reference(x, weight, bias, scale).exp()


@EXACT_LOG_MARGINAL.misconception(
    "You summed over the points. Each point keeps its own log-density."
)
def sum_over_points(x, weight, bias, scale):
    return reference(x, weight, bias, scale).sum()


@EXACT_LOG_MARGINAL.misconception(
    "You divide by the number of values. Nats for each value are another quantity: return log p(x)."
)
def mean_over_values(x, weight, bias, scale):
    return reference(x, weight, bias, scale) / x.shape[1]


@EXACT_LOG_MARGINAL.misconception(
    "You put in the most probable z. log p(x, ẑ) is the height of the joint density at one z; the "
    "evidence is its integral over all of them."
)
def joint_at_the_best_latent(x, weight, bias, scale):
    model = Model(weight, bias, scale)
    best = model.posterior(x)[0][None]
    return model.log_joint(x, best)[0]


@EXACT_LOG_MARGINAL.misconception(
    "You put in the posterior mean of z, as if z were known. log p(x | ẑ) is far too high: it does "
    "not pay for having chosen ẑ."
)
def likelihood_at_the_best_latent(x, weight, bias, scale):
    model = Model(weight, bias, scale)
    best = model.posterior(x)[0][None]
    return model.log_likelihood(x, best)[0]


@EXACT_LOG_MARGINAL.misconception(
    "You average log p(x | z) over the posterior and stop: the reconstruction term of a bound. The "
    "KL from the prior is missing."
)
def reconstruction_only(x, weight, bias, scale):
    model = Model(weight, bias, scale)
    loc, factor = model.posterior(x)
    spread = (weight @ factor).square().sum() / (2 * scale**2)
    return model.log_likelihood(x, loc[None])[0] - spread


@EXACT_LOG_MARGINAL.misconception(
    "Your numbers are close and not equal. If you estimate the integral with random draws: it has "
    "a closed form, for x is a normal vector. If you add a little to the covariance: add nothing.",
    sign=_nearly_exact,
)
def estimated(x, weight, bias, scale):
    z = torch.randn(2000, 1, weight.shape[1], dtype=x.dtype)
    values = Model(weight, bias, scale).log_likelihood(x, z)
    return torch.logsumexp(values, 0) - math.log(2000)


@EXACT_LOG_MARGINAL.variant
def with_a_full_covariance(x, weight, bias, scale):
    return _normal(x, bias, weight @ weight.T + scale**2 * _eye(x))


@EXACT_LOG_MARGINAL.variant
def by_cholesky(x, weight, bias, scale):
    factor = torch.linalg.cholesky(weight @ weight.T + scale**2 * _eye(x))
    white = torch.linalg.solve_triangular(factor, (x - bias).T, upper=False)
    log_det = factor.diagonal().log().sum()
    return -0.5 * white.square().sum(0) - log_det - 0.5 * x.shape[1] * LOG_2PI


@EXACT_LOG_MARGINAL.variant
def by_the_woodbury_identity(x, weight, bias, scale):
    dim, latent_dim = weight.shape
    inner = scale**2 * torch.eye(latent_dim, dtype=x.dtype) + weight.T @ weight
    centred = x - bias
    projected = centred @ weight
    explained = (projected * torch.linalg.solve(inner, projected.T).T).sum(-1)
    distance = (centred.square().sum(-1) - explained) / scale**2
    log_det = torch.logdet(inner) + (dim - latent_dim) * 2 * math.log(scale)
    return -0.5 * (distance + log_det + dim * LOG_2PI)


@EXACT_LOG_MARGINAL.variant
def by_eigenvectors(x, weight, bias, scale):
    values, vectors = torch.linalg.eigh(weight @ weight.T + scale**2 * _eye(x))
    return Normal(0.0, values.sqrt()).log_prob((x - bias) @ vectors).sum(-1)


@EXACT_LOG_MARGINAL.variant
def by_bayes_rule(x, weight, bias, scale):
    # log p(x) = log p(x, z) − log p(z | x) at any z, here at z = 0
    model = Model(weight, bias, scale)
    loc, factor = model.posterior(x)
    zero = torch.zeros(1, len(x), weight.shape[1], dtype=x.dtype)
    log_posterior = MultivariateNormal(loc, scale_tril=factor).log_prob(zero[0])
    return model.log_likelihood(x, zero)[0] + log_standard_normal(zero)[0] - log_posterior


@EXACT_LOG_MARGINAL.variant
def point_by_point_with_scipy(x, weight, bias, scale):
    covariance = (weight @ weight.T).numpy() + scale**2 * np.eye(len(bias))
    normal = scipy.stats.multivariate_normal(bias.numpy(), covariance)
    return torch.tensor([normal.logpdf(point) for point in x.numpy()])


@EXACT_LOG_MARGINAL.variant
def in_single_precision(x, weight, bias, scale):
    return reference(x.float(), weight.float(), bias.float(), scale)
