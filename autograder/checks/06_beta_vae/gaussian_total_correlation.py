"""`gaussian_total_correlation(covariance)`: nats that the coordinates tell about each other."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(covariance: Tensor) -> Tensor:
    """Watanabe 1960: the sum of the entropies of the coordinates minus that of the whole."""
    return 0.5 * (covariance.diagonal().log().sum() - torch.linalg.slogdet(covariance).logabsdet)


GAUSSIAN_TOTAL_CORRELATION = Exercise(
    name="gaussian_total_correlation",
    unit="06_beta_vae",
    title="How dependent are the hidden values?",
    points=2,
    difficulty=2,
    minutes=20,
    reference=reference,
    follow_up=(
        "Zero for a diagonal covariance, and only there. Rotate a code and the number changes, "
        "unless all its variances are equal."
    ),
    hints=(
        "**Principle.** Total correlation is the divergence from the distribution as it is to the "
        "product of its margins: what you would lose by pretending that the coordinates are "
        "independent. For a Gaussian the margins are Gaussian too, each with its own variance from "
        "the diagonal, so the product is a Gaussian whose covariance is that diagonal. Both have "
        "the same means, which therefore drop out. What remains compares two volumes: that of the "
        "box with the same variances and that of the tilted ellipsoid inside it. The more the "
        "coordinates depend on each other, the flatter is the ellipsoid.",
        "**Place.** The divergence between two Gaussians with the same mean is ½ (trace of A⁻¹Σ − "
        "M + log det A − log det Σ), here with A = diag(Σ). The trace is M, so it cancels with "
        "−M. The determinant of a diagonal matrix is the product of its entries, so log det A is "
        "the sum of the logarithms of the variances. For log det Σ use `torch.logdet` or "
        "`torch.linalg.slogdet`, or twice the sum of the logarithms of the Cholesky factor's "
        "diagonal. Do not take the determinant first and its logarithm then: with many "
        "coordinates the determinant is zero or infinite in floating point.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "variances = torch.diagonal(covariance)\n"
        "return 0.5 * (torch.log(...).sum() - torch.logdet(...))\n"
        "```\n\n"
        "The gaps are `variances` and `covariance`. Test yourself in two dimensions: with the "
        "correlation ρ the result must be −½ log(1 − ρ²), whatever the variances are; for ρ = 0.6 "
        "that is 0.2231. If you get 0.4463, the ½ is missing, and if the result is negative, the "
        "two terms are exchanged. If it changes when you multiply a coordinate by ten, you left "
        "out the variances: the logarithm of the determinant alone is the right answer only for a "
        "matrix of correlations.",
    ),
)


def draw(rng: np.random.Generator, dim: int, strength: float = 1.0) -> Tensor:
    """A covariance with different variances, and correlations of both signs."""
    mixing = rng.normal(size=(dim, dim)) * strength + 1.5 * np.eye(dim)
    scales = np.exp(rng.uniform(-1, 1, size=dim))
    covariance = mixing @ mixing.T * np.outer(scales, scales)
    return torch.from_numpy((covariance + covariance.T) / 2)


def _with_correlations(dim: int, rho: float, scales: Tensor) -> tuple[Tensor, float]:
    """All correlations ρ: log det of the correlations is (M−1) log(1−ρ) + log(1 + (M−1)ρ)."""
    correlation = torch.full((dim, dim), rho, dtype=torch.float64).fill_diagonal_(1.0)
    log_det = (dim - 1) * np.log1p(-rho) + np.log1p((dim - 1) * rho)
    return correlation * torch.outer(scales, scales), -0.5 * float(log_det)


def _expect(candidate: Candidate, covariance: Tensor, right: float, what: str) -> None:
    value = expect.number(candidate.call(covariance), f"gaussian_total_correlation {what}")
    right_tensor = torch.tensor(right, dtype=torch.float64)
    expect.close(value, right_tensor, f"gaussian_total_correlation {what}", rtol=1e-3, atol=1e-4)


@GAUSSIAN_TOTAL_CORRELATION.check
def is_the_divergence_from_the_margins(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the divergence of the Gaussian from the product of its margins, in nats."""
    for dim in (2, 3, 5):
        covariance = draw(rng, dim)
        zero = torch.zeros(dim, dtype=torch.float64)
        whole = torch.distributions.MultivariateNormal(zero, covariance)
        parts = torch.distributions.MultivariateNormal(zero, covariance.diagonal().diag())
        right = float(torch.distributions.kl_divergence(whole, parts))
        _expect(candidate, covariance, right, f"of {dim} coordinates")


@GAUSSIAN_TOTAL_CORRELATION.check
def is_known_for_equal_correlations(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is −½ log(1 − ρ²) for two coordinates, and right for more with equal correlations."""
    for dim, low, high in ((2, 0.5, 0.95), (4, 0.2, 0.8), (2, -0.9, -0.3)):
        rho = float(rng.uniform(low, high))
        scales = torch.from_numpy(np.exp(rng.uniform(-1, 1, size=dim)))
        covariance, right = _with_correlations(dim, rho, scales)
        what = f"of {dim} coordinates with the correlation {rho:.3f}"
        _expect(candidate, covariance, right, what)


@GAUSSIAN_TOTAL_CORRELATION.check
def is_zero_for_independent_values(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is 0 for a diagonal covariance with any variances, and for one coordinate."""
    for dim in (1, 4):
        variances = torch.from_numpy(np.exp(rng.uniform(-2, 2, size=dim)))
        _expect(candidate, variances.diag(), 0.0, f"of {dim} independent coordinates")


@GAUSSIAN_TOTAL_CORRELATION.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    covariance = draw(rng, 3).float()
    right = float(reference(covariance.double()))
    _expect(candidate, covariance, right, "in single precision")


@GAUSSIAN_TOTAL_CORRELATION.check
def is_known_for_nearly_equal_values(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is right for two coordinates that are nearly copies of each other, in any unit."""
    for sign in (1, -1):
        rho = sign * (1 - 10 ** float(rng.uniform(-7, -5)))
        scales = torch.from_numpy(np.exp(rng.uniform(-3, 3, size=2)))
        covariance, _ = _with_correlations(2, rho, scales)
        # of the matrix as it was rounded, whose correlation is a little another
        rounded = float(covariance[0, 1] / (covariance[0, 0] * covariance[1, 1]).sqrt())
        right = -0.5 * float(np.log1p(-rounded) + np.log1p(rounded))
        _expect(candidate, covariance, right, f"of two coordinates with the correlation {rho:.8f}")


@GAUSSIAN_TOTAL_CORRELATION.edge_check
def survives_units_of_every_size(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays right where the variances of one matrix go from 1e-10 to 1e10."""
    for dim in (5, 30, 60, 150):
        scales = torch.from_numpy(10 ** rng.permutation(np.linspace(-5, 5, dim)))
        covariance, right = _with_correlations(dim, float(rng.uniform(0.3, 0.6)), scales)
        _expect(candidate, covariance, right, f"of {dim} coordinates in units of every size")


@GAUSSIAN_TOTAL_CORRELATION.edge_check
def survives_many_coordinates(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays right for 120 coordinates whose determinant under- or overflows."""
    for size in (1e-4, 1e4):
        scales = torch.from_numpy(size * np.exp(rng.uniform(-1, 1, size=120)))
        covariance, right = _with_correlations(120, float(rng.uniform(0.3, 0.6)), scales)
        _expect(candidate, covariance, right, f"of 120 coordinates with scales near {size:g}")
