"""`kl_gap(x, weight, bias, scale, loc, scale_tril)`: the distance of q from the exact posterior."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._linear_gaussian import (
    draw_model,
    draw_points,
    draw_question,
    elbo,
    gap,
    log_marginal,
    posterior,
)


def exact_posterior(x: Tensor, weight: Tensor, bias: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Mean of p(z | x), (N, M), and its precision, (M, M), which no x changes."""
    identity = torch.eye(weight.shape[1], dtype=weight.dtype)
    precision = identity + weight.T @ weight / scale**2
    return torch.linalg.solve(precision, weight.T @ (x - bias).T / scale**2).T, precision


def divergence(loc: Tensor, scale_tril: Tensor, mean: Tensor, precision: Tensor) -> Tensor:
    """KL(N(loc, L Lᵀ)‖N(mean, precision⁻¹)) for each point."""
    root = torch.linalg.cholesky(precision)  # R Rᵀ is the precision
    trace = (root.mT @ scale_tril).square().sum((-2, -1))
    shift_sq = ((loc - mean) @ root).square().sum(-1)
    log_det = scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1) + root.diagonal().log().sum()
    return 0.5 * (trace + shift_sq - loc.shape[-1]) - log_det


def distance(
    x: Tensor, weight: Tensor, bias: Tensor, scale: float, loc: Tensor, scale_tril: Tensor
) -> Tensor:
    return divergence(loc, scale_tril, *exact_posterior(x, weight, bias, scale))


KL_GAP = Exercise(
    name="kl_gap",
    unit="03_elbo",
    title="The gap is a divergence",
    points=4,
    difficulty=4,
    minutes=30,
    reference=distance,
    needs=("elbo_linear_gaussian",),
    follow_up=(
        "Your number and log p(x) minus the bound are the same: what the ELBO lacks is exactly "
        "how far q is from the posterior."
    ),
    hints=(
        "**Principle.** The bound misses log p(x) by KL(q‖p(z | x)), no more and no less. In the "
        "linear-Gaussian model the posterior is a Gaussian that you can write down, so the gap "
        "has a closed form. Precisions add up: one unit from the prior, and Wᵀ W/σ² from the D "
        "observed values. The more precise the observation, the narrower the posterior, and its "
        "width does not depend on x at all. Only its mean does. Then compare two Gaussians of "
        "full covariance: a trace, a squared distance and a log determinant, all measured with "
        "the precision of the second one, the posterior.",
        "**Place.** Posterior precision Λ = I + Wᵀ W/σ², an (M, M) matrix. Posterior mean: solve "
        "Λ m = Wᵀ (x − b)/σ² for every point with `torch.linalg.solve`. The divergence from q = "
        "N(μ, L Lᵀ) is ½ [tr(Λ L Lᵀ) + (μ − m)ᵀ Λ (μ − m) − M − log det(L Lᵀ) − log det Λ]. Here "
        "log det(L Lᵀ) is twice the sum of log L_mm, and `torch.logdet(precision)` gives the "
        "other one. It enters with a minus, because the posterior's covariance is Λ⁻¹. Another "
        "way: log p(x) minus your `elbo_linear_gaussian`, with p(x) = N(b, W Wᵀ + σ² I). Both "
        "must agree.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "precision = torch.eye(weight.shape[1], dtype=x.dtype) + ... / scale**2   # Λ\n"
        "mean = torch.linalg.solve(precision, weight.T @ (x - bias).T / ...).T     # (N, M)\n"
        "shift = loc - mean\n"
        "covariance = scale_tril @ scale_tril.mT                                  # (N, M, M)\n"
        "trace = (precision * covariance).sum((-2, -1))\n"
        "distance = ((shift @ ...) * shift).sum(-1)\n"
        "log_det = torch.logdet(covariance) + torch.logdet(...)\n"
        "return 0.5 * (trace + distance - weight.shape[1] - log_det)\n"
        "```\n\n"
        "Test yourself: with q equal to the posterior the result is zero, and it is never "
        "negative.",
    ),
)


@KL_GAP.check
def equals_the_divergence(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals KL(q‖p(z | x)), with the posterior found by conditioning the joint Gaussian."""
    for num_points, dim, latent_dim in ((6, 5, 2), (4, 3, 1), (5, 6, 3)):
        args = draw_question(rng, num_points, dim, latent_dim)
        what = f"kl_gap for N = {num_points}, D = {dim}, M = {latent_dim}"
        expect.close(candidate.call(*args), gap(*args), what)


@KL_GAP.check
def closes_the_balance(candidate: Candidate, rng: np.random.Generator) -> None:
    """Evidence minus bound minus your gap is zero, within a millionth of a nat."""
    args = draw_question(rng, 6, 4, 2)
    given = expect.tensor(candidate.call(*args), (6,), "kl_gap")
    rest = (log_marginal(args[0], args[1:4]) - elbo(*args) - given).abs().max().item()
    expect.true(
        rest < 1e-6,
        f"log p(x) − ELBO − kl_gap is off zero by {rest:.3g} nats; expected 0",
    )


@KL_GAP.check
def vanishes_at_the_posterior(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is zero where q is the posterior, and grows when only its mean or only its width differs."""
    model = draw_model(rng, 5, 2)
    x = draw_points(rng, 4, model)
    exact = posterior(x, model)
    loc, tril = exact.loc.clone(), exact.scale_tril.expand(4, 2, 2).clone()
    loc[2] += 0.5
    tril[3] *= 0.6
    args = x, *model, loc, tril
    what = "kl_gap at the posterior (points 0 and 1) and beside it"
    expect.close(candidate.call(*args), gap(*args), what, atol=1e-6)


@KL_GAP.check
def works_when_sizes_coincide(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one point, when sizes agree, and for more hidden values than observed ones."""
    for num_points, dim, latent_dim in ((1, 4, 2), (3, 3, 3), (2, 1, 1), (2, 1, 3)):
        args = draw_question(rng, num_points, dim, latent_dim)
        what = f"kl_gap for N = {num_points}, D = {dim}, M = {latent_dim}"
        expect.close(candidate.call(*args), gap(*args), what)


@KL_GAP.check
def a_dead_decoder_leaves_the_prior(candidate: Candidate, rng: np.random.Generator) -> None:
    """With W = 0 the posterior is the prior, whatever x and σ are."""
    x, weight, *rest = draw_question(rng, 4, 3, 2)
    args = x, torch.zeros_like(weight), *rest
    expect.close(candidate.call(*args), gap(*args), "kl_gap with W = 0")


@KL_GAP.check
def holds_for_any_noise(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays right for small and for large σ, where the posterior is narrow or nearly the prior."""
    for factor in (0.1, 8.0):
        x, weight, bias, scale, loc, tril = draw_question(rng, 3, 4, 2)
        args = x, weight, bias, scale * factor, loc, tril
        expect.close(candidate.call(*args), gap(*args), f"kl_gap for σ = {scale * factor:.3g}")
