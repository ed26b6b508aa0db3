r"""Principal component analysis, exactly: what a linear autoencoder can reach at best."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.mixture.params import check_finite, check_points, check_same_kind

PointsArray = Float[Tensor, "n d"]
TALL = 4  # above this ratio of rows to columns a QR step first makes the SVD cheap


@dataclass(frozen=True, kw_only=True)
class PCA:
    r"""The affine subspace of M dimensions that is closest to the data in squared error.

    Attributes:
        mean: Of the data, shape (D,).
        components: Orthonormal rows, by falling variance, shape (M, D). The sign of each is such
            that its largest entry is positive.
        variances: Of the data along the components, shape (M,): mean squares, divided by N.
    """

    mean: Float[Tensor, " d"]
    components: Float[Tensor, "m d"]
    variances: Float[Tensor, " m"]

    @property
    def latent_dim(self) -> int:
        r"""M."""
        return len(self.components)

    def encode(self, x: PointsArray) -> Float[Tensor, "n m"]:
        r"""The coordinates of the points along the components."""
        check_points(x, self.components.shape[1])
        return (x - self.mean) @ self.components.mT

    def decode(self, z: Float[Tensor, "n m"]) -> PointsArray:
        r"""The points of the subspace with these coordinates."""
        if z.ndim != 2 or z.shape[1] != self.latent_dim:
            raise ValueError(
                f"z has shape {tuple(z.shape)}; expected (N, {self.latent_dim}), one row per code"
            )
        return z @ self.components + self.mean

    def __call__(self, x: PointsArray) -> PointsArray:
        r"""The reconstructions: the points of the subspace that are closest to x."""
        return self.decode(self.encode(x))


def pca(x: PointsArray, latent_dim: int) -> PCA:
    r"""Principal component analysis by a singular value decomposition.

    .. math:: x - \bar x = U S V^\top, \qquad
        \text{components} = V_{1 \dots M}^\top, \quad \text{variances} = S_m^2 / N

    Args:
        x: Points, shape (N, D).
        latent_dim: M, at most D and at most N.

    Returns:
        The mean, the components and their variances.

    Raises:
        ValueError: `x` is malformed, or M is out of range.

    Reference:
        Bishop (2006), "Pattern Recognition and Machine Learning", section 12.1.

    Example:
        >>> x = torch.tensor([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]])
        >>> pca(x, 1).components, pca(x, 1).variances
        (tensor([[1., 0.]]), tensor([2.6667]))
    """
    check_points(x)
    num_points, dim = x.shape
    if not 1 <= latent_dim <= min(x.shape):
        raise ValueError(
            f"latent_dim is {latent_dim} for {num_points} points of {dim} values; expected 1 to "
            f"{min(x.shape)}"
        )
    mean = x.mean(0)
    centred = x - mean
    if num_points > TALL * dim:  # R has the singular values and the right vectors of `centred`
        centred = torch.linalg.qr(centred, mode="r").R
    _, singular, rows = torch.linalg.svd(centred, full_matrices=False)
    components = rows[:latent_dim]
    largest = components.gather(1, components.abs().argmax(1, keepdim=True))
    return PCA(
        mean=mean,
        components=components * largest.sign(),
        variances=singular[:latent_dim].square() / num_points,
    )


def principal_angles(a: Float[Tensor, "d m"], b: Float[Tensor, "d m"]) -> Float[Tensor, " m"]:
    r"""The angles between the subspaces that the columns of `a` and of `b` span.

    With orthonormal bases Q_a and Q_b the cosines are the singular values of Q_aᵀ Q_b, and the
    sines those of what Q_a leaves of Q_b. Near 0 only the sines are accurate, near 90° only the
    cosines.

    Args:
        a: One spanning vector per column, shape (D, M).
        b: Likewise.

    Returns:
        Shape (M,), in radians, from the smallest to the largest; 0 where a direction is shared.

    Raises:
        ValueError: The shapes differ, there are more columns than rows, or columns are linearly
            dependent.

    Reference:
        Björck and Golub (1973), "Numerical methods for computing angles between linear subspaces",
        Mathematics of Computation 27.

    Example:
        >>> a, b = torch.tensor([[1.0], [0.0]]), torch.tensor([[1.0], [1.0]])
        >>> principal_angles(a, b).rad2deg().round()
        tensor([45.])
    """
    if a.ndim != 2 or a.shape != b.shape or not 1 <= a.shape[1] <= a.shape[0]:
        raise ValueError(
            f"a and b have shapes {tuple(a.shape)} and {tuple(b.shape)}; expected twice (D, M) "
            "with M at most D, one spanning vector per column: components (M, D) need .mT"
        )
    check_same_kind(a=a, b=b)
    check_finite(a=a, b=b)
    basis_a, basis_b = _orthonormal("a", a), _orthonormal("b", b)
    overlap = basis_a.mT @ basis_b
    cosines = torch.linalg.svdvals(overlap).clamp(max=1.0)
    sines = torch.linalg.svdvals(basis_b - basis_a @ overlap).clamp(max=1.0).flip(0)
    return torch.where(sines.square() < 0.5, sines.asin(), cosines.acos())


def _orthonormal(name: str, columns: Float[Tensor, "d m"]) -> Float[Tensor, "d m"]:
    left, singular, _ = torch.linalg.svd(columns, full_matrices=False)
    rank = int((singular > singular[0] * len(columns) * torch.finfo(columns.dtype).eps).sum())
    if rank < columns.shape[1]:
        raise ValueError(
            f"the {columns.shape[1]} columns of {name} span only {rank} dimensions; expected "
            "linearly independent columns: drop those that depend on others"
        )
    return left
