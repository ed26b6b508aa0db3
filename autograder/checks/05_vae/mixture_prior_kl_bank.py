"""Wrong and right answers to `mixture_prior_kl`."""

import math

import torch
from torch.distributions import Normal

from autograder.diagnosis import alike

from ._signs import name_changes_in_place
from .mixture_prior_kl import MIXTURE_PRIOR_KL, log_prior, reference

name_changes_in_place(MIXTURE_PRIOR_KL)


def parts(loc, log_var, noise, *prior):
    """log q and log p at the draws, (S, N) each."""
    z = loc + (0.5 * log_var).exp() * noise
    log_q = Normal(loc, (0.5 * log_var).exp()).log_prob(z).sum(-1)
    return log_q, log_prior(z, *prior)


@MIXTURE_PRIOR_KL.misconception(
    "The sign is wrong: a divergence is E_q[log q − log p], yours is its negative."
)
def negative(loc, log_var, noise, *prior):
    return -reference(loc, log_var, noise, *prior)


@MIXTURE_PRIOR_KL.misconception(
    "The entropy is missing: you return −E_q[log p(z)], the cross-entropy. Subtract H(q)."
)
def cross_entropy(loc, log_var, noise, *prior):
    return -parts(loc, log_var, noise, *prior)[1].mean(0)


@MIXTURE_PRIOR_KL.misconception("The entropy has the wrong sign: it is E[log q] − E[log p].")
def entropy_added(loc, log_var, noise, *prior):
    log_q, log_p = parts(loc, log_var, noise, *prior)
    return -(log_q + log_p).mean(0)


@MIXTURE_PRIOR_KL.misconception(
    "You average over the points as well. Every point has its own divergence: (N,)."
)
def averaged_over_points(loc, log_var, noise, *prior):
    return reference(loc, log_var, noise, *prior).mean()


@MIXTURE_PRIOR_KL.misconception("You sum over the draws. The estimate is their mean.")
def summed_over_draws(loc, log_var, noise, *prior):
    return reference(loc, log_var, noise, *prior) * len(noise)


@MIXTURE_PRIOR_KL.misconception(
    "You average over the points and keep the draws, which are on the first axis. Average over the "
    "draws."
)
def wrong_axis(loc, log_var, noise, *prior):
    log_q, log_p = parts(loc, log_var, noise, *prior)
    return (log_q - log_p).mean(1)


@MIXTURE_PRIOR_KL.misconception("You took `log_var` for log σ. It is log σ²: σ is exp(½ log σ²).")
def taken_for_log_std(loc, log_var, noise, *prior):
    return reference(loc, 2 * log_var, noise, *prior)


@MIXTURE_PRIOR_KL.misconception(
    "Your draws are spread by the variance. Multiply the noise by σ, exp(½ log σ²)."
)
def spread_by_the_variance(loc, log_var, noise, *prior):
    z = loc + log_var.exp() * noise
    log_q = Normal(loc, (0.5 * log_var).exp()).log_prob(z).sum(-1)
    return (log_q - log_prior(z, *prior)).mean(0)


@MIXTURE_PRIOR_KL.misconception(
    "Your log q(z) is the density of the noise: it lacks −log σ for each hidden value."
)
def density_of_the_noise(loc, log_var, noise, *prior):
    return reference(loc, log_var, noise, *prior) + 0.5 * log_var.sum(-1)


@MIXTURE_PRIOR_KL.misconception(
    "The two log-densities do not have the same constants: ½ log 2π for each hidden value is in "
    "one of them only."
)
def constants_differ(loc, log_var, noise, *prior):
    return reference(loc, log_var, noise, *prior) + 0.5 * loc.shape[1] * math.log(2 * math.pi)


@MIXTURE_PRIOR_KL.misconception(
    "The entropy of q lacks its ½ for each hidden value: H = ½ Σ (1 + log 2πσ²)."
)
def entropy_without_its_half(loc, log_var, noise, *prior):
    return reference(loc, log_var, noise, *prior) + 0.5 * loc.shape[1]


