"""`amortization_gap(x, encode, log_joint, num_steps, generator)`: the price of one pass.

On a linear-Gaussian model the best q of each point, and so the gap, has a closed form.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle, Seed
from autograder.exercise import Exercise

from ._exact import ExactModel, draw_model, with_encoder

NUM_NOISE = 400
SLACK, SHARE = 0.4, 0.08  # nats, and share of the gap, that an estimate may be off
STEPS = 200
TILTED = {"tilt": 0.95, "size": (1.3, 1.7)}  # the best q is about a nat away from the posterior


def whitened_noise(num_noise: int, shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Mirrored noise, (S, N, M), whose covariance is exactly I for every point."""
    noise = torch.randn(num_noise // 2, *shape, generator=generator, dtype=torch.float64)
    noise = torch.cat((noise, -noise)).transpose(0, 1)
    root = torch.linalg.cholesky(noise.mT @ noise / num_noise)
    return torch.linalg.solve_triangular(root, noise.mT, upper=False).permute(2, 0, 1)


def elbo(x: Tensor, log_joint: Any, loc: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
    """ELBO of each point up to a constant, (N,)."""
    value, _ = log_joint(x, loc + (0.5 * log_var).exp() * noise)
    return value.mean(0) + 0.5 * log_var.sum(-1)


def improve(
    x: Tensor, log_joint: Any, loc: Tensor, log_var: Tensor, noise: Tensor, num_steps: int
) -> tuple[Tensor, Tensor]:
    """Climb the ELBO of every point from the encoder's q by gradient."""
    loc, log_var = loc.clone().requires_grad_(), log_var.clone().requires_grad_()
    optimiser = torch.optim.Adam([loc, log_var], lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, num_steps + 1)
    for _ in range(num_steps):
        z = loc + (0.5 * log_var).exp() * noise
        _, slope = log_joint(x, z.detach())
        loss = -(z * slope).sum(-1).mean(0) - 0.5 * log_var.sum(-1)
        optimiser.zero_grad()
        loss.sum().backward()
        optimiser.step()
        schedule.step()
    return loc.detach(), log_var.detach()


def reference(
    x: Tensor, encode: Any, log_joint: Any, num_steps: int, generator: torch.Generator
) -> Tensor:
    """Cremer, Li & Duvenaud 2018, section 3."""
    loc, log_var = encode(x)
    noise = whitened_noise(NUM_NOISE, loc.shape, generator)
    few = whitened_noise(16, loc.shape, generator)
    best = improve(x, log_joint, loc, log_var, few, num_steps)
    return elbo(x, log_joint, *best, noise) - elbo(x, log_joint, loc, log_var, noise)


AMORTIZATION_GAP = Exercise(
    name="amortization_gap",
    unit="05_vae",
    title="The price of amortised inference",
    points=3,
    difficulty=4,
    minutes=40,
    reference=reference,
    deterministic=False,
    follow_up=(
        "What is left after that, the distance from the best such q to log p(x), is the "
        "approximation gap: no encoder can close it, only another family of q."
    ),
    hints=(
        "**Principle.** The encoder answers every image in one pass, with one set of weights for "
        "all. For a single image you can do better: take its answer as a start and climb that "
        "image's own ELBO by gradient, as in unit 03. What you win is the amortisation gap, the "
        "price of sharing one network. The model stays as it is; only μ and log σ² move, "
        "separately for each image. The gap is a difference of two ELBOs, so estimate both with "
        "the same noise: then most of the noise drops out of the difference. It is never "
        "negative, apart from noise.",
        "**Place.** Two leaf tensors, (N, M) each, that start at the encoder's answer. In each "
        "step draw noise (16, N, M), set z = μ + σ ε, and ask `_, slope = log_joint(x, "
        "z.detach())`. No gradient flows through `log_joint`, so `(z * slope).sum(-1).mean(0)` "
        "stands in for it. Add the entropy, `0.5 * log_var.sum(-1)`. Sum over the images, "
        "because every image has tensors of its own and the sum does not mix them, and let Adam "
        "minimise the negative with a learning rate near 0.05 that falls. At the end evaluate "
        "both ELBOs on the same 2000 draws and subtract.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "loc, log_var = (part.clone().requires_grad_() for part in encode(x))\n"
        "optimiser = torch.optim.Adam([loc, log_var], lr=0.05)\n"
        "for _ in range(num_steps):\n"
        "    noise = torch.randn(16, *loc.shape, generator=generator, dtype=x.dtype)\n"
        "    z = loc + torch.exp(0.5 * log_var) * ...\n"
        "    _, slope = log_joint(x, z.detach())\n"
        "    bound = (z * slope).sum(-1).mean(0) + ...\n"
        "    optimiser.zero_grad(); (-bound.sum()).backward(); optimiser.step()\n"
        "```\n\n"
        "The gaps: `noise` and half the sum of `log_var` over the last axis. Then a function "
        "`elbo(loc, log_var)` with one fixed noise of 2000 draws, called on `loc.detach()`, "
        "`log_var.detach()` and on the encoder's answer.",
    ),
)


def draw_off(rng: np.random.Generator, num_points: int, latent_dim: int) -> ExactModel:
    """Encoders of every quality: the first point's is the best, the others' are off.

    Some are shifted, some too wide and some too narrow. The posterior is tilted, so that a gap
    remains that no q with independent coordinates closes.
    """
    model = draw_model(rng, num_points, latent_dim, **TILTED)
    scale = (0.5 * model.log_var).exp()
    steps = torch.linspace(0, 1, num_points, dtype=torch.float64)[:, None]
    sign = float(rng.choice([-1.0, 1.0]))
    shift = steps * sign * scale * torch.from_numpy(rng.uniform(1.2, 1.8, size=model.loc.shape))
    width = torch.from_numpy(rng.choice([-1.5, 1.2], size=(num_points, 1)))
    width = width.expand_as(model.loc) * (steps > 0)
    return with_encoder(model, model.loc + shift, model.log_var + width)


def exact(model: ExactModel) -> Tensor:
    """ELBO of the best q minus that of the encoder's, (N,)."""
    best = model.gap(model.posterior_mean, model.best_log_var)
    return model.gap(model.loc, model.log_var) - best


def ask(
    candidate: Candidate, rng: np.random.Generator, model: ExactModel, num_steps: int
) -> Tensor:
    oracle, seed = Oracle(model.log_joint_and_slope), Seed(int(rng.integers(2**31)))
    what = f"amortization_gap for {num_steps} steps"
    given = candidate.call(model.x, Oracle(model.encode), oracle, num_steps, seed)
    given = expect.tensor(given, (len(model.x),), what)
    expect.finite(given, what)
    return given


def _expect(given: Tensor, right: Tensor, where: str) -> None:
    off = (given - right).abs() - SHARE * right
    worst = int(off.argmax())
    expect.true(
        off[worst] <= SLACK,
        f"{where}, the gap of point {worst} is {given[worst].item():.2f} nats in your answer; "
        f"expected {right[worst].item():.2f} (up to {SLACK} nats and {SHARE:.0%})",
    )


@AMORTIZATION_GAP.check
def equals_the_exact_gap(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is what the best q of each point's own wins over the encoder's, on a model where both are
    known.
    """
    model = draw_off(rng, 3, 2)
    _expect(ask(candidate, rng, model, STEPS), exact(model), "with two hidden values")


@AMORTIZATION_GAP.check
def is_zero_for_the_best_encoder(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is zero where the encoder gives the best q already, also if the posterior is tilted."""
    model = draw_model(rng, 3, 2, **TILTED)
    given = ask(candidate, rng, model, 60)
    _expect(given, torch.zeros(3).double(), "with an encoder that cannot be beaten")


@AMORTIZATION_GAP.check
def is_zero_without_steps(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is zero when no step is taken, because then q is still the encoder's."""
    model = draw_off(rng, 3, 2)
    _expect(ask(candidate, rng, model, 0), torch.zeros(3).double(), "with num_steps = 0")
