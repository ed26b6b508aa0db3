"""What three of the exercises share: reading (weights, loc, covariance), and how likely they make the data."""

from typing import Any

import torch
from torch import Tensor

from autograder import expect
from course_lib import mixture

Parameters = tuple[Tensor, Tensor, Tensor]


def unpack(value: Any, num_components: int, dim: int, what: str) -> Parameters:
    """Demand (weights, loc, covariance) of the right shapes, all finite; give them back in float64."""
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


def expect_mixture(value: Any, num_components: int, dim: int, what: str) -> Parameters:
    """Demand a mixture: weights on the simplex, covariances symmetric and positive definite."""
    weights, loc, covariance = unpack(value, num_components, dim, what)
    expect.true(
        (weights >= 0).all(),
        f"a weight is {weights.min():.4g}; a weight is a probability and cannot be negative",
    )
    total = weights.sum().item()
    expect.true(abs(total - 1) < 1e-4, f"the weights sum to {total:.6g}; expected 1")
    for k, matrix in enumerate(covariance):
        expect_positive_definite(matrix, f"the covariance of component {k}")
    return weights, loc, covariance


def expect_positive_definite(matrix: Tensor, what: str, least: float = 0.0) -> None:
    """Demand a symmetric matrix whose eigenvalues are above `least`."""
    skew = (matrix - matrix.T).abs().max().item()
    expect.true(
        skew <= 1e-4 * matrix.abs().max().item(),
        f"{what} is not symmetric: two entries that should be equal differ by {skew:.3g}",
    )
    smallest = torch.linalg.eigvalsh(0.5 * (matrix + matrix.T))[0].item()
    if least == 0.0:
        expect.true(
            smallest > 0, f"{what} is not positive definite: its smallest eigenvalue is {smallest:.3g}"
        )
    expect.true(
        smallest >= least,
        f"the smallest eigenvalue of {what} is {smallest:.3g}; expected at least {least:.3g}",
    )


def log_likelihood(x: Tensor, weights: Tensor, loc: Tensor, covariance: Tensor) -> float:
    """Log-likelihood of the points, in nats; a ValueError for parameters that are no mixture."""
    covariance = 0.5 * (covariance + covariance.mT)
    params = mixture.MixtureParams(
        weights=weights.double(), loc=loc.double(), covariance=covariance.double()
    )
    return mixture.log_likelihood(x.double(), params).item()
