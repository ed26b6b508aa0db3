"""Wrong answers to `importance_log_marginal`."""

import math

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal

from ._gaussian import LOG_2PI, log_standard_normal
from .importance_log_marginal import IMPORTANCE_LOG_MARGINAL


def place(loc: Tensor, scale_tril: Tensor, noise: Tensor) -> Tensor:
    """z = μ + L ε, (S, N, M)."""
    return loc + torch.einsum("nij,snj->sni", scale_tril, noise)


def log_q_of(loc: Tensor, scale_tril: Tensor, z: Tensor) -> Tensor:
    return MultivariateNormal(loc, scale_tril=scale_tril, validate_args=False).log_prob(z)


def terms(x, log_likelihood, loc, scale_tril, noise) -> tuple[Tensor, Tensor, Tensor]:
    """log p(x | z), log p(z) and log q(z), each (S, N)."""
    z = place(loc, scale_tril, noise)
    return log_likelihood(x, z), log_standard_normal(z), log_q_of(loc, scale_tril, z)


def average(log_weights: Tensor) -> Tensor:
    return log_weights.logsumexp(0) - math.log(len(log_weights))


def weights_of(x, log_likelihood, loc, scale_tril, noise) -> Tensor:
    likelihood, prior, q = terms(x, log_likelihood, loc, scale_tril, noise)
    return likelihood + prior - q


def _log_det(scale_tril: Tensor) -> Tensor:
    return scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "The prior is missing in the weight: w = p(x | z) p(z) / q(z). With the posterior as q every "
    "weight must be p(x)."
)
def no_prior(x, log_likelihood, loc, scale_tril, noise):
    likelihood, _, q = terms(x, log_likelihood, loc, scale_tril, noise)
    return average(likelihood - q)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "The prior counts twice. `log_likelihood` is log p(x | z): add log p(z) once."
)
def prior_twice(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, q = terms(x, log_likelihood, loc, scale_tril, noise)
    return average(likelihood + 2 * prior - q)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You multiply by q where you must divide: a place that q visits often has a small weight. "
    "Subtract log q."
)
def multiplied_by_q(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, q = terms(x, log_likelihood, loc, scale_tril, noise)
    return average(likelihood + prior + q)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "Your weights are upside down: q(z) / p(x, z). The weight is p(x, z) / q(z)."
)
def weights_inverted(x, log_likelihood, loc, scale_tril, noise):
    return average(-weights_of(x, log_likelihood, loc, scale_tril, noise))