@MIXTURE_PRIOR_KL.misconception(
    "You use the closed form of the standard normal prior. Another prior has another divergence, "
    "and a mixture has none in closed form."
)
def standard_normal_prior(loc, log_var, noise, *prior):
    return 0.5 * (loc.square() + log_var.exp() - 1 - log_var).sum(1)


@MIXTURE_PRIOR_KL.misconception(
    "You average the closed-form divergences from the components. That is an upper bound: the mean "
    "of the logarithms is not the logarithm of the mean."
)
def mean_over_components(loc, log_var, noise, logits, prior_loc, prior_log_scale):
    scale_sq = (2 * prior_log_scale).exp()
    u = ((loc[:, None] - prior_loc).square() + log_var.exp()[:, None]) / scale_sq
    table = 0.5 * (u - 1 - log_var[:, None]) + prior_log_scale
    return (table.sum(-1) * logits.softmax(0)).sum(-1)


@MIXTURE_PRIOR_KL.misconception(
    "You look at the prior at the mean of q only. Take the mean of log p over the draws."
)
def at_the_mean(loc, log_var, noise, *prior):
    entropy = 0.5 * (1 + math.log(2 * math.pi) + log_var).sum(-1)
    return -entropy - log_prior(loc, *prior)


@MIXTURE_PRIOR_KL.misconception(
    "Your draws are noise around 0: they do not come from q. Set z = μ + σ ε."
)
def draws_around_zero(loc, log_var, noise, *prior):
    q = Normal(loc, (0.5 * log_var).exp())
    return (q.log_prob(noise).sum(-1) - log_prior(noise, *prior)).mean(0)


@MIXTURE_PRIOR_KL.misconception(
    "You average the densities before the logarithm: log E_q[p(z)] is above E_q[log p(z)], so your "
    "divergence is too small."
)
def mean_of_densities(loc, log_var, noise, *prior):
    log_q, log_p = parts(loc, log_var, noise, *prior)
    return log_q.mean(0) - (log_p.logsumexp(0) - math.log(len(noise)))


@MIXTURE_PRIOR_KL.misconception(
    "The value is right, and nothing can be learnt: `detach`, `no_grad` or `.item()` cuts the "
    "gradient."
)
def no_gradient(loc, log_var, noise, *prior):
    return reference(loc, log_var, noise, *prior).detach()


@MIXTURE_PRIOR_KL.misconception(
    "The value is right, and the draws are cut off: no gradient reaches the encoder through z. "
    "`sample` instead of `rsample`, or a `detach`?"
)
def draws_detached(loc, log_var, noise, *prior):
    z = (loc + (0.5 * log_var).exp() * noise).detach()
    log_q = Normal(loc, (0.5 * log_var).exp()).log_prob(z).sum(-1)
    return (log_q - log_prior(z, *prior)).mean(0)


@MIXTURE_PRIOR_KL.misconception(
    "The value is right, and the prior does not learn: its parameters are cut off."
)
def prior_detached(loc, log_var, noise, *prior):
    return reference(loc, log_var, noise, *(value.detach() for value in prior))


@MIXTURE_PRIOR_KL.misconception(
    "You clamp the estimate at zero. One estimate may be negative by chance; clamping biases the "
    "mean and cuts the gradient.",
)
def clamped(loc, log_var, noise, *prior):
    log_q, log_p = parts(loc, log_var, noise, *prior)
    return (log_q - log_p).clamp(min=0).mean(0)


@MIXTURE_PRIOR_KL.misconception(
    "You take the absolute value of the estimate. One estimate may be negative by chance; without "
    "its sign the mean over many is too large."
)
def absolute_value(loc, log_var, noise, *prior):
    return reference(loc, log_var, noise, *prior).abs()


