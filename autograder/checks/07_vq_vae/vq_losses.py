"""`vq_losses(z_e, z_q, beta)`: the term that moves the codebook and the one that commits."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._codes import draw_points


def reference(z_e: Tensor, z_q: Tensor, beta: float) -> Tensor:
    """Van den Oord et al. 2017, equation (3), second and third term."""
    codebook = (z_e.detach() - z_q).square().sum(-1).mean()
    commitment = (z_e - z_q.detach()).square().sum(-1).mean()
    return torch.stack((codebook, beta * commitment))


VQ_LOSSES = Exercise(
    name="vq_losses",
    unit="07_vq_vae",
    title="Two stop-gradients",
    points=2,
    difficulty=2,
    minutes=15,
    reference=reference,
    hints=(
        "**Principle.** Encoder and codebook have to meet, and each of them gets a term for it. "
        "The first term moves the codes towards what the encoder says; the encoder is a constant "
        "in it. The second moves what the encoder says towards the codes; the codebook is a "
        "constant in it. Both have the same value: the squared distance of the two. What differs "
        "is who gets the gradient, and how strongly: the weight β belongs to the second, so that "
        "the encoder follows more slowly than the codebook. A term that holds nothing constant "
        "would do both at once, with one weight.",
        "**Place.** sg[·] is `.detach()`. In the codebook term it stands on the encoder's output, "
        "in the commitment term on the code. The easy way to remember: the one that is detached is "
        "not moved. Then the sums: a squared distance is a sum over the M values of a vector, so "
        "sum along the last axis, which leaves one number for each of the N vectors, and take the "
        "mean of these. `mse_loss` divides by M as well, and would be M times too small. Stack the "
        "two numbers with `torch.stack`, which lets the gradient through; `torch.tensor` does not.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "codebook = (z_e... - z_q...).square().sum(dim=1).mean()\n"
        "commitment = (z_e... - z_q...).square().sum(dim=1).mean()\n"
        "return torch.stack((codebook, beta * commitment))\n"
        "```\n\n"
        "In each line one of the two dots is `.detach()` and the other one is nothing. Test "
        "yourself with z_e = [[1, 2]], z_q = [[0, 0]] and β = 0.25: the values must be 5 and 1.25. "
        "The gradient of the first must be [[−2, −4]] for z_q and zero for z_e; that of the second "
        "[[0.5, 1]] for z_e and zero for z_q. A gradient step against these brings both closer "
        "together.",
    ),
)

FIRST, SECOND = torch.tensor([1.0, 0.0]).double(), torch.tensor([0.0, 1.0]).double()


def _draw(rng: np.random.Generator, num_points: int, latent_dim: int) -> tuple[Tensor, Tensor]:
    return draw_points(rng, num_points, latent_dim), draw_points(rng, num_points, latent_dim)


@VQ_LOSSES.check
def are_squared_distances(candidate: Candidate, rng: np.random.Generator) -> None:
    """Are the mean squared distance of the vectors, and the same times β."""
    for num_points, latent_dim in ((7, 3), (4, 6), (1, 2), (3, 3)):
        z_e, z_q = _draw(rng, num_points, latent_dim)
        beta = float(rng.uniform(0.1, 0.9))
        distance = (z_e - z_q).square().sum() / num_points
        what = f"vq_losses for N, M = {num_points}, {latent_dim} and β = {beta:.2f}"
        right = torch.stack((distance, beta * distance))
        expect.close(candidate.call(z_e, z_q, beta), right, what)


@VQ_LOSSES.check
def codebook_term_moves_the_codebook(candidate: Candidate, rng: np.random.Generator) -> None:
    """The first has the gradient 2 (z_q - z_e) / N for the code, and none for the encoder."""
    z_e, z_q = _draw(rng, 5, 4)
    by_z_e, by_z_q = candidate.gradient(z_e, z_q, 0.3, wrt=(0, 1), outer=FIRST)
    expect.close(by_z_q, 2 * (z_q - z_e) / 5, "the gradient of the codebook term for z_q")
    expect.close(by_z_e, 0 * z_e, "the gradient of the codebook term for z_e")


@VQ_LOSSES.check
def commitment_term_moves_the_encoder(candidate: Candidate, rng: np.random.Generator) -> None:
    """The second has the gradient 2 β (z_e - z_q) / N for the encoder, and none for the code."""
    z_e, z_q = _draw(rng, 4, 3)
    beta = float(rng.uniform(1.5, 4))
    by_z_e, by_z_q = candidate.gradient(z_e, z_q, beta, wrt=(0, 1), outer=SECOND)
    expect.close(by_z_e, 2 * beta * (z_e - z_q) / 4, "the gradient of the commitment term for z_e")
    expect.close(by_z_q, 0 * z_q, "the gradient of the commitment term for z_q")


@VQ_LOSSES.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision, with a whole number for β, and with β = 0."""
    z_e, z_q = (part.float() for part in _draw(rng, 6, 2))
    distance = (z_e - z_q).double().square().sum() / 6
    for beta in (1, 0):
        right = torch.stack((distance, beta * distance))
        what = f"vq_losses in single precision for β = {beta}"
        expect.close(candidate.call(z_e, z_q, beta), right, what)
