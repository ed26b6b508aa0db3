r"""The parameters of a Gaussian mixture, and what makes them (or the data) unusable."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

PointsArray = Float[Tensor, "n d"]
CovarianceArray = Float[Tensor, "*batch k d d"] | Float[Tensor, "*batch k d"]


@dataclass(frozen=True, kw_only=True)
class MixtureParams:
    r"""Weights, means and covariances of K Gaussians in D dimensions.

    Attributes:
        weights: \pi_k, shape (*B, K); each at least 0, together 1.
        loc: \mu_k, shape (*B, K, D).
        covariance: \Sigma_k, shape (*B, K, D, D); or the diagonal's variances, shape (*B, K, D).

    Raises:
        ValueError: The shapes, types or devices do not fit together.

    Example:
        >>> params = MixtureParams(
        ...     weights=torch.ones(1), loc=torch.zeros(1, 2), covariance=torch.eye(2)[None]
        ... )
        >>> params.num_components, params.dim, params.is_diagonal
        (1, 2, False)
    """

    weights: Float[Tensor, "*batch k"]
    loc: Float[Tensor, "*batch k d"]
    covariance: CovarianceArray

    def __post_init__(self) -> None:
        shape = tuple(self.loc.shape)
        full = (*shape, *shape[-1:])
        fits = (
            len(shape) >= 2
            and tuple(self.weights.shape) == shape[:-1]
            and tuple(self.covariance.shape) in (shape, full)
        )
        if not fits:
            raise ValueError(
                f"weights, loc and covariance have shapes {tuple(self.weights.shape)}, {shape} and "
                f"{tuple(self.covariance.shape)}; expected (*B, K), (*B, K, D) and either (*B, K, "
                "D, D) or, for a diagonal model, (*B, K, D)"
            )
        check_same_kind(weights=self.weights, loc=self.loc, covariance=self.covariance)

    @property
    def num_components(self) -> int:
        r"""K."""
        return self.loc.shape[-2]

    @property
    def dim(self) -> int:
        r"""D."""
        return self.loc.shape[-1]

    @property
    def batch_shape(self) -> torch.Size:
        r"""*B, the leading dimensions; empty for a single mixture."""
        return self.loc.shape[:-2]

    @property
    def is_diagonal(self) -> bool:
        r"""Whether `covariance` holds variances only."""
        return self.covariance.ndim == self.loc.ndim

    def to(self, *args: torch.device | torch.dtype | str) -> "MixtureParams":
        r"""The same mixture on another device or in another precision, as `Tensor.to`."""
        return type(self)(
            weights=self.weights.to(*args),
            loc=self.loc.to(*args),
            covariance=self.covariance.to(*args),
        )

    def select(self, *index: int) -> "MixtureParams":
        r"""One entry of the batch, `select(3)` being the fourth restart."""
        return type(self)(
            weights=self.weights[index], loc=self.loc[index], covariance=self.covariance[index]
        )

    def permute(self, order: Int[Tensor, " k"] | list[int]) -> "MixtureParams":
        r"""The same mixture with component `order[k]` at place k."""
        order = torch.as_tensor(order, device=self.loc.device)
        if order.sort().values.tolist() != list(range(self.num_components)):
            raise ValueError(
                f"order is {order.tolist()}; expected each of 0 … {self.num_components - 1} "
                "exactly once"
            )
        return type(self)(
            weights=self.weights.index_select(-1, order),
            loc=self.loc.index_select(-2, order),
            covariance=self.covariance.index_select(self.loc.ndim - 2, order),
        )

    def sorted_by_loc(self) -> "MixtureParams":
        r"""The same mixture with components in the order of their first coordinate.

        The likelihood does not depend on the order, so two fits are compared after sorting both.
        """
        if self.batch_shape:
            raise ValueError(
                f"these parameters have batch shape {tuple(self.batch_shape)}; expected a single "
                "mixture: take one with select(i)"
            )
        return self.permute(self.loc[:, 0].argsort(stable=True))


def check_same_kind(**tensors: Tensor) -> None:
    r"""Refuse tensors which are not floating point or differ in type or device."""
    kinds = {name: (tensor.dtype, str(tensor.device)) for name, tensor in tensors.items()}
    if len(set(kinds.values())) > 1 or not all(t.is_floating_point() for t in tensors.values()):
        given = ", ".join(f"{name} {dtype} on {device}" for name, (dtype, device) in kinds.items())
        raise ValueError(
            f"given {given}; expected one floating-point type and one device for all: convert with "
            ".to(…)"
        )


def check_points(x: Tensor, dim: int | None = None) -> None:
    r"""Refuse data that is not a finite, non-empty (N, D) array of floating-point numbers."""
    columns = "D" if dim is None else dim
    if x.ndim != 2 or (dim is not None and x.shape[1] != dim):
        raise ValueError(
            f"x has shape {tuple(x.shape)}; expected (N, {columns}), one row per point: "
            "a single point needs x[None, :], a single column x[:, None]"
        )
    if x.numel() == 0:
        raise ValueError(
            f"x is empty (shape {tuple(x.shape)}); expected at least one point of one value"
        )
    check_same_kind(x=x)
    check_finite(x=x)


def check_finite(**tensors: Tensor) -> None:
    r"""Refuse NaN and infinity, and say where the first one is."""
    for name, tensor in tensors.items():
        finite = tensor.isfinite()
        if not finite.all():
            raise ValueError(
                f"{name} holds {int((~finite).sum())} values that are NaN or infinite, the first "
                f"at {name}{first_index(~finite)}; expected finite numbers: drop or repair those "
                "entries"
            )


def first_index(mask: Bool[Tensor, "..."]) -> list[int]:
    r"""The index of the first true entry."""
    return mask.nonzero()[0].tolist()


def check_params(params: MixtureParams, x: Tensor | None = None) -> None:
    r"""Refuse parameters whose values are no mixture, or which do not fit the points `x`.

    Whether the covariances are positive definite is left to `cholesky`.
    """
    weights, covariance = params.weights, params.covariance
    check_finite(weights=weights, loc=params.loc, covariance=covariance)
    if (weights < 0).any() or ((weights.sum(-1) - 1).abs() > 1e-3).any():
        raise ValueError(
            f"weights are {weights.tolist()}; expected non-negative numbers that sum to 1: "
            "divide them by their sum"
        )
    if params.is_diagonal:
        if (covariance <= 0).any():
            index = first_index(covariance <= 0)
            raise ValueError(
                f"the variance at covariance{index} is {covariance[tuple(index)].item():.3g}; "
                "expected a positive number: fit with a larger min_variance, or drop that "
                "component"
            )
    elif _is_asymmetric(covariance):
        raise ValueError(
            "covariance is not symmetric; expected covariance[k] to equal its transpose: "
            "pass (covariance + covariance.mT) / 2"
        )
    if x is not None:
        check_points(x, params.dim)
        check_same_kind(x=x, loc=params.loc)


def _is_asymmetric(covariance: Float[Tensor, "*batch d d"]) -> bool:
    std = covariance.diagonal(dim1=-2, dim2=-1).abs().sqrt()
    bound = 1e-3 * std[..., :, None] * std[..., None, :]
    return bool(((covariance - covariance.mT).abs() > bound).any())


def cholesky(covariance: Float[Tensor, "*batch d d"]) -> Float[Tensor, "*batch d d"]:
    r"""The lower factor L of Σ = L Lᵀ.

    Raises:
        ValueError: A covariance is singular to working precision: the square of a diagonal entry of
            L, the variance that the earlier coordinates leave unexplained, is lost in rounding.
    """
    factor, info = torch.linalg.cholesky_ex(covariance)
    variance = covariance.diagonal(dim1=-2, dim2=-1)
    rounding = covariance.shape[-1] * torch.finfo(covariance.dtype).eps
    unexplained = factor.diagonal(dim1=-2, dim2=-1).square()
    singular = (info > 0) | (unexplained <= rounding * variance).any(-1)
    if singular.any():
        index = first_index(singular)
        smallest = torch.linalg.eigvalsh(covariance[tuple(index)])[0].item()
        raise ValueError(
            f"covariance{index} is singular (smallest eigenvalue {smallest:.3g}); expected a "
            "positive definite matrix: a component has collapsed on points that coincide or lie "
            "on a line, so fit with a larger min_variance or fewer components"
        )
    return factor
