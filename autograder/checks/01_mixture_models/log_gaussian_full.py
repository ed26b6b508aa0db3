"""`log_gaussian_full(x, loc, scale_tril)`: the log-density of a correlated Gaussian."""

import math

import numpy as np
import scipy.stats
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from course_lib import mixture

LOG_GAUSSIAN_FULL = Exercise(
    name="log_gaussian_full",
    unit="01_mixture_models",
    title="The log-density of a Gaussian with correlation",
    points=3,
    difficulty=2,
    minutes=15,
    reference=mixture.log_gaussian_full,
    hints=(
        "**Principle.** Every correlated Gaussian is a stretched and sheared round one: x = μ + L "
        "z, where the coordinates of z are independent with mean 0 and standard deviation 1. To "
        "find the density at x, undo the map: which z gave this x? The log-density of z is −½ "
        "‖z‖² − (D/2) log 2π. The map also stretches volume, by the factor det L, and a bell "
        "spread over more volume is lower by that factor. So subtract log det L. The covariance "
        "is Σ = L Lᵀ, hence ½ log det Σ = log det L: one half is already used up by the factor L. "
        "You never need Σ itself.",
        "**Place.** Two steps need care. First, z solves the system L z = x − μ, for each point "
        "on its own. `torch.linalg.solve_triangular` solves with a triangular matrix; it wants "
        "the right-hand sides as columns, so hand it the differences with shape (D, N), and say "
        "`upper=False`. Second, the determinant of a triangular matrix is the product of its "
        "diagonal, so its logarithm is the sum of the logarithms of the diagonal. Do not multiply "
        "first: with forty small numbers the product is zero in double precision. Test yourself: "
        "at x = loc in two dimensions, with 1 and e on the diagonal, the answer is −log 2π − 1, "
        "about −2.8379, whatever stands below the diagonal.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "difference = (x - loc).T                                         # (D, N)\n"
        "z = torch.linalg.solve_triangular(scale_tril, ..., upper=False)  # (D, N)\n"
        "log_det = torch.log(...).sum()                                   # log det L\n"
        "return -0.5 * (z**2).sum(dim=...) - log_det - ...                # (N,)\n"
        "```\n\n"
        "The first gap is the difference. The second is the diagonal, `scale_tril.diagonal()`. "
        "The third is the axis that holds the D coordinates, which is the first one here because "
        "the points are columns. The last is the constant: half of log 2π for every coordinate, D "
        "of them. If your answer is right without correlation and wrong with it, you probably "
        "solved with Lᵀ or multiplied by L instead of solving.",
    ),
)


def _draw(
    rng: np.random.Generator, z: np.ndarray, unit: float = 1.0
) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    """Arguments with x = μ + L z, and the exact answer, for which z is all that is needed.

    The coordinates are strongly correlated and their deviations differ; `unit` is the size of all.
    """
    dim = z.shape[1]
    rows = rng.choice([-1.0, 1.0], size=(dim, dim)) * rng.uniform(0.5, 1, size=(dim, dim))
    rows = np.tril(rows, -1) / math.sqrt(max(dim - 1, 1))
    rows += np.diag(rng.uniform(0.4, 0.7, size=dim))
    scale = np.exp(rng.choice([-1.0, 1.0], size=dim) * rng.uniform(0.5, 1.2, size=dim))
    scale_tril = torch.from_numpy(rows * scale[:, None] * unit)
    loc = torch.from_numpy(rng.normal(size=dim) * 3 * unit)
    exact = scipy.stats.norm.logpdf(z).sum(1) - np.log(np.diag(scale_tril)).sum()
    x = loc + torch.from_numpy(z) @ scale_tril.mT
    return (x, loc, scale_tril), torch.from_numpy(exact)


def _expect_exact(candidate: Candidate, rng: np.random.Generator, count: int, dim: int) -> None:
    args, exact = _draw(rng, rng.uniform(-3, 3, size=(count, dim)))
    what = f"log_gaussian_full for N = {count}, D = {dim}"
    expect.close(candidate.call(*args), exact, what)


@LOG_GAUSSIAN_FULL.check
def equals_exact_value(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the exact value within three standard deviations, in one, two and four dimensions."""
    for count, dim in ((6, 1), (7, 2), (6, 4)):
        _expect_exact(candidate, rng, count, dim)


@LOG_GAUSSIAN_FULL.check
def works_for_one_point(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for a single point, and when there are as many points as coordinates."""
    for count, dim in ((1, 3), (1, 1), (3, 3), (2, 2)):
        _expect_exact(candidate, rng, count, dim)


@LOG_GAUSSIAN_FULL.check
def integrates_to_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """The density integrates to one over the plane."""
    nodes = np.arange(-6, 6.1, 0.5)
    args, _ = _draw(rng, np.stack(np.meshgrid(nodes, nodes), -1).reshape(-1, 2))
    density = expect.tensor(candidate.call(*args), (len(nodes) ** 2,), "log_gaussian_full").exp()
    area = (density.sum() * 0.5**2 * args[2].diagonal().prod()).item()
    expect.true(
        abs(area - 1) < 1e-3,
        f"exp(log_gaussian_full) integrates to {area:.4g} over the plane; expected 1",
    )


@LOG_GAUSSIAN_FULL.edge_check
def finite_in_the_tail(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays finite and right where the density itself underflows to zero."""
    direction = np.array([[1.0, 0.0], [0.0, -1.0], [0.6, 0.8]])
    for distance, dtype in ((60.0, torch.float64), (25.0, torch.float32)):
        args, exact = _draw(rng, distance * direction)
        actual = candidate.call(*(a.to(dtype) for a in args))
        what = f"log_gaussian_full at {distance:.0f} standard deviations"
        expect.finite(expect.tensor(actual, exact.shape, what), what)
        expect.close(actual, exact, what, rtol=1e-3)


@LOG_GAUSSIAN_FULL.edge_check
def right_in_forty_dimensions(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays right in forty dimensions, where the determinant itself underflows or overflows."""
    for unit in (1e-10, 1e10):
        args, exact = _draw(rng, rng.uniform(-3, 3, size=(3, 40)), unit)
        actual = candidate.call(*args)
        what = f"log_gaussian_full in 40 dimensions with deviations of about {unit:.0e}"
        expect.finite(expect.tensor(actual, exact.shape, what), what)
        expect.close(actual, exact, what, rtol=1e-3)
