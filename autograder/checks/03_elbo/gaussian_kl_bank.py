"""Wrong and right answers to `gaussian_kl`."""

import math

import torch
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from .gaussian_kl import GAUSSIAN_KL, kl


def _terms(loc_q, log_scale_q, loc_p, log_scale_p):
    """σ_q²/σ_p², (μ_q − μ_p)²/σ_p² and log σ_p − log σ_q, coordinate by coordinate."""
    shift_sq = (loc_q - loc_p) ** 2 / (2 * log_scale_p).exp()
    return (2 * (log_scale_q - log_scale_p)).exp(), shift_sq, log_scale_p - log_scale_q


@GAUSSIAN_KL.misconception(
    "You computed KL(p‖q). The mean is taken under q: KL(q‖p) = E_q[log q − log p], and the two "
    "directions differ."
)
def other_direction(loc_q, log_scale_q, loc_p, log_scale_p):
    return kl(loc_p, log_scale_p, loc_q, log_scale_q)


@GAUSSIAN_KL.misconception(
    "You read `log_scale` as the logarithm of the variance. It is log σ: the variance is "
    "`exp(2 * log_scale)`."
)
def log_scale_as_log_variance(loc_q, log_scale_q, loc_p, log_scale_p):
    return kl(loc_q, log_scale_q / 2, loc_p, log_scale_p / 2)


@GAUSSIAN_KL.misconception(
    "You read `log_scale` as σ itself. It is the logarithm of σ: take the exponential."
)
def log_scale_as_scale(loc_q, log_scale_q, loc_p, log_scale_p):
    return kl(loc_q, log_scale_q.abs().log(), loc_p, log_scale_p.abs().log())


@GAUSSIAN_KL.misconception(
    "You used σ where the variance belongs: σ_q/σ_p and (μ_q − μ_p)²/σ_p. Both need σ²."
)
def scale_not_squared(loc_q, log_scale_q, loc_p, log_scale_p):
    ratio = (log_scale_q - log_scale_p).exp()
    shift = (loc_q - loc_p) ** 2 / log_scale_p.exp()
    return (0.5 * (ratio + shift - 1) + log_scale_p - log_scale_q).sum(-1)


@GAUSSIAN_KL.misconception("The ratio of the variances is not squared: σ_q²/σ_p², not σ_q/σ_p.")
def ratio_not_squared(loc_q, log_scale_q, loc_p, log_scale_p):
    _, shift_sq, log_ratio = _terms(loc_q, log_scale_q, loc_p, log_scale_p)
    return (0.5 * ((-log_ratio).exp() + shift_sq - 1) + log_ratio).sum(-1)


@GAUSSIAN_KL.misconception(
    "The distance of the means is divided by σ_p and not by its variance σ_p²."
)
def shift_over_scale(loc_q, log_scale_q, loc_p, log_scale_p):
    ratio, _, log_ratio = _terms(loc_q, log_scale_q, loc_p, log_scale_p)
    shift = (loc_q - loc_p) ** 2 / log_scale_p.exp()
    return (0.5 * (ratio + shift - 1) + log_ratio).sum(-1)


@GAUSSIAN_KL.misconception(
    "You measure the distance of the means in units of q. It is p that judges: divide by σ_p²."
)
def shift_in_units_of_q(loc_q, log_scale_q, loc_p, log_scale_p):
    ratio, _, log_ratio = _terms(loc_q, log_scale_q, loc_p, log_scale_p)
    shift_sq = (loc_q - loc_p) ** 2 / (2 * log_scale_q).exp()
    return (0.5 * (ratio + shift_sq - 1) + log_ratio).sum(-1)


@GAUSSIAN_KL.misconception(
    "The distance of the means is not divided by p's variance: one unit is far for a narrow p and "
    "near for a wide one."
)
def shift_without_unit(loc_q, log_scale_q, loc_p, log_scale_p):
    ratio, _, log_ratio = _terms(loc_q, log_scale_q, loc_p, log_scale_p)
    return (0.5 * (ratio + (loc_q - loc_p) ** 2 - 1) + log_ratio).sum(-1)


@GAUSSIAN_KL.misconception(
    "The distance of the means is not squared, so a mean on one side makes the divergence negative."
)
def shift_not_squared(loc_q, log_scale_q, loc_p, log_scale_p):
    ratio, _, log_ratio = _terms(loc_q, log_scale_q, loc_p, log_scale_p)
    shift = (loc_q - loc_p) / log_scale_p.exp()
    return (0.5 * (ratio + shift - 1) + log_ratio).sum(-1)


