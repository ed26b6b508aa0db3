r"""What one coordinate says about another: conditional mixtures and their quantiles."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.mixture.params import MixtureParams, check_finite, check_params, check_same_kind

NUM_BISECTIONS = 80


class ScalarMixture(NamedTuple):
    r"""Mixtures of one-dimensional Gaussians, one per leading index.

    Attributes:
        weights: \pi_k, shape (*M, K).
        loc: \mu_k, shape (*M, K), in the unit of the variable.
        scale: \sigma_k, shape (*M, K), in the same unit.
    """

    weights: Float[Tensor, "*m k"]
    loc: Float[Tensor, "*m k"]
    scale: Float[Tensor, "*m k"]


def condition(
    params: MixtureParams, observed: float | Float[Tensor, "*m"], *, given: int, target: int
) -> ScalarMixture:
    r"""The distribution of coordinate `target` (t) when coordinate `given` (g) is observed.

    .. math:: \pi_k' \propto \pi_k N(x_g | \mu_{kg}, \Sigma_{kgg}), \quad
        \mu_k' = \mu_{kt} + \frac{\Sigma_{ktg}}{\Sigma_{kgg}} (x_g - \mu_{kg}), \quad
        \sigma_k'^2 = \Sigma_{ktt} - \frac{\Sigma_{ktg}^2}{\Sigma_{kgg}}

    Args:
        params: A single mixture, without batch dimensions.
        observed: x_g, one value or one per leading index (*M).
        given: g, a column of the data.
        target: t, another column.

    Returns:
        Weights, means and standard deviations, each of shape (*M, K), (K,) for a single value.

    Raises:
        ValueError: `given` and `target` are not two different columns, or a value is malformed.

    Reference:
        Bishop (2006), "Pattern Recognition and Machine Learning", equations (2.81) and (2.82).
    """
    check_params(params)
    columns = range(params.dim)
    if params.batch_shape or given == target or given not in columns or target not in columns:
        raise ValueError(
            f"given={given}, target={target} and parameters of {params.dim} dimensions with batch "
            f"shape {tuple(params.batch_shape)}; expected two different columns among 0 … "
            f"{params.dim - 1} and a single mixture"
        )
    loc = params.loc
    observed = torch.as_tensor(observed, dtype=loc.dtype, device=loc.device)[..., None]
    check_finite(observed=observed)
    covariance = params.covariance.diag_embed() if params.is_diagonal else params.covariance
    slope = covariance[:, target, given] / covariance[:, given, given]
    residual = observed - loc[:, given]
    log_joint = params.weights.log() - 0.5 * (
        residual.square() / covariance[:, given, given] + covariance[:, given, given].log()
    )
    variance = covariance[:, target, target] - slope * covariance[:, target, given]
    if (variance <= 0).any():
        raise ValueError(
            f"the covariance between columns {given} and {target} is singular (conditional "
            f"variances {variance.tolist()}); expected a positive definite one: fit with a larger "
            "min_variance"
        )
    return ScalarMixture(
        weights=torch.softmax(log_joint, -1),
        loc=loc[:, target] + slope * residual,
        scale=variance.sqrt().expand_as(residual),
    )


def cdf(mixture: ScalarMixture, value: float | Float[Tensor, "*m"]) -> Float[Tensor, "*m"]:
    r"""The probability that the variable is at most `value`.

    .. math:: P(V \le v) = \sum_k \pi_k \Phi\Big(\frac{v - \mu_k}{\sigma_k}\Big)

    Args:
        mixture: Fields of shape (*M, K).
        value: v, one number, or one per leading index.

    Example:
        >>> one, zero = torch.ones(1), torch.zeros(1)
        >>> cdf(ScalarMixture(weights=one, loc=zero, scale=one), 0.0)
        tensor(0.5000)
    """
    value = torch.as_tensor(value, dtype=mixture.loc.dtype, device=mixture.loc.device)
    z = (value[..., None] - mixture.loc) / mixture.scale
    return (mixture.weights * torch.special.ndtr(z)).sum(-1)


def quantile(mixture: ScalarMixture, level: float | Float[Tensor, "*m"]) -> Float[Tensor, "*m"]:
    r"""The value v at which `cdf` reaches `level`, by bisection.

    The quantile of a mixture lies between the smallest and the largest quantile of its components,
    which brackets it.

    Args:
        mixture: Fields of shape (*M, K).
        level: A probability strictly between 0 and 1, one number or one per leading index.

    Returns:
        Shape (*M), in the unit of the variable, exact to rounding.

    Raises:
        ValueError: `level` is not strictly between 0 and 1, or `mixture` is malformed.

    Example:
        >>> one, zero = torch.ones(1), torch.zeros(1)
        >>> quantile(ScalarMixture(weights=one, loc=zero, scale=one), 0.975)
        tensor(1.9600)
    """
    weights, loc, scale = mixture
    check_same_kind(weights=weights, loc=loc, scale=scale)
    check_finite(weights=weights, loc=loc, scale=scale)
    level = torch.as_tensor(level, dtype=loc.dtype, device=loc.device)
    if not ((level > 0) & (level < 1)).all():
        raise ValueError(
            f"level is {level.tolist()}; expected probabilities strictly between 0 and 1"
        )
    bracket = loc + scale * torch.special.ndtri(level)[..., None]
    low, high = bracket.amin(-1), bracket.amax(-1)
    for _ in range(NUM_BISECTIONS):
        middle = 0.5 * (low + high)
        below = cdf(mixture, middle) < level
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return 0.5 * (low + high)
