"""Wrong and right answers to `log_likelihood`."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch import distributions as td
from torch.nn import functional

from .log_likelihood import LOG_LIKELIHOOD, each, reference

Formula = Callable[..., Tensor]
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def _with(formula: Formula, *kinds: str) -> Formula:
    """The right answer, with another formula for the values of some kinds."""

    def log_likelihood(kind, x, *params):
        return (formula(x, *params) if kind in kinds else each(kind, x, *params)).sum(-1)

    return log_likelihood


def _mistake(message: str, formula: Formula, *kinds: str, name: str) -> None:
    implementation = _with(formula, *kinds)
    implementation.__name__ = name
    LOG_LIKELIHOOD.misconception(message)(implementation)


def _log_prob(x: Tensor, logits: Tensor) -> Tensor:
    return each("bernoulli", x, logits)


def _noise(x: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    return (x - loc) / log_scale.exp()


def _picked(x: Tensor, table: Tensor) -> Tensor:
    return table.gather(-1, x[..., None])[..., 0]


_mistake(
    "Your continuous Bernoulli is the plain one: cross-entropy of grey levels without log C. It "
    "does not integrate to one, so its numbers are no nats.",
    _log_prob,
    "continuous_bernoulli",
    name="cross_entropy_of_grey_levels",
)
_mistake(
    "Your continuous Bernoulli has its constant with the wrong sign: C is at least 2, so log C "
    "is added.",
    lambda x, logits: 2 * _log_prob(x, logits) - each("continuous_bernoulli", x, logits),
    "continuous_bernoulli",
    name="constant_subtracted",
)
_mistake(
    "You added log 2, the constant at λ = ½, everywhere. C depends on the parameter.",
    lambda x, logits: _log_prob(x, logits) + math.log(2),
    "continuous_bernoulli",
    name="constant_of_one_half",
)
_mistake(
    "You rounded the grey levels to 0 and 1. The continuous Bernoulli has a density for every "
    "value between.",
    lambda x, logits: each("continuous_bernoulli", x.round(), logits),
    "continuous_bernoulli",
    name="grey_levels_rounded",
)
_mistake(
    "You treat the grey levels as a Gaussian with σ = 1 around the sigmoid. The exercise asks for "
    "the continuous Bernoulli.",
    lambda x, logits: -0.5 * (x - logits.sigmoid()) ** 2 - HALF_LOG_2PI,
    "continuous_bernoulli",
    name="gaussian_for_grey_levels",
)
_mistake(
    "You applied the sigmoid twice: once yourself, and once in a function that takes logits.",
    lambda x, logits: _log_prob(x, logits.sigmoid()),
    "bernoulli",
    name="sigmoid_twice",
)
_mistake(
    "In the Bernoulli zeros and ones are swapped: the logits say how likely a one is.",
    lambda x, logits: _log_prob(1 - x, logits),
    "bernoulli",
    name="zeros_and_ones_swapped",
)
_mistake(
    "In the Bernoulli only the ones count. A zero has the log probability log(1 − p).",
    lambda x, logits: x * _log_prob(x, logits),
    "bernoulli",
    name="ones_only",
)
_mistake(
    "The Gaussian lacks its constant ½ log 2π for each value, so it integrates to √(2π) for D = 1.",
    lambda x, loc, log_scale: each("gaussian", x, loc, log_scale) + HALF_LOG_2PI,
    "gaussian",
    name="constant_missing",
)
_mistake(
    "The Gaussian's constant is subtracted once for each point instead of once for each value: "
    "D values have D constants.",
    lambda x, loc, log_scale: (
        each("gaussian", x, loc, log_scale) + HALF_LOG_2PI * (1 - 1 / x.shape[-1])
    ),
    "gaussian",
    name="constant_only_once",
)
_mistake(
    "The Gaussian's constant is log 2π, twice as large as it should be.",
    lambda x, loc, log_scale: each("gaussian", x, loc, log_scale) - HALF_LOG_2PI,
    "gaussian",
    name="constant_doubled",
)
_mistake(
    "The term −log σ is missing: the decoder would learn an endless σ, as nothing else forbids it.",
    lambda x, loc, log_scale: each("gaussian", x, loc, log_scale) + log_scale,
    "gaussian",
    name="log_scale_missing",
)
_mistake(
    "The sign of log σ is wrong: a wide Gaussian is lower, so its log density contains −log σ.",
    lambda x, loc, log_scale: each("gaussian", x, loc, log_scale) + 2 * log_scale,
    "gaussian",
    name="log_scale_reversed",
)
_mistake(
    "You read `log_scale` as log σ². It is log σ: the variance is `exp(2 * log_scale)`.",
    lambda x, loc, log_scale: each("gaussian", x, loc, log_scale / 2),
    "gaussian",
    name="log_scale_as_log_variance",
)
_mistake(
    "The squared distance is divided by σ and not by σ².",
    lambda x, loc, log_scale: -0.5 * (x - loc) ** 2 / log_scale.exp() - log_scale - HALF_LOG_2PI,
    "gaussian",
    name="divided_by_scale_once",
)
_mistake(
    "The factor ½ in front of the squared distance is missing.",
    lambda x, loc, log_scale: (
        each("gaussian", x, loc, log_scale) - 0.5 * _noise(x, loc, log_scale) ** 2
    ),
    "gaussian",
    name="half_missing",
)
_mistake(
    "You fixed σ at one. It is learned here: use `log_scale`.",
    lambda x, loc, log_scale: -0.5 * (x - loc) ** 2 - HALF_LOG_2PI,
    "gaussian",
    name="unit_scale",
)
_mistake(
    "Your Gaussian is a squared error: minus the sum of squares, without scale and constants.",
    lambda x, loc, log_scale: -((x - loc) ** 2),
    "gaussian",
    name="squared_error",
)
_mistake(
    "The categorical logits are not normalised: subtract their log-sum-exp (`log_softmax`).",
    _picked,
    "categorical",
    name="logits_not_normalised",
)
_mistake(
    "In the categorical you normalised over the values D. The softmax runs over the K levels, the "
    "last axis.",
    lambda x, logits: _picked(x, logits.log_softmax(-2)),
    "categorical",
    name="normalised_over_values",
)
_mistake(
    "In the categorical you normalised over the points. The softmax runs over the K levels, the "
    "last axis.",
    lambda x, logits: _picked(x, logits.log_softmax(0)),
    "categorical",
    name="normalised_over_points",
)
_mistake(
    "You took the log probability of the most likely level. Take that of the level that was seen.",
    lambda x, logits: logits.log_softmax(-1).amax(-1),
    "categorical",
    name="most_likely_level",
)
_mistake(
    "The categorical adds up probabilities: the logarithm after the softmax is missing.",
    lambda x, logits: _picked(x, logits.softmax(-1)),
    "categorical",
    name="probability_for_its_logarithm",
)
_mistake(
    "The softmax is applied twice to the categorical logits: once by you, and once by "
    "`log_softmax` or the distribution.",
    lambda x, logits: _picked(x, logits.softmax(-1).log_softmax(-1)),
    "categorical",
    name="softmax_twice",
)


@LOG_LIKELIHOOD.misconception(
    "You applied the sigmoid twice, in both kinds of Bernoulli: the functions take logits."
)
def sigmoid_twice_in_both(kind, x, *params):
    if kind in ("bernoulli", "continuous_bernoulli"):
        params = (params[0].sigmoid(),)
    return reference(kind, x, *params)


@LOG_LIKELIHOOD.misconception(
    "You averaged over the values. Independent values multiply, so their logarithms are summed; "
    "the mean is D times too small beside the divergence."
)
def mean_over_values(kind, x, *params):
    return each(kind, x, *params).mean(-1)


@LOG_LIKELIHOOD.misconception(
    "You kept one number for each value. Sum over the last axis: one number for each point."
)
def one_for_each_value(kind, x, *params):
    return each(kind, x, *params)


@LOG_LIKELIHOOD.misconception(
    "You summed over the whole batch. Every point keeps its own log-likelihood."
)
def summed_over_everything(kind, x, *params):
    return each(kind, x, *params).sum()


@LOG_LIKELIHOOD.misconception("You summed over the points and kept the values: the wrong axis.")
def wrong_axis(kind, x, *params):
    return each(kind, x, *params).sum(0)


@LOG_LIKELIHOOD.misconception(
    "You returned the negative log-likelihood, a loss. The log-likelihood itself is asked for."
)
def negative(kind, x, *params):
    return -reference(kind, x, *params)


@LOG_LIKELIHOOD.misconception("Your result is in bits. Use natural logarithms: nats.")
def in_bits(kind, x, *params):
    return reference(kind, x, *params) / math.log(2)


@LOG_LIKELIHOOD.misconception(
    "You return the probability. It underflows for a whole image: return its logarithm."
)
def probability(kind, x, *params):
    return reference(kind, x, *params).exp()


@LOG_LIKELIHOOD.variant
def by_torch_distributions(kind, x, *params):
    match kind:
        case "bernoulli":
            p = td.Bernoulli(logits=params[0])
        case "continuous_bernoulli":
            p = td.ContinuousBernoulli(logits=params[0])
        case "gaussian":
            p = td.Normal(params[0], params[1].exp())
        case _:
            p = td.Categorical(logits=params[0])
    return td.Independent(p, 1).log_prob(x)


@LOG_LIKELIHOOD.variant
def by_torchs_losses(kind, x, *params):
    if kind == "gaussian":
        loc, log_scale = params
        var = (2 * log_scale).exp()
        return -functional.gaussian_nll_loss(loc, x, var, full=True, eps=0.0, reduction="none").sum(
            1
        )
    if kind == "categorical":
        logits = params[0].movedim(-1, 1)
        return -functional.cross_entropy(logits, x, reduction="none").sum(1)
    each_value = -functional.binary_cross_entropy_with_logits(params[0], x, reduction="none")
    if kind == "continuous_bernoulli":
        lam = params[0].sigmoid()
        near = (lam - 0.5).abs() < 1e-3
        safe = torch.where(near, 0.25, lam)
        constant = torch.log(2 * torch.atanh(1 - 2 * safe) / (1 - 2 * safe))
        taylor = math.log(2) + 4 / 3 * (lam - 0.5) ** 2
        each_value = each_value + torch.where(near, taylor, constant)
    return each_value.sum(1)


@LOG_LIKELIHOOD.variant
def with_one_hot_levels(kind, x, *params):
    if kind != "categorical":
        return reference(kind, x, *params)
    logits = params[0] - params[0].logsumexp(-1, keepdim=True)
    return (functional.one_hot(x, logits.shape[-1]) * logits).sum((-1, -2))


@LOG_LIKELIHOOD.variant
def value_by_value(kind, x, *params):
    total = torch.zeros(len(x), dtype=params[0].dtype)
    for d in range(x.shape[1]):
        total += each(kind, x[:, d], *(part[:, d] for part in params))
    return total


@LOG_LIKELIHOOD.variant
def by_a_series_near_zero(kind, x, *params):
    if kind != "continuous_bernoulli":
        return reference(kind, x, *params)
    (eta,) = params
    safe = torch.where(eta.abs() < 1e-2, 1.0, eta)
    mass = torch.where(eta.abs() < 1e-2, 1 + eta / 2 + eta**2 / 6, torch.expm1(safe) / safe)
    return (eta * x - mass.log()).sum(dim=-1)
