"""Wrong and right answers to `log_likelihood`."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch import distributions as td
from torch.nn import functional

from autograder.diagnosis import alike

from ._signs import at_ordinary_inputs, name_changes_in_place
from .log_likelihood import LOG_LIKELIHOOD, each, reference

name_changes_in_place(LOG_LIKELIHOOD)


def _is_ordinary(call):
    """Neither extreme parameters nor logits near zero."""
    kind, _, *params = call.args
    size = params[-1].abs()
    return bool(size.max() < 10 and (kind != "continuous_bernoulli" or size.min() > 0.4))


def _is_small(call):
    return call.args[0] == "continuous_bernoulli" and bool(call.args[2].abs().min() < 0.4)


misconception = at_ordinary_inputs(LOG_LIKELIHOOD, _is_ordinary)

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
    misconception(message)(implementation)


def _log_prob(x: Tensor, logits: Tensor) -> Tensor:
    """Also of grey levels, where it is the cross-entropy with its sign turned."""
    return x * logits - functional.softplus(logits)


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


_mistake(
    "You added C itself to the continuous Bernoulli. Its logarithm is what belongs there.",
    lambda x, logits: (
        _log_prob(x, logits)
        + (each("continuous_bernoulli", x, logits) - _log_prob(x, logits)).exp()
    ),
    "continuous_bernoulli",
    name="constant_without_logarithm",
)
_mistake(
    "Your C has tanh(η) in it: C(η) = η / tanh(η/2), with half of η.",
    lambda x, logits: _log_prob(x, logits) + torch.log(logits / torch.tanh(logits)),
    "continuous_bernoulli",
    name="tanh_of_the_whole_logit",
)
_mistake(
    "Your Bernoulli is a squared error between x and the sigmoid. Take the log probability.",
    lambda x, logits: -((x - logits.sigmoid()) ** 2),
    "bernoulli",
    name="squared_error_of_ones",
)
_mistake(
    "Half of log σ is subtracted: that is right for log σ². The argument is log σ.",
    lambda x, loc, log_scale: each("gaussian", x, loc, log_scale) + 0.5 * log_scale,
    "gaussian",
    name="half_of_log_scale",
)
_mistake(
    "You used `log_scale` as σ itself. It is its logarithm: take the exponential.",
    lambda x, loc, log_scale: (
        -0.5 * ((x - loc) / log_scale) ** 2 - log_scale.abs().log() - HALF_LOG_2PI
    ),
    "gaussian",
    name="log_scale_as_scale",
)
_mistake(
    "Your Gaussian is half a squared error: scale and constants are missing.",
    lambda x, loc, log_scale: -0.5 * (x - loc) ** 2,
    "gaussian",
    name="half_squared_error",
)
_mistake(
    "You took the log probability of the last level. Take that of the level that was seen.",
    lambda x, logits: logits.log_softmax(-1)[..., -1],
    "categorical",
    name="last_level",
)


@misconception(
    "You add one log C for each point. Every one of the D values has a constant of its own."
)
def normaliser_only_once(kind, x, *params):
    if kind != "continuous_bernoulli":
        return reference(kind, x, *params)
    plain = _log_prob(x, *params)
    return plain.sum(-1) + (each(kind, x, *params) - plain)[:, 0]


@misconception(
    "Your result has one axis too many (`keepdim=True`): return one number for each point, (N,)."
)
def axis_kept(kind, x, *params):
    return reference(kind, x, *params)[:, None]


def _is_right(call):
    return call.error is None and alike(call.value.double(), reference(*call.args).double())


def _right_but(is_wrong):
    """Right in all ordinary calls; wrong are some of those that meet the condition, and no other"""

    def sign(calls):
        plain = [call for call in calls if call.verb == "call"]
        wrong = [call for call in plain if not _is_right(call)]
        slopes = [c for c in calls if c.verb == "gradient" and _is_bad_slope(c)]
        return bool(wrong or slopes) and all(map(is_wrong, wrong + slopes))

    return sign


def _is_bad_slope(call):
    if call.error is not None:
        return True
    leaves = [part.clone().requires_grad_() for part in call.args[2:]]
    value = reference(*call.args[:2], *leaves).sum()
    return not alike(call.value, torch.autograd.grad(value, leaves))


@LOG_LIKELIHOOD.misconception(
    "The values are right, and no gradient flows: `detach`, `no_grad` or numpy cuts the path from "
    "the parameters, so a decoder would learn nothing.",
    sign=lambda calls: (
        all(_is_right(call) for call in calls if call.verb == "call" and _is_ordinary(call))
        and all(call.error is not None for call in calls if call.verb == "gradient")
    ),
)
def gradient_cut(kind, x, *params):
    return reference(kind, x, *params).detach()


@LOG_LIKELIHOOD.misconception(
    "Your continuous Bernoulli is wrong or NaN for logits near zero, or its gradient is: at η = 0 "
    "the formula is 0/0. Near zero use log C = log 2 + η²/12, and inside `torch.where` give the "
    "formula another number there, because its NaN would get into the gradient.",
    sign=_right_but(_is_small),
)
def nothing_divided_by_nothing(kind, x, *params):
    if kind != "continuous_bernoulli":
        return reference(kind, x, *params)
    (logits,) = params
    return (_log_prob(x, logits) + torch.log(logits / torch.tanh(logits / 2))).sum(-1)


@LOG_LIKELIHOOD.misconception(
    "The values are right as long as the parameters are ordinary. For large logits or extreme σ "
    "something overflows, is clamped, or has a small number added: use `logsigmoid`, "
    "`log_softmax` or the functions that take logits, and `log_scale` as it is.",
    sign=_right_but(lambda call: not _is_ordinary(call)),
)
def floor_added(kind, x, *params):
    if kind != "bernoulli":
        return reference(kind, x, *params)
    p = params[0].sigmoid()
    return (x * (p + 1e-8).log() + (1 - x) * (1 - p + 1e-8).log()).sum(-1)


@misconception(
    "You applied the sigmoid twice, in both kinds of Bernoulli: the functions take logits."
)
def sigmoid_twice_in_both(kind, x, *params):
    if kind in ("bernoulli", "continuous_bernoulli"):
        params = (params[0].sigmoid(),)
    return reference(kind, x, *params)


@misconception(
    "You averaged over the values. Independent values multiply, so their logarithms are summed; "
    "the mean is D times too small beside the divergence."
)
def mean_over_values(kind, x, *params):
    return each(kind, x, *params).mean(-1)


@misconception(
    "You kept one number for each value. Sum over the last axis: one number for each point."
)
def one_for_each_value(kind, x, *params):
    return each(kind, x, *params)


@misconception("You summed over the whole batch. Every point keeps its own log-likelihood.")
def summed_over_everything(kind, x, *params):
    return each(kind, x, *params).sum()


@misconception("You summed over the points and kept the values: the wrong axis.")
def wrong_axis(kind, x, *params):
    return each(kind, x, *params).sum(0)


@misconception(
    "You returned the negative log-likelihood, a loss. The log-likelihood itself is asked for."
)
def negative(kind, x, *params):
    return -reference(kind, x, *params)


@misconception("Your result is in bits. Use natural logarithms: nats.")
def in_bits(kind, x, *params):
    return reference(kind, x, *params) / math.log(2)


@misconception("You return the probability. It underflows for a whole image: return its logarithm.")
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
