r"""Gradients of an expectation with respect to the distribution it is taken over."""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution

from course_lib.monte_carlo.checks import check_positive
from course_lib.monte_carlo.estimators import draw, seeded

Function = Callable[[Tensor], Float[Tensor, " s"]]
Factory = Callable[[Float[Tensor, "*batch p"]], Distribution]


class GradientEstimate(NamedTuple):
    r"""An estimate of a gradient with respect to P parameters, and what it is the mean of.

    Attributes:
        mean: The estimate, shape (P,).
        standard_error: Of each entry of `mean`, shape (P,); NaN for a single draw.
        per_sample: What each draw says, shape (S, P). With the leave-one-out control variate these
            are not independent of one another, though their mean is unbiased.
    """

    mean: Float[Tensor, " p"]
    standard_error: Float[Tensor, " p"]
    per_sample: Float[Tensor, "s p"]


def score_function_grad(
    f: Function,
    q_factory: Factory,
    params: Float[Tensor, " p"],
    num_samples: int,
    *,
    control_variate: float | Tensor | Literal["leave_one_out"] | None = None,
    generator: torch.Generator | None = None,
) -> GradientEstimate:
    r"""The gradient of E_q[f(z)] by the score function; also called REINFORCE.

    .. math:: \nabla_\phi \mathbb E_{q_\phi}[f(z)]
        = \mathbb E_{q_\phi}\big[ (f(z) - c) \, \nabla_\phi \log q_\phi(z) \big]

    for any constant c, because the mean of the score is 0. f need not be differentiable, and z may
    be discrete.

    Args:
        f: Draws of shape (S, *event) to S numbers; must not depend on the parameters.
        q_factory: Parameters of shape (*B, P) to a distribution of batch shape *B, for instance
            `lambda p: Normal(p[..., 0], p[..., 1].exp())`.
        params: \phi, shape (P,).
        num_samples: S.
        control_variate: c: a number, one per parameter (P,), or "leave_one_out", which takes the
            mean of f over the other draws.
        generator: Of the draws.

    Raises:
        ValueError: An argument is malformed, or `f` returns a wrong shape.

    Reference:
        Williams (1992), "Simple statistical gradient-following algorithms for connectionist
        reinforcement learning", Machine Learning 8; Kool, van Hoof and Welling (2019), "Buy 4
        REINFORCE samples, get a baseline for free!", for leave-one-out.

    Example:
        >>> from torch.distributions import Normal
        >>> found = score_function_grad(
        ...     lambda z: z,
        ...     lambda p: Normal(p[..., 0], 1.0),
        ...     torch.zeros(1),
        ...     100_000,
        ...     generator=torch.Generator().manual_seed(0),
        ... )
        >>> round(found.mean.item(), 1)
        1.0
    """
    values, scores = _values_and_scores(f, q_factory, params, num_samples, generator)
    baseline = _baseline(values, control_variate, params)
    return _summary((values - baseline) * scores)


def reparam_grad(
    f: Function,
    q_factory: Factory,
    params: Float[Tensor, " p"],
    num_samples: int,
    *,
    generator: torch.Generator | None = None,
) -> GradientEstimate:
    r"""The gradient of E_q[f(z)] through the draws themselves.

    .. math:: \nabla_\phi \mathbb E_{q_\phi}[f(z)]
        = \mathbb E_{\varepsilon}\big[ \nabla_\phi f(z_\phi(\varepsilon)) \big]

    Args:
        f: Draws of shape (S, *event) to S numbers, differentiable; must not depend on the
            parameters.
        q_factory: Parameters of shape (*B, P) to a distribution of batch shape *B that has
            `rsample`.
        params: \phi, shape (P,).
        num_samples: S.
        generator: Of the draws.

    Raises:
        ValueError: An argument is malformed, q cannot be reparameterised, or `f` returns a wrong
            shape or no gradient.

    Reference:
        Kingma and Welling (2014), "Auto-encoding variational Bayes", section 2.4, arXiv:1312.6114.
    """
    copies, q = _one_copy_per_draw(q_factory, params, num_samples)
    if not q.has_rsample:
        raise ValueError(
            f"{type(q).__name__} has no rsample, so its draws carry no gradient; use "
            "score_function_grad"
        )
    with torch.enable_grad(), seeded(generator):
        values = _apply(f, q.rsample(), num_samples)
    if not values.requires_grad:
        raise ValueError(
            "f returned numbers without a gradient; expected a differentiable function of z: no "
            "detach, no torch.no_grad, no step functions"
        )
    return _summary(torch.autograd.grad(values.sum(), copies)[0])


