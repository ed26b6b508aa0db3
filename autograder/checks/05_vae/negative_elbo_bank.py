"""Wrong and right answers to `negative_elbo`."""

import math

import torch
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence
from torch.nn import functional

from ._signs import at_ordinary_inputs, name_changes_in_place
from .kl_to_standard_normal import kl
from .negative_elbo import NEGATIVE_ELBO, REDUCTIONS, distortion, reference

name_changes_in_place(NEGATIVE_ELBO)


def _is_ordinary(call):
    return bool(call.args[1].abs().max() < 10)


misconception = at_ordinary_inputs(NEGATIVE_ELBO, _is_ordinary)


def _reduce(each, reduction):
    return REDUCTIONS[reduction](each)


def _bce(logits, x):
    return functional.binary_cross_entropy_with_logits(logits, x, reduction="none")


@misconception(
    "You averaged over the values of an image and added the whole divergence: the distortion is D "
    "times too small, which is a β of D that nobody chose."
)
def mean_over_values(x, logits, loc, log_var, reduction="mean"):
    return _reduce(distortion(x, logits) / x.shape[1] + kl(loc, log_var), reduction)


@misconception(
    "You averaged over values and points in one go (the default of torch) and added that number "
    "to the divergence. Sum over the values of each image first."
)
def mean_over_everything(x, logits, loc, log_var, reduction="mean"):
    return _reduce(_bce(logits, x).mean() + kl(loc, log_var), reduction)


@misconception(
    "Your distortion is a sum over the whole batch, added to the divergence of each point. Sum "
    "over the last axis only."
)
def distortion_of_the_batch(x, logits, loc, log_var, reduction="mean"):
    return _reduce(_bce(logits, x).sum() + kl(loc, log_var), reduction)


@misconception(
    "Your divergence is a sum over the whole batch, added to the distortion of each point. Keep "
    "the points apart."
)
def rate_of_the_batch(x, logits, loc, log_var, reduction="mean"):
    return _reduce(distortion(x, logits) + kl(loc, log_var).sum(), reduction)


@misconception(
    "You averaged the divergence over the hidden values. They add up: a mean is a β of 1/M."
)
def mean_over_latents(x, logits, loc, log_var, reduction="mean"):
    return _reduce(distortion(x, logits) + kl(loc, log_var) / loc.shape[1], reduction)


@misconception(
    "You divided the divergence by the number of values D, or averaged both prices by their own "
    "sizes. The rate weighs as much as the distortion: no divisor."
)
def rate_divided_by_dim(x, logits, loc, log_var, reduction="mean"):
    return _reduce(distortion(x, logits) + kl(loc, log_var) / x.shape[1], reduction)


@misconception(
    "You divided everything by D. That is a loss in nats for each value: its balance is right, "
    "but it is not the bound of an image."
)
def nats_for_each_value(x, logits, loc, log_var, reduction="mean"):
    return reference(x, logits, loc, log_var, reduction) / x.shape[1]


@misconception(
    "You subtracted the divergence: such a loss pays the encoder for leaving the prior. In "
    "−ELBO both prices are added."
)
def rate_subtracted(x, logits, loc, log_var, reduction="mean"):
    return _reduce(distortion(x, logits) - kl(loc, log_var), reduction)


@misconception("You returned the ELBO. A loss is minimised: turn the sign of both terms.")
def the_elbo(x, logits, loc, log_var, reduction="mean"):
    return -reference(x, logits, loc, log_var, reduction)


@misconception(
    "The log-likelihood has the wrong sign: log p(x | z) is negative, and −ELBO contains "
    "−log p(x | z)."
)
def likelihood_not_negated(x, logits, loc, log_var, reduction="mean"):
    return _reduce(kl(loc, log_var) - distortion(x, logits), reduction)


@misconception(
    "You applied the sigmoid twice: the loss takes logits and applies its own. No image can then "
    "be more certain than 0.73."
)
def sigmoid_twice(x, logits, loc, log_var, reduction="mean"):
    return reference(x, logits.sigmoid(), loc, log_var, reduction)


@NEGATIVE_ELBO.misconception(
    "You took the logits for probabilities. They are any real numbers: apply the sigmoid, or use "
    "a function that does.",
    sign=lambda calls: (
        any(
            call.error is None and isinstance(call.value, torch.Tensor) and call.value.isnan().any()
            for call in calls
            if call.verb == "call" and _is_ordinary(call)
        )
        or any("between 0 and 1" in call.error_text for call in calls)
    ),
)
def logits_as_probabilities(x, logits, loc, log_var, reduction="mean"):
    log_prob = x * logits.log() + (1 - x) * (1 - logits).log()
    return _reduce(kl(loc, log_var) - log_prob.sum(-1), reduction)


@misconception("Zeros and ones are swapped: a large logit stands for a one.")
def zeros_and_ones_swapped(x, logits, loc, log_var, reduction="mean"):
    return reference(1 - x, logits, loc, log_var, reduction)


