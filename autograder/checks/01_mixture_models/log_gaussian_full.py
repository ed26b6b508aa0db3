"""`log_gaussian_full(x, loc, scale_tril)`: the log-density of a Gaussian with correlated coordinates."""

import math

import numpy as np
import scipy.stats
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal
from torch.linalg import solve_triangular

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from course_lib import mixture

LOG_2PI = math.log(2 * math.pi)

LOG_GAUSSIAN_FULL = Exercise(
    name="log_gaussian_full",
    unit="01_mixture_models",
    title="The log-density of a Gaussian with correlation",
    points=3,
    difficulty=2,
    minutes=15,
    reference=mixture.log_gaussian_full,
    hints=(
        "**Principle.** Every correlated Gaussian is a stretched and sheared round one: x = μ + L z, where "
        "the coordinates of z are independent with mean 0 and standard deviation 1. To find the density "
        "at x, undo the map: which z gave this x? The log-density of z is −½ ‖z‖² − (D/2) log 2π. The map "
        "also stretches volume, by the factor det L, and a bell spread over more volume is lower by that "
        "factor. So subtract log det L. The covariance is Σ = L Lᵀ, hence ½ log det Σ = log det L: one "
        "half is already used up by the factor L. You never need Σ itself.",
        "**Place.** Two steps need care. First, z solves the system L z = x − μ, for each point on its own. "
        "`torch.linalg.solve_triangular` solves with a triangular matrix; it wants the right-hand sides "
        "as columns, so hand it the differences with shape (D, N), and say `upper=False`. Second, the "
        "determinant of a triangular matrix is the product of its diagonal, so its logarithm is the sum of "
        "the logarithms of the diagonal. Do not multiply first: with forty small numbers the product is "
        "zero in double precision. Test yourself: at x = loc in two dimensions, with 1 and e on the "
        "diagonal, the answer is −log 2π − 1, about −2.8379, whatever stands below the diagonal.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "difference = (x - loc).T                                         # (D, N)\n"
        "z = torch.linalg.solve_triangular(scale_tril, ..., upper=False)  # (D, N)\n"
        "log_det = torch.log(...).sum()                                   # log det L\n"
        "return -0.5 * (z**2).sum(dim=...) - log_det - ...                # (N,)\n"
        "```\n\n"
        "The first gap is the difference. The second is the diagonal, `scale_tril.diagonal()`. The third "
        "is the axis that holds the D coordinates, which is the first one here because the points are "
        "columns. The last is the constant: half of log 2π for every coordinate, D of them. If your answer "
        "is right without correlation and wrong with it, you probably solved with Lᵀ or multiplied "
        "by L instead of solving.",
    ),
)


def _draw(rng: np.random.Generator, count: int, dim: int, unit: float = 1.0) -> tuple[Tensor, ...]:
    """Points up to three standard deviations out; `unit` is the size of everything."""
    rows = rng.choice([-1.0, 1.0], size=(dim, dim)) * rng.uniform(0.5, 1, size=(dim, dim))
    rows = np.tril(rows, -1) / math.sqrt(max(dim - 1, 1))
    rows += np.diag(rng.uniform(0.4, 0.7, size=dim))
    scale = np.exp(rng.choice([-1.0, 1.0], size=dim) * rng.uniform(0.5, 1.2, size=dim))
    scale_tril = torch.from_numpy(rows * scale[:, None] * unit)
    loc = torch.from_numpy(rng.normal(size=dim) * 3 * unit)
    z = torch.from_numpy(rng.uniform(-3, 3, size=(count, dim)))
    return loc + z @ scale_tril.mT, loc, scale_tril


def _exact(x: Tensor, loc: Tensor, scale_tril: Tensor) -> Tensor:
    """By the covariance and its eigenvalues: no step in common with the lecture's way."""
    covariance = scipy.stats.Covariance.from_eigendecomposition(
        np.linalg.eigh((scale_tril @ scale_tril.mT).numpy())
    )
    density = scipy.stats.multivariate_normal.logpdf(x.numpy(), loc.numpy(), covariance)
    return torch.from_numpy(np.atleast_1d(density))


