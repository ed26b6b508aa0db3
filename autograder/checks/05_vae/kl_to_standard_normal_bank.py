"""Wrong and right answers to `kl_to_standard_normal`."""

import math

import torch
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from ._signs import at_ordinary_inputs, name_changes_in_place
from .kl_to_standard_normal import KL_TO_STANDARD_NORMAL, kl

name_changes_in_place(KL_TO_STANDARD_NORMAL)


def _is_ordinary(call):
    return call.args[0].abs().max() < 10 and call.args[1].abs().max() < 10


misconception = at_ordinary_inputs(KL_TO_STANDARD_NORMAL, _is_ordinary)


def _each(loc, log_var):
    return 0.5 * (loc**2 + log_var.exp() - log_var - 1)


@misconception(
    "You read `log_var` as log σ: in `exp(2 * log_var)` or `2 * log_var` the 2 is one too many. "
    "The argument is the logarithm of the variance."
)
def log_var_as_log_scale(loc, log_var):
    return kl(loc, 2 * log_var)


@misconception(
    "You read `log_var` as the variance itself. It is its logarithm: take the exponential."
)
def log_var_as_variance(loc, log_var):
    return (0.5 * (loc**2 + log_var - log_var.abs().log() - 1)).sum(-1)


@misconception(
    "You put σ where σ² belongs: `exp(log_var)` is the variance already, without a half."
)
def scale_not_squared(loc, log_var):
    return (0.5 * (loc**2 + (log_var / 2).exp() - log_var - 1)).sum(-1)


@misconception(
    "The variance is squared once more: `exp(log_var)` is σ² already, and only the log term is "
    "right."
)
def variance_squared(loc, log_var):
    return (0.5 * (loc**2 + (2 * log_var).exp() - log_var - 1)).sum(-1)


@misconception(
    "The log term counts half: ½ log σ² is log σ, but the ½ stands in front of everything already."
)
def log_term_halved(loc, log_var):
    return (0.5 * (loc**2 + log_var.exp() - log_var / 2 - 1)).sum(-1)


@misconception(
    "The log term counts twice. With log σ it stands outside the factor ½, with log σ² inside."
)
def log_term_doubled(loc, log_var):
    return (0.5 * (loc**2 + log_var.exp() - 1) - log_var).sum(-1)


@misconception("The term −log σ² is missing, so that a needle-thin q costs nothing.")
def log_term_missing(loc, log_var):
    return (0.5 * (loc**2 + log_var.exp() - 1)).sum(-1)


@misconception("The log term has the wrong sign: it is −log σ², so that being sure is expensive.")
def log_term_reversed(loc, log_var):
    return (0.5 * (loc**2 + log_var.exp() + log_var - 1)).sum(-1)


@misconception("The mean is not squared, so negative means earn nats.")
def mean_not_squared(loc, log_var):
    return (0.5 * (loc + log_var.exp() - log_var - 1)).sum(-1)


@misconception("You took the absolute value of the mean. Its square is what the Gaussian charges.")
def absolute_mean(loc, log_var):
    return (0.5 * (loc.abs() + log_var.exp() - log_var - 1)).sum(-1)


@misconception(
    "The mean is missing: a q of width one is not the prior unless it also sits at zero."
)
def mean_missing(loc, log_var):
    return kl(0 * loc, log_var)


@misconception("Only the mean is left: the width of q has a price, too.")
def width_ignored(loc, log_var):
    return kl(loc, 0 * log_var)


@misconception("The variance σ² is missing from the sum, so that a wide q earns nats without end.")
def variance_missing(loc, log_var):
    return (0.5 * (loc**2 - log_var - 1)).sum(-1)


@misconception(
    "The −1 is missing, so that the prior itself is ½ away from the prior in every coordinate."
)
def minus_one_missing(loc, log_var):
    return kl(loc, log_var) + 0.5 * loc.shape[-1]


@misconception(
    "You subtract the 1 once for each point instead of once for each hidden value. Sum everything "
    "inside the bracket."
)
def minus_one_only_once(loc, log_var):
    return kl(loc, log_var) + 0.5 * (loc.shape[-1] - 1)


