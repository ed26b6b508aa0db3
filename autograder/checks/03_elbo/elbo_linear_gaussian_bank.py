"""Wrong and right answers to `elbo_linear_gaussian`."""

import math

import torch
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from .elbo_linear_gaussian import ELBO_LINEAR_GAUSSIAN, bound, prior_kl, reconstruction


def residual_sq(x, weight, bias, scale, loc, scale_tril):
    return (x - loc @ weight.T - bias).square().sum(-1)


def spread(weight, factor):
    """tr(W A Aᵀ Wᵀ)."""
    return (weight @ factor).square().sum((-2, -1))


def log_diagonal(scale_tril):
    return scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def diagonal_of(scale_tril):
    return scale_tril.diagonal(dim1=-2, dim2=-1)


@ELBO_LINEAR_GAUSSIAN.misconception(
    "You evaluate the likelihood at the mean of q only. z scatters, which costs tr(W Σ Wᵀ) / (2σ²)."
)
def likelihood_at_the_mean(x, weight, bias, scale, loc, scale_tril):
    missing = 0.5 * spread(weight, scale_tril) / scale**2
    return bound(x, weight, bias, scale, loc, scale_tril) + missing


@ELBO_LINEAR_GAUSSIAN.misconception(
    "The scatter of z counts without the decoder: it is tr(W Σ Wᵀ), not tr Σ."
)
def spread_without_decoder(x, weight, bias, scale, loc, scale_tril):
    difference = spread(weight, scale_tril) - scale_tril.square().sum((-2, -1))
    return bound(x, weight, bias, scale, loc, scale_tril) + 0.5 * difference / scale**2


@ELBO_LINEAR_GAUSSIAN.misconception(
    "The scatter of the decoded z helps in your answer. A scattering z misses x more: its trace "
    "is subtracted like the squared residual."
)
def spread_added(x, weight, bias, scale, loc, scale_tril):
    both = spread(weight, scale_tril) / scale**2
    return bound(x, weight, bias, scale, loc, scale_tril) + both


@ELBO_LINEAR_GAUSSIAN.misconception(
    "You added the divergence. The bound is the reconstruction minus KL(q‖p(z))."
)
def kl_added(x, weight, bias, scale, loc, scale_tril):
    return bound(x, weight, bias, scale, loc, scale_tril) + 2 * prior_kl(loc, scale_tril)


@ELBO_LINEAR_GAUSSIAN.misconception(
    "The divergence from the prior is missing: the reconstruction alone is not the bound."
)
def kl_missing(x, weight, bias, scale, loc, scale_tril):
    return reconstruction(x, weight, bias, scale, loc, scale_tril)


@ELBO_LINEAR_GAUSSIAN.misconception(
    "You used KL(p‖q). The bound has KL(q‖p): the mean is taken under q."
)
def kl_reversed(x, weight, bias, scale, loc, scale_tril):
    inverse = torch.linalg.inv(scale_tril)
    pull = (inverse @ loc[..., None]).square().sum((-2, -1))
    trace = inverse.square().sum((-2, -1))
    reverse = 0.5 * (trace + pull - loc.shape[-1]) + log_diagonal(scale_tril)
    return reconstruction(x, weight, bias, scale, loc, scale_tril) - reverse


@ELBO_LINEAR_GAUSSIAN.misconception(
    "You believe the bound is tight and return log p(x). It lies below it by KL(q‖p(z | x)), since "
    "q is not the posterior."
)
def believed_tight(x, weight, bias, scale, loc, scale_tril):
    identity = torch.eye(len(bias), dtype=x.dtype)
    covariance = weight @ weight.T + scale**2 * identity
    return MultivariateNormal(bias, covariance).log_prob(x)


@ELBO_LINEAR_GAUSSIAN.misconception(
    "You read `scale` as the variance. It is σ: the residual is divided by 2σ², and the log term "
    "is D log σ."
)
def scale_as_variance(x, weight, bias, scale, loc, scale_tril):
    return bound(x, weight, bias, math.sqrt(scale), loc, scale_tril)