@MIXTURE_PRIOR_KL.misconception(
    "You clamp the mean over the draws at zero. One estimate may be negative by chance; clamping "
    "makes the mean over many too large."
)
def mean_clamped(loc, log_var, noise, *prior):
    return reference(loc, log_var, noise, *prior).clamp(min=0)


@MIXTURE_PRIOR_KL.misconception(
    "All points use the draws of the first. Every point has noise of its own, `noise[:, n]`."
)
def noise_of_the_first_point(loc, log_var, noise, *prior):
    return reference(loc, log_var, noise[:, :1].expand_as(noise), *prior)


@MIXTURE_PRIOR_KL.misconception(
    "You use the first draw only. The estimate is the mean over all of them."
)
def first_draw_only(loc, log_var, noise, *prior):
    return reference(loc, log_var, noise[:1], *prior)


@MIXTURE_PRIOR_KL.misconception(
    "You look at both densities at the mean of q only. Use the draws, in both."
)
def both_at_the_mean(loc, log_var, noise, *prior):
    log_q = -0.5 * (log_var + math.log(2 * math.pi)).sum(-1)
    return log_q - log_prior(loc, *prior)


@MIXTURE_PRIOR_KL.misconception(
    "You use the first draws only, a fixed number of them. The estimate is the mean over all."
)
def first_draws_only(loc, log_var, noise, *prior):
    return reference(loc, log_var, noise[:100], *prior)


@MIXTURE_PRIOR_KL.misconception(
    "Every point uses the draws of all points. Each has draws of its own, `noise[:, n]`.",
    sign=lambda calls: any(
        c.verb == "gradient"
        and c.error is None
        and c.options["outer"] is not None
        and bool(c.value[0].all())
        for c in calls
    ),
)
def draws_of_all_points(loc, log_var, noise, *prior):
    every = noise.reshape(-1, 1, noise.shape[-1]).expand(-1, len(loc), -1)
    return reference(loc, log_var, every, *prior)


@MIXTURE_PRIOR_KL.misconception(
    "You average the ratios q/p before the logarithm: log E[q/p] is above E[log q/p]."
)
def mean_of_ratios(loc, log_var, noise, *prior):
    log_q, log_p = parts(loc, log_var, noise, *prior)
    return (log_q - log_p).logsumexp(0) - math.log(len(noise))


@MIXTURE_PRIOR_KL.misconception(
    "You average the ratios p/q before the logarithm, as an importance-weighted bound does: that "
    "tends to zero with many draws. Take the mean of log q − log p."
)
def importance_weighted(loc, log_var, noise, *prior):
    log_q, log_p = parts(loc, log_var, noise, *prior)
    return math.log(len(noise)) - (log_p - log_q).logsumexp(0)


@MIXTURE_PRIOR_KL.misconception(
    "The logits are used as log weights. They do not sum to one: take `log_softmax` of them, as in "
    "`mixture_prior_log_prob`."
)
def logits_not_normalised(loc, log_var, noise, logits, *prior):
    return reference(loc, log_var, noise, logits, *prior) - logits.logsumexp(0)


@MIXTURE_PRIOR_KL.misconception(
    "You took `prior_log_scale` for the logarithm of a variance. It is log σ."
)
def prior_scale_as_log_variance(loc, log_var, noise, logits, prior_loc, prior_log_scale):
    return reference(loc, log_var, noise, logits, prior_loc, prior_log_scale / 2)


@MIXTURE_PRIOR_KL.misconception(
    "Your prior is a product of one-dimensional mixtures. Sum over the coordinates inside each "
    "component first, then mix."
)
def product_of_mixtures(loc, log_var, noise, logits, prior_loc, prior_log_scale):
    z = loc + (0.5 * log_var).exp() * noise
    table = Normal(prior_loc, prior_log_scale.exp()).log_prob(z[..., None, :])
    log_p = (table + logits.log_softmax(0)[:, None]).logsumexp(-2).sum(-1)
    return Normal(loc, (0.5 * log_var).exp()).log_prob(z).sum(-1).mean(0) - log_p.mean(0)