@misconception("The factor ½ is missing: you return twice the divergence.")
def half_missing(loc, log_var):
    return 2 * kl(loc, log_var)


@misconception("The factor ½ is there twice: your result is half of the divergence.")
def half_twice(loc, log_var):
    return 0.5 * kl(loc, log_var)


@misconception(
    "You returned −KL. The formula of the paper, ½ Σ (1 + log σ² − μ² − σ²), is minus the "
    "divergence: it is what the bound adds. A divergence is never negative."
)
def negative(loc, log_var):
    return -kl(loc, log_var)


@misconception("You computed KL(p‖q). The mean is taken under q, the encoder's own distribution.")
def other_direction(loc, log_var):
    var = log_var.exp()
    return 0.5 * ((1 + loc**2) / var - 1 + log_var).sum(-1)


@misconception("That is the cross-entropy −E_q[log p]: subtract the entropy of q.")
def cross_entropy(loc, log_var):
    return 0.5 * (loc**2 + log_var.exp() + math.log(2 * math.pi)).sum(-1)


@misconception("Your result is in bits. Use the natural logarithm: nats.")
def in_bits(loc, log_var):
    return kl(loc, log_var) / math.log(2)


@misconception(
    "You averaged over the hidden values. Divergences of independent values add up; a mean "
    "divides the price by M, and that is a β that nobody chose."
)
def mean_over_latents(loc, log_var):
    return kl(loc, log_var) / loc.shape[-1]


@misconception(
    "You kept one number for each hidden value. Sum over the last axis: one number for each point."
)
def one_for_each_latent(loc, log_var):
    return _each(loc, log_var)


@misconception(
    "You summed over the whole batch: `sum()` without an axis. Every point keeps its own price."
)
def summed_over_everything(loc, log_var):
    return kl(loc, log_var).sum()


@misconception(
    "You averaged over the batch. Every point keeps its own price here; the batch comes later."
)
def averaged_over_the_batch(loc, log_var):
    return kl(loc, log_var).mean()


@misconception("You averaged over everything, points and hidden values: `mean()` without an axis.")
def averaged_over_everything(loc, log_var):
    return _each(loc, log_var).mean()


@misconception("You summed over the points and kept the hidden values. Sum over the last axis.")
def wrong_axis(loc, log_var):
    return _each(loc, log_var).sum(0)


@misconception(
    "You compared log q and log p at the mean of q only. The divergence is a mean over all of q."
)
def at_the_mean(loc, log_var):
    return 0.5 * (loc**2 - log_var).sum(-1)


@misconception(
    "Your result has one axis too many (`keepdim=True`): return one number for each point, (N,)."
)
def axis_kept(loc, log_var):
    return kl(loc, log_var)[:, None]


@misconception(
    "You squeezed: where there is one point or one hidden value an axis is lost, and the sum runs "
    "over another one. Return (N,) always."
)
def squeezed(loc, log_var):
    return _each(loc, log_var).squeeze().sum(-1)


@misconception(
    "The values are right, but no gradient reaches `log_var`, so the encoder never learns what it "
    "costs to be sure."
)
def log_var_cut_off(loc, log_var):
    return kl(loc, log_var.detach())


@misconception(
    "The values are right, but no gradient reaches `loc`, so the means are never pulled back."
)
def loc_cut_off(loc, log_var):
    return kl(loc.detach(), log_var)


def _estimated(calls):
    """Near the right value everywhere, and right nowhere but by chance."""
    found = [
        (call.value.double(), kl(*(part.double() for part in call.args)))
        for call in calls
        if call.verb == "call" and call.error is None and _is_ordinary(call)
    ]
    return len(found) > 3 and all(
        given.shape == right.shape
        and torch.allclose(given, right, rtol=0.3, atol=0.5)
        and not torch.allclose(given, right, rtol=1e-3, atol=1e-6)
        for given, right in found
    )