@IMPORTANCE_LOG_MARGINAL.misconception(
    "Prior and proposal are exchanged in the weight: it is p(x | z) p(z) / q(z), not p(x | z) q(z) "
    "/ p(z)."
)
def prior_and_proposal_exchanged(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, q = terms(x, log_likelihood, loc, scale_tril, noise)
    return average(likelihood - prior + q)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You draw from q and average the likelihood as if the draws came from the prior. Each draw "
    "needs the weight p(z) / q(z)."
)
def unweighted(x, log_likelihood, loc, scale_tril, noise):
    likelihood, _, _ = terms(x, log_likelihood, loc, scale_tril, noise)
    return average(likelihood)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You average the joint density over the draws and do not divide by q(z)."
)
def proposal_missing(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, _ = terms(x, log_likelihood, loc, scale_tril, noise)
    return average(likelihood + prior)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You average the log weights. That is the evidence lower bound of unit 03, not an estimate of "
    "log p(x): the mean goes inside the logarithm."
)
def mean_of_log_weights(x, log_likelihood, loc, scale_tril, noise):
    return weights_of(x, log_likelihood, loc, scale_tril, noise).mean(0)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You sum the weights and do not divide by S, so the answer grows with the number of draws."
)
def sum_of_weights(x, log_likelihood, loc, scale_tril, noise):
    return weights_of(x, log_likelihood, loc, scale_tril, noise).logsumexp(0)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You keep the largest weight only. The estimate is the average of all weights."
)
def largest_weight(x, log_likelihood, loc, scale_tril, noise):
    return weights_of(x, log_likelihood, loc, scale_tril, noise).amax(0)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You normalise the weights and average the log-likelihood with them. Normalised weights have "
    "lost p(x): the plain average of the raw weights is the estimate."
)
def self_normalised(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, q = terms(x, log_likelihood, loc, scale_tril, noise)
    return ((likelihood + prior - q).softmax(0) * likelihood).sum(0)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You normalise p(z) / q(z) to sum to one over the draws. The estimate divides by S, not by the "
    "sum of these ratios; only then it is unbiased."
)
def ratios_normalised(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, q = terms(x, log_likelihood, loc, scale_tril, noise)
    return ((prior - q).log_softmax(0) + likelihood).logsumexp(0)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "The determinant of L is missing in q: you used the density of ε. z = μ + L ε is spread out "
    "by L, so subtract the sum of the logarithms of its diagonal."
)
def density_of_the_noise(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, _ = terms(x, log_likelihood, loc, scale_tril, noise)
    return average(likelihood + prior - log_standard_normal(noise))


@IMPORTANCE_LOG_MARGINAL.misconception(
    "The determinant of L enters q with the wrong sign: a wider q has a lower density."
)
def determinant_sign(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, q = terms(x, log_likelihood, loc, scale_tril, noise)
    return average(likelihood + prior - q - 2 * _log_det(scale_tril))


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You halve the logarithm of the determinant of L. Half belongs to the covariance: log |L| = ½ "
    "log |L Lᵀ|."
)
def determinant_halved(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, q = terms(x, log_likelihood, loc, scale_tril, noise)
    return average(likelihood + prior - q - 0.5 * _log_det(scale_tril))


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You count the logarithm of the determinant of L twice: log |L|, not log |L Lᵀ|."
)
def determinant_doubled(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, q = terms(x, log_likelihood, loc, scale_tril, noise)
    return average(likelihood + prior - q + _log_det(scale_tril))


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You use the diagonal of L in the density of q and all of L in the draws. Both must be the "
    "same Gaussian."
)
def diagonal_density(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, _ = terms(x, log_likelihood, loc, scale_tril, noise)
    z, diagonal = place(loc, scale_tril, noise), scale_tril.diagonal(dim1=-2, dim2=-1)
    return average(likelihood + prior - Normal(loc, diagonal).log_prob(z).sum(-1))


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You use the diagonal of L only, for the draws and for q. The hidden values are correlated: z "
    "= μ + L ε with the whole matrix."
)
def diagonal_proposal(x, log_likelihood, loc, scale_tril, noise):
    diagonal = torch.diag_embed(scale_tril.diagonal(dim1=-2, dim2=-1))
    return average(weights_of(x, log_likelihood, loc, diagonal, noise))


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You multiply the noise by Lᵀ: `noise @ scale_tril` is a row times L. Turn the noise into a "
    "column, or multiply by the transpose."
)
def factor_transposed(x, log_likelihood, loc, scale_tril, noise):
    z = loc + torch.einsum("nji,snj->sni", scale_tril, noise)
    log_weights = log_likelihood(x, z) + log_standard_normal(z) - log_q_of(loc, scale_tril, z)
    return average(log_weights)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You multiply the noise by Lᵀ and take its density as that of ε, so both differ from the "
    "given q. Turn the noise into a column: L ε."
)
def factor_transposed_throughout(x, log_likelihood, loc, scale_tril, noise):
    z = loc + torch.einsum("nji,snj->sni", scale_tril, noise)
    log_q = log_standard_normal(noise) - _log_det(scale_tril)
    return average(log_likelihood(x, z) + log_standard_normal(z) - log_q)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You multiply the noise by the covariance L Lᵀ. Its factor L is what spreads it: z = μ + L ε."
)
def covariance_for_factor(x, log_likelihood, loc, scale_tril, noise):
    z = place(loc, scale_tril @ scale_tril.mT, noise)
    log_weights = log_likelihood(x, z) + log_standard_normal(z) - log_q_of(loc, scale_tril, z)
    return average(log_weights)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You pass L where the covariance belongs: q would have the covariance L. Write `scale_tril=`."
)
def factor_as_covariance(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, _ = terms(x, log_likelihood, loc, scale_tril, noise)
    z = place(loc, scale_tril, noise)
    q = MultivariateNormal(loc, covariance_matrix=scale_tril, validate_args=False)
    return average(likelihood + prior - q.log_prob(z))


@IMPORTANCE_LOG_MARGINAL.misconception(
    "The factor L is not used in the draws: z = μ + ε. It must be z = μ + L ε."
)
def noise_not_scaled(x, log_likelihood, loc, scale_tril, noise):
    z = loc + noise
    log_weights = log_likelihood(x, z) + log_standard_normal(z) - log_q_of(loc, scale_tril, z)
    return average(log_weights)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "The mean of q is missing in the draws: z = L ε. It must be z = μ + L ε."
)
def mean_missing(x, log_likelihood, loc, scale_tril, noise):
    z = place(loc, scale_tril, noise) - loc
    log_weights = log_likelihood(x, z) + log_standard_normal(z) - log_q_of(loc, scale_tril, z)
    return average(log_weights)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You use the noise as z. It comes from the prior; the draws of q are μ + L ε."
)
def noise_as_draws(x, log_likelihood, loc, scale_tril, noise):
    prior, q = log_standard_normal(noise), log_q_of(loc, scale_tril, noise)
    return average(log_likelihood(x, noise) + prior - q)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You ignore the proposal: this is naive Monte Carlo with draws from the prior."
)
def proposal_ignored(x, log_likelihood, loc, scale_tril, noise):
    return average(log_likelihood(x, noise))


@IMPORTANCE_LOG_MARGINAL.misconception(
    "You evaluate the prior at ε. It is the density of the draw itself: log p(z)."
)
def prior_of_the_noise(x, log_likelihood, loc, scale_tril, noise):
    likelihood, _, q = terms(x, log_likelihood, loc, scale_tril, noise)
    return average(likelihood + log_standard_normal(noise) - q)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "The constant (M/2) log 2π is missing in the prior, while q has it. Either both have it or "
    "none."
)
def prior_without_constant(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, q = terms(x, log_likelihood, loc, scale_tril, noise)
    return average(likelihood + prior + noise.shape[-1] * LOG_2PI / 2 - q)


@IMPORTANCE_LOG_MARGINAL.misconception(
    "The constant (M/2) log 2π is missing in q, while the prior has it. Either both have it or "
    "none."
)
def proposal_without_constant(x, log_likelihood, loc, scale_tril, noise):
    likelihood, prior, q = terms(x, log_likelihood, loc, scale_tril, noise)
    return average(likelihood + prior - q - noise.shape[-1] * LOG_2PI / 2)