@ELBO_LINEAR_GAUSSIAN.misconception("You divide the squared error by 2σ and not by 2σ².")
def error_over_scale(x, weight, bias, scale, loc, scale_tril):
    total = residual_sq(x, weight, bias, scale, loc, scale_tril) + spread(weight, scale_tril)
    right = bound(x, weight, bias, scale, loc, scale_tril)
    return right + 0.5 * total / scale**2 - 0.5 * total / scale


@ELBO_LINEAR_GAUSSIAN.misconception(
    "The term −D log σ is missing, so a noisier model looks better."
)
def log_scale_missing(x, weight, bias, scale, loc, scale_tril):
    return bound(x, weight, bias, scale, loc, scale_tril) + x.shape[-1] * math.log(scale)


@ELBO_LINEAR_GAUSSIAN.misconception(
    "log σ counts once. There are D values, each with its own −log σ."
)
def log_scale_once(x, weight, bias, scale, loc, scale_tril):
    return bound(x, weight, bias, scale, loc, scale_tril) + (x.shape[-1] - 1) * math.log(scale)


@ELBO_LINEAR_GAUSSIAN.misconception(
    "You subtract D log σ² without the half: (D/2) log σ² is D log σ."
)
def log_scale_twice(x, weight, bias, scale, loc, scale_tril):
    return bound(x, weight, bias, scale, loc, scale_tril) - x.shape[-1] * math.log(scale)


@ELBO_LINEAR_GAUSSIAN.misconception("The constant −(D/2) log 2π of the likelihood is missing.")
def no_constant(x, weight, bias, scale, loc, scale_tril):
    constant = 0.5 * x.shape[-1] * math.log(2 * math.pi)
    return bound(x, weight, bias, scale, loc, scale_tril) + constant


@ELBO_LINEAR_GAUSSIAN.misconception(
    "The reconstruction is a plain mean squared error. A Gaussian likelihood divides by 2σ² and "
    "carries −D log σ − (D/2) log 2π."
)
def plain_squared_error(x, weight, bias, scale, loc, scale_tril):
    total = residual_sq(x, weight, bias, scale, loc, scale_tril) + spread(weight, scale_tril)
    return -total / x.shape[-1] - prior_kl(loc, scale_tril)


@ELBO_LINEAR_GAUSSIAN.misconception("The ½ in front of the squared error is missing.")
def half_missing(x, weight, bias, scale, loc, scale_tril):
    total = residual_sq(x, weight, bias, scale, loc, scale_tril) + spread(weight, scale_tril)
    return bound(x, weight, bias, scale, loc, scale_tril) - 0.5 * total / scale**2


@ELBO_LINEAR_GAUSSIAN.misconception("The bias is missing: z is decoded to W z + b.")
def bias_missing(x, weight, bias, scale, loc, scale_tril):
    return bound(x, weight, torch.zeros_like(bias), scale, loc, scale_tril)


@ELBO_LINEAR_GAUSSIAN.misconception(
    "You read `scale_tril` as the covariance. It is its factor: Σ = L Lᵀ."
)
def factor_as_covariance(x, weight, bias, scale, loc, scale_tril):
    right = bound(x, weight, bias, scale, loc, scale_tril)
    of_l = torch.einsum("dm,nml,dl->n", weight, scale_tril, weight)
    right = right + 0.5 * (spread(weight, scale_tril) - of_l) / scale**2
    trace = diagonal_of(scale_tril).sum(-1) - scale_tril.square().sum((-2, -1))
    return right - 0.5 * trace - 0.5 * log_diagonal(scale_tril)


@ELBO_LINEAR_GAUSSIAN.misconception(
    "You use the diagonal of L only. q is tilted: the entries below the diagonal scatter z too."
)
def diagonal_only(x, weight, bias, scale, loc, scale_tril):
    return bound(x, weight, bias, scale, loc, diagonal_of(scale_tril).diag_embed())


@ELBO_LINEAR_GAUSSIAN.misconception(
    "You multiply the factor from the wrong side: the covariance is L Lᵀ, not Lᵀ L."
)
def factor_transposed(x, weight, bias, scale, loc, scale_tril):
    return bound(x, weight, bias, scale, loc, scale_tril.mT)


@ELBO_LINEAR_GAUSSIAN.misconception(
    "You halve the sum of log L_mm. It is ½ log det Σ already, because Σ = L Lᵀ."
)
def log_det_halved(x, weight, bias, scale, loc, scale_tril):
    return bound(x, weight, bias, scale, loc, scale_tril) - 0.5 * log_diagonal(scale_tril)


