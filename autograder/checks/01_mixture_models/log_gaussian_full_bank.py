"""Wrong and right answers to `log_gaussian_full`."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal
from torch.linalg import solve_triangular

from course_lib import mixture

from .log_gaussian_full import LOG_GAUSSIAN_FULL

LOG_2PI = math.log(2 * math.pi)


def _whiten(x: Tensor, loc: Tensor, scale_tril: Tensor) -> Tensor:
    """z = L⁻¹ (x − μ), one row for each point."""
    return solve_triangular(scale_tril, (x - loc).mT, upper=False).mT


def _wrong(
    x: Tensor,
    loc: Tensor,
    scale_tril: Tensor,
    *,
    square: Tensor | None = None,
    log_det: Tensor | float | None = None,
    constant: float | None = None,
) -> Tensor:
    """The right formula with one of its three terms replaced."""
    square = _whiten(x, loc, scale_tril).square().sum(-1) if square is None else square
    log_det = scale_tril.diagonal().log().sum() if log_det is None else log_det
    constant = len(loc) * LOG_2PI / 2 if constant is None else constant
    return -0.5 * square - log_det - constant


@LOG_GAUSSIAN_FULL.misconception(
    "You gave L to `MultivariateNormal` as a covariance matrix, and it refuses: L is not "
    "symmetric. L is the factor of the covariance, Σ = L Lᵀ."
)
def factor_refused_as_covariance(x, loc, scale_tril):
    return MultivariateNormal(loc, covariance_matrix=scale_tril, validate_args=True).log_prob(x)


@LOG_GAUSSIAN_FULL.misconception(
    "You used L as if it were the covariance Σ. It is the lower triangular factor: Σ = L Lᵀ."
)
def factor_as_covariance(x, loc, scale_tril):
    square = ((x - loc) @ torch.linalg.inv(scale_tril).mT * (x - loc)).sum(-1)
    return _wrong(x, loc, scale_tril, square=square, log_det=scale_tril.diagonal().log().sum() / 2)


@LOG_GAUSSIAN_FULL.misconception(
    "The squared distance uses L in the place of Σ: (x − μ)ᵀ L⁻¹ (x − μ). It must be ‖L⁻¹ (x − "
    "μ)‖²: solve first, then square."
)
def factor_as_covariance_in_the_distance(x, loc, scale_tril):
    square = ((x - loc) @ torch.linalg.inv(scale_tril).mT * (x - loc)).sum(-1)
    return _wrong(x, loc, scale_tril, square=square)


@LOG_GAUSSIAN_FULL.misconception(
    "You count log det L twice: log det Σ = 2 log det L, and the formula takes half of log det Σ."
)
def log_det_not_halved(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, log_det=2 * scale_tril.diagonal().log().sum())


@LOG_GAUSSIAN_FULL.misconception(
    "You halved log det L. The half belongs to Σ: ½ log det Σ = log det L, and you have L."
)
def log_det_halved_twice(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, log_det=scale_tril.diagonal().log().sum() / 2)


@LOG_GAUSSIAN_FULL.misconception(
    "The term −log det L is missing. Without it a wide Gaussian is as high as a narrow one."
)
def no_log_det(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, log_det=0.0)


@LOG_GAUSSIAN_FULL.misconception(
    "You add log det L where it must be subtracted: spread over more volume, the bell is lower."
)
def log_det_added(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, log_det=-scale_tril.diagonal().log().sum())


@LOG_GAUSSIAN_FULL.misconception(
    "You subtract the sum of the diagonal of L itself. Sum the logarithms of the diagonal."
)
def diagonal_without_logarithm(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, log_det=scale_tril.diagonal().sum())


@LOG_GAUSSIAN_FULL.misconception(
    "You subtract the determinant of L itself. Its logarithm is needed."
)
def determinant_without_logarithm(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, log_det=scale_tril.diagonal().prod())


@LOG_GAUSSIAN_FULL.misconception(
    "You take the determinant first and its logarithm then. With many small (or large) numbers on "
    "the diagonal the product underflows (or overflows): add up the logarithms of the diagonal of "
    "L."
)
def log_of_determinant(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, log_det=torch.linalg.det(scale_tril).log())


@LOG_GAUSSIAN_FULL.misconception(
    "The volume comes from the diagonal of Σ, which ignores the correlation. It is the product of "
    "the diagonal of L: a correlated Gaussian fills less volume than its variances suggest."
)
def log_det_of_variances(x, loc, scale_tril):
    variance = scale_tril.square().sum(-1)
    return _wrong(x, loc, scale_tril, log_det=variance.log().sum() / 2)


@LOG_GAUSSIAN_FULL.misconception(
    "You solve with Lᵀ, as if the covariance were Lᵀ L. Solve L z = x − μ with the lower "
    "triangular L itself, one column for each point."
)
def solved_with_transpose(x, loc, scale_tril):
    z = solve_triangular(scale_tril.mT, (x - loc).mT, upper=True)
    return _wrong(x, loc, scale_tril, square=z.square().sum(0))


@LOG_GAUSSIAN_FULL.misconception(
    "You told the solver that L is upper triangular, so it read only the diagonal: the "
    "correlation is lost. Solve with `upper=False`, and keep what stands below the diagonal."
)
def only_the_diagonal(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, square=((x - loc) / scale_tril.diagonal()).square().sum(-1))


@LOG_GAUSSIAN_FULL.misconception(
    "You treat the coordinates as independent, with their variances from the diagonal of Σ. The "
    "correlation is lost: use the whole of L."
)
def independent_coordinates(x, loc, scale_tril):
    return Normal(loc, scale_tril.square().sum(-1).sqrt()).log_prob(x).sum(-1)


@LOG_GAUSSIAN_FULL.misconception(
    "You multiply the difference by L. L maps z to x, and you need the way back: solve L z = x − μ."
)
def multiplied_by_factor(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, square=((x - loc) @ scale_tril.mT).square().sum(-1))


@LOG_GAUSSIAN_FULL.misconception(
    "You measure distance with Σ itself, (x − μ)ᵀ Σ (x − μ). It must be its inverse: solve L z = "
    "x − μ, then square."
)
def multiplied_by_covariance(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, square=((x - loc) @ scale_tril).square().sum(-1))


@LOG_GAUSSIAN_FULL.misconception(
    "You read L Lᵀ as the precision matrix, the inverse of the covariance. It is the covariance."
)
def factor_of_the_precision(x, loc, scale_tril):
    square = ((x - loc) @ scale_tril).square().sum(-1)
    return _wrong(x, loc, scale_tril, square=square, log_det=-scale_tril.diagonal().log().sum())


@LOG_GAUSSIAN_FULL.misconception(
    "A ridge was added to the covariance before it was inverted. L is exact and its inverse "
    "exists: solve with it. Where the deviations are small, the ridge takes over."
)
def ridge_on_the_covariance(x, loc, scale_tril):
    ridge = 1e-6 * torch.eye(len(loc), dtype=x.dtype)
    return MultivariateNormal(loc, scale_tril @ scale_tril.mT + ridge).log_prob(x)


@LOG_GAUSSIAN_FULL.misconception(
    "You divide by Σ twice: you solved with Σ and then squared. Solve with L and square, or solve "
    "with Σ and multiply by the difference once."
)
def solved_with_covariance_and_squared(x, loc, scale_tril):
    z = torch.linalg.solve(scale_tril @ scale_tril.mT, (x - loc).mT)
    return _wrong(x, loc, scale_tril, square=z.square().sum(0))


@LOG_GAUSSIAN_FULL.misconception(
    "The mean is not subtracted: the bell sits at the origin. Solve L z = x − μ."
)
def not_centred(x, loc, scale_tril):
    return mixture.log_gaussian_full(x, 0 * loc, scale_tril)


@LOG_GAUSSIAN_FULL.misconception(
    "The distance ‖z‖ is not squared: your bell decays like an exponential. Square every entry of "
    "z and sum."
)
def norm_not_squared(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, square=_whiten(x, loc, scale_tril).norm(dim=-1))


@LOG_GAUSSIAN_FULL.misconception(
    "You squared the sum of z instead of summing the squares, so positive and negative entries "
    "cancel."
)
def square_of_the_sum(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, square=_whiten(x, loc, scale_tril).sum(-1).square())


@LOG_GAUSSIAN_FULL.misconception("The ½ before the squared distance is missing.")
def square_not_halved(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, square=2 * _whiten(x, loc, scale_tril).square().sum(-1))


@LOG_GAUSSIAN_FULL.misconception(
    "The squared distance has the wrong sign: your density grows away from the mean."
)
def grows_with_distance(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, square=-_whiten(x, loc, scale_tril).square().sum(-1))


@LOG_GAUSSIAN_FULL.misconception(
    "The constant −(D/2) log 2π is missing, so the density does not integrate to one."
)
def no_constant(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, constant=0.0)


@LOG_GAUSSIAN_FULL.misconception(
    "You count the constant −½ log 2π once. It belongs to every coordinate: D of them."
)
def constant_once(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, constant=LOG_2PI / 2)


@LOG_GAUSSIAN_FULL.misconception(
    "The ½ before D log 2π is missing. In two dimensions your density integrates to 1/2π = 0.159."
)
def constant_not_halved(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, constant=len(loc) * LOG_2PI)


@LOG_GAUSSIAN_FULL.misconception(
    "The constant grows with D². It is (D/2) log 2π: half of log 2π for every coordinate."
)
def constant_squared_in_dimension(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, constant=len(loc) ** 2 * LOG_2PI / 2)


@LOG_GAUSSIAN_FULL.misconception(
    "Your constant is −log 2π, which is right for D = 2 only. In general it is −(D/2) log 2π."
)
def constant_of_the_plane(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, constant=LOG_2PI)


@LOG_GAUSSIAN_FULL.misconception(
    "Your result pairs every point with every other, N × N values. The log-densities are its "
    "diagonal: multiply elementwise and sum over the coordinates."
)
def all_pairs_of_points(x, loc, scale_tril):
    z = _whiten(x, loc, scale_tril)
    return _wrong(x, loc, scale_tril, square=z @ z.mT)


@LOG_GAUSSIAN_FULL.misconception(
    "You summed over the points as well. Each point keeps its own log-density: sum over the "
    "coordinates only."
)
def sum_over_points(x, loc, scale_tril):
    return mixture.log_gaussian_full(x, loc, scale_tril).sum()


@LOG_GAUSSIAN_FULL.misconception(
    "You summed z over the points and kept the coordinates. The solver gives z with the points as "
    "columns: sum over the axis that has D entries."
)
def sum_over_wrong_axis(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, square=_whiten(x, loc, scale_tril).square().sum(0))


@LOG_GAUSSIAN_FULL.misconception("You returned the density. Its logarithm was asked for.")
def density(x, loc, scale_tril):
    return mixture.log_gaussian_full(x, loc, scale_tril).exp()


@LOG_GAUSSIAN_FULL.misconception(
    "You take the logarithm of a density that was computed first. Far out the density underflows "
    "to zero and its logarithm is −∞. Add up the logarithms of its factors instead."
)
def log_of_density(x, loc, scale_tril):
    return mixture.log_gaussian_full(x, loc, scale_tril).exp().log()


@LOG_GAUSSIAN_FULL.variant
def by_scale_tril(x, loc, scale_tril):
    return MultivariateNormal(loc, scale_tril=scale_tril).log_prob(x)


@LOG_GAUSSIAN_FULL.variant
def by_covariance(x, loc, scale_tril):
    return MultivariateNormal(loc, covariance_matrix=scale_tril @ scale_tril.T).log_prob(x)


@LOG_GAUSSIAN_FULL.variant
def by_inverse_and_slogdet(x, loc, scale_tril):
    covariance = scale_tril @ scale_tril.T
    square = torch.einsum("nd,de,ne->n", x - loc, torch.linalg.inv(covariance), x - loc)
    return -0.5 * (square + torch.linalg.slogdet(covariance).logabsdet + len(loc) * LOG_2PI)


@LOG_GAUSSIAN_FULL.variant
def by_eigenvalues(x, loc, scale_tril):
    values, vectors = torch.linalg.eigh(scale_tril @ scale_tril.T)
    z = (x - loc) @ vectors / values.sqrt()
    return Normal(0.0, 1.0).log_prob(z).sum(-1) - 0.5 * values.log().sum()


@LOG_GAUSSIAN_FULL.variant
def by_substitution(x, loc, scale_tril):
    result = []
    for point in x - loc:
        z = []
        for d in range(len(loc)):
            known = sum((scale_tril[d, e] * z[e] for e in range(d)), torch.zeros(()))
            z.append((point[d] - known) / scale_tril[d, d])
        result.append(-0.5 * sum(value**2 for value in z) - scale_tril.diagonal().log().sum())
    return torch.stack(result) - len(loc) * LOG_2PI / 2


@LOG_GAUSSIAN_FULL.variant
def in_single_precision(x, loc, scale_tril):
    return by_scale_tril(x.float(), loc.float(), scale_tril.float())


@LOG_GAUSSIAN_FULL.variant
def with_numpy(x, loc, scale_tril):
    x, loc, factor = x.numpy(), loc.numpy(), scale_tril.numpy()
    z = np.linalg.solve(factor, (x - loc).T)
    return (
        -0.5 * (z**2).sum(0) - np.linalg.slogdet(factor)[1] - len(loc) * math.log(2 * math.pi) / 2
    )
