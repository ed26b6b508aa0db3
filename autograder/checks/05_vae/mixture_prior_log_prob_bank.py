"""Wrong and right answers to `mixture_prior_log_prob`."""

import math

import torch
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
)

from autograder.diagnosis import alike

from ._signs import at_ordinary_inputs, name_changes_in_place
from .mixture_prior_log_prob import MIXTURE_PRIOR_LOG_PROB, reference

name_changes_in_place(MIXTURE_PRIOR_LOG_PROB)


def _is_ordinary(call):
    """Neither far away nor with extreme logits or widths; also not the grid of the integral."""
    z, logits, _, log_scale = call.args
    return len(z) < 1000 and logits.abs().max() < 100 and log_scale.abs().max() < 5


misconception = at_ordinary_inputs(MIXTURE_PRIOR_LOG_PROB, _is_ordinary)


def inside(z, loc, log_scale):
    """Log-densities of all coordinates under all components, (…, K, M)."""
    u = (z[..., None, :] - loc) * (-log_scale).exp()
    return -(0.5 * u.square() + log_scale + 0.5 * math.log(2 * math.pi))


@misconception(
    "You built a product of one-dimensional mixtures: each coordinate chooses its own component, "
    "so there is mass at places that no component covers. Sum over the coordinates first, then mix."
)
def product_of_mixtures(z, logits, loc, log_scale):
    table = inside(z, loc, log_scale) + logits.log_softmax(0)[:, None]
    return table.logsumexp(-2).sum(-1)


@misconception(
    "The logits are used as log weights. They do not sum to one: take `log_softmax` of them."
)
def logits_as_log_weights(z, logits, loc, log_scale):
    return (inside(z, loc, log_scale).sum(-1) + logits).logsumexp(-1)


@misconception("You added the weights where their logarithms belong: `log_softmax`, not `softmax`.")
def weights_without_logarithm(z, logits, loc, log_scale):
    return (inside(z, loc, log_scale).sum(-1) + logits.softmax(0)).logsumexp(-1)


@misconception("The weights are missing: your components are added as they are and not averaged.")
def no_weights(z, logits, loc, log_scale):
    return inside(z, loc, log_scale).sum(-1).logsumexp(-1)


@misconception(
    "All your components have the same weight. The logits say how much each of them holds."
)
def equal_weights(z, logits, loc, log_scale):
    return inside(z, loc, log_scale).sum(-1).logsumexp(-1) - math.log(len(loc))


@misconception(
    "You average the log-densities of the components. Average the densities: `logsumexp`."
)
def mean_of_logarithms(z, logits, loc, log_scale):
    return (inside(z, loc, log_scale).sum(-1) * logits.softmax(0)).sum(-1)


@misconception("You took `log_scale` for the logarithm of the variance. It is log σ.")
def taken_for_log_variance(z, logits, loc, log_scale):
    return reference(z, logits, loc, 0.5 * log_scale)


@misconception(
    "You divide by σ in the square and have no −log σ: the density does not integrate to one."
)
def no_normaliser(z, logits, loc, log_scale):
    table = inside(z, loc, log_scale) + log_scale
    return (table.sum(-1) + logits.log_softmax(0)).logsumexp(-1)


@misconception("The constant −½ log 2π of each coordinate is missing.")
def no_constant(z, logits, loc, log_scale):
    return reference(z, logits, loc, log_scale) + 0.5 * loc.shape[1] * math.log(2 * math.pi)


@misconception("You have one −½ log 2π in all. Each of the M coordinates has one.")
def one_constant(z, logits, loc, log_scale):
    return reference(z, logits, loc, log_scale) + 0.5 * (loc.shape[1] - 1) * math.log(2 * math.pi)


@misconception("The deviation is not divided by σ: the widths enter only by −log σ.")
def not_scaled(z, logits, loc, log_scale):
    u = z[..., None, :] - loc
    table = -(0.5 * u.square() + log_scale + 0.5 * math.log(2 * math.pi))
    return (table.sum(-1) + logits.log_softmax(0)).logsumexp(-1)