@ELBO_LINEAR_GAUSSIAN.misconception(
    "Your log determinant counts twice: ½ log det Σ is Σ log L_mm, once."
)
def log_det_doubled(x, weight, bias, scale, loc, scale_tril):
    return bound(x, weight, bias, scale, loc, scale_tril) + log_diagonal(scale_tril)


@ELBO_LINEAR_GAUSSIAN.misconception(
    "The log determinant is missing in the divergence, so q may shrink to a point for free."
)
def log_det_missing(x, weight, bias, scale, loc, scale_tril):
    return bound(x, weight, bias, scale, loc, scale_tril) - log_diagonal(scale_tril)


@ELBO_LINEAR_GAUSSIAN.misconception(
    "The log determinant has the wrong sign: a narrow q has a large divergence from the prior."
)
def log_det_reversed(x, weight, bias, scale, loc, scale_tril):
    return bound(x, weight, bias, scale, loc, scale_tril) - 2 * log_diagonal(scale_tril)


@ELBO_LINEAR_GAUSSIAN.misconception("The trace of Σ is missing in the divergence from the prior.")
def trace_missing(x, weight, bias, scale, loc, scale_tril):
    trace = scale_tril.square().sum((-2, -1))
    return bound(x, weight, bias, scale, loc, scale_tril) + 0.5 * trace


@ELBO_LINEAR_GAUSSIAN.misconception(
    "The squared length of the mean is missing in the divergence from the prior."
)
def mean_missing(x, weight, bias, scale, loc, scale_tril):
    return bound(x, weight, bias, scale, loc, scale_tril) + 0.5 * loc.square().sum(-1)


@ELBO_LINEAR_GAUSSIAN.misconception(
    "The −M in the divergence is missing: it must vanish when q is the prior."
)
def latent_dim_missing(x, weight, bias, scale, loc, scale_tril):
    return bound(x, weight, bias, scale, loc, scale_tril) - 0.5 * loc.shape[-1]


@ELBO_LINEAR_GAUSSIAN.misconception(
    "You added the entropy to the reconstruction and forgot the prior: E_q[log p(z)] is missing."
)
def prior_missing(x, weight, bias, scale, loc, scale_tril):
    entropy = MultivariateNormal(loc, scale_tril=scale_tril).entropy()
    return reconstruction(x, weight, bias, scale, loc, scale_tril) + entropy


@ELBO_LINEAR_GAUSSIAN.misconception(
    "The entropy of q is missing: E_q[log p(x, z)] alone is not the bound."
)
def entropy_missing(x, weight, bias, scale, loc, scale_tril):
    entropy = MultivariateNormal(loc, scale_tril=scale_tril).entropy()
    return bound(x, weight, bias, scale, loc, scale_tril) - entropy


@ELBO_LINEAR_GAUSSIAN.misconception(
    "You return the negative bound. That is a loss; the ELBO itself lies below log p(x)."
)
def negative(x, weight, bias, scale, loc, scale_tril):
    return -bound(x, weight, bias, scale, loc, scale_tril)


@ELBO_LINEAR_GAUSSIAN.misconception("You summed over the points. Every point has its own bound.")
def summed_over_points(x, weight, bias, scale, loc, scale_tril):
    return bound(x, weight, bias, scale, loc, scale_tril).sum()


@ELBO_LINEAR_GAUSSIAN.misconception("You averaged over the points. Every point has its own bound.")
def averaged_over_points(x, weight, bias, scale, loc, scale_tril):
    return bound(x, weight, bias, scale, loc, scale_tril).mean()


@ELBO_LINEAR_GAUSSIAN.misconception(
    "The divergence is summed over the whole batch. Each point pays its own."
)
def kl_summed_over_batch(x, weight, bias, scale, loc, scale_tril):
    rec = reconstruction(x, weight, bias, scale, loc, scale_tril)
    return rec - prior_kl(loc, scale_tril).sum()


