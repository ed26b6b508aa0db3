"""Wrong and right answers to `kl_gap`."""

import torch
from torch.distributions import MultivariateNormal, kl_divergence

from .elbo_linear_gaussian import bound
from .kl_gap import KL_GAP, distance, divergence, exact_posterior


def log_det_q(scale_tril):
    """½ log det Σ of q."""
    return scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def evidence(x, weight, bias, scale):
    covariance = weight @ weight.T + scale**2 * torch.eye(len(bias), dtype=x.dtype)
    return MultivariateNormal(bias, covariance).log_prob(x)


@KL_GAP.misconception(
    "That is the divergence from the prior. The gap is the divergence from the posterior p(z | x)."
)
def from_the_prior(x, weight, bias, scale, loc, scale_tril):
    identity = torch.eye(loc.shape[-1], dtype=x.dtype)
    return divergence(loc, scale_tril, torch.zeros_like(loc), identity)


@KL_GAP.misconception(
    "You computed KL(p(z | x)‖q). The gap has q first: the mean is taken under q."
)
def reversed_direction(x, weight, bias, scale, loc, scale_tril):
    mean, precision = exact_posterior(x, weight, bias, scale)
    posterior = MultivariateNormal(mean, precision_matrix=precision)
    return kl_divergence(posterior, MultivariateNormal(loc, scale_tril=scale_tril))


@KL_GAP.misconception(
    "Your gap is negative. log p(x) is the larger: evidence minus bound, not the reverse."
)
def negative(x, weight, bias, scale, loc, scale_tril):
    return -distance(x, weight, bias, scale, loc, scale_tril)


@KL_GAP.misconception(
    "You believe that the bound is tight. It is, only if q is the posterior; here it is not."
)
def believed_tight(x, weight, bias, scale, loc, scale_tril):
    return torch.zeros(len(x), dtype=x.dtype)


@KL_GAP.misconception("You returned log p(x) without subtracting the bound.")
def evidence_itself(x, weight, bias, scale, loc, scale_tril):
    return evidence(x, weight, bias, scale)


@KL_GAP.misconception("You returned the bound itself. The gap is what it lacks to log p(x).")
def bound_itself(x, weight, bias, scale, loc, scale_tril):
    return bound(x, weight, bias, scale, loc, scale_tril)


@KL_GAP.misconception("You added evidence and bound. The gap is their difference.")
def evidence_plus_bound(x, weight, bias, scale, loc, scale_tril):
    total = bound(x, weight, bias, scale, loc, scale_tril)
    return evidence(x, weight, bias, scale) + total


@KL_GAP.misconception(
    "The prior is missing in the posterior's precision: it is I + Wᵀ W/σ², not Wᵀ W/σ² alone."
)
def precision_without_prior(x, weight, bias, scale, loc, scale_tril):
    mean, _ = exact_posterior(x, weight, bias, scale)
    # a tiny multiple of I, so that a dead decoder gives a number too
    floor = 1e-9 * torch.eye(loc.shape[-1], dtype=x.dtype)
    return divergence(loc, scale_tril, mean, weight.T @ weight / scale**2 + floor)


@KL_GAP.misconception("The noise is missing in the posterior's precision: it is I + Wᵀ W/σ².")
def precision_without_noise(x, weight, bias, scale, loc, scale_tril):
    mean, _ = exact_posterior(x, weight, bias, scale)
    identity = torch.eye(loc.shape[-1], dtype=x.dtype)
    return divergence(loc, scale_tril, mean, identity + weight.T @ weight)


@KL_GAP.misconception(
    "You divide by σ where the variance σ² belongs: Λ = I + Wᵀ W/σ², and Wᵀ(x − b)/σ²."
)
def scale_as_variance(x, weight, bias, scale, loc, scale_tril):
    return distance(x, weight, bias, scale**0.5, loc, scale_tril)


@KL_GAP.misconception("You use the posterior's precision as if it were its covariance: invert it.")
def precision_as_covariance(x, weight, bias, scale, loc, scale_tril):
    mean, precision = exact_posterior(x, weight, bias, scale)
    return divergence(loc, scale_tril, mean, torch.linalg.inv(precision))


@KL_GAP.misconception("The bias is missing in the posterior's mean: z explains x − b.")
def bias_missing(x, weight, bias, scale, loc, scale_tril):
    return distance(x, weight, torch.zeros_like(bias), scale, loc, scale_tril)


@KL_GAP.misconception("The bias has the wrong sign in the posterior's mean: z explains x − b.")
def bias_added(x, weight, bias, scale, loc, scale_tril):
    return distance(x, weight, -bias, scale, loc, scale_tril)


