"""`elbo_linear_gaussian(x, weight, bias, scale, loc, scale_tril)`: the bound without sampling."""

import math

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._linear_gaussian import draw_model, draw_points, draw_question, elbo, log_marginal, posterior

LOG_2PI = math.log(2 * math.pi)


def reconstruction(
    x: Tensor, weight: Tensor, bias: Tensor, scale: float, loc: Tensor, scale_tril: Tensor
) -> Tensor:
    """E_q[log p(x | z)] for each point."""
    residual_sq = (x - loc @ weight.T - bias).square().sum(-1)
    spread = (weight @ scale_tril).square().sum((-2, -1))  # tr(W L Lᵀ Wᵀ)
    constant = x.shape[-1] * (math.log(scale) + 0.5 * LOG_2PI)
    return -0.5 * (residual_sq + spread) / scale**2 - constant


def prior_kl(loc: Tensor, scale_tril: Tensor) -> Tensor:
    """KL(q‖N(0, I)) for each point."""
    log_det = scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    trace = scale_tril.square().sum((-2, -1))
    return 0.5 * (trace + loc.square().sum(-1) - loc.shape[-1]) - log_det


def bound(
    x: Tensor, weight: Tensor, bias: Tensor, scale: float, loc: Tensor, scale_tril: Tensor
) -> Tensor:
    return reconstruction(x, weight, bias, scale, loc, scale_tril) - prior_kl(loc, scale_tril)


ELBO_LINEAR_GAUSSIAN = Exercise(
    name="elbo_linear_gaussian",
    unit="03_elbo",
    title="The bound of a linear-Gaussian model",
    points=4,
    difficulty=3,
    minutes=30,
    reference=bound,
    hints=(
        "**Principle.** The bound is a reconstruction minus a divergence, and for a linear "
        "decoder both have a closed form. The reconstruction is the mean of log p(x | z) under q, "
        "not its value at the mean of q. Decoding a random z misses x twice: because the mean "
        "W μ + b is not x, and because z scatters around μ, which the decoder turns into a "
        "scatter of W z. So the expected squared error is ‖x − Wμ − b‖² + tr(W Σ Wᵀ), with "
        "Σ = L Lᵀ. The divergence from the prior N(0, I) has a trace, a squared length and a log "
        "determinant. Each point has its own q, and therefore its own number.",
        "**Place.** Reconstruction: −(expected squared error)/(2σ²) − D log σ − (D/2) log 2π; "
        "`scale` is σ, a plain number, so use `math.log`. The trace needs no Σ: tr(W L Lᵀ Wᵀ) is "
        "the sum of all squared entries of `weight @ scale_tril`, a tensor (N, D, M). Divergence: "
        "½ (tr Σ + ‖μ‖² − M) − Σ_m log L_mm. Here tr Σ is the sum of all squared entries of L, "
        "and ½ log det Σ is the sum of the logarithms of L's diagonal, with no further half. Test "
        "yourself: with W = 0, μ = 0 and L = I the bound is the log-density of N(b, σ²) exactly.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "dim, latent_dim = weight.shape\n"
        "residual = x - ... - bias                                      # (N, D), at the mean\n"
        "spread = (weight @ scale_tril).square().sum((-2, -1))          # tr(W Σ Wᵀ), (N,)\n"
        "expected_sq = residual.square().sum(-1) + ...\n"
        "rec = -expected_sq / (2 * ...) - dim * (math.log(scale) + 0.5 * math.log(2 * math.pi))\n"
        "log_det = scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)  # ½ log det Σ\n"
        "trace = scale_tril.square().sum((-2, -1))\n"
        "kl = 0.5 * (trace + ... - latent_dim) - log_det\n"
        "return rec - kl\n"
        "```\n\n"
        "The mean of z for every point is a row of `loc`, so its decoding is `loc @ weight.T`.",
    ),
)


@ELBO_LINEAR_GAUSSIAN.check
def equals_evidence_minus_divergence(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals log p(x) − KL(q‖p(z | x)), both computed exactly, for each point."""
    for num_points, dim, latent_dim in ((6, 5, 2), (4, 3, 1), (5, 6, 3)):
        args = draw_question(rng, num_points, dim, latent_dim)
        what = f"elbo_linear_gaussian for N = {num_points}, D = {dim}, M = {latent_dim}"
        expect.close(candidate.call(*args), elbo(*args), what)


@ELBO_LINEAR_GAUSSIAN.check
def works_when_sizes_coincide(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one point, and when the numbers of points, values and hidden values agree."""
    for num_points, dim, latent_dim in ((1, 4, 2), (3, 3, 3), (2, 1, 1), (2, 1, 3)):
        args = draw_question(rng, num_points, dim, latent_dim)
        what = f"elbo_linear_gaussian for N = {num_points}, D = {dim}, M = {latent_dim}"
        expect.close(candidate.call(*args), elbo(*args), what)


@ELBO_LINEAR_GAUSSIAN.check
def is_tight_at_the_posterior(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals log p(x) where q is the posterior."""
    model = draw_model(rng, 5, 2)
    x = draw_points(rng, 4, model)
    exact = posterior(x, model)
    given = candidate.call(x, *model, exact.loc, exact.scale_tril.expand(4, 2, 2).clone())
    expect.close(given, log_marginal(x, model), "elbo_linear_gaussian at the exact posterior")


@ELBO_LINEAR_GAUSSIAN.check
def a_dead_decoder_leaves_the_prior(candidate: Candidate, rng: np.random.Generator) -> None:
    """With W = 0 it is log N(x | b, σ² I) less the divergence from the prior, whatever q is."""
    x, weight, *rest = draw_question(rng, 5, 4, 2)
    args = x, torch.zeros_like(weight), *rest
    expect.close(candidate.call(*args), elbo(*args), "elbo_linear_gaussian with W = 0")


@ELBO_LINEAR_GAUSSIAN.check
def counts_every_value(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays exact for many values and for a very small or large σ."""
    for dim, factor in ((60, 1.0), (4, 0.02), (4, 30.0)):
        x, weight, bias, scale, loc, tril = draw_question(rng, 3, dim, 2)
        args = x, weight, bias, scale * factor, loc, tril
        what = f"elbo_linear_gaussian for D = {dim}, σ = {scale * factor:.3g}"
        expect.close(candidate.call(*args), elbo(*args), what, rtol=1e-5)


@ELBO_LINEAR_GAUSSIAN.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    args = draw_question(rng, 5, 4, 2)
    single = tuple(a.float() if isinstance(a, Tensor) else a for a in args)
    double = tuple(a.double() if isinstance(a, Tensor) else a for a in single)
    expect.close(candidate.call(*single), elbo(*double), "elbo_linear_gaussian in float32")
