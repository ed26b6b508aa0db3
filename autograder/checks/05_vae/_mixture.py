"""Mixtures of Gaussians with independent coordinates, as a learned prior, and what is exact."""

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

Mixture = tuple[Tensor, Tensor, Tensor]  # logits (K,), loc (K, M), log_scale (K, M)


def draw_mixture(rng: np.random.Generator, num_components: int, latent_dim: int) -> Mixture:
    """Components that differ in weight, place and width; the logits do not sum to anything."""
    logits = rng.normal(0.7, 1, size=num_components)
    loc = rng.normal(0, 1.5, size=(num_components, latent_dim))
    log_scale = rng.uniform(-0.6, 0.6, size=(num_components, latent_dim))
    return tuple(map(torch.from_numpy, (logits, loc, log_scale)))


def distribution(logits: Tensor, loc: Tensor, log_scale: Tensor) -> MixtureSameFamily:
    """The mixture by torch.distributions, in double precision."""
    components = Independent(Normal(loc.double(), log_scale.double().exp()), 1)
    return MixtureSameFamily(Categorical(logits=logits.double()), components)


def even_noise(rng: np.random.Generator, side: int, num_points: int, latent_dim: int) -> Tensor:
    """Standard normal draws, (S, N, M), that lie so evenly that means over them are integrals.

    The middles of `side` cells of equal probability, scaled to unit variance; in two dimensions
    every pair of them, S = side². The order is random, and another one for each point.
    """
    level = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    middle = Normal(0.0, 1.0).icdf(level)
    middle = middle / middle.square().mean().sqrt()
    grid = torch.cartesian_prod(*[middle] * latent_dim).reshape(-1, latent_dim)
    order = [torch.from_numpy(rng.permutation(len(grid))) for _ in range(num_points)]
    return torch.stack([grid[index] for index in order], dim=1)


def exact_kl(loc: Tensor, log_var: Tensor, prior: Mixture) -> Tensor:
    """KL(q ‖ mixture) for each point by the trapezoidal rule, (N,); differentiable.

    Its nodes lie dense, because log p has sharp bends between components.
    """
    latent_dim = loc.shape[1]
    nodes = torch.linspace(-7, 7, 4001 if latent_dim == 1 else 101, dtype=torch.float64)
    weights = torch.softmax(-0.5 * nodes.square(), 0)
    grid = torch.cartesian_prod(*[nodes] * latent_dim).reshape(-1, latent_dim)
    weight = torch.cartesian_prod(*[weights] * latent_dim).reshape(-1, latent_dim).prod(1)
    z = loc + (0.5 * log_var).exp() * grid[:, None]
    cross = (weight[:, None] * distribution(*prior).log_prob(z)).sum(0)
    entropy = 0.5 * (1 + np.log(2 * np.pi) + log_var).sum(1)
    return -entropy - cross