@misconception(
    "You charge for the ones only. A zero where the decoder expects a one costs, too: "
    "−(1 − x) log(1 − p)."
)
def ones_only(x, logits, loc, log_var, reduction="mean"):
    return _reduce((x * _bce(logits, x)).sum(-1) + kl(loc, log_var), reduction)


@misconception("The divergence is missing: that is the loss of an autoencoder.")
def rate_missing(x, logits, loc, log_var, reduction="mean"):
    return _reduce(distortion(x, logits), reduction)


@misconception("The distortion is missing: only the divergence is left.")
def distortion_missing(x, logits, loc, log_var, reduction="mean"):
    return _reduce(kl(loc, log_var), reduction)


@misconception(
    "You used squared errors. Binary values have a Bernoulli likelihood: −log p(x | z) in nats."
)
def squared_error(x, logits, loc, log_var, reduction="mean"):
    each = (x - logits.sigmoid()).square().sum(-1)
    return _reduce(each + kl(loc, log_var), reduction)


@misconception("In the divergence `log_var` is read as log σ. It is the logarithm of the variance.")
def log_var_as_log_scale(x, logits, loc, log_var, reduction="mean"):
    return reference(x, logits, loc, 2 * log_var, reduction)


@misconception("The divergence has lost its factor ½.")
def rate_without_half(x, logits, loc, log_var, reduction="mean"):
    return _reduce(distortion(x, logits) + 2 * kl(loc, log_var), reduction)


@misconception("The result is in bits. Use natural logarithms: nats.")
def in_bits(x, logits, loc, log_var, reduction="mean"):
    return reference(x, logits, loc, log_var, reduction) / math.log(2)


@misconception("`reduction` is ignored: you always average over the points.")
def always_the_mean(x, logits, loc, log_var, reduction="mean"):
    return reference(x, logits, loc, log_var, "mean")


@misconception("`reduction` is ignored: you always sum over the points.")
def always_the_sum(x, logits, loc, log_var, reduction="mean"):
    return reference(x, logits, loc, log_var, "sum")


@misconception("`reduction` is ignored: you never reduce over the points.")
def never_reduced(x, logits, loc, log_var, reduction="mean"):
    return reference(x, logits, loc, log_var, "none")


@misconception("The reductions 'mean' and 'sum' are swapped.")
def reductions_swapped(x, logits, loc, log_var, reduction="mean"):
    swapped = {"mean": "sum", "sum": "mean"}.get(reduction, reduction)
    return reference(x, logits, loc, log_var, swapped)


@misconception(
    "You handed `reduction` on to torch's own loss, where the mean is over values and points "
    "together, and only then added the divergence."
)
def reduction_handed_on(x, logits, loc, log_var, reduction="mean"):
    rec = functional.binary_cross_entropy_with_logits(logits, x, reduction=reduction)
    rec = rec.sum(-1) if reduction == "none" else rec
    return rec + _reduce(kl(loc, log_var), reduction)


@misconception(
    "With 'mean' you sum the distortion over the batch and average only the divergence, or the "
    "other way round. A reduction concerns both prices alike: add them first."
)
def mean_of_the_rate_only(x, logits, loc, log_var, reduction="mean"):
    if reduction == "mean":
        return distortion(x, logits).sum() + kl(loc, log_var).mean()
    return reference(x, logits, loc, log_var, reduction)


@misconception(
    "With 'mean' you average the distortion over the batch, and sum the divergence over it: the "
    "batch size became a β."
)
def mean_of_the_distortion_only(x, logits, loc, log_var, reduction="mean"):
    if reduction == "mean":
        return distortion(x, logits).mean() + kl(loc, log_var).sum()
    return reference(x, logits, loc, log_var, reduction)


@misconception("With 'mean' you divided by the number of all values, N times D. Divide by N.")
def mean_over_all_values(x, logits, loc, log_var, reduction="mean"):
    value = reference(x, logits, loc, log_var, reduction)
    return value / x.shape[1] if reduction == "mean" else value


@NEGATIVE_ELBO.misconception(
    "The values are right, but the divergence is cut off from the gradient, so the encoder never "
    "feels its price.",
    sign=lambda calls: any(
        call.verb == "gradient"
        and call.error is None
        and call.value[0].any()
        and not call.value[1].any()
        and not call.value[2].any()
        for call in calls
    ),
)
def rate_cut_off(x, logits, loc, log_var, reduction="mean"):
    return _reduce(distortion(x, logits) + kl(loc, log_var).detach(), reduction)


@misconception(
    "You averaged the distortion over the values and the divergence over the hidden values, each "
    "over its own. Both are sums; two means make a β of D/M."
)
def both_averaged(x, logits, loc, log_var, reduction="mean"):
    each = distortion(x, logits) / x.shape[1] + kl(loc, log_var) / loc.shape[1]
    return _reduce(each, reduction)


@misconception(
    "You averaged the divergence over the batch before you added it to each point. Keep the points "
    "apart until the end."
)
def rate_averaged_over_the_batch(x, logits, loc, log_var, reduction="mean"):
    return _reduce(distortion(x, logits) + kl(loc, log_var).mean(), reduction)


