"""What three of the exercises share: reading (weights, loc, covariance), and how likely they
make the data."""

import math
from typing import Any

import torch
from torch import Tensor

from autograder import expect

Parameters = tuple[Tensor, Tensor, Tensor]


def unpack(value: Any, num_components: int, dim: int, what: str) -> Parameters:
    """Demand (weights, loc, covariance) of the right shapes, all finite; give them back in
    float64."""
    weights, loc, covariance = expect.items(value, 3, f"the result of {what}")
    shapes = {
        "weights": (weights, (num_components,)),
        "loc": (loc, (num_components, dim)),
        "covariance": (covariance, (num_components, dim, dim)),
    }
    tensors = tuple(expect.tensor(part, shape, name) for name, (part, shape) in shapes.items())
    for name, part in zip(shapes, tensors, strict=True):
        expect.finite(part, name)
    return tensors


def expect_mixture(
    value: Any, num_components: int, dim: int, what: str, least: float = 0.0
) -> Parameters:
    """Demand a mixture: weights that sum to one, covariances with eigenvalues above `least`."""
    params = unpack(value, num_components, dim, what)
    expect_sound(*params, least)
    return params


def expect_sound(weights: Tensor, loc: Tensor, covariance: Tensor, least: float = 0.0) -> None:
    """The same for parameters that were read already; they may have leading dimensions."""
    expect.true(
        (weights >= 0).all(),
        f"a weight is {weights.min():.4g}; a weight is a probability and cannot be negative",
    )
    totals = weights.sum(-1)
    total = totals.flatten()[(totals - 1).abs().argmax()].item()
    expect.true(abs(total - 1) < 1e-4, f"the weights sum to {total:.6g}; expected 1")
    skew = (covariance - covariance.mT).abs().amax((-2, -1))
    lopsided = skew > 1e-4 * covariance.abs().amax((-2, -1))
    expect.true(
        not lopsided.any(),
        f"a covariance is not symmetric: two entries that should agree differ by {skew.max():.3g}",
    )
    smallest = torch.linalg.eigvalsh(symmetric(covariance)).min().item()
    expect.true(
        smallest > 0,
        f"a covariance is not positive definite: its smallest eigenvalue is {smallest:.3g}",
    )
    expect.true(
        smallest >= least,
        f"the smallest eigenvalue of a covariance is {smallest:.3g}, next to nothing; "
        f"expected at least {least:.3g}",
    )


def symmetric(matrix: Tensor) -> Tensor:
    return 0.5 * (matrix + matrix.mT)


def log_joint(x: Tensor, weights: Tensor, loc: Tensor, covariance: Tensor) -> Tensor:
    """log π_k + log N(x_n | μ_k, Σ_k), shape (N, K); parameters may have leading dimensions."""
    return weights.log()[..., None, :] + log_density(x, loc, covariance)


def log_density(x: Tensor, loc: Tensor, covariance: Tensor) -> Tensor:
    """log N(x_n | μ_k, Σ_k), shape (N, K); a torch error for a covariance that is none."""
    factor = torch.linalg.cholesky(covariance)
    z = torch.linalg.solve_triangular(factor, x.mT - loc[..., None], upper=False)
    log_scale = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    constant = 0.5 * x.shape[1] * math.log(2 * math.pi)
    return (-0.5 * z.square().sum(-2) - log_scale[..., None] - constant).mT


def log_likelihoods(x: Tensor, weights: Tensor, loc: Tensor, covariance: Tensor) -> Tensor:
    """Log-likelihood of the points for each of the leading dimensions, in nats."""
    return log_joint(x, weights, loc, symmetric(covariance)).logsumexp(-1).sum(-1)


def log_likelihood(x: Tensor, weights: Tensor, loc: Tensor, covariance: Tensor) -> float:
    """Log-likelihood of the points, in nats; a torch error for covariances that are none."""
    return log_likelihoods(x, weights, loc, covariance).item()