@MIXTURE_PRIOR_KL.misconception(
    "You use a bound in closed form, with the divergences from the components inside a "
    "log-sum-exp. It lies above the divergence: estimate it by the draws."
)
def variational_bound(loc, log_var, noise, logits, prior_loc, prior_log_scale):
    scale_sq = (2 * prior_log_scale).exp()
    u = ((loc[:, None] - prior_loc).square() + log_var.exp()[:, None]) / scale_sq
    table = (0.5 * (u - 1 - log_var[:, None]) + prior_log_scale).sum(-1)
    return -(logits.log_softmax(0) - table).logsumexp(-1)


@MIXTURE_PRIOR_KL.misconception(
    "You draw from the prior and average log p − log q: that is KL(p ‖ q). The bound holds the "
    "other one, a mean over draws from q.",
    sign=lambda calls: (
        any(
            c.verb == "call"
            and c.error is None
            and c.args[3].numel() == 1
            and len(c.args[2]) > 1
            and torch.allclose(c.value.double(), _reverse(c).double(), rtol=0.05, atol=0.05)
            for c in calls
        )
        and not any(_is_reference(c) for c in calls)
    ),
)
def other_direction(loc, log_var, noise, logits, prior_loc, prior_log_scale):
    weights = logits.softmax(0)
    z = prior_loc + prior_log_scale.exp() * noise[:, :, None]  # (S, N, K, M)
    log_q = Normal(loc[:, None], (0.5 * log_var[:, None]).exp()).log_prob(z).sum(-1)
    log_p = log_prior(z, logits, prior_loc, prior_log_scale)
    return ((log_p - log_q) * weights).sum(-1).mean(0)


def _reverse(call):
    return other_direction(*call.args)


@MIXTURE_PRIOR_KL.misconception(
    "You draw noise of your own. Use the argument `noise`: then the result can be repeated.",
    sign=lambda calls: (
        any(c.verb == "gradient" and bool((c.value[-1] == 0).all()) for c in calls)
        and not any(_is_reference(c) for c in calls)
    ),
)
def own_noise(loc, log_var, noise, *prior):
    return reference(loc, log_var, torch.randn_like(noise), *prior)


def _is_reference(call):
    return call.verb == "call" and alike(call.value, reference(*call.args))


@MIXTURE_PRIOR_KL.variant
def entropy_in_closed_form(loc, log_var, noise, *prior):
    entropy = 0.5 * (1 + math.log(2 * math.pi) + log_var).sum(-1)
    z = loc + torch.exp(0.5 * log_var) * noise
    return -entropy - log_prior(z, *prior).mean(0)


@MIXTURE_PRIOR_KL.variant
def by_distributions(loc, log_var, noise, *prior):
    log_q, log_p = parts(loc, log_var, noise, *prior)
    return torch.mean(log_q - log_p, dim=0)


@MIXTURE_PRIOR_KL.variant
def draw_by_draw(loc, log_var, noise, *prior):
    total = torch.zeros(len(loc), dtype=loc.dtype)
    for own in noise:
        z = loc + own * log_var.exp().sqrt()
        log_q = -((z - loc) ** 2 / log_var.exp() + log_var + math.log(2 * math.pi)).sum(-1) / 2
        total = total + log_q - log_prior(z, *prior)
    return total / len(noise)


@MIXTURE_PRIOR_KL.variant
def with_the_encoder_held_in_log_q(loc, log_var, noise, *prior):
    # Roeder et al. 2017: the score of q has mean zero, so its path may be left out
    z = loc + (0.5 * log_var).exp() * noise
    q = Normal(loc.detach(), (0.5 * log_var).exp().detach())
    return (q.log_prob(z).sum(-1) - log_prior(z, *prior)).mean(0)
