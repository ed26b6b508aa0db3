"""`exact_log_marginal(x, weight, bias, scale)`: log p(x) of the linear-Gaussian model."""

import numpy as np
import torch
from torch import Tensor
from torch.distributions import LowRankMultivariateNormal

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._gaussian import Model, draw_model


def reference(x: Tensor, weight: Tensor, bias: Tensor, scale: float) -> Tensor:
    noise = torch.full_like(bias, float(scale) ** 2)
    return LowRankMultivariateNormal(bias, weight, noise).log_prob(x)


EXACT_LOG_MARGINAL = Exercise(
    name="exact_log_marginal",
    unit="02_monte_carlo",
    title="The one model whose evidence is known",
    points=4,
    difficulty=2,
    minutes=20,
    reference=reference,
    hints=(
        "**Principle.** The integral over z need not be computed. Look at how x is made: x = W z + "
        "b + σ ε, with z and ε standard normal and independent. A linear map of a normal vector is "
        "normal, and a sum of independent normal vectors is normal. So x is normal, and two "
        "quantities are enough: its mean and its covariance. The mean is what is left when z and "
        "ε have mean zero. The covariance of a sum of independent parts is the sum of their "
        "covariances, and the covariance of W z is W times the covariance of z times Wᵀ. Note "
        "which matrix is D by D and which is M by M: x has D values.",
        "**Place.** Build the covariance `weight @ weight.T` plus σ² on the diagonal, a (D, D) "
        "matrix. `scale` is σ, so square it. The mean is `bias`, the same for all points. Then "
        "you need the log-density of a normal vector, with three terms: minus half the squared "
        "distance (x − b)ᵀ Σ⁻¹ (x − b), minus half the logarithm of the determinant of Σ, minus "
        "(D/2) log 2π. `torch.distributions.MultivariateNormal` has all three, and takes the "
        "covariance by the name `covariance_matrix`. By hand, use a Cholesky factor: in many "
        "dimensions the determinant is zero in floating point while its logarithm is harmless. "
        "Test yourself: with W = 0 the values of x are independent with standard deviation σ.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "identity = torch.eye(len(bias), dtype=x.dtype)\n"
        "covariance = weight @ ... + ... * identity          # (D, D)\n"
        "marginal = torch.distributions.MultivariateNormal(bias, covariance_matrix=...)\n"
        "return marginal.log_prob(...)                       # (N,)\n"
        "```\n\n"
        "The two gaps in the second line are the transpose of `weight` and σ². If your answer is "
        "too low for typical points and does not change with `weight`, you used the density of x "
        "at z = 0. If torch complains that a matrix is not positive definite, σ² is missing on the "
        "diagonal: W Wᵀ alone has rank M. If it is wrong by a large factor, check that σ is "
        "squared and that `covariance_matrix=` is spelled out.",
    ),
)


def _expect_exact(
    candidate: Candidate, x: Tensor, model: Model, what: str, rtol: float = 1e-4
) -> None:
    actual = candidate.call(x, model.weight, model.bias, model.scale)
    expect.close(actual, model.log_marginal(x), f"exact_log_marginal {what}", rtol=rtol)


@EXACT_LOG_MARGINAL.check
def equals_the_normal_density(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the log-density of the normal vector x = W z + b + σ ε, at typical points."""
    for count, dim, latent_dim in ((6, 3, 2), (4, 5, 1), (5, 2, 3)):
        model = draw_model(rng, dim, latent_dim)
        x = model.sample(rng, count)
        _expect_exact(candidate, x, model, f"for D = {dim}, M = {latent_dim}")


@EXACT_LOG_MARGINAL.check
def works_when_sizes_coincide(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one point, one value, and when the numbers of points and values agree."""
    for count, dim, latent_dim in ((3, 3, 3), (1, 3, 2), (4, 1, 1), (1, 1, 2)):
        model = draw_model(rng, dim, latent_dim)
        x = model.sample(rng, count)
        what = f"for N = {count}, D = {dim}, M = {latent_dim}"
        _expect_exact(candidate, x, model, what)


@EXACT_LOG_MARGINAL.check
def follows_the_noise(candidate: Candidate, rng: np.random.Generator) -> None:
    """Right for little noise and for much, also far from the mean."""
    for scale in (0.15, 3.0):
        model = draw_model(rng, 3, 2, (scale, scale))
        x = 2 * model.sample(rng, 4) - model.bias
        _expect_exact(candidate, x, model, f"with scale = {scale:g}")


@EXACT_LOG_MARGINAL.check
def rotated_latents_change_nothing(candidate: Candidate, rng: np.random.Generator) -> None:
    """Turning the hidden space changes nothing, because the prior looks the same from all sides."""
    model = draw_model(rng, 4, 2)
    x = model.sample(rng, 5)
    angle = rng.uniform(0.5, 1.0)
    turn = torch.tensor(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=torch.float64
    )
    turned = Model(model.weight @ turn, model.bias, model.scale)
    _expect_exact(candidate, x, turned, "with rotated weights")


@EXACT_LOG_MARGINAL.edge_check
def works_in_many_dimensions(candidate: Candidate, rng: np.random.Generator) -> None:
    """Finite and right in hundreds of dimensions, where the determinant itself is zero."""
    model = draw_model(rng, 250, 3, (0.02, 0.04))
    # single precision loses some digits here: W Wᵀ is far larger than σ²
    x = model.sample(rng, 2)
    _expect_exact(candidate, x, model, "for D = 250 and a small scale", rtol=5e-3)