@KL_GAP.misconception("The posterior's mean lacks the 1/σ²: solve Λ m = Wᵀ (x − b)/σ².")
def mean_without_noise(x, weight, bias, scale, loc, scale_tril):
    mean, precision = exact_posterior(x, weight, bias, scale)
    return divergence(loc, scale_tril, mean * scale**2, precision)


@KL_GAP.misconception(
    "You took Wᵀ (x − b)/σ² as the posterior's mean. It still has to be multiplied by Λ⁻¹."
)
def mean_not_solved(x, weight, bias, scale, loc, scale_tril):
    mean, precision = exact_posterior(x, weight, bias, scale)
    return divergence(loc, scale_tril, mean @ precision, precision)


@KL_GAP.misconception(
    "You took least squares for the posterior's mean. The prior pulls it towards zero."
)
def mean_without_prior(x, weight, bias, scale, loc, scale_tril):
    _, precision = exact_posterior(x, weight, bias, scale)
    least_squares = (x - bias) @ torch.linalg.pinv(weight).T
    return divergence(loc, scale_tril, least_squares, precision)


@KL_GAP.misconception("You read `scale_tril` as the covariance of q. It is its factor: Σ = L Lᵀ.")
def factor_as_covariance(x, weight, bias, scale, loc, scale_tril):
    mean, precision = exact_posterior(x, weight, bias, scale)
    right = divergence(loc, scale_tril, mean, precision)
    trace = (precision * scale_tril).sum((-2, -1))
    trace = trace - (precision * (scale_tril @ scale_tril.mT)).sum((-2, -1))
    return right + 0.5 * trace + 0.5 * log_det_q(scale_tril)


@KL_GAP.misconception("You use the diagonal of L only. q is tilted, and the tilt counts.")
def diagonal_of_q_only(x, weight, bias, scale, loc, scale_tril):
    diagonal = scale_tril.diagonal(dim1=-2, dim2=-1).diag_embed()
    return distance(x, weight, bias, scale, loc, diagonal)


@KL_GAP.misconception(
    "You multiply the factor from the wrong side: the covariance is L Lᵀ, not Lᵀ L."
)
def factor_transposed(x, weight, bias, scale, loc, scale_tril):
    covariance = scale_tril.mT @ scale_tril
    return distance(x, weight, bias, scale, loc, torch.linalg.cholesky(covariance))


@KL_GAP.misconception(
    "You treat the hidden values as independent under the posterior. Observing x couples them: Λ "
    "has entries off its diagonal."
)
def diagonal_posterior(x, weight, bias, scale, loc, scale_tril):
    mean, precision = exact_posterior(x, weight, bias, scale)
    return divergence(loc, scale_tril, mean, precision.diagonal().diag_embed())


@KL_GAP.misconception("The log determinant of the posterior is missing.")
def posterior_log_det_missing(x, weight, bias, scale, loc, scale_tril):
    _, precision = exact_posterior(x, weight, bias, scale)
    return distance(x, weight, bias, scale, loc, scale_tril) + 0.5 * torch.logdet(precision)


@KL_GAP.misconception(
    "The log determinant of the posterior has the wrong sign: log det Λ is minus the log "
    "determinant of the covariance."
)
def posterior_log_det_reversed(x, weight, bias, scale, loc, scale_tril):
    _, precision = exact_posterior(x, weight, bias, scale)
    return distance(x, weight, bias, scale, loc, scale_tril) + torch.logdet(precision)


@KL_GAP.misconception("The log determinant of q is missing, so a needle-thin q costs nothing.")
def q_log_det_missing(x, weight, bias, scale, loc, scale_tril):
    return distance(x, weight, bias, scale, loc, scale_tril) + log_det_q(scale_tril)


@KL_GAP.misconception(
    "The log determinant of q counts half: log det(L Lᵀ) is twice the sum of log L_mm."
)
def q_log_det_halved(x, weight, bias, scale, loc, scale_tril):
    return distance(x, weight, bias, scale, loc, scale_tril) + 0.5 * log_det_q(scale_tril)


@KL_GAP.misconception(
    "You compare the means only. Two Gaussians at the same place with different widths differ."
)
def widths_ignored(x, weight, bias, scale, loc, scale_tril):
    mean, precision = exact_posterior(x, weight, bias, scale)
    shift = loc - mean
    return 0.5 * ((shift @ precision) * shift).sum(-1)


