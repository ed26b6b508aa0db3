"""Linear-Gaussian models, z ~ N(0, I), x | z ~ N(W z + b, σ² I), with everything exact."""

import math
from dataclasses import dataclass

import numpy as np
import scipy.stats
import torch
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True)
class Model:
    """A linear-Gaussian model.

    Attributes:
        weight: W, shape (D, M).
        bias: b, shape (D,).
        scale: σ.
    """

    weight: Tensor
    bias: Tensor
    scale: float

    @property
    def covariance(self) -> Tensor:
        """W Wᵀ + σ² I, the covariance of x."""
        return self.weight @ self.weight.T + self.scale**2 * torch.eye(len(self.bias)).double()

    def log_marginal(self, x: Tensor) -> Tensor:
        """Exact log p(x), shape (N,), by scipy."""
        density = scipy.stats.multivariate_normal(self.bias.numpy(), self.covariance.numpy())
        return torch.from_numpy(np.atleast_1d(density.logpdf(x.numpy())))

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x | z): x (N, D), z (S, N, M) or (S, 1, M) -> (S, N)."""
        expect_question(x, z, *self.weight.shape)
        u = (x - z @ self.weight.T.to(z.dtype) - self.bias.to(z.dtype)) / self.scale
        return -0.5 * u.square().sum(-1) - len(self.bias) * (math.log(self.scale) + LOG_2PI / 2)

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x, z), shapes as in `log_likelihood`."""
        return self.log_likelihood(x, z) + log_standard_normal(z)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Exact p(z | x): means (N, M), and the Cholesky factor (M, M) all points share."""
        latent_dim = self.weight.shape[1]
        precision = torch.eye(latent_dim).double() + self.weight.T @ self.weight / self.scale**2
        covariance = torch.linalg.inv(precision)
        loc = (x - self.bias) @ self.weight @ covariance / self.scale**2
        return loc, torch.linalg.cholesky(covariance)

    def sample(self, rng: np.random.Generator, count: int) -> Tensor:
        """Points x of the model, shape (count, D)."""
        z = torch.from_numpy(rng.normal(size=(count, self.weight.shape[1])))
        noise = torch.from_numpy(rng.normal(size=(count, len(self.bias))))
        return z @ self.weight.T + self.bias + self.scale * noise


def draw_model(
    rng: np.random.Generator, dim: int, latent_dim: int, scale: tuple[float, float] = (0.4, 0.7)
) -> Model:
    """Weights of size one or so, a bias well off zero, σ away from one."""
    size = rng.uniform(0.6, 1.2, size=(dim, latent_dim))
    weight = size * rng.choice([-1.0, 1.0], size=size.shape)
    bias = rng.choice([-1.0, 1.0], size=dim) * rng.uniform(1.0, 2.0, size=dim)
    return Model(torch.from_numpy(weight), torch.from_numpy(bias), float(rng.uniform(*scale)))


def log_standard_normal(z: Tensor) -> Tensor:
    """log N(z | 0, I), summed over the last axis."""
    return -0.5 * (z.square() + LOG_2PI).sum(-1)


def expect_question(x: Tensor, z: Tensor, dim: int, latent_dim: int) -> None:
    """Say what is wrong when a student's code asks a density with odd shapes."""
    right = (
        x.ndim == 2
        and x.shape[1] == dim
        and z.ndim == 3
        and z.shape[2] == latent_dim
        and (z.shape[1] == len(x) or 1 in (z.shape[1], len(x)))
    )
    if not right:
        raise ValueError(
            f"x must have the shape (N, {dim}) and z the shape (S, N, {latent_dim}); they have "
            f"{tuple(x.shape)} and {tuple(z.shape)}"
        )
