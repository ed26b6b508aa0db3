"""`fit_gaussian_vi(log_joint, latent_dim, full, generator)`: the best Gaussian, by gradient.

The model is a black box that answers log p(x, z) and its gradient, so any way of climbing is right;
what counts is the exact ELBO of the Gaussian that comes back.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle, Seed
from autograder.exercise import Exercise

from ._targets import Gaussian, Target, draw_counts, draw_linear_gaussian

SHORTFALL = 0.05  # nats below the best Gaussian of the kind that was asked for
NUM_NOISE = 100


def whitened_noise(latent_dim: int, generator: torch.Generator) -> Tensor:
    """Mirrored noise whose mean is exactly 0 and whose covariance is exactly I."""
    noise = torch.randn(NUM_NOISE, latent_dim, generator=generator, dtype=torch.float64)
    noise = torch.cat((noise, -noise))
    root = torch.linalg.cholesky(noise.T @ noise / len(noise))
    return torch.linalg.solve_triangular(root, noise.T, upper=False).T


def climb(log_joint: Any, latent_dim: int, full: bool, generator: torch.Generator) -> Gaussian:
    """Natural-gradient steps; E[∇² log p] comes from E[∇ log p εᵀ] L⁻¹ (Stein's lemma)."""
    noise = whitened_noise(latent_dim, generator)
    loc = torch.zeros(latent_dim, dtype=torch.float64)
    precision = torch.eye(latent_dim, dtype=torch.float64)
    for _ in range(60):
        tril = torch.linalg.cholesky(torch.linalg.inv(precision))
        _, gradient = log_joint(loc + noise @ tril.T)
        curvature = -(gradient.T @ noise / len(noise)) @ torch.linalg.inv(tril)
        curvature = (curvature + curvature.T) / 2
        # the mean climbs along all of the curvature, also where q keeps its diagonal only
        step = torch.linalg.solve(curvature, gradient.mean(0))
        loc = loc + 0.8 * step
        if not full:
            curvature = curvature.diagonal().diag_embed()
        precision = 0.2 * precision + 0.8 * curvature
        if step.abs().max() < 1e-6:
            break
    return loc, torch.linalg.cholesky(torch.linalg.inv(precision))


FIT_GAUSSIAN_VI = Exercise(
    name="fit_gaussian_vi",
    unit="03_elbo",
    title="Variational inference by gradient",
    points=5,
    difficulty=4,
    minutes=45,
    reference=climb,
    needs=("reparam_grad",),
    deterministic=False,
    follow_up=(
        "On the linear-Gaussian model the full fit has closed its gap: q is the posterior. The "
        "mean-field fit has the right means, variances that are too small, and a gap that stays."
    ),
    hints=(
        "**Principle.** The ELBO is E_q[log p(x, z)] + H(q). You cannot integrate the first term, "
        "but you can follow its gradient: draw z = μ + L ε, ask the model for the slope at each "
        "draw, and let the draws pull μ and L along. The second term is known: H(q) is Σ log L_mm "
        "plus a constant. It keeps q wide; without it q collapses onto the highest point. For a "
        "mean-field q the factor L is diagonal, for a full one lower triangular, and its diagonal "
        "stays positive if you optimise its logarithm. Noise in the gradient never ends, so the "
        "learning rate must fall.",
        "**Place.** Three leaf tensors: `loc` (M,), `log_diag` (M,), and for the full fit `below` "
        "(M, M), of which only `tril(-1)` is used. In each step draw fresh noise (16, M), build L "
        "and z, and ask `_, slope = log_joint(z.detach())`. No gradient flows through "
        "`log_joint`, so use a stand-in with the right gradient: `(z * slope).sum(-1).mean()` is "
        "linear in z, with the model's slope as its coefficient. Add `log_diag.sum()`, the "
        "entropy, and let Adam climb (minimise the negative). About 600 steps with a learning "
        "rate that falls from 0.05 to 0 come within 0.01 nats; 0.05 are allowed.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "optimiser = torch.optim.Adam([loc, log_diag, below], lr=0.05)\n"
        "schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 600)\n"
        "for _ in range(600):\n"
        "    tril = torch.diag_embed(log_diag.exp())\n"
        "    if full:\n"
        "        tril = tril + ...\n"
        "    noise = torch.randn(16, latent_dim, generator=generator, dtype=torch.float64)\n"
        "    z = loc + noise @ ...\n"
        "    _, slope = log_joint(z.detach())\n"
        "    loss = -((z * slope).sum(-1).mean() + ...)\n"
        "    optimiser.zero_grad(); loss.backward(); optimiser.step(); schedule.step()\n"
        "```\n\n"
        "The gaps: the part below the diagonal, Lᵀ, and the entropy. Build L once more at the end "
        "and return it detached with `loc`. Leaf tensors are made with "
        "`torch.zeros(latent_dim, dtype=torch.float64, requires_grad=True)`.",
    ),
)


def read(value: Any, latent_dim: int) -> Gaussian:
    """(loc, scale_tril): finite, lower triangular, positive on the diagonal."""
    loc, tril = expect.items(value, 2, "the result of fit_gaussian_vi")
    loc = expect.tensor(loc, (latent_dim,), "loc")
    tril = expect.tensor(tril, (latent_dim, latent_dim), "scale_tril")
    for part, name in ((loc, "loc"), (tril, "scale_tril")):
        expect.finite(part, name)
    expect.true(
        tril.triu(1).abs().max() < 1e-6,
        "scale_tril has entries above its diagonal; expected a lower triangular matrix",
    )
    expect.true(
        (tril.diagonal() > 0).all(),
        f"the diagonal of scale_tril holds {tril.diagonal().min().item():.3g}; expected positive "
        "numbers",
    )
    return loc, tril


def _fit(candidate: Candidate, rng: np.random.Generator, target: Target, full: bool) -> Gaussian:
    seed = Seed(int(rng.integers(2**31)))
    return read(candidate.call(Oracle(target), target.latent_dim, full, seed), target.latent_dim)


def _expect_best(target: Target, fitted: Gaussian, full: bool, where: str) -> None:
    shortfall = target.shortfall(*fitted, full)
    kind = "full" if full else "mean-field"
    expect.true(
        shortfall <= SHORTFALL,
        f"{where} your {kind} Gaussian has an ELBO of {target.elbo(*fitted).item():.3f} nats; "
        f"expected the best one's {target.elbo(*target.optimum(full)).item():.3f} (up to "
        f"{SHORTFALL} nats)",
    )


@FIT_GAUSSIAN_VI.check
def full_fit_reaches_the_posterior(candidate: Candidate, rng: np.random.Generator) -> None:
    """On a linear-Gaussian model the full fit is the exact posterior: its gap closes."""
    target = draw_linear_gaussian(rng, 3)
    _expect_best(target, _fit(candidate, rng, target, True), True, "on a linear-Gaussian model")


@FIT_GAUSSIAN_VI.check
def mean_field_reaches_its_own_optimum(candidate: Candidate, rng: np.random.Generator) -> None:
    """The mean-field fit is diagonal, has the exact means, and keeps exactly its known gap."""
    target = draw_linear_gaussian(rng, 2)
    seed = Seed(int(rng.integers(2**31)))
    value = candidate.call(Oracle(target), 2, False, seed)
    fitted = loc, tril = read(value, 2)
    expect.true(
        tril.tril(-1).abs().max() < 1e-6,
        f"the mean-field scale_tril has {tril[1, 0].item():.3g} below its diagonal; expected a "
        "diagonal matrix when full is False",
    )
    _expect_best(target, fitted, False, "on a linear-Gaussian model")
    again = read(candidate.call(Oracle(target), 2, False, seed), 2)
    same = torch.allclose(again[0], loc, atol=1e-6) and torch.allclose(again[1], tril, atol=1e-6)
    expect.true(
        same,
        "two generators with the same seed give two different fits; draw all noise with "
        "`generator=generator`",
    )


@FIT_GAUSSIAN_VI.check
def reaches_the_optimum_of_a_skewed_model(candidate: Candidate, rng: np.random.Generator) -> None:
    """On a model of counts, whose posterior is skewed, reaches the best Gaussian too."""
    target = draw_counts(rng)
    _expect_best(target, _fit(candidate, rng, target, True), True, "on a model of counts")