@misconception(
    "Your divergence is KL(p ‖ q). The bound holds KL(q ‖ p), a mean under the encoder's q."
)
def other_direction(x, logits, loc, log_var, reduction="mean"):
    rate = 0.5 * ((1 + loc**2) * (-log_var).exp() - 1 + log_var).sum(-1)
    return _reduce(distortion(x, logits) + rate, reduction)


@misconception("You multiplied the divergence by 4. The bound itself has β = 1.")
def beta_of_four(x, logits, loc, log_var, reduction="mean"):
    return _reduce(distortion(x, logits) + 4 * kl(loc, log_var), reduction)


@misconception(
    "With 'mean' you divide by a fixed batch size of 128. Divide by the number of points at hand."
)
def fixed_batch_size(x, logits, loc, log_var, reduction="mean"):
    if reduction == "mean":
        return reference(x, logits, loc, log_var, "sum") / 128
    return reference(x, logits, loc, log_var, reduction)


@misconception(
    "Your default of `reduction` is not 'mean'. Keep the line with `def` as it was given."
)
def another_default(x, logits, loc, log_var, reduction="sum"):
    return reference(x, logits, loc, log_var, reduction)


@NEGATIVE_ELBO.misconception(
    "The values are right, but the logits are cut off from the gradient, so the decoder never "
    "learns.",
    sign=lambda calls: any(
        call.verb == "gradient"
        and call.error is None
        and not call.value[0].any()
        and call.value[1].any()
        for call in calls
    ),
)
def logits_cut_off(x, logits, loc, log_var, reduction="mean"):
    return reference(x, logits.detach(), loc, log_var, reduction)


@NEGATIVE_ELBO.misconception(
    "The values are right, but no gradient flows at all: `detach`, `no_grad` or `.item()` cuts the "
    "path.",
    sign=lambda calls: (
        all(_is_right(call) for call in calls if call.verb == "call" and _is_ordinary(call))
        and any(getattr(call.error, "code", "") == "no_gradient" for call in calls)
    ),
)
def gradient_cut(x, logits, loc, log_var, reduction="mean"):
    return reference(x, logits, loc, log_var, reduction).detach()


@NEGATIVE_ELBO.misconception(
    "The values are right for ordinary logits. Where the decoder is sure you get a price that is "
    "infinite, NaN or too low: the logarithm of a sigmoid, log(1 + exp), a clamp or a small number "
    "that is added. Use `logsigmoid`, `softplus` or the loss with logits, on the logits as they "
    "are.",
    sign=lambda calls: (
        all(_is_right(call) for call in calls if call.verb == "call" and _is_ordinary(call))
        and not all(_is_right(c) for c in calls if c.verb == "call" and not _is_ordinary(c))
    ),
)
def log_of_sigmoid(x, logits, loc, log_var, reduction="mean"):
    p = logits.sigmoid()
    log_prob = x * (p + 1e-20).log() + (1 - x) * (1 - p + 1e-20).log()
    return _reduce(kl(loc, log_var) - log_prob.sum(-1), reduction)


def _is_right(call):
    if call.error is not None:
        return False
    args = [part.double() if isinstance(part, torch.Tensor) else part for part in call.args]
    return torch.allclose(torch.as_tensor(call.value).double(), reference(*args), rtol=1e-3)


@NEGATIVE_ELBO.variant
def with_torchs_loss(x, logits, loc, log_var, reduction="mean"):
    each = _bce(logits, x).sum(dim=1) - 0.5 * (1 + log_var - loc**2 - log_var.exp()).sum(dim=1)
    if reduction == "none":
        return each
    return each.mean() if reduction == "mean" else each.sum()


@NEGATIVE_ELBO.variant
def with_distributions(x, logits, loc, log_var, reduction="mean"):
    q = Independent(Normal(loc, (log_var / 2).exp()), 1)
    prior = Independent(Normal(torch.zeros_like(loc), torch.ones_like(loc)), 1)
    log_prob = Independent(Bernoulli(logits=logits), 1).log_prob(x)
    return _reduce(kl_divergence(q, prior) - log_prob, reduction)


@NEGATIVE_ELBO.variant
def with_logsigmoid(x, logits, loc, log_var, reduction="mean"):
    log_prob = x * functional.logsigmoid(logits) + (1 - x) * functional.logsigmoid(-logits)
    elbo = log_prob.sum(-1) - kl(loc, log_var)
    return -{"none": elbo, "mean": elbo.mean(), "sum": elbo.sum()}[reduction]


@NEGATIVE_ELBO.variant
def with_softplus(x, logits, loc, log_var, reduction="mean"):
    each = (functional.softplus(logits) - x * logits).sum(-1) + kl(loc, log_var)
    match reduction:
        case "mean":
            return each.sum() / len(x)
        case "sum":
            return each.sum()
    return each


@NEGATIVE_ELBO.variant
def point_by_point(x, logits, loc, log_var, reduction="mean"):
    each = torch.stack(
        [
            functional.binary_cross_entropy_with_logits(logits[n], x[n], reduction="sum")
            + kl(loc[n], log_var[n])
            for n in range(len(x))
        ]
    )
    return _reduce(each, reduction)