def best_baseline(
    f: Function,
    q_factory: Factory,
    params: Float[Tensor, " p"],
    num_samples: int,
    *,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " p"]:
    r"""The baseline of smallest variance for each parameter, estimated from draws of its own.

    .. math:: c_p = \frac{\mathbb E[f(z) \, s_p(z)^2]}{\mathbb E[s_p(z)^2]}, \qquad
        s(z) = \nabla_\phi \log q_\phi(z)

    Estimate it with other draws than those of the gradient, or the gradient is biased a little.

    Returns:
        Shape (P,), in the unit of f.

    Raises:
        ValueError: An argument is malformed, or `f` returns a wrong shape.
    """
    values, scores = _values_and_scores(f, q_factory, params, num_samples, generator)
    return (values * scores.square()).mean(0) / scores.square().mean(0)


def _values_and_scores(
    f: Function,
    q_factory: Factory,
    params: Float[Tensor, " p"],
    num_samples: int,
    generator: torch.Generator | None,
) -> tuple[Float[Tensor, "s 1"], Float[Tensor, "s p"]]:
    copies, q = _one_copy_per_draw(q_factory, params, num_samples)
    with torch.no_grad():
        z = draw(q, generator=generator)
        values = _apply(f, z, num_samples)
    with torch.enable_grad():
        scores = torch.autograd.grad(q.log_prob(z).sum(), copies)[0]
    return values[:, None], scores


def _one_copy_per_draw(
    q_factory: Factory, params: Float[Tensor, " p"], num_samples: int
) -> tuple[Float[Tensor, "s p"], Distribution]:
    r"""Each draw gets its own copy of the parameters, so one backward pass gives S gradients."""
    check_positive(num_samples=num_samples)
    if params.ndim != 1:
        raise ValueError(f"params has shape {tuple(params.shape)}; expected (P,), one row")
    copies = params.detach().repeat(num_samples, 1).requires_grad_()
    with torch.enable_grad():
        q = q_factory(copies)
    if tuple(q.batch_shape) != (num_samples,):
        raise ValueError(
            f"q_factory made a distribution of batch shape {tuple(q.batch_shape)} from parameters "
            f"of shape {tuple(copies.shape)}; expected one distribution per row, batch shape "
            f"({num_samples},): index with params[..., 0], and wrap vectors in Independent(…, 1)"
        )
    return copies, q


def _apply(f: Function, z: Tensor, num_samples: int) -> Float[Tensor, " s"]:
    values = f(z)
    if tuple(values.shape) != (num_samples,):
        raise ValueError(
            f"f returned shape {tuple(values.shape)} for draws of shape {tuple(z.shape)}; expected "
            f"one number per draw, shape ({num_samples},)"
        )
    return values


def _baseline(
    values: Float[Tensor, "s 1"],
    control_variate: float | Tensor | Literal["leave_one_out"] | None,
    params: Float[Tensor, " p"],
) -> float | Tensor:
    if control_variate is None:
        return 0.0
    if isinstance(control_variate, str):
        if control_variate != "leave_one_out" or len(values) < 2:
            raise ValueError(
                f"control_variate is {control_variate!r} with {len(values)} draws; expected a "
                'number, a tensor of shape (P,), or "leave_one_out" with at least two draws'
            )
        return (values.sum() - values) / (len(values) - 1)
    if isinstance(control_variate, Tensor) and control_variate.shape not in ((), params.shape):
        raise ValueError(
            f"control_variate has shape {tuple(control_variate.shape)}; expected one number, or "
            f"one per parameter {tuple(params.shape)}"
        )
    return control_variate


def _summary(per_sample: Float[Tensor, "s p"]) -> GradientEstimate:
    num_samples = len(per_sample)
    error = (
        per_sample.std(0) / math.sqrt(num_samples)
        if num_samples > 1
        else torch.full_like(per_sample[0], torch.nan)
    )
    return GradientEstimate(mean=per_sample.mean(0), standard_error=error, per_sample=per_sample)
