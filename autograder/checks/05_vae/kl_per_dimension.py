"""`kl_per_dimension(loc, log_var)`: which hidden values does the encoder spend nats on?"""

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(loc: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (loc.square() + log_var.exp() - 1 - log_var).mean(0)


KL_PER_DIMENSION = Exercise(
    name="kl_per_dimension",
    unit="05_vae",
    title="Nats per hidden value",
    points=2,
    difficulty=2,
    minutes=10,
    reference=reference,
    hints=(
        "**Principle.** The rate, the divergence of the encoder's q from the prior, is a sum over "
        "the hidden values, because both have independent coordinates. So you can ask each hidden "
        "value for its own share. It differs from image to image, and the share that describes the "
        "model is the average over the images. A share of zero means that for every image q is "
        "the prior: the hidden value says nothing and has collapsed. All shares together are the "
        "mean rate of the batch. No share can be negative, so one clearly below zero is a mistake "
        "in the formula.",
        "**Place.** Two steps. First the table of all divergences, (N, M), one for each image and "
        "each hidden value: half of μ² + σ² − 1 − log σ². The encoder writes log σ², so σ² is "
        "`log_var.exp()`, and the last term is `log_var` itself; do not double it or halve it. "
        "Second the mean over the images, the first axis, which leaves (M,). The order matters: "
        "first the divergence of each image and then the mean. The divergence of the averaged "
        "mean and variance is another, smaller number, because the formula is convex.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "table = 0.5 * (loc**2 + ... - 1 - ...)     # (N, M)\n"
        "return table.mean(dim=...)                 # (M,)\n"
        "```\n\n"
        "The gaps are `log_var.exp()`, `log_var` and the axis of the images. Test yourself: zeros "
        "for both arguments must give zeros. With `loc` one and `log_var` zero every share is one "
        "half, whatever N is. If your result has the length N, you averaged over the hidden "
        "values. If it grows when you repeat the batch, you summed over the images. If it is "
        "right where `log_var` is zero and nowhere else, you took it for log σ.",
    ),
)


def draw(rng: np.random.Generator, num_points: int, latent_dim: int) -> tuple[Tensor, Tensor]:
    """Means and log variances of which some dimensions have collapsed nearly, others not."""
    size = rng.permutation(np.geomspace(0.05, 2.0, latent_dim))
    loc = rng.normal(0.3, 1, size=(num_points, latent_dim)) * size
    log_var = rng.uniform(-3, 1, size=(num_points, latent_dim)) * size
    return torch.from_numpy(loc), torch.from_numpy(log_var)


def exact(loc: Tensor, log_var: Tensor) -> Tensor:
    """By torch.distributions, in double precision."""
    q = Normal(loc.double(), (0.5 * log_var.double()).exp())
    return kl_divergence(q, Normal(0.0, 1.0)).mean(0)


@KL_PER_DIMENSION.check
def equals_the_mean_divergence(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the divergence from the standard normal of each hidden value, averaged over the batch."""
    for num_points, latent_dim in ((6, 3), (4, 4), (1, 5), (7, 1)):
        loc, log_var = draw(rng, num_points, latent_dim)
        what = f"kl_per_dimension for N = {num_points}, M = {latent_dim}"
        expect.close(candidate.call(loc, log_var), exact(loc, log_var), what)


@KL_PER_DIMENSION.check
def is_zero_where_q_is_the_prior(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is zero for a hidden value whose q is the prior for every image, and only there."""
    loc, log_var = draw(rng, 5, 4)
    gone = int(rng.integers(4))
    loc[:, gone], log_var[:, gone] = 0.0, 0.0
    given = expect.close(candidate.call(loc, log_var), exact(loc, log_var), "kl_per_dimension")
    expect.true(
        given[gone].abs() < 1e-9,
        f"the hidden value whose q is the prior gets {given[gone].item():.3g} nats; expected 0",
    )


@KL_PER_DIMENSION.check
def encoders_can_learn(candidate: Candidate, rng: np.random.Generator) -> None:
    """Its gradient is μ/N for the mean and (σ² − 1)/2N for log σ²."""
    loc, log_var = draw(rng, 5, 3)
    by_loc, by_log_var = candidate.gradient(loc, log_var, wrt=(0, 1))
    expect.close(by_loc, loc / 5, "the gradient of kl_per_dimension for loc")
    right = torch.expm1(log_var) / 10
    expect.close(by_log_var, right, "the gradient of kl_per_dimension for log_var")


@KL_PER_DIMENSION.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    loc, log_var = (value.float() for value in draw(rng, 8, 3))
    expect.close(candidate.call(loc, log_var), exact(loc, log_var), "kl_per_dimension in float32")


@KL_PER_DIMENSION.edge_check
def survives_extreme_encoders(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is finite and right where q is a spike of width e^-30, or 150 wide, or far from zero."""
    loc, log_var = draw(rng, 4, 4)
    log_var[0, 0], log_var[1, 1], loc[2, 2] = -60.0, 10.0, 1e5
    right = 0.5 * (loc.square() + log_var.exp() - 1 - log_var).mean(0)
    expect.close(candidate.call(loc, log_var), right, "kl_per_dimension of an extreme encoder")