@LOG_GAUSSIAN_FULL.check
def equals_scipy(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the exact value within three standard deviations, with strong correlation, for D = 1, 2 and 4."""
    for count, dim in ((6, 1), (7, 2), (6, 4)):
        args = _draw(rng, count, dim)
        expect.close(candidate.call(*args), _exact(*args), f"log_gaussian_full in {dim} dimension(s)")


@LOG_GAUSSIAN_FULL.check
def works_for_one_point(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for a single point, and when there are as many points as coordinates."""
    for count, dim in ((1, 3), (1, 1), (3, 3), (2, 2)):
        args = _draw(rng, count, dim)
        expect.close(
            candidate.call(*args), _exact(*args), f"log_gaussian_full of {count} point(s) in {dim} dim."
        )


@LOG_GAUSSIAN_FULL.check
def integrates_to_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """The density integrates to one over the plane."""
    _, loc, scale_tril = _draw(rng, 1, 2)
    nodes = torch.arange(-6, 6.1, 0.5, dtype=torch.float64)
    x = loc + torch.cartesian_prod(nodes, nodes) @ scale_tril.mT
    value = candidate.call(x, loc, scale_tril)
    density = expect.tensor(value, (len(x),), "log_gaussian_full").exp()
    area = (density.sum() * 0.5**2 * scale_tril.diagonal().prod()).item()
    expect.true(
        abs(area - 1) < 1e-3,
        f"exp(log_gaussian_full) integrates to {area:.4g} over the plane; expected 1",
    )


@LOG_GAUSSIAN_FULL.check
def finite_in_the_tail(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays finite and right where the density itself underflows to zero."""
    _, loc, scale_tril = _draw(rng, 1, 2)
    for distance, dtype in ((60.0, torch.float64), (25.0, torch.float32)):
        direction = torch.tensor([[1.0, 0.0], [0.0, -1.0], [0.6, 0.8]], dtype=torch.float64)
        x = loc + distance * direction @ scale_tril.mT
        args = x.to(dtype), loc.to(dtype), scale_tril.to(dtype)
        actual = candidate.call(*args)
        what = f"log_gaussian_full at {distance:.0f} standard deviations"
        expect.finite(expect.tensor(actual, (3,), what), what)
        expect.close(actual, _exact(*(a.double() for a in args)), what, rtol=1e-3)


@LOG_GAUSSIAN_FULL.check
def right_in_forty_dimensions(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays right in forty dimensions, where the determinant itself is too small or too large for a number."""
    for unit in (1e-10, 1e10):
        args = _draw(rng, 3, 40, unit)
        actual = candidate.call(*args)
        what = f"log_gaussian_full in 40 dimensions with deviations of about {unit:.0e}"
        expect.finite(expect.tensor(actual, (3,), what), what)
        expect.close(actual, _exact(*args), what, rtol=1e-3)


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
    "You gave L to `MultivariateNormal` as a covariance matrix, and it refuses: L is not symmetric. L is "
    "the factor of the covariance, Σ = L Lᵀ."
)
def factor_refused_as_covariance(x, loc, scale_tril):
    return MultivariateNormal(loc, covariance_matrix=scale_tril, validate_args=True).log_prob(x)


@LOG_GAUSSIAN_FULL.misconception(
    "You used L as if it were the covariance Σ. It is the lower triangular factor: Σ = L Lᵀ."
)
def factor_as_covariance(x, loc, scale_tril):
    square = ((x - loc) @ torch.linalg.inv(scale_tril).mT * (x - loc)).sum(-1)
    return _wrong(
        x, loc, scale_tril, square=square, log_det=scale_tril.diagonal().log().sum() / 2
    )


@LOG_GAUSSIAN_FULL.misconception(
    "The squared distance uses L in the place of Σ: (x − μ)ᵀ L⁻¹ (x − μ). It must be ‖L⁻¹ (x − μ)‖²: solve "
    "first, then square."
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
    "You subtract the determinant or the sum of the diagonal itself. Its logarithm is needed."
)
def diagonal_without_logarithm(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, log_det=scale_tril.diagonal().sum())


@LOG_GAUSSIAN_FULL.misconception(
    "You subtract the determinant of L. Its logarithm is needed."
)
def determinant_without_logarithm(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, log_det=scale_tril.diagonal().prod())


@LOG_GAUSSIAN_FULL.misconception(
    "You take the determinant first and its logarithm then. With many small (or large) numbers on the "
    "diagonal the product underflows (or overflows): add up the logarithms of the diagonal of L."
)
def log_of_determinant(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, log_det=torch.linalg.det(scale_tril).log())


@LOG_GAUSSIAN_FULL.misconception(
    "The volume comes from the diagonal of Σ, which ignores the correlation. It is the product of the "
    "diagonal of L: a correlated Gaussian fills less volume than its variances suggest."
)
def log_det_of_variances(x, loc, scale_tril):
    variance = scale_tril.square().sum(-1)
    return _wrong(x, loc, scale_tril, log_det=variance.log().sum() / 2)


@LOG_GAUSSIAN_FULL.misconception(
    "You solve with Lᵀ, as if the covariance were Lᵀ L. Solve L z = x − μ with the lower triangular L itself, "
    "one column for each point."
)
def solved_with_transpose(x, loc, scale_tril):
    z = solve_triangular(scale_tril.mT, (x - loc).mT, upper=True)
    return _wrong(x, loc, scale_tril, square=z.square().sum(0))


@LOG_GAUSSIAN_FULL.misconception(
    "You told the solver that L is upper triangular, so it read only the diagonal: the correlation is lost. "
    "Solve with `upper=False`, and keep what stands below the diagonal."
)
def only_the_diagonal(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, square=((x - loc) / scale_tril.diagonal()).square().sum(-1))


@LOG_GAUSSIAN_FULL.misconception(
    "You treat the coordinates as independent, with their variances from the diagonal of Σ. The correlation "
    "is lost: use the whole of L."
)
def independent_coordinates(x, loc, scale_tril):
    return Normal(loc, scale_tril.square().sum(-1).sqrt()).log_prob(x).sum(-1)


@LOG_GAUSSIAN_FULL.misconception(
    "You multiply the difference by L. L maps z to x, and you need the way back: solve L z = x − μ."
)
def multiplied_by_factor(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, square=((x - loc) @ scale_tril.mT).square().sum(-1))


@LOG_GAUSSIAN_FULL.misconception(
    "You measure distance with Σ itself, (x − μ)ᵀ Σ (x − μ). It must be its inverse: solve L z = x − μ, "
    "then square."
)
def multiplied_by_covariance(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, square=((x - loc) @ scale_tril).square().sum(-1))


@LOG_GAUSSIAN_FULL.misconception(
    "You divide by Σ twice: you solved with Σ and then squared. Solve with L and square, or solve with Σ and "
    "multiply by the difference once."
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
    "The distance ‖z‖ is not squared: your bell decays like an exponential. Square every entry of z and sum."
)
def norm_not_squared(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, square=_whiten(x, loc, scale_tril).norm(dim=-1))


@LOG_GAUSSIAN_FULL.misconception(
    "You squared the sum of z instead of summing the squares, so positive and negative entries cancel."
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
    "Your constant is −log 2π, which is right for D = 2 only. In general it is −(D/2) log 2π."
)
def constant_of_the_plane(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, constant=LOG_2PI)


@LOG_GAUSSIAN_FULL.misconception(
    "Your result pairs every point with every other, N × N values. The log-densities are its diagonal: "
    "multiply elementwise and sum over the coordinates."
)
def all_pairs_of_points(x, loc, scale_tril):
    z = _whiten(x, loc, scale_tril)
    return _wrong(x, loc, scale_tril, square=z @ z.mT)


@LOG_GAUSSIAN_FULL.misconception(
    "You summed over the points as well. Each point keeps its own log-density: sum over the coordinates only."
)
def sum_over_points(x, loc, scale_tril):
    return mixture.log_gaussian_full(x, loc, scale_tril).sum()


@LOG_GAUSSIAN_FULL.misconception(
    "You summed z over the points and kept the coordinates. The solver gives z with the points as columns: "
    "sum over the axis that has D entries."
)
def sum_over_wrong_axis(x, loc, scale_tril):
    return _wrong(x, loc, scale_tril, square=_whiten(x, loc, scale_tril).square().sum(0))


@LOG_GAUSSIAN_FULL.misconception("You returned the density. Its logarithm was asked for.")
def density(x, loc, scale_tril):
    return mixture.log_gaussian_full(x, loc, scale_tril).exp()


@LOG_GAUSSIAN_FULL.misconception(
    "You take the logarithm of a density that was computed first. Far out the density underflows to zero "
    "and its logarithm is −∞. Add up the logarithms of its factors instead."
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
    return -0.5 * (z**2).sum(0) - np.linalg.slogdet(factor)[1] - len(loc) * math.log(2 * math.pi) / 2