@ELBO_LINEAR_GAUSSIAN.misconception(
    "The reconstruction is summed over the whole batch. Each point keeps its own."
)
def reconstruction_summed_over_batch(x, weight, bias, scale, loc, scale_tril):
    rec = reconstruction(x, weight, bias, scale, loc, scale_tril)
    return rec.sum() - prior_kl(loc, scale_tril)


@ELBO_LINEAR_GAUSSIAN.misconception(
    "The log-likelihood is averaged over the D values. It is their sum; a mean weighs the "
    "divergence D times too much."
)
def mean_over_values(x, weight, bias, scale, loc, scale_tril):
    rec = reconstruction(x, weight, bias, scale, loc, scale_tril) / x.shape[-1]
    return rec - prior_kl(loc, scale_tril)


@ELBO_LINEAR_GAUSSIAN.variant
def joint_plus_entropy(x, weight, bias, scale, loc, scale_tril):
    entropy = MultivariateNormal(loc, scale_tril=scale_tril).entropy()
    at_the_mean = Independent(Normal(loc @ weight.T + bias, scale), 1).log_prob(x)
    covariance = scale_tril @ scale_tril.mT
    precision = weight.T @ weight / scale**2 + torch.eye(loc.shape[-1], dtype=loc.dtype)
    prior = Independent(Normal(torch.zeros_like(loc), 1.0), 1).log_prob(loc)
    return at_the_mean + prior - 0.5 * (precision * covariance).sum((-2, -1)) + entropy


@ELBO_LINEAR_GAUSSIAN.variant
def with_torch_divergence(x, weight, bias, scale, loc, scale_tril):
    prior = MultivariateNormal(torch.zeros_like(loc), torch.eye(loc.shape[-1], dtype=loc.dtype))
    divergence = kl_divergence(MultivariateNormal(loc, scale_tril=scale_tril), prior)
    covariance = weight @ (scale_tril @ scale_tril.mT) @ weight.T
    variance = covariance.diagonal(dim1=-2, dim2=-1)
    rec = Normal(loc @ weight.T + bias, scale).log_prob(x) - 0.5 * variance / scale**2
    return rec.sum(-1) - divergence


@ELBO_LINEAR_GAUSSIAN.variant
def evidence_minus_gap(x, weight, bias, scale, loc, scale_tril):
    identity = torch.eye(loc.shape[-1], dtype=x.dtype)
    precision = identity + weight.T @ weight / scale**2
    mean = torch.linalg.solve(precision, weight.T @ (x - bias).T / scale**2).T
    posterior = MultivariateNormal(mean, precision_matrix=precision)
    q = MultivariateNormal(loc, scale_tril=scale_tril)
    likelihood = Normal(mean @ weight.T + bias, scale).log_prob(x).sum(-1)
    prior = Normal(torch.zeros_like(mean), 1.0).log_prob(mean).sum(-1)
    evidence = likelihood + prior - posterior.log_prob(mean)
    return evidence - kl_divergence(q, posterior)


@ELBO_LINEAR_GAUSSIAN.variant
def point_by_point(x, weight, bias, scale, loc, scale_tril):
    values = []
    for row, mean, factor in zip(x, loc, scale_tril, strict=True):
        covariance = factor @ factor.T
        error = (row - weight @ mean - bias).square().sum()
        error = error + torch.trace(weight @ covariance @ weight.T)
        rec = -0.5 * error / scale**2 - 0.5 * len(row) * math.log(2 * math.pi * scale**2)
        kl = torch.trace(covariance) + mean @ mean - len(mean) - torch.logdet(covariance)
        values.append(rec - 0.5 * kl)
    return torch.stack(values)


@ELBO_LINEAR_GAUSSIAN.variant
def by_sigma_points(x, weight, bias, scale, loc, scale_tril):
    # a quadratic has the same mean under these 2M points as under the Gaussian
    steps = scale_tril.mT * math.sqrt(loc.shape[-1])
    points = torch.cat((loc[:, None] + steps, loc[:, None] - steps), dim=1)
    log_likelihood = Normal(points @ weight.T + bias, scale).log_prob(x[:, None]).sum(-1)
    log_prior = Normal(torch.zeros_like(points), 1.0).log_prob(points).sum(-1)
    entropy = MultivariateNormal(loc, scale_tril=scale_tril).entropy()
    return (log_likelihood + log_prior).mean(1) + entropy
