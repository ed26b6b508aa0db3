"""`samples_needed(latent_dim, relative_error, scale)`: the price of a dimension."""

import math

import numpy as np
import torch

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._gaussian import LOG_2PI


def reference(latent_dim: int, relative_error: float, scale: float) -> float:
    var = scale**2
    log_rho = math.log((1 + var) / (scale * math.sqrt(2 + var))) + 1 / (2 + var)
    return math.expm1(latent_dim * log_rho) / relative_error**2


SAMPLES_NEEDED = Exercise(
    name="samples_needed",
    unit="02_monte_carlo",
    title="How many guesses a dimension costs",
    points=4,
    difficulty=3,
    minutes=25,
    reference=reference,
    follow_up=(
        "The logarithm of the number grows in proportion to M: every hidden dimension multiplies "
        "the cost by the same factor ρ."
    ),
    hints=(
        "**Principle.** The estimate is an average of S independent likelihoods, so its variance "
        "is the variance of one likelihood divided by S. Set the standard deviation of the "
        "average, divided by p(x), equal to the relative error and solve for S: it is the relative "
        "variance of one draw over the squared error. The relative variance is the second moment "
        "over the squared mean, minus one. The mean is p(x). Now use that the coordinates are "
        "independent, so the likelihood is a product of M factors. The mean of a product of "
        "independent factors is the product of their means, so the ratio of second moment to "
        "squared mean is the same number ρ to the power M. Only ρ is left to find.",
        "**Place.** For one coordinate you need two integrals over z. The mean of N(x | z, σ²) "
        "under the prior is N(x | 0, 1 + σ²), because x is z plus noise. For the second moment, "
        "square the density first: N(x | z, σ²)² = N(x | z, σ²/2) / (2 σ √π). It is a narrower "
        "normal density times a constant, so the mean under the prior is N(x | 0, 1 + σ²/2) / "
        "(2 σ √π). Their ratio is ρ, with x² = 1 + σ² put in. You may also compute the two "
        "integrals on a fine grid of z. Test yourself: with σ = 0.5 one dimension and a relative "
        "error of a tenth need about 160 draws.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "var = scale**2\n"
        "x_sq = 1 + var                                     # of a typical coordinate\n"
        "normal = lambda v: math.exp(-x_sq / (2 * v)) / math.sqrt(2 * math.pi * v)\n"
        "second = normal(1 + ...) / (2 * scale * math.sqrt(math.pi))\n"
        "rho = second / normal(...) ** 2\n"
        "return (rho ** ... - 1) / relative_error ** ...\n"
        "```\n\n"
        "`normal(v)` is the density at x of a normal with mean 0 and variance v. The gaps are half "
        "the variance of the noise, the variance of x, the number of dimensions, and the power of "
        "the error: twice the accuracy costs four times the draws. If your numbers do not explode "
        "with the dimension, you multiplied by M where M is an exponent.",
    ),
)


def _exact(latent_dim: int, relative_error: float, scale: float) -> float:
    """By quadrature over z, one coordinate at x = √(1 + σ²)."""
    z = torch.linspace(-12, 12, 24001, dtype=torch.float64)
    x = math.sqrt(1 + scale**2)
    log_prior = -0.5 * (z.square() + LOG_2PI)
    log_like = -0.5 * (((x - z) / scale).square() + LOG_2PI) - math.log(scale)
    step = 24 / 24000
    mean = (log_prior + log_like).exp().sum().item() * step
    second = (log_prior + 2 * log_like).exp().sum().item() * step
    return ((second / mean**2) ** latent_dim - 1) / relative_error**2


def _expect_exact(
    candidate: Candidate, latent_dim: int, relative_error: float, scale: float
) -> None:
    what = f"samples_needed({latent_dim}, {relative_error:.3g}, {scale:.3g})"
    given = expect.number(candidate.call(latent_dim, relative_error, scale), what)
    expected = _exact(latent_dim, relative_error, scale)
    near = abs(given - expected) <= 0.02 * expected
    rounded_up = expected - 1e-6 <= given <= expected + 1
    expect.true(near or rounded_up, f"{what} is {given:.6g}; the theory says {expected:.6g} (±2 %)")


@SAMPLES_NEEDED.check
def right_in_one_dimension(candidate: Candidate, rng: np.random.Generator) -> None:
    """Right in one dimension, where the two integrals can be done by summing on a grid."""
    for scale in (rng.uniform(0.25, 0.4), rng.uniform(0.6, 0.8)):
        _expect_exact(candidate, 1, float(rng.uniform(0.02, 0.05)), float(scale))


@SAMPLES_NEEDED.check
def grows_exponentially(candidate: Candidate, rng: np.random.Generator) -> None:
    """The logarithm of the number grows with the dimension as theory says."""
    scale = float(rng.uniform(0.4, 0.7))
    for latent_dim in (2, 5, 12, 30):
        _expect_exact(candidate, latent_dim, 0.1, scale)


@SAMPLES_NEEDED.check
def accuracy_costs_its_square(candidate: Candidate, rng: np.random.Generator) -> None:
    """Half the relative error takes four times the draws."""
    scale = float(rng.uniform(0.4, 0.7))
    for relative_error in (0.2, 0.1, 0.01):
        _expect_exact(candidate, 3, relative_error, scale)


@SAMPLES_NEEDED.check
def much_noise_needs_few_draws(candidate: Candidate, rng: np.random.Generator) -> None:
    """Where the noise is so large that all draws are about as good, few are needed."""
    scale = float(rng.uniform(2.5, 3.5))
    for latent_dim in (1, 2):
        _expect_exact(candidate, latent_dim, 0.05, scale)


@SAMPLES_NEEDED.edge_check
def works_for_little_noise(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for little noise, where nearly all guesses miss, in one dimension and in fifteen."""
    _expect_exact(candidate, 1, 0.05, 0.02)
    _expect_exact(candidate, 15, 0.1, float(rng.uniform(0.1, 0.12)))