@KL_TO_STANDARD_NORMAL.misconception(
    "You estimate the divergence by draws, so it scatters around the right value. It has a closed "
    "form: use that.",
    sign=_estimated,
)
def by_draws(loc, log_var):
    noise = torch.randn(1000, *loc.shape, dtype=loc.dtype)
    z = loc + (log_var / 2).exp() * noise
    return 0.5 * (z**2 - noise**2 - log_var).sum(-1).mean(0)


@KL_TO_STANDARD_NORMAL.misconception(
    "The values are right, but no gradient flows: `detach`, `no_grad` or numpy cuts the path, and "
    "the encoder would not learn what its code costs.",
    sign=lambda calls: (
        all(
            torch.allclose(call.value.double(), kl(*(part.double() for part in call.args)))
            for call in calls
            if call.verb == "call" and call.args[0].dtype == torch.float64
        )
        and any(getattr(call.error, "code", "") == "no_gradient" for call in calls)
    ),
)
def gradient_cut(loc, log_var):
    return kl(loc.detach(), log_var.detach())


@KL_TO_STANDARD_NORMAL.misconception(
    "The values are right as long as q is ordinary, and wrong for extreme widths or means: the log "
    "variance is clamped, or exponentiated and its logarithm taken again with a small number "
    "added. The formula needs neither.",
    sign=lambda calls: (
        all(_is_right(call) for call in calls if call.verb == "call" and _is_ordinary(call))
        and not any(_is_right(c) for c in calls if c.verb == "call" and not _is_ordinary(c))
    ),
)
def clamped(loc, log_var):
    return kl(loc, log_var.clamp(-10, 10))


def _is_right(call):
    right = kl(*(part.double() for part in call.args))
    return call.error is None and torch.allclose(call.value.double(), right, rtol=1e-4, atol=1e-5)


@KL_TO_STANDARD_NORMAL.variant
def as_in_the_paper(loc, log_var):
    return -0.5 * torch.sum(1 + log_var - loc.pow(2) - log_var.exp(), dim=1)


@KL_TO_STANDARD_NORMAL.variant
def by_log_scale(loc, log_var):
    log_scale = log_var / 2
    return (0.5 * (loc * loc + torch.exp(2 * log_scale) - 1) - log_scale).sum(axis=-1)


@KL_TO_STANDARD_NORMAL.variant
def cross_entropy_minus_entropy(loc, log_var):
    cross = 0.5 * (loc**2 + log_var.exp() + math.log(2 * math.pi)).sum(-1)
    entropy = 0.5 * (log_var + math.log(2 * math.pi * math.e)).sum(-1)
    return cross - entropy


@KL_TO_STANDARD_NORMAL.variant
def latent_by_latent(loc, log_var):
    total = torch.zeros_like(loc[:, 0])
    for m in range(loc.shape[1]):
        total = total + (loc[:, m] ** 2 + torch.expm1(log_var[:, m]) - log_var[:, m]) / 2
    return total


@KL_TO_STANDARD_NORMAL.variant
def by_einsum(loc, log_var):
    square = torch.einsum("nm,nm->n", loc, loc)
    return 0.5 * (square + log_var.exp().sum(1) - log_var.sum(1) - loc.shape[1])


@KL_TO_STANDARD_NORMAL.variant
def by_torch_distributions(loc, log_var):
    q = Independent(Normal(loc, (log_var / 2).exp()), 1)
    return kl_divergence(q, Independent(Normal(torch.zeros_like(loc), torch.ones_like(loc)), 1))


@KL_TO_STANDARD_NORMAL.variant
def with_matrices(loc, log_var):
    q = MultivariateNormal(loc, scale_tril=(log_var / 2).exp().diag_embed())
    identity = torch.eye(loc.shape[1], dtype=loc.dtype)
    return kl_divergence(q, MultivariateNormal(torch.zeros_like(loc), identity))


@KL_TO_STANDARD_NORMAL.variant
def through_the_variance(loc, log_var):
    var = log_var.exp()
    return 0.5 * (loc**2 + var - var.log() - 1).sum(-1)