@GAUSSIAN_KL.misconception(
    "The term log σ_p − log σ_q is missing, so a needle-thin q costs nothing."
)
def log_term_missing(loc_q, log_scale_q, loc_p, log_scale_p):
    ratio, shift_sq, _ = _terms(loc_q, log_scale_q, loc_p, log_scale_p)
    return (0.5 * (ratio + shift_sq - 1)).sum(-1)


@GAUSSIAN_KL.misconception(
    "The log term has the wrong sign: it is log σ_p − log σ_q, so that a narrow q is expensive."
)
def log_term_reversed(loc_q, log_scale_q, loc_p, log_scale_p):
    ratio, shift_sq, log_ratio = _terms(loc_q, log_scale_q, loc_p, log_scale_p)
    return (0.5 * (ratio + shift_sq - 1) - log_ratio).sum(-1)


@GAUSSIAN_KL.misconception(
    "You halved the log term too. ½ log σ² is log σ, and the arguments hold log σ already."
)
def log_term_halved(loc_q, log_scale_q, loc_p, log_scale_p):
    ratio, shift_sq, log_ratio = _terms(loc_q, log_scale_q, loc_p, log_scale_p)
    return 0.5 * (ratio + shift_sq - 1 + log_ratio).sum(-1)


@GAUSSIAN_KL.misconception(
    "The log term counts twice: log σ_p² − log σ_q² stands inside the factor ½, or log σ_p − log "
    "σ_q outside."
)
def log_term_doubled(loc_q, log_scale_q, loc_p, log_scale_p):
    ratio, shift_sq, log_ratio = _terms(loc_q, log_scale_q, loc_p, log_scale_p)
    return (0.5 * (ratio + shift_sq - 1) + 2 * log_ratio).sum(-1)


@GAUSSIAN_KL.misconception("The factor ½ in front of the quadratic terms is missing.")
def half_missing(loc_q, log_scale_q, loc_p, log_scale_p):
    ratio, shift_sq, log_ratio = _terms(loc_q, log_scale_q, loc_p, log_scale_p)
    return (ratio + shift_sq - 1 + log_ratio).sum(-1)


@GAUSSIAN_KL.misconception(
    "Your result is twice the divergence: the whole expression with log σ² carries a factor ½."
)
def twice(loc_q, log_scale_q, loc_p, log_scale_p):
    return 2 * kl(loc_q, log_scale_q, loc_p, log_scale_p)


@GAUSSIAN_KL.misconception(
    "The −1 is missing, so equal distributions are ½ apart in every coordinate."
)
def minus_one_missing(loc_q, log_scale_q, loc_p, log_scale_p):
    return kl(loc_q, log_scale_q, loc_p, log_scale_p) + 0.5 * loc_q.shape[-1]


@GAUSSIAN_KL.misconception(
    "You subtract 1 once instead of once for each coordinate: sum first only what you also shift."
)
def minus_one_only_once(loc_q, log_scale_q, loc_p, log_scale_p):
    return kl(loc_q, log_scale_q, loc_p, log_scale_p) + 0.5 * (loc_q.shape[-1] - 1)


@GAUSSIAN_KL.misconception(
    "You assumed that p is the standard normal. Here p has its own mean and scale."
)
def standard_normal_assumed(loc_q, log_scale_q, loc_p, log_scale_p):
    return kl(loc_q, log_scale_q, torch.zeros_like(loc_p), torch.zeros_like(log_scale_p))


@GAUSSIAN_KL.misconception(
    "You returned −KL. A divergence is never negative; the minus sign belongs to the ELBO."
)
def negative(loc_q, log_scale_q, loc_p, log_scale_p):
    return -kl(loc_q, log_scale_q, loc_p, log_scale_p)


@GAUSSIAN_KL.misconception(
    "You ignored the means: two Gaussians of the same width at different places are not equal."
)
def means_ignored(loc_q, log_scale_q, loc_p, log_scale_p):
    return kl(loc_q, log_scale_q, loc_q, log_scale_p)


@GAUSSIAN_KL.misconception("You ignored the widths: only the distance of the means is left.")
def widths_ignored(loc_q, log_scale_q, loc_p, log_scale_p):
    return kl(loc_q, log_scale_p, loc_p, log_scale_p)


@GAUSSIAN_KL.misconception(
    "That is the cross-entropy −E_q[log p]. Subtract the entropy of q: KL = cross-entropy − H(q)."
)
def cross_entropy(loc_q, log_scale_q, loc_p, log_scale_p):
    entropy = log_scale_q + 0.5 * math.log(2 * math.pi * math.e)
    return kl(loc_q, log_scale_q, loc_p, log_scale_p) + entropy.sum(-1)


