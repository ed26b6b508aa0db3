r"""Expectation maximisation for a mixture of Gaussians, in small steps.

Reference: Dempster, Laird and Rubin (1977), "Maximum likelihood from incomplete data via the EM
algorithm", Journal of the Royal Statistical Society B 39; the updates are equations (9.23) to
(9.26) of Bishop (2006), "Pattern Recognition and Machine Learning". `course_lib.fast_em` computes
the same steps faster.
"""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from course_lib.mixture.density import responsibilities, unchecked_log_joint
from course_lib.mixture.params import (
    CovarianceArray,
    MixtureParams,
    PointsArray,
    check_finite,
    check_params,
    check_points,
    check_same_kind,
)

Callback = Callable[[int, MixtureParams, Tensor], None]


@dataclass(frozen=True, kw_only=True)
class FitResult:
    r"""What a fit found.

    Attributes:
        params: The fitted mixture; of several restarts, the most likely one.
        log_likelihoods: \ell after each step, in nats; entry 0 belongs to the start, the last one
            to `params`.
        converged: Whether the last step gained less than the tolerance.
        restart_log_likelihoods: The final \ell of every restart, shape (*B).
    """

    params: MixtureParams
    log_likelihoods: Float[Tensor, " steps"]
    converged: bool
    restart_log_likelihoods: Float[Tensor, "*batch"]


def m_step(
    x: PointsArray,
    resp: Float[Tensor, "*batch n k"],
    *,
    diagonal: bool = False,
    min_variance: float = 0.0,
) -> MixtureParams:
    r"""The parameters that maximise the expected log joint under given responsibilities.

    .. math:: N_k = \sum_n r_{nk}, \quad \pi_k = \frac{N_k}{N}, \quad
        \mu_k = \frac{1}{N_k} \sum_n r_{nk} x_n, \quad
        \Sigma_k = \frac{1}{N_k} \sum_n r_{nk} (x_n - \mu_k)(x_n - \mu_k)^\top

    Args:
        x: Points, shape (N, D).
        resp: Responsibilities, shape (*B, N, K); rows sum to 1.
        diagonal: Fit variances only.
        min_variance: A lower bound on the variance in every direction, in the squared unit of `x`.
            The result is the exact maximum under that bound, so with it EM still never loses
            likelihood.

    Returns:
        Parameters with the batch dimensions of `resp`. A component that no point belongs to gets
        weight 0 (to working precision) and the mean of the data.

    Raises:
        ValueError: `x` or `resp` is malformed, or `min_variance` is negative.
    """
    check_points(x)
    _check_responsibilities(resp, x)
    _check_min_variance(min_variance)
    return _m_step(x, resp, diagonal=diagonal, min_variance=min_variance)


def _m_step(
    x: PointsArray, resp: Float[Tensor, "*batch n k"], *, diagonal: bool, min_variance: float
) -> MixtureParams:
    counts = resp.sum(-2).clamp_min(torch.finfo(x.dtype).tiny)  # N_k, never 0 below the fraction
    centre = x.mean(0)
    centred = x - centre  # the means of data far from 0 lose no digits
    loc = centre + resp.mT @ centred / counts[..., None]
    difference = x - loc[..., None, :]  # (*B, K, N, D)
    if diagonal:
        covariance = (resp.mT[..., None] * difference.square()).sum(-2) / counts[..., None]
    else:
        weighted = resp.mT[..., None] * difference
        covariance = weighted.mT @ difference / counts[..., None, None]
    covariance = bound_variance(covariance, min_variance, diagonal=diagonal)
    return MixtureParams(weights=counts / len(x), loc=loc, covariance=covariance)


def bound_variance(
    covariance: CovarianceArray, min_variance: float, *, diagonal: bool
) -> CovarianceArray:
    r"""Raise the eigenvalues of Σ to at least `min_variance`; where they are, change nothing.

    Clipping the eigenvalues is the exact maximiser of -\tfrac12 (\log|\Sigma| +
    \mathrm{tr}(\Sigma^{-1} S)) under the bound. The bound is at least the rounding error of the
    largest eigenvalue, so that the result has a Cholesky factor.
    """
    if min_variance == 0.0:
        return covariance
    if diagonal:
        return covariance.clamp_min(min_variance)
    values, vectors = torch.linalg.eigh(covariance)  # ascending
    rounding = 8 * covariance.shape[-1] * torch.finfo(covariance.dtype).eps
    bound = (rounding * values[..., -1:]).clamp_min(min_variance)
    clipped = (vectors * values.maximum(bound)[..., None, :]) @ vectors.mT
    return torch.where((values[..., :1] < bound)[..., None], clipped, covariance)


def em_step(x: PointsArray, params: MixtureParams, *, min_variance: float = 0.0) -> MixtureParams:
    r"""One E step, then one M step; the log-likelihood never falls.

    Raises:
        ValueError: `x` or `params` is malformed, or a covariance of `params` is singular.
    """
    return m_step(
        x, responsibilities(x, params), diagonal=params.is_diagonal, min_variance=min_variance
    )


