r"""EM for full covariances as two matrix products per step.

A Gaussian's log-density is linear in the features of a point

.. math:: \phi(x) = (1, \; x_i, \; x_i x_j \text{ for } i \le j), \qquad
    F = 1 + D + \tfrac{D (D + 1)}{2},

and the M step needs nothing but sums of the features weighted by responsibilities. With the
features of all points in an F × N array \Phi, one step of EM is

.. math:: \log p(x_n, z_n = k) = (W \Phi)_{kn}, \qquad
    \Big(N_k, \; \sum_n r_{nk} x_n, \; \sum_n r_{nk} x_n x_n^\top\Big) = (R \Phi^\top)_k .

These are the steps of `course_lib.mixture.em_step`, which stays the reference; the tests hold the
two together.

Limits. Expanding the square loses digits when a component is thin, since terms of size
|x|²/variance cancel. The columns are standardised, everything is computed in float64, and a fit in
which some direction of a component has less than 1e-5 of a column's variance is refused, so that
log-likelihoods keep nine digits after the point. The work grows with D², so that beyond 30
dimensions the readable EM is the better choice. There is no bound on the variance: a component that
collapses is an error.
"""

from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from course_lib.mixture import FitResult, MixtureParams
from course_lib.mixture.density import LOG_TWO_PI
from course_lib.mixture.params import PointsArray, check_params

Array = np.ndarray | Tensor  # the code below uses only what numpy and torch both have

THINNEST = 1e-5  # variance of a component over that of a column
MAX_DIM = 30
SMALLEST_EXPONENT = -700.0  # underflow in exp is several times slower, and adds nothing
NUM_SLICES = 16
NUMPY_LIMIT = 200_000  # entries of the features below which a call costs more than its arithmetic


class _Basis(NamedTuple):
    r"""The order of the quadratic features.

    Attributes:
        pairs: i and j of each x_i x_j, shape (2, D (D + 1) / 2).
        multiplicity: How often each occurs in a quadratic form, 1 where i = j and 2 elsewhere.
        place: The number of x_i x_j among them, shape (D, D).
    """

    pairs: Array
    multiplicity: Array
    place: Array


def fit_em_fast(
    x: PointsArray, start: MixtureParams, *, max_steps: int = 500, tolerance: float = 1e-9
) -> FitResult:
    r"""As `course_lib.mixture.fit_em` with `min_variance=0`, but faster; full covariances only.

    Args:
        x: Points, shape (N, D). Those in float32 are computed in float64 and the result is rounded.
        start: A single mixture with full covariances.
        max_steps: At most so many steps.
        tolerance: In nats per point; `-math.inf` takes all steps.

    Raises:
        ValueError: `x` or `start` is malformed, D is above 30, or a component is too thin for this
            method.

    Example:
        >>> from course_lib.data import old_faithful
        >>> from course_lib.mixture import init_params
        >>> start = init_params(old_faithful(), 2, generator=torch.Generator().manual_seed(0))
        >>> round(fit_em_fast(old_faithful(), start).log_likelihoods[-1].item(), 5)
        -1130.26396
    """
    _check_start(x, start, max_steps)
    points, num_points = x.double(), len(x)
    shift, scale = points.mean(0), points.std(0, correction=0)
    if (scale == 0).any():
        raise ValueError(
            f"the columns of x have standard deviations {scale.tolist()}; expected every column to "
            "vary: drop the constant ones"
        )
    xp, wrap = _array_module(x, start.num_components)
    z = wrap(((points - shift) / scale).mT.contiguous())
    params = (
        wrap(start.weights.double()),
        wrap((start.loc.double() - shift) / scale),
        wrap(start.covariance.double() / (scale[:, None] * scale)),
    )

    basis = _Basis(*map(wrap, _pairs(x.shape[1])))
    features = _quadratic_features(xp, z)
    resp = params[0][:, None] * features[0]  # memory, which every step uses again
    history = []
    converged = False
    for step in range(max_steps + 1):
        history.append(_e_step(xp, _coefficients(xp, *params, basis), features, resp))
        if step > 0 and tolerance > -np.inf:
            converged = bool(history[-1] - history[-2] <= tolerance * num_points)
        if step == max_steps or converged:
            break
        params = _m_step(xp, _weighted_sums(resp, features), num_points, basis)

    weights, loc, covariance = (torch.as_tensor(part, device=x.device) for part in params)
    fitted = MixtureParams(
        weights=weights, loc=shift + scale * loc, covariance=scale[:, None] * scale * covariance
    )
    totals = torch.stack([torch.as_tensor(total, device=x.device) for total in history])
    values = totals - num_points * scale.log().sum()  # back to the units of x
    return FitResult(
        params=fitted.to(x.dtype),
        log_likelihoods=values.to(x.dtype),
        converged=converged,
        restart_log_likelihoods=values[-1].to(x.dtype),
    )


def _pairs(dim: int) -> tuple[Tensor, Tensor, Tensor]:
    pairs = torch.triu_indices(dim, dim, device="cpu")
    place = torch.empty(dim, dim, dtype=torch.long, device="cpu")
    place[pairs[0], pairs[1]] = place[pairs[1], pairs[0]] = torch.arange(
        pairs.shape[1], device="cpu"
    )
    return pairs, 2.0 - (pairs[0] == pairs[1]).double(), place


