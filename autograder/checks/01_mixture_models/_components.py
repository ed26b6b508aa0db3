"""What `log_mixture` and `responsibilities` share: random mixtures and their exact densities."""

import numpy as np
import scipy.stats
import torch
from torch import Tensor

Mixture = tuple[Tensor, Tensor, Tensor]


def draw_mixture(rng: np.random.Generator, num_components: int, dim: int) -> Mixture:
    """Logits, means and log σ of components that overlap, differ and have unequal weights."""
    logits = rng.permutation(np.linspace(-1.2, 1.2, num_components)) + rng.uniform(0.5, 1.5)
    centre = rng.normal(size=dim) * 3
    loc = centre + rng.normal(size=(num_components, dim))
    sign = rng.choice([-1.0, 1.0], size=(num_components, dim))
    log_scale = sign * rng.uniform(0.3, 0.8, size=(num_components, dim))
    return torch.from_numpy(logits), torch.from_numpy(loc), torch.from_numpy(log_scale)


def draw_points(rng: np.random.Generator, count: int, loc: Tensor, log_scale: Tensor) -> Tensor:
    """Points within two standard deviations of the components, taken in turn."""
    chosen = np.arange(count) % len(loc)
    z = torch.from_numpy(rng.uniform(-2, 2, size=(count, loc.shape[1])))
    return loc[chosen] + log_scale.exp()[chosen] * z


def log_joint(x: Tensor, logits: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    """log π_k + log N(x_n | μ_k, σ_k) by scipy, one row for each point, in float64."""
    x, loc, scale = x.double().numpy(), loc.double().numpy(), log_scale.double().exp().numpy()
    log_component = scipy.stats.norm.logpdf(x[:, None], loc, scale).sum(-1)
    return torch.log_softmax(logits.double(), 0) + torch.from_numpy(log_component)
