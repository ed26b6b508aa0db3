"""Random linear-Gaussian models and their exact answers, through dense D × D matrices.

The model is z ~ N(0, I), x | z ~ N(W z + b, σ² I). Everything here goes through the marginal
covariance W Wᵀ + σ² I and the conditioning formula of a joint Gaussian, the long way round: another
route than the answers take.

Reference: Tipping & Bishop 1999, section 3; Bishop 2006, equations (2.113)–(2.117).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

Model = tuple[Tensor, Tensor, float]
Question = tuple[Tensor, Tensor, Tensor, float, Tensor, Tensor]  # x, W, b, σ, loc, scale_tril


def draw_model(rng: np.random.Generator, dim: int, latent_dim: int) -> Model:
    """W, b and σ: correlated posteriors, and a σ that is neither 1 nor its own square."""
    weight = torch.from_numpy(rng.normal(size=(dim, latent_dim)) * 0.8)
    bias = torch.from_numpy(rng.choice([-1.0, 1.0], size=dim) * rng.uniform(0.5, 1.5, size=dim))
    return weight, bias, float(rng.uniform(0.5, 0.8))


def draw_points(rng: np.random.Generator, num_points: int, model: Model) -> Tensor:
    weight, bias, scale = model
    z = torch.from_numpy(rng.normal(size=(num_points, weight.shape[1])))
    noise = torch.from_numpy(rng.normal(size=(num_points, len(bias))))
    return z @ weight.T + bias + scale * noise


@dataclass(frozen=True)
class Posterior:
    """p(z | x): means (N, M), and the covariance (M, M), which no x changes."""

    loc: Tensor
    covariance: Tensor

    @property
    def scale_tril(self) -> Tensor:
        return torch.linalg.cholesky(self.covariance)


def posterior(x: Tensor, model: Model) -> Posterior:
    """p(z | x) by conditioning the joint Gaussian of z and x."""
    weight, bias, _ = model
    gain = torch.linalg.solve(_marginal_covariance(model), weight).T  # Wᵀ C⁻¹
    covariance = torch.eye(weight.shape[1], dtype=torch.float64) - gain @ weight
    return Posterior((x - bias) @ gain.T, (covariance + covariance.T) / 2)


def log_marginal(x: Tensor, model: Model) -> Tensor:
    """log N(x | b, W Wᵀ + σ² I) for each point."""
    covariance, centred = _marginal_covariance(model), x - model[1]
    distance_sq = (torch.linalg.solve(covariance, centred.T).T * centred).sum(-1)
    log_det = torch.linalg.slogdet(covariance).logabsdet
    return -0.5 * (distance_sq + log_det + len(covariance) * math.log(2 * math.pi))


def _marginal_covariance(model: Model) -> Tensor:
    weight, bias, scale = model
    return weight @ weight.T + scale**2 * torch.eye(len(bias), dtype=torch.float64)


def draw_question(rng: np.random.Generator, num_points: int, dim: int, latent_dim: int) -> Question:
    """A model, points, and for each point a tilted q in the neighbourhood of its posterior."""
    model = draw_model(rng, dim, latent_dim)
    x = draw_points(rng, num_points, model)
    shape = num_points, latent_dim
    loc = posterior(x, model).loc + torch.from_numpy(
        rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.2, 0.6, size=shape)
    )
    diagonal = torch.from_numpy(rng.uniform(0.25, 0.45, size=shape) * rng.choice([1, 2.5], shape))
    below = torch.from_numpy(rng.choice([-1.0, 1.0], (*shape, latent_dim)) * 0.3).tril(-1)
    return x, *model, loc, below + diagonal.diag_embed()


def gap(x: Tensor, weight: Tensor, bias: Tensor, scale: float, loc: Tensor, tril: Tensor) -> Tensor:
    """KL(q(z | x)‖p(z | x)) for each point."""
    exact = posterior(x, (weight, bias, scale))
    covariance, shift = tril @ tril.mT, loc - exact.loc
    inverse = torch.linalg.inv(exact.covariance)
    trace = (inverse * covariance).sum((-2, -1))
    log_det = torch.logdet(exact.covariance) - torch.logdet(covariance)
    return 0.5 * (trace + ((shift @ inverse) * shift).sum(-1) - loc.shape[-1] + log_det)


def elbo(
    x: Tensor, weight: Tensor, bias: Tensor, scale: float, loc: Tensor, tril: Tensor
) -> Tensor:
    """The third form of the bound: log p(x) less the gap."""
    model = weight, bias, scale
    return log_marginal(x, model) - gap(x, *model, loc, tril)