def _quadratic_features(xp: ModuleType, z: Array) -> Array:
    r"""\Phi, shape (F, N), from the points as columns, shape (D, N)."""
    dim, num_points = z.shape
    empty = z.new_empty if isinstance(z, Tensor) else np.empty
    features = empty((1 + dim * (dim + 3) // 2, num_points))
    features[0], features[1 : 1 + dim] = 1.0, z
    first = 1 + dim
    for i in range(dim):  # in place: fresh memory costs more than the products
        xp.multiply(z[i], z[i:], out=features[first : first + dim - i])
        first += dim - i
    return features


def _coefficients(
    xp: ModuleType, weights: Array, loc: Array, covariance: Array, basis: _Basis
) -> Array:
    r"""W, shape (K, F): each component's log joint as a linear function of the features."""
    try:
        factor = xp.linalg.cholesky(covariance)
    except (np.linalg.LinAlgError, torch.linalg.LinAlgError):
        raise _too_thin() from None
    precision = xp.linalg.inv(covariance)
    if precision.max() > 1 / THINNEST:  # the largest entry of P is on its diagonal
        raise _too_thin()
    half_log_det = xp.log(xp.diagonal(factor, 0, 1, 2)).sum(1)
    linear = (precision @ loc[:, :, None])[:, :, 0]
    constant = (
        xp.log(weights) - half_log_det - 0.5 * ((linear * loc).sum(1) + loc.shape[1] * LOG_TWO_PI)
    )
    first, second = basis.pairs
    quadratic = -0.5 * basis.multiplicity * precision[:, first, second]
    return xp.concatenate([constant[:, None], linear, quadratic], 1)


def _e_step(
    xp: ModuleType, coefficients: Array, features: Array, resp: Array
) -> Tensor | np.float64:
    r"""The log-likelihood; the responsibilities, shape (K, N), are left in `resp`."""
    xp.matmul(coefficients, features, out=resp)
    peak = xp.amax(resp, 0)
    resp -= peak
    xp.clip(resp, SMALLEST_EXPONENT, None, out=resp)
    xp.exp(resp, out=resp)
    evidence = resp.sum(0)
    resp /= evidence
    return peak.sum() + xp.log(evidence).sum()


def _weighted_sums(resp: Array, features: Array) -> Array:
    r"""R \Phi^\top, shape (K, F), summed over slices of the points so that threads can share them.

    A product with few outputs and a long sum is one thread's work for most BLAS libraries.
    """
    if isinstance(features, np.ndarray) or features.shape[1] < NUM_SLICES:
        return resp @ features.T
    even = features.shape[1] // NUM_SLICES * NUM_SLICES
    r, phi = (part[:, :even].unflatten(1, (NUM_SLICES, -1)) for part in (resp, features))
    sums = torch.bmm(r.transpose(0, 1), phi.permute(1, 2, 0)).sum(0)
    return sums + resp[:, even:] @ features[:, even:].T


def _m_step(
    xp: ModuleType, sums: Array, num_points: int, basis: _Basis
) -> tuple[Array, Array, Array]:
    r"""Weights, means and covariances from R \Phi^\top, shape (K, F)."""
    dim = len(basis.place)
    counts = xp.clip(sums[:, 0], np.finfo(np.float64).tiny, None)
    loc = sums[:, 1 : dim + 1] / counts[:, None]
    second_moment = sums[:, dim + 1 :][:, basis.place] / counts[:, None, None]
    return counts / num_points, loc, second_moment - loc[:, :, None] * loc[:, None, :]


def _array_module(
    x: PointsArray, num_components: int
) -> tuple[ModuleType, Callable[[Tensor], Array]]:
    r"""numpy for few points on a CPU, where calls cost less, else torch; and its converter."""
    num_features = 1 + x.shape[1] * (x.shape[1] + 3) // 2
    if x.device.type == "cpu" and len(x) * max(num_features, num_components) <= NUMPY_LIMIT:
        return np, Tensor.numpy
    return torch, lambda tensor: tensor.to(x.device)


def _check_start(x: PointsArray, start: MixtureParams, max_steps: int) -> None:
    check_params(start, x)
    if start.is_diagonal or start.batch_shape or start.dim > MAX_DIM or max_steps < 0:
        raise ValueError(
            f"given a {'diagonal' if start.is_diagonal else 'full'} model of {start.dim} "
            f"dimensions with batch shape {tuple(start.batch_shape)} and max_steps={max_steps}; "
            f"expected full covariances, at most {MAX_DIM} dimensions, no batch and max_steps of "
            "at least 0: use course_lib.mixture.fit_em"
        )
    if start.num_components > len(x):
        raise ValueError(
            f"start has {start.num_components} components for {len(x)} points; expected at most "
            "one per point: ask for fewer components"
        )


def _too_thin() -> ValueError:
    return ValueError(
        f"a component has a direction with less than {THINNEST:g} of the variance of a column, too "
        "thin for the fast path, whose digits cancel there; expected components with extent in "
        "every direction: use course_lib.mixture.fit_em with a positive min_variance"
    )
