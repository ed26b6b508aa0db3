"""A linear VAE read from outside: its maps, its exact bound, and the best that any can reach."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect

from .kl_to_standard_normal import kl

LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True, eq=False)
class Linear:
    """What a linear VAE computes, in double precision.

    Attributes:
        weight: W (D, M) of the mean of x.
        bias: b (D,).
        log_scale: log σ, one number.
        matrix: V (M, D) of the mean of q.
        offset: c (M,).
        log_var: log σ_q² (M,), the same for all points.
    """

    weight: Tensor
    bias: Tensor
    log_scale: float
    matrix: Tensor
    offset: Tensor
    log_var: Tensor

    def loc(self, x: Tensor) -> Tensor:
        return x @ self.matrix.T + self.offset

    def rate(self, x: Tensor) -> Tensor:
        """KL(q‖p(z)) of each point."""
        return kl(self.loc(x), self.log_var.expand(len(x), -1))

    def draw(self, x: Tensor, noise: Tensor) -> Tensor:
        return self.loc(x) + (self.log_var / 2).exp() * noise

    def loss(self, x: Tensor, noise: Tensor) -> Tensor:
        """−ELBO with one draw for each point, averaged."""
        return (self.distortion(x, self.draw(x, noise)) + self.rate(x)).mean()

    def distortion(self, x: Tensor, z: Tensor) -> Tensor:
        """−log p(x | z) of each point."""
        error_sq = (x - z @ self.weight.T - self.bias).square().sum(-1)
        constant = x.shape[-1] * (self.log_scale + 0.5 * LOG_2PI)
        return 0.5 * error_sq * math.exp(-2 * self.log_scale) + constant

    def elbo(self, x: Tensor) -> float:
        """The exact bound, averaged over the points; no draws."""
        spread = (self.weight.square() @ self.log_var.exp()).sum() * math.exp(-2 * self.log_scale)
        return float((-self.distortion(x, self.loc(x)) - 0.5 * spread - self.rate(x)).mean())


def affine(values: Tensor) -> tuple[Tensor, Tensor]:
    """Matrix (out, in) and offset (out,) of a map, from its values at 0 and at the unit vectors."""
    return (values[1:] - values[0]).T, values[0]


def probes(size: int, rng: np.random.Generator) -> Tensor:
    """0, the unit vectors, and four more places to see whether a map is straight."""
    rest = torch.from_numpy(2 * rng.normal(size=(4, size)))
    return torch.cat((torch.zeros(1, size), torch.eye(size), rest)).float()


def read_decoder(value: Any, z: Tensor, dim: int) -> tuple[Tensor, Tensor, float]:
    """W, b and log σ, from the decoder's answer at the probes."""
    loc, log_scale = expect.items(value, 2, "what decode gives")
    loc = expect.tensor(loc, (len(z), dim), "the mean that decode gives")
    scale = expect.number(log_scale, "the log_scale that decode gives")
    return *_straight(loc, z, "the mean that decode gives"), scale


def read_encoder(value: Any, x: Tensor, latent_dim: int) -> tuple[Tensor, Tensor, Tensor]:
    """V, c and log σ_q², from the encoder's answer at the probes."""
    loc, log_var = expect.items(value, 2, "what encode gives")
    shape = len(x), latent_dim
    loc = expect.tensor(loc, shape, "the loc that encode gives")
    log_var = expect.tensor(log_var, shape, "the log_var that encode gives")
    differs = (log_var - log_var[0]).abs().max().item()
    expect.true(
        differs < 1e-4,
        f"the log_var that encode gives differs between points by {differs:.3g}; expected the same "
        "for all, as the posterior's own",
    )
    return *_straight(loc, x, "the loc that encode gives"), log_var[0]


def _straight(values: Tensor, places: Tensor, what: str) -> tuple[Tensor, Tensor]:
    size = places.shape[1]
    matrix, offset = affine(values[: size + 1])
    error = (places.double() @ matrix.T + offset - values).abs().max().item()
    expect.true(
        error < 1e-3 * (1 + values.abs().max().item()),
        f"{what} is no straight function of its argument: it is off by {error:.3g}; expected a "
        "matrix and an offset, with nothing between",
    )
    return matrix, offset


def draw_data(rng: np.random.Generator, num_points: int, dim: int, latent_dim: int) -> Tensor:
    """Gaussian data with `latent_dim` strong directions, away from the origin."""
    directions, _ = np.linalg.qr(rng.normal(size=(dim, dim)))
    strong = np.linspace(3.0, 1.2, latent_dim) * rng.uniform(0.9, 1.1, size=latent_dim)
    scales = np.concatenate((strong, np.full(dim - latent_dim, rng.uniform(0.4, 0.6))))
    centre = rng.uniform(-1.0, 1.0, size=dim)
    noise = rng.normal(size=(num_points, dim))
    return torch.from_numpy(centre + (noise * scales) @ directions.T).float()


def quiet_noise(x: Tensor, latent_dim: int, rng: np.random.Generator) -> Tensor:
    """Noise (N, M) with mean 0 and covariance I exactly, and without correlation with x.

    The loss is quadratic in x and in the noise, so with this noise the loss of the batch is exactly
    what it is on average over all noise: nothing of the training is left to chance.
    """
    given = torch.cat((torch.ones(len(x), 1), x), 1).double()
    noise = torch.from_numpy(rng.normal(size=(len(x), latent_dim)))
    basis, _ = torch.linalg.qr(torch.cat((given, noise), 1))
    return (basis[:, given.shape[1] :] * math.sqrt(len(x))).float()


def best(x: Tensor, latent_dim: int) -> tuple[float, Tensor]:
    """Mean log p(x) of the best linear-Gaussian model, and the principal directions (D, M).

    Tipping & Bishop 1999, section 3.2: σ² is the mean of the eigenvalues that are left out.
    """
    x = x.double()
    dim = x.shape[1]
    values, vectors = torch.linalg.eigh(torch.cov(x.T, correction=0))
    kept, left = values[-latent_dim:], values[:-latent_dim].mean()
    log_det = kept.log().sum() + (dim - latent_dim) * left.log()
    return float(-0.5 * (dim * LOG_2PI + log_det + dim)), vectors[:, -latent_dim:]


def largest_angle(weight: Tensor, directions: Tensor) -> float:
    """Largest principal angle between two column spaces, in degrees."""
    basis, _ = torch.linalg.qr(weight)
    cosine = torch.linalg.svdvals(basis.T @ directions).min().clamp(max=1)
    return math.degrees(math.acos(cosine))