@GAUSSIAN_KL.misconception(
    "You compared log q and log p at the mean of q only. The divergence is the mean of the "
    "difference under q."
)
def at_the_mean(loc_q, log_scale_q, loc_p, log_scale_p):
    _, shift_sq, log_ratio = _terms(loc_q, log_scale_q, loc_p, log_scale_p)
    return (0.5 * shift_sq + log_ratio).sum(-1)


@GAUSSIAN_KL.misconception(
    "You averaged both directions. The ELBO needs KL(q‖p), which is not symmetric."
)
def symmetrised(loc_q, log_scale_q, loc_p, log_scale_p):
    there = kl(loc_q, log_scale_q, loc_p, log_scale_p)
    return (there + kl(loc_p, log_scale_p, loc_q, log_scale_q)) / 2


@GAUSSIAN_KL.misconception("Your result is in bits. Use the natural logarithm: nats.")
def in_bits(loc_q, log_scale_q, loc_p, log_scale_p):
    return kl(loc_q, log_scale_q, loc_p, log_scale_p) / math.log(2)


@GAUSSIAN_KL.misconception(
    "You averaged over the coordinates. Divergences of independent coordinates add up."
)
def mean_over_coordinates(loc_q, log_scale_q, loc_p, log_scale_p):
    return kl(loc_q, log_scale_q, loc_p, log_scale_p) / loc_q.shape[-1]


@GAUSSIAN_KL.misconception(
    "You kept one value for each coordinate. Sum over the last axis: one number for each point."
)
def one_for_each_coordinate(loc_q, log_scale_q, loc_p, log_scale_p):
    ratio, shift_sq, log_ratio = _terms(loc_q, log_scale_q, loc_p, log_scale_p)
    return 0.5 * (ratio + shift_sq - 1) + log_ratio


@GAUSSIAN_KL.misconception(
    "You summed over the points as well. Every point keeps its own divergence."
)
def summed_over_points(loc_q, log_scale_q, loc_p, log_scale_p):
    return kl(loc_q, log_scale_q, loc_p, log_scale_p).sum()


@GAUSSIAN_KL.misconception("You averaged over the points. Every point keeps its own divergence.")
def averaged_over_points(loc_q, log_scale_q, loc_p, log_scale_p):
    return kl(loc_q, log_scale_q, loc_p, log_scale_p).mean()


@GAUSSIAN_KL.misconception(
    "You summed over the points and kept the coordinates. Sum over the last axis."
)
def reduced_wrong_axis(loc_q, log_scale_q, loc_p, log_scale_p):
    return one_for_each_coordinate(loc_q, log_scale_q, loc_p, log_scale_p).sum(0)


@GAUSSIAN_KL.variant
def by_torch_distributions(loc_q, log_scale_q, loc_p, log_scale_p):
    q, p = Normal(loc_q, log_scale_q.exp()), Normal(loc_p, log_scale_p.exp())
    return kl_divergence(Independent(q, 1), Independent(p, 1))


@GAUSSIAN_KL.variant
def with_variances(loc_q, log_scale_q, loc_p, log_scale_p):
    var_q, var_p = (2 * log_scale_q).exp(), (2 * log_scale_p).exp()
    inside = var_q / var_p + (loc_q - loc_p).square() / var_p - 1 + (var_p / var_q).log()
    return 0.5 * inside.sum(dim=1)


@GAUSSIAN_KL.variant
def cross_entropy_minus_entropy(loc_q, log_scale_q, loc_p, log_scale_p):
    scale_p = log_scale_p.exp()
    spread = (log_scale_q.exp() / scale_p) ** 2 + ((loc_q - loc_p) / scale_p) ** 2
    cross = log_scale_p + 0.5 * math.log(2 * math.pi) + 0.5 * spread
    entropy = log_scale_q + 0.5 * math.log(2 * math.pi * math.e)
    return (cross - entropy).sum(-1)


@GAUSSIAN_KL.variant
def with_matrices(loc_q, log_scale_q, loc_p, log_scale_p):
    q = MultivariateNormal(loc_q, scale_tril=log_scale_q.exp().diag_embed())
    p = MultivariateNormal(loc_p, scale_tril=log_scale_p.exp().diag_embed())
    return kl_divergence(q, p)


@GAUSSIAN_KL.variant
def coordinate_by_coordinate(loc_q, log_scale_q, loc_p, log_scale_p):
    total = torch.zeros(len(loc_q), dtype=loc_q.dtype)
    for m in range(loc_q.shape[1]):
        log_ratio = log_scale_q[:, m] - log_scale_p[:, m]
        shift = (loc_q[:, m] - loc_p[:, m]) * torch.exp(-log_scale_p[:, m])
        total = total - log_ratio + 0.5 * torch.expm1(2 * log_ratio) + 0.5 * shift**2
    return total