def init_params(
    x: PointsArray,
    num_components: int,
    *,
    num_restarts: int = 1,
    diagonal: bool = False,
    generator: torch.Generator | None = None,
) -> MixtureParams:
    r"""A start for EM: K distinct points as means, the covariance of all points, equal weights.

    Args:
        x: Points, shape (N, D).
        num_components: K.
        num_restarts: How many starts to draw; above 1 the parameters get a leading dimension.
        diagonal: Give variances only.
        generator: The source of randomness.

    Raises:
        ValueError: `x` is malformed, or has fewer distinct points than `num_components`.
    """
    check_points(x)
    distinct = x.unique(dim=0)  # two equal means would never separate
    _check_num_components(num_components, len(x), len(distinct))
    if num_restarts < 1:
        raise ValueError(f"num_restarts is {num_restarts}; expected at least 1")
    device = x.device if generator is None else generator.device
    order = torch.rand(num_restarts, len(distinct), generator=generator, device=device).argsort(-1)
    loc = distinct[order[:, :num_components].to(x.device)]
    centred = x - x.mean(0)
    pooled = centred.square().mean(0) if diagonal else centred.mT @ centred / len(x)
    params = MixtureParams(
        weights=torch.full_like(loc[..., 0], 1 / num_components),
        loc=loc,
        covariance=pooled.expand(*loc.shape[:-1], *pooled.shape).contiguous(),
    )
    return params if num_restarts > 1 else params.select(0)


def fit_em(
    x: PointsArray,
    start: int | MixtureParams,
    *,
    max_steps: int = 500,
    tolerance: float = 1e-9,
    min_variance: float = 1e-6,
    num_restarts: int = 1,
    diagonal: bool = False,
    generator: torch.Generator | None = None,
    callback: Callback | None = None,
) -> FitResult:
    r"""Run EM until a step gains less than `tolerance` nats per point.

    Args:
        x: Points, shape (N, D).
        start: K, for a random start; or the parameters to start from. Parameters with leading batch
            dimensions are so many restarts, run together.
        max_steps: At most so many steps.
        tolerance: In nats per point.
        min_variance: As in `m_step`. At 0 a component may collapse on a single point, and the fit
            then fails.
        num_restarts: The number of random starts, with an integer `start`.
        diagonal: Fit variances only, with an integer `start`.
        generator: The source of randomness, with an integer `start`.
        callback: Called as callback(step, params, log_likelihood) at the start (step 0) and after
            every step, with all restarts.

    Returns:
        The most likely of the restarts.

    Raises:
        ValueError: `x` or `start` is malformed, K exceeds the number of points, or a covariance
            collapsed.

    Example:
        >>> from course_lib.data import old_faithful
        >>> generator = torch.Generator().manual_seed(0)
        >>> result = fit_em(old_faithful(), 2, num_restarts=5, generator=generator)
        >>> round(result.log_likelihoods[-1].item(), 3)
        -1130.264
    """
    _check_min_variance(min_variance)
    if max_steps < 0:
        raise ValueError(f"max_steps is {max_steps}; expected 0 or more")
    if isinstance(start, int):
        params = init_params(
            x, start, num_restarts=num_restarts, diagonal=diagonal, generator=generator
        )
        bounded = bound_variance(params.covariance, min_variance, diagonal=diagonal)
        params = dataclasses.replace(params, covariance=bounded)
    else:
        params = start
        check_params(params, x)
        _check_num_components(params.num_components, len(x), len(x))

    history: list[Tensor] = []
    settled = torch.zeros(params.batch_shape, dtype=torch.bool, device=x.device)
    for step in range(max_steps + 1):
        joint = unchecked_log_joint(x, params)
        history.append(torch.logsumexp(joint, -1).sum(-1))
        _check_log_likelihood(history[-1], step)
        if callback is not None:
            callback(step, params, history[-1])
        if step > 0:
            settled |= history[-1] - history[-2] <= tolerance * len(x)
        if step == max_steps or settled.all():
            break
        resp = torch.softmax(joint, -1)
        params = _m_step(x, resp, diagonal=params.is_diagonal, min_variance=min_variance)
    return _best_restart(params, torch.stack(history), settled)


def _best_restart(
    params: MixtureParams,
    history: Float[Tensor, " steps *batch"],
    settled: Bool[Tensor, "*batch"],
) -> FitResult:
    final = history[-1]
    best = tuple(int(i) for i in torch.unravel_index(final.argmax(), final.shape))
    return FitResult(
        params=params.select(*best),
        log_likelihoods=history[(slice(None), *best)],
        converged=bool(settled[best]),
        restart_log_likelihoods=final,
    )


def _check_num_components(num_components: int, num_points: int, num_distinct: int) -> None:
    if not 1 <= num_components <= num_distinct:
        raise ValueError(
            f"num_components is {num_components} with {num_points} points ({num_distinct} of them "
            "distinct); expected at least 1 and at most one component per distinct point: ask for "
            "fewer components"
        )


def _check_responsibilities(resp: Tensor, x: PointsArray) -> None:
    if resp.ndim < 2 or resp.shape[-2] != len(x) or resp.shape[-1] == 0:
        raise ValueError(
            f"resp has shape {tuple(resp.shape)}; expected (*B, N, K) = (*B, {len(x)}, K), one row "
            "per point"
        )
    check_same_kind(x=x, resp=resp)
    check_finite(resp=resp)
    if (resp < 0).any() or ((resp.sum(-1) - 1).abs() > 1e-3).any():
        raise ValueError(
            f"the rows of resp sum to between {resp.sum(-1).min().item():.4g} and "
            f"{resp.sum(-1).max().item():.4g}, its smallest entry is {resp.min().item():.4g}; "
            "expected probabilities: normalise over the last dimension, the components"
        )


def _check_min_variance(min_variance: float) -> None:
    if not 0.0 <= min_variance < math.inf:
        raise ValueError(
            f"min_variance is {min_variance}; expected a finite number, 0 or more, in the squared "
            "unit of x"
        )


def _check_log_likelihood(log_likelihood: Float[Tensor, "*batch"], step: int) -> None:
    if not log_likelihood.isfinite().all():
        raise ValueError(
            f"the log-likelihood is {log_likelihood.tolist()} after step {step}; expected a finite "
            "number: some point lies out of reach of every component in this precision, so "
            "rescale the columns of x, or use float64"
        )