@KL_GAP.misconception("You compare the widths only. The distance of the means counts as well.")
def means_ignored(x, weight, bias, scale, loc, scale_tril):
    _, precision = exact_posterior(x, weight, bias, scale)
    return divergence(loc, scale_tril, loc, precision)


@KL_GAP.misconception("The distance of the means is not measured in the posterior's precision.")
def distance_without_precision(x, weight, bias, scale, loc, scale_tril):
    mean, _ = exact_posterior(x, weight, bias, scale)
    widths = means_ignored(x, weight, bias, scale, loc, scale_tril)
    return widths + 0.5 * (loc - mean).square().sum(-1)


@KL_GAP.misconception("The ½ in front of the trace and the distance is missing.")
def half_missing(x, weight, bias, scale, loc, scale_tril):
    _, precision = exact_posterior(x, weight, bias, scale)
    log_dets = 2 * log_det_q(scale_tril) + torch.logdet(precision)
    return 2 * distance(x, weight, bias, scale, loc, scale_tril) + 0.5 * log_dets


@KL_GAP.misconception("The −M is missing, so the gap does not vanish at the posterior.")
def latent_dim_missing(x, weight, bias, scale, loc, scale_tril):
    return distance(x, weight, bias, scale, loc, scale_tril) + 0.5 * loc.shape[-1]


@KL_GAP.misconception("You subtract D where M belongs: z has M values.")
def wrong_dimension(x, weight, bias, scale, loc, scale_tril):
    right = distance(x, weight, bias, scale, loc, scale_tril)
    return right + 0.5 * (loc.shape[-1] - x.shape[-1])


@KL_GAP.misconception("You summed over the points. Every point has its own gap.")
def summed_over_points(x, weight, bias, scale, loc, scale_tril):
    return distance(x, weight, bias, scale, loc, scale_tril).sum()


@KL_GAP.misconception("You averaged over the points. Every point has its own gap.")
def averaged_over_points(x, weight, bias, scale, loc, scale_tril):
    return distance(x, weight, bias, scale, loc, scale_tril).mean()


@KL_GAP.variant
def evidence_minus_bound(x, weight, bias, scale, loc, scale_tril):
    return evidence(x, weight, bias, scale) - bound(x, weight, bias, scale, loc, scale_tril)


@KL_GAP.variant
def with_torch_divergence(x, weight, bias, scale, loc, scale_tril):
    mean, precision = exact_posterior(x, weight, bias, scale)
    q = MultivariateNormal(loc, scale_tril=scale_tril)
    return kl_divergence(q, MultivariateNormal(mean, precision_matrix=precision))


@KL_GAP.variant
def with_the_gain(x, weight, bias, scale, loc, scale_tril):
    marginal = weight @ weight.T + scale**2 * torch.eye(len(bias), dtype=x.dtype)
    gain = weight.T @ torch.linalg.inv(marginal)
    covariance = torch.eye(loc.shape[-1], dtype=x.dtype) - gain @ weight
    precision = torch.linalg.inv(covariance)
    shift = (x - bias) @ gain.T - loc
    spread = scale_tril @ scale_tril.mT
    trace = torch.einsum("ij,nji->n", precision, spread)
    distance_sq = torch.einsum("ni,ij,nj->n", shift, precision, shift)
    log_dets = torch.logdet(covariance) - torch.logdet(spread)
    return 0.5 * (trace + distance_sq - loc.shape[-1] + log_dets)


@KL_GAP.variant
def mean_of_log_ratio_by_sigma_points(x, weight, bias, scale, loc, scale_tril):
    mean, precision = exact_posterior(x, weight, bias, scale)
    posterior = MultivariateNormal(mean[:, None], precision_matrix=precision)
    q = MultivariateNormal(loc[:, None], scale_tril=scale_tril[:, None])
    steps = scale_tril.mT * loc.shape[-1] ** 0.5
    points = torch.cat((loc[:, None] + steps, loc[:, None] - steps), dim=1)
    return (q.log_prob(points) - posterior.log_prob(points)).mean(1)


@KL_GAP.variant
def point_by_point(x, weight, bias, scale, loc, scale_tril):
    gaps = []
    for row, centre, factor in zip(x, loc, scale_tril, strict=True):
        mean, precision = exact_posterior(row[None], weight, bias, scale)
        shift = centre - mean[0]
        inside = torch.trace(precision @ factor @ factor.T) + shift @ precision @ shift
        log_dets = torch.logdet(precision) + 2 * factor.diagonal().log().sum()
        gaps.append(0.5 * (inside - len(shift) - log_dets))
    return torch.stack(gaps)
