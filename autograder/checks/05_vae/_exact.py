"""A model whose evidence and whose best Gaussian q are known exactly, behind two oracles.

z ~ N(0, I), x | z ~ N(W z + b, σ² I). The encoder answers a mean and a log variance for each point;
it may be the best one, or off by a known amount.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True, eq=False)
class ExactModel:
    """The model, the points, and what the encoder says of each.

    Attributes:
        weight: W, (D, M).
        bias: b, (D,).
        scale: σ.
        x: The points, (N, D).
        loc: Means that the encoder answers, (N, M).
        log_var: Log variances that it answers, (N, M).
    """

    weight: Tensor
    bias: Tensor
    scale: float
    x: Tensor
    loc: Tensor
    log_var: Tensor

    @property
    def latent_dim(self) -> int:
        return self.weight.shape[1]

    @property
    def precision(self) -> Tensor:
        """Λ = I + Wᵀ W/σ², the same for every point."""
        eye = torch.eye(self.latent_dim, dtype=torch.float64)
        return eye + self.weight.T @ self.weight / self.scale**2

    @property
    def posterior_mean(self) -> Tensor:
        pull = (self.x - self.bias) @ self.weight / self.scale**2
        return torch.linalg.solve(self.precision, pull.T).T

    @property
    def best_log_var(self) -> Tensor:
        """Of the best q with independent coordinates: σ_m² = 1/Λ_mm."""
        return -self.precision.diagonal().log().expand_as(self.loc)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        rows = self._rows(x)
        return self.loc[rows].to(x.dtype), self.log_var[rows].to(x.dtype)

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x_n, z_sn): x (N, D), z (S, N, M) -> (S, N)."""
        return self._log_joint(x.double(), z.double()).to(z.dtype)

    def log_joint_and_slope(self, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and its gradient with respect to z, (S, N, M)."""
        rest = (x.double() - self.bias - z.double() @ self.weight.T) / self.scale**2
        return self.log_joint(x, z), (rest @ self.weight - z.double()).to(z.dtype)

    def log_marginal(self) -> Tensor:
        """log p(x), exactly: log p(x, z) − log p(z | x) at any z, here the posterior mean."""
        log_det = torch.linalg.slogdet(self.precision)[1]
        log_posterior = 0.5 * log_det - 0.5 * self.latent_dim * LOG_2PI
        return self._log_joint(self.x, self.posterior_mean[None])[0] - log_posterior

    def gap(self, loc: Tensor, log_var: Tensor) -> Tensor:
        """log p(x) − ELBO(q) = KL(q ‖ posterior) for each point, in closed form."""
        precision, shift = self.precision, loc - self.posterior_mean
        trace = (log_var.exp() * precision.diagonal()).sum(-1)
        square = ((shift @ precision) * shift).sum(-1)
        log_det = torch.linalg.slogdet(precision)[1]
        return 0.5 * (trace + square - self.latent_dim - log_det - log_var.sum(-1))

    def _log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        rest = (x - self.bias - z @ self.weight.T) / self.scale
        log_x = -0.5 * rest.square().sum(-1) - x.shape[-1] * (math.log(self.scale) + LOG_2PI / 2)
        return log_x - 0.5 * z.square().sum(-1) - 0.5 * self.latent_dim * LOG_2PI

    def _rows(self, x: Tensor) -> list[int]:
        """Which point each row is: also a part of the points may be asked about."""
        distance = (x.double()[:, None] - self.x).abs().amax(-1)
        if len(x) and (distance.amin(1) > 1e-4).any():
            raise ValueError("these are not the given points")
        return distance.argmin(1).tolist()


def draw_model(
    rng: np.random.Generator,
    num_points: int,
    latent_dim: int,
    tilt: float = 0.0,
    size: tuple[float, float] = (0.8, 1.4),
) -> ExactModel:
    """A model with an encoder that is right as far as a q with independent coordinates can be.

    Args:
        rng: Source of randomness.
        num_points: N.
        latent_dim: M.
        tilt: 0 for a posterior with independent coordinates, towards 1 for a tilted one.
        size: Range of the lengths of the columns of W.
    """
    dim = latent_dim + 2
    columns = np.linalg.qr(rng.normal(size=(dim, latent_dim)))[0]
    shared = columns.sum(1, keepdims=True) / math.sqrt(latent_dim)
    columns = math.sqrt(1 - tilt) * columns + math.sqrt(tilt) * shared
    weight = torch.from_numpy(columns * rng.uniform(*size, size=latent_dim))
    bias = torch.from_numpy(rng.normal(size=dim))
    scale = float(rng.uniform(0.4, 0.5))
    z = torch.from_numpy(rng.normal(size=(num_points, latent_dim)))
    x = z @ weight.T + bias + scale * torch.from_numpy(rng.normal(size=(num_points, dim)))
    empty = torch.zeros(num_points, latent_dim, dtype=torch.float64)
    model = ExactModel(weight, bias, scale, x, empty, empty)
    return with_encoder(model, model.posterior_mean, model.best_log_var)


def with_encoder(model: ExactModel, loc: Tensor, log_var: Tensor) -> ExactModel:
    """The same model and points with another encoder."""
    return ExactModel(model.weight, model.bias, model.scale, model.x, loc, log_var)
