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
STEPS, FEW_STEPS = 120, 8
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
    x: Tensor,
    log_joint: Any,
    loc: Tensor,
    log_var: Tensor,
    num_steps: int,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Climb the ELBO of every point from the encoder's q by gradient."""
    loc, log_var = loc.clone().requires_grad_(), log_var.clone().requires_grad_()
    optimiser = torch.optim.Adam([loc, log_var], lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, num_steps + 1)
    for _ in range(num_steps):
        noise = whitened_noise(16, loc.shape, generator)
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
    best = improve(x, log_joint, loc, log_var, num_steps, generator)
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
    """Is zero where the encoder gives the best q already, with many hidden values too."""
    for num_points, latent_dim, tilt in ((3, 2, TILTED), (1, 8, {"size": (1.3, 1.7)})):
        model = draw_model(rng, num_points, latent_dim, **tilt)
        given = ask(candidate, rng, model, 50)
        where = f"with an encoder that cannot be beaten and {latent_dim} hidden values"
        _expect(given, torch.zeros(num_points).double(), where)


@AMORTIZATION_GAP.check
def is_zero_without_steps(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is exactly zero when no step is taken: q is still the encoder's, and the noise the same."""
    given = ask(candidate, rng, draw_off(rng, 3, 2), 0)
    worst = given[given.abs().argmax()].item()
    expect.true(
        abs(worst) < 1e-6,
        f"with num_steps = 0 the gap of a point is {worst:.3g} nats; expected exactly 0, from one "
        "noise for both ELBOs",
    )


@AMORTIZATION_GAP.check
def draws_from_the_generator(candidate: Candidate, rng: np.random.Generator) -> None:
    """Draws anew in each step, all from `generator`: the same seed gives the same draws, another
    seed or a second call with the same generator gives others.
    """
    model, seed = draw_off(rng, 2, 1), int(rng.integers(2**30))
    seeds = Seed(seed), Seed(seed), Seed(seed + 1), Seed(seed, used=True)
    one, again, other, later = (_draws(candidate, model, given) for given in seeds)
    expect.true(
        torch.equal(one[0], again[0]),
        "two generators with the same seed give different draws; draw with `generator=generator`",
    )
    for rival, what in ((other, "with another seed"), (later, "that was drawn from before")):
        expect.true(
            not torch.equal(one[0], rival[0]),
            f"a generator {what} gives the same draws; draw with `generator=generator`, without a "
            "seed of your own",
        )
    different = num_different(one)
    expect.true(
        different > FEW_STEPS / 2,
        f"in {FEW_STEPS} steps and the comparison at the end you used {different} sets of draws; "
        "draw new noise in each step",
    )


def _draws(candidate: Candidate, model: ExactModel, seed: Seed) -> list[Tensor]:
    """What `log_joint` was asked about, in order."""
    oracle = Oracle(model.log_joint_and_slope)
    candidate.call(model.x, Oracle(model.encode), oracle, FEW_STEPS, seed)
    expect.true(len(oracle.questions) > 1, "log_joint was never asked; climb by its gradient")
    return [z for _, z in oracle.questions]


def num_different(asked: list[Tensor]) -> int:
    """How many sets of noise are behind these draws, (S, N, M) each, whatever q they come from."""
    found: list[Tensor] = []
    for z in asked:
        if z.ndim != 3 or len(z) < 4:  # too few to see the noise in them
            return len(asked)
        noise = (z - z.mean(0)) / z.std(0)
        if not any(n.shape == noise.shape and torch.allclose(n, noise, atol=1e-6) for n in found):
            found.append(noise)
    return len(found)