@misconception("You average over the coordinates. Their log-densities add up: `sum`, not `mean`.")
def mean_over_coordinates(z, logits, loc, log_scale):
    return (inside(z, loc, log_scale).mean(-1) + logits.log_softmax(0)).logsumexp(-1)


@misconception(
    "You kept the best component only. All of them add to the density: `logsumexp`, not `max`."
)
def best_component(z, logits, loc, log_scale):
    return (inside(z, loc, log_scale).sum(-1) + logits.log_softmax(0)).amax(-1)


@misconception(
    "You replaced the mixture by one Gaussian with its mean and its average variance: it has its "
    "peak where no component is."
)
def one_gaussian(z, logits, loc, log_scale):
    weights = logits.softmax(0)[:, None]
    mean = (weights * loc).sum(0)
    var = (weights * ((2 * log_scale).exp() + (loc - mean) ** 2)).sum(0)
    return Normal(mean, var.sqrt()).log_prob(z).sum(-1)


@misconception(
    "You ignore the parameters: that is the standard normal prior, which does not learn."
)
def standard_normal(z, logits, loc, log_scale):
    return Normal(0.0, 1.0).log_prob(z).sum(-1) + 0 * logits.sum() + 0 * (loc + log_scale).sum()


@misconception("You return the density. Return its logarithm, from `logsumexp`.")
def density(z, logits, loc, log_scale):
    return reference(z, logits, loc, log_scale).exp()


@misconception("You return the negative log-density. Drop the minus sign.")
def negative(z, logits, loc, log_scale):
    return -reference(z, logits, loc, log_scale)


@misconception("You sum over the points. Return one number for each of them.")
def summed_over_points(z, logits, loc, log_scale):
    return reference(z, logits, loc, log_scale).sum()


@misconception(
    "The value is right, and nothing can be learnt: `detach`, `no_grad` or `.item()` cuts the "
    "gradient."
)
def no_gradient(z, logits, loc, log_scale):
    return reference(z, logits, loc, log_scale).detach()


@misconception("The value is right, and the logits do not learn: they get no gradient.")
def logits_cut(z, logits, loc, log_scale):
    return reference(z, logits.detach(), loc, log_scale)


@misconception(
    "The factor ½ in front of the squared deviation is missing: the density is too narrow."
)
def half_missing(z, logits, loc, log_scale):
    u = (z[..., None, :] - loc) * (-log_scale).exp()
    table = inside(z, loc, log_scale) - 0.5 * u.square()
    return (table.sum(-1) + logits.log_softmax(0)).logsumexp(-1)


@misconception("The value is right, and no gradient reaches z, so the encoder feels no prior.")
def z_cut(z, logits, loc, log_scale):
    return reference(z.detach(), logits, loc, log_scale)


@misconception(
    "You took the logarithm of the sum over the points or another leading axis. The components "
    "are on the axis that you put before the last one."
)
def wrong_axis(z, logits, loc, log_scale):
    return (inside(z, loc, log_scale).sum(-1) + logits.log_softmax(0)).logsumexp(0)


@misconception(
    "You flattened the leading axes of z, or expect exactly one. Keep them all: (..., M) -> (...)."
)
def one_leading_axis(z, logits, loc, log_scale):
    return reference(z.reshape(-1, z.shape[-1]), logits, loc, log_scale)


@misconception(
    "Your new axis is at place 1, which is right for z of two axes only. Put it before the last: "
    "`z.unsqueeze(-2)`."
)
def axis_at_place_one(z, logits, loc, log_scale):
    u = (z.unsqueeze(1) - loc) * (-log_scale).exp()
    table = -(0.5 * u.square() + log_scale + 0.5 * math.log(2 * math.pi)).sum(-1)
    return (table + logits.log_softmax(0)).logsumexp(-1)


@misconception(
    "You squeezed the result, so that a leading axis of length 1 is lost. Keep all leading axes."
)
def squeezed(z, logits, loc, log_scale):
    return reference(z, logits, loc, log_scale).squeeze()


def _is_right(call, rtol=1e-4):
    return (
        call.error is None
        and call.value.shape == call.args[0].shape[:-1]
        and torch.allclose(call.value, reference(*call.args), rtol=rtol, atol=1e-5)
    )


