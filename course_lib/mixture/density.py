r"""Densities of Gaussians and of their mixtures, responsibilities, and samples."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_lib.mixture.params import (
    CovarianceArray,
    MixtureParams,
    PointsArray,
    check_finite,
    check_params,
    check_points,
    check_same_kind,
    cholesky,
)

LOG_TWO_PI = math.log(2 * math.pi)


def log_gaussian(
    x: PointsArray, loc: Float[Tensor, " d"], log_scale: Float[Tensor, " d"]
) -> Float[Tensor, " n"]:
    r"""The log-density of a Gaussian with independent coordinates.

    .. math:: \log N(x | \mu, \sigma)
        = -\tfrac12 \sum_d \Big(\frac{x_d - \mu_d}{\sigma_d}\Big)^2
        - \sum_d \log \sigma_d - \tfrac{D}{2} \log 2\pi

    Args:
        x: Points, shape (N, D).
        loc: \mu, shape (D,).
        log_scale: \log \sigma, the logarithm of the standard deviations, shape (D,).

    Returns:
        One value per point, shape (N,), in nats.

    Raises:
        ValueError: The shapes do not fit, an array is empty, or a value is not finite.

    Example:
        >>> log_gaussian(torch.zeros(1, 1), torch.zeros(1), torch.zeros(1))
        tensor([-0.9189])
    """
    check_points(x)
    _check_shape("loc", loc, x.shape[1:], "(D,)")
    _check_shape("log_scale", log_scale, x.shape[1:], "(D,)")
    check_same_kind(x=x, loc=loc, log_scale=log_scale)
    check_finite(loc=loc, log_scale=log_scale)
    z = (x - loc) * torch.exp(-log_scale)
    return -0.5 * z.square().sum(-1) - log_scale.sum() - 0.5 * len(loc) * LOG_TWO_PI


def log_gaussian_full(
    x: PointsArray, loc: Float[Tensor, " d"], scale_tril: Float[Tensor, "d d"]
) -> Float[Tensor, " n"]:
    r"""The log-density of a Gaussian with covariance L Lᵀ.

    .. math:: \log N(x | \mu, L L^\top)
        = -\tfrac12 \lVert L^{-1} (x - \mu) \rVert^2 - \sum_d \log L_{dd} - \tfrac{D}{2} \log 2\pi

    Args:
        x: Points, shape (N, D).
        loc: \mu, shape (D,).
        scale_tril: L, lower triangular with a positive diagonal, shape (D, D). What lies above the
            diagonal is not read.

    Returns:
        One value per point, shape (N,), in nats.

    Raises:
        ValueError: The shapes do not fit, an array is empty, a value is not finite, or L is
            singular.

    Example:
        >>> log_gaussian_full(torch.zeros(1, 2), torch.zeros(2), torch.eye(2))
        tensor([-1.8379])
    """
    check_points(x)
    _check_shape("loc", loc, x.shape[1:], "(D,)")
    _check_shape("scale_tril", scale_tril, (*x.shape[1:], *x.shape[1:]), "(D, D)")
    check_same_kind(x=x, loc=loc, scale_tril=scale_tril)
    check_finite(loc=loc, scale_tril=scale_tril)
    if (scale_tril.diagonal() <= 0).any():
        raise ValueError(
            f"the diagonal of scale_tril is {scale_tril.diagonal().tolist()}; expected positive "
            "numbers: pass torch.linalg.cholesky(covariance)"
        )
    return _log_gaussian_tril(x, loc, scale_tril)


def _log_gaussian_tril(
    x: PointsArray, loc: Float[Tensor, "*batch d"], scale_tril: Float[Tensor, "*batch d d"]
) -> Float[Tensor, "*batch n"]:
    difference = x.mT - loc[..., None]  # (*batch, D, N)
    z = torch.linalg.solve_triangular(scale_tril, difference, upper=False)
    log_det = scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1, keepdim=True)
    return -0.5 * z.square().sum(-2) - log_det - 0.5 * x.shape[1] * LOG_TWO_PI


def log_mixture(
    x: PointsArray,
    logits: Float[Tensor, " k"],
    loc: Float[Tensor, "k d"],
    log_scale: Float[Tensor, "k d"],
) -> Float[Tensor, " n"]:
    r"""The log-density of a mixture of Gaussians with independent coordinates.

    .. math:: \log p(x) = \log \sum_k \pi_k N(x | \mu_k, \sigma_k), \qquad
        \pi = \mathrm{softmax}(\eta)

    Args:
        x: Points, shape (N, D).
        logits: \eta, shape (K,); adding a constant to all of them changes nothing.
        loc: \mu, shape (K, D).
        log_scale: \log \sigma, shape (K, D).

    Returns:
        One value per point, shape (N,), in nats.

    Raises:
        ValueError: The shapes do not fit, an array is empty, or a value is not finite.

    Example:
        >>> log_mixture(torch.zeros(1, 1), torch.zeros(2), torch.zeros(2, 1), torch.zeros(2, 1))
        tensor([-0.9189])
    """
    check_points(x)
    num_components = logits.shape[0] if logits.ndim == 1 else "K"
    _check_shape("loc", loc, (num_components, x.shape[1]), "(K, D)")
    _check_shape("log_scale", log_scale, (num_components, x.shape[1]), "(K, D)")
    check_same_kind(x=x, logits=logits, loc=loc, log_scale=log_scale)
    check_finite(logits=logits, loc=loc, log_scale=log_scale)
    z = (x[:, None, :] - loc) * torch.exp(-log_scale)  # (N, K, D)
    log_component = -0.5 * z.square().sum(-1) - log_scale.sum(-1) - 0.5 * x.shape[1] * LOG_TWO_PI
    return torch.logsumexp(torch.log_softmax(logits, 0) + log_component, -1)


def component_log_density(
    x: PointsArray, loc: Float[Tensor, "*batch k d"], covariance: CovarianceArray
) -> Float[Tensor, "*batch n k"]:
    r"""\log N(x_n | \mu_k, \Sigma_k) for every point and every component.

    Args:
        x: Points, shape (N, D).
        loc: \mu, shape (*B, K, D).
        covariance: \Sigma, shape (*B, K, D, D), or the variances of a diagonal model, shape (*B, K,
            D).

    Returns:
        Shape (*B, N, K), in nats.

    Raises:
        ValueError: The shapes do not fit, a value is not finite, or a covariance is singular.

    Example:
        >>> component_log_density(torch.zeros(3, 1), torch.zeros(2, 1), torch.ones(2, 1)).shape
        torch.Size([3, 2])
    """
    uniform = torch.full_like(loc[..., 0], 1 / max(loc.shape[-2], 1))
    check_params(MixtureParams(weights=uniform, loc=loc, covariance=covariance), x)
    return _component_log_density(x, loc, covariance)


def _component_log_density(
    x: PointsArray, loc: Float[Tensor, "*batch k d"], covariance: CovarianceArray
) -> Float[Tensor, "*batch n k"]:
    if covariance.ndim > loc.ndim:
        return _log_gaussian_tril(x, loc, cholesky(covariance)).mT
    z_sq = (x[:, None, :] - loc[..., None, :, :]).square() / covariance[..., None, :, :]
    log_det = covariance.log().sum(-1)[..., None, :]
    return -0.5 * (z_sq.sum(-1) + log_det + x.shape[1] * LOG_TWO_PI)


def log_joint(x: PointsArray, params: MixtureParams) -> Float[Tensor, "*batch n k"]:
    r"""The log joint density of each point and each component, shape (*B, N, K), in nats.

    .. math:: \log p(x_n, z_n = k) = \log \pi_k + \log N(x_n | \mu_k, \Sigma_k)

    Raises:
        ValueError: `x` or `params` is malformed, or a covariance is singular.
    """
    check_params(params, x)
    return unchecked_log_joint(x, params)


def unchecked_log_joint(x: PointsArray, params: MixtureParams) -> Float[Tensor, "*batch n k"]:
    r"""`log_joint` for loops that checked their input once; a singular covariance still raises."""
    log_weights = params.weights.log()[..., None, :]
    return log_weights + _component_log_density(x, params.loc, params.covariance)


def log_density(x: PointsArray, params: MixtureParams) -> Float[Tensor, "*batch n"]:
    r"""\log p(x_n) = \log \sum_k p(x_n, z_n = k), shape (*B, N), in nats.

    Raises:
        ValueError: `x` or `params` is malformed, or a covariance is singular.

    Example:
        >>> params = MixtureParams(
        ...     weights=torch.ones(1), loc=torch.zeros(1, 2), covariance=torch.eye(2)[None]
        ... )
        >>> log_density(torch.zeros(1, 2), params)
        tensor([-1.8379])
    """
    return torch.logsumexp(log_joint(x, params), -1)


def log_likelihood(x: PointsArray, params: MixtureParams) -> Float[Tensor, "*batch"]:
    r"""\ell(\theta) = \sum_n \log p(x_n), shape (*B), in nats summed over the points.

    Raises:
        ValueError: `x` or `params` is malformed, or a covariance is singular.
    """
    return log_density(x, params).sum(-1)


def responsibilities(x: PointsArray, params: MixtureParams) -> Float[Tensor, "*batch n k"]:
    r"""The posterior of the hidden variable, the E step of EM.

    .. math:: r_{nk} = p(z_n = k | x_n)
        = \frac{\pi_k N(x_n | \mu_k, \Sigma_k)}{\sum_j \pi_j N(x_n | \mu_j, \Sigma_j)}

    Returns:
        Shape (*B, N, K); every row sums to 1.

    Raises:
        ValueError: `x` or `params` is malformed, or a covariance is singular.
    """
    return torch.softmax(log_joint(x, params), -1)


def sample(
    params: MixtureParams, num_samples: int, *, generator: torch.Generator | None = None
) -> tuple[Float[Tensor, "s d"], Int[Tensor, " s"]]:
    r"""Draw the hidden component first, then the point: z ~ \pi, x = \mu_z + L_z \varepsilon.

    Args:
        params: A single mixture, without batch dimensions.
        num_samples: S, at least 1.
        generator: The source of randomness, on the device of `params`.

    Returns:
        The points, shape (S, D), and the component that each came from, shape (S,).

    Raises:
        ValueError: `params` has batch dimensions or is malformed, or `num_samples` is not positive.
    """
    check_params(params)
    if params.batch_shape or num_samples < 1:
        raise ValueError(
            f"given parameters with batch shape {tuple(params.batch_shape)} and "
            f"num_samples={num_samples}; expected a single mixture (take one with select(i)) and "
            "at least one sample"
        )
    labels = torch.multinomial(params.weights, num_samples, replacement=True, generator=generator)
    loc = params.loc[labels]
    noise = torch.empty_like(loc).normal_(generator=generator)
    if params.is_diagonal:
        return loc + params.covariance.sqrt()[labels] * noise, labels
    scale_tril = cholesky(params.covariance)[labels]
    return loc + (scale_tril @ noise[..., None]).squeeze(-1), labels


def _check_shape(name: str, tensor: Tensor, expected: tuple[int | str, ...], symbols: str) -> None:
    if tuple(tensor.shape) != tuple(expected):
        sizes = ", ".join(map(str, expected))
        raise ValueError(
            f"{name} has shape {tuple(tensor.shape)}; expected {symbols} = "
            f"({sizes}{',' * (len(expected) == 1)}), matching the other arguments"
        )
