"""`beta_loss(distortion, rate, beta)`: the objective of the β-VAE, with its sums and its mean."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(distortion: Tensor, rate: Tensor, beta: float) -> Tensor:
    """Higgins et al. 2017, equation (4), with the sign of a loss."""
    return (distortion.sum(-1) + beta * rate.sum(-1)).mean()


BETA_LOSS = Exercise(
    name="beta_loss",
    unit="06_beta_vae",
    title="A weight in the right place",
    points=2,
    difficulty=1,
    minutes=10,
    reference=reference,
    hints=(
        "**Principle.** Two prices are paid for an image. The rate is what the encoder spends on "
        "the code, the distortion what is still missing once the code is known. Both are in nats, "
        "so with the same weight they add up to minus the bound. The β-VAE makes one of them more "
        "expensive: with β above one the code costs more than it should, and the encoder says only "
        "what is worth the price. The weight stands in front of the rate. In front of the "
        "distortion it would do the opposite. What else changes the weight? Any mean that is taken "
        "in one of the two and not in the other.",
        "**Place.** `distortion` has a column for each of the D values of an image, `rate` one for "
        "each of the M hidden values. An image pays for all of its values, so both are summed "
        "along their last axis, which gives (N,) and (N,). Only now can they be added, with β in "
        "front of the second. The mean over the N images comes last and is harmless, since it "
        "scales both alike. Test yourself with ones everywhere: the result must be D + β M, "
        "whatever N is. If you get 1 + β, you averaged over the values; if you get N times too "
        "much, you summed over the images.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "per_image = distortion.sum(dim=...) + ... * rate.sum(dim=...)      # (N,)\n"
        "return per_image.mean()\n"
        "```\n\n"
        "The gaps are the axis of the values, `beta`, and the axis of the hidden values. Do not "
        "write `distortion.mean()`: that divides by N and by D, so that the β you set is D times "
        "smaller than the one you train with. And leave out `.item()`, `.detach()` and "
        "`torch.tensor(…)`, which cut the path of the gradient. The gradient of your function is "
        "1/N for every entry of the distortion, and β/N for every entry of the rate; with β = 0 "
        "that of the rate is zero, and what you train is a plain autoencoder.",
    ),
)


def draw(rng: np.random.Generator, num_points: int, dim: int, latent_dim: int) -> list[Tensor]:
    """Distortions of values, some of them negative as a density allows, and rates."""
    distortion = rng.uniform(-0.5, 3.0, size=(num_points, dim))
    return [
        torch.from_numpy(distortion),
        torch.from_numpy(rng.exponential(size=(num_points, latent_dim)) + 0.1),
    ]


def _expect(candidate: Candidate, batch: list[Tensor], beta: float, what: str) -> None:
    value = expect.number(candidate.call(*batch, beta), what)
    expect.close(value, _exact(*batch, beta), what)


def _exact(distortion: Tensor, rate: Tensor, beta: float) -> Tensor:
    total = distortion.double().sum() + beta * rate.double().sum()
    return total / len(distortion)


@BETA_LOSS.check
def is_distortion_plus_beta_times_rate(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the mean over the images of the summed distortion plus β times the summed rate."""
    for sizes, beta in (((4, 6, 3), rng.uniform(2, 9)), ((7, 3, 5), rng.uniform(0.1, 0.9))):
        what = f"beta_loss for N, D, M = {', '.join(map(str, sizes))} and β = {beta:.3g}"
        _expect(candidate, draw(rng, *sizes), float(beta), what)


@BETA_LOSS.check
def is_the_negative_bound_at_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is minus the bound for β = 1, and the distortion alone for β = 0."""
    for beta in (1.0, 0.0):
        _expect(candidate, draw(rng, 5, 4, 2), beta, f"beta_loss for β = {beta}")


@BETA_LOSS.check
def works_when_sizes_coincide(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one image, for one hidden value, and where N, D and M agree."""
    for sizes, beta in (((1, 5, 2), 4.0), ((4, 3, 1), 0.03), ((3, 3, 3), 4.0)):
        what = f"beta_loss for N, D, M = {', '.join(map(str, sizes))} and β = {beta:g}"
        _expect(candidate, draw(rng, *sizes), beta, what)


@BETA_LOSS.check
def every_size_is_ordinary(candidate: Candidate, rng: np.random.Generator) -> None:
    """Keeps small and large rates, and losses below zero, as they are, whatever β is."""
    beta = float(rng.uniform(120, 300))
    distortion, rate = draw(rng, 4, 3, 2)
    _expect(candidate, [distortion, rate / 200], beta, f"beta_loss of small rates, β = {beta:.3g}")
    _expect(candidate, [distortion - 9, rate / 10], 2.0, "beta_loss of densities above 1")
    _expect(candidate, [distortion, 30 * rate], 0.2, "beta_loss of large rates")


@BETA_LOSS.check
def gradient_is_exact(candidate: Candidate, rng: np.random.Generator) -> None:
    """Its gradient is 1/N for each entry of the distortion and β/N for each of the rate."""
    distortion, rate = draw(rng, 5, 4, 3)
    beta = float(rng.uniform(2, 9))
    by_distortion, by_rate = candidate.gradient(distortion, rate, beta, wrt=(0, 1))
    expect.close(by_distortion, torch.full_like(distortion, 1 / 5), "the gradient for distortion")
    expect.close(by_rate, torch.full_like(rate, beta / 5), "the gradient for rate")


@BETA_LOSS.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision, and for a β that is a whole number."""
    batch = [part.float() for part in draw(rng, 6, 5, 2)]
    _expect(candidate, batch, 10, "beta_loss in single precision")