def _where(condition):
    """Right at ordinary inputs, and wrong only at some of the extreme calls."""

    def sign(calls):
        plain = [call for call in calls if call.verb == "call" and call.error is None]
        plain = [c for c in plain if c.value.dtype == torch.float64 and len(c.args[0]) < 1000]
        ordinary = [call for call in plain if _is_ordinary(call)]
        wrong = [call for call in plain if not _is_ordinary(call) and not _is_right(call)]
        return (
            bool(wrong)
            and all(_is_right(c, 0.2) for c in ordinary if reference(*c.args).min() > -20)
            and all(map(condition, wrong))
        )

    return sign


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "Your widths are right as long as they are ordinary: is `log_scale` clamped, or something "
    "added to σ? log σ may lie anywhere between −7 and 7.",
    sign=_where(lambda call: call.args[1].abs().max() < 100),
)
def width_clamped(z, logits, loc, log_scale):
    return reference(z, logits, loc, log_scale.clamp(-5, 5))


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "You take the softmax and its logarithm in two steps. A weight that underflows then counts as "
    "zero, or as the small number that you add: use `log_softmax`.",
    sign=_where(
        lambda call: call.args[1].abs().max() > 100 and alike(call.value[:3], _by_softmax(call)[:3])
    ),
)
def logarithm_of_softmax(z, logits, loc, log_scale):
    return (inside(z, loc, log_scale).sum(-1) + logits.softmax(0).log()).logsumexp(-1)


def _by_softmax(call):
    return logarithm_of_softmax(*call.args)


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "You exponentiate the log-densities as they are. Far from all components they underflow: use "
    "`torch.logsumexp`."
)
def underflows(z, logits, loc, log_scale):
    return (inside(z, loc, log_scale).sum(-1).exp() * logits.softmax(0)).sum(-1).log()


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "You take the exponential of the logits as they are. It overflows: use `log_softmax`."
)
def logits_overflow(z, logits, loc, log_scale):
    weights = logits.exp() / logits.exp().sum()
    return (inside(z, loc, log_scale).sum(-1) + weights.log()).logsumexp(-1)


@MIXTURE_PRIOR_LOG_PROB.misconception(
    "The density is right nearby, and far from all components it is too high, too low or infinite: "
    "a small number is added inside the logarithm, or something is clamped or shifted by the "
    "largest value of the whole batch. Use `torch.logsumexp` over the components.",
    sign=_where(lambda call: True),
)
def floor_added(z, logits, loc, log_scale):
    density = (inside(z, loc, log_scale).sum(-1).exp() * logits.softmax(0)).sum(-1)
    return (density + 1e-12).log()


@MIXTURE_PRIOR_LOG_PROB.variant
def by_distributions(z, logits, loc, log_scale):
    components = Independent(Normal(loc, log_scale.exp()), 1)
    return MixtureSameFamily(Categorical(logits=logits), components).log_prob(z)


@MIXTURE_PRIOR_LOG_PROB.variant
def component_by_component(z, logits, loc, log_scale):
    log_weights = logits - logits.logsumexp(0)
    found = [
        log_weights[k] + Normal(loc[k], log_scale[k].exp()).log_prob(z).sum(-1)
        for k in range(len(logits))
    ]
    return torch.logsumexp(torch.stack(found), dim=0)


@MIXTURE_PRIOR_LOG_PROB.variant
def by_full_covariance(z, logits, loc, log_scale):
    tril = torch.diag_embed(log_scale.exp())
    components = MultivariateNormal(loc, scale_tril=tril)
    return torch.logsumexp(logits.log_softmax(0) + components.log_prob(z[..., None, :]), -1)


@MIXTURE_PRIOR_LOG_PROB.variant
def with_a_shift_by_hand(z, logits, loc, log_scale):
    table = inside(z, loc, log_scale).sum(-1) + torch.log_softmax(logits, dim=-1)
    largest = table.amax(-1, keepdim=True).detach()
    return (table - largest).exp().sum(-1).log() + largest[..., 0]
