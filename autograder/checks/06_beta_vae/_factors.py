"""Codes of points whose causes are known, drawn so that their mutual information is exact.

Every value lies well inside its bin, but for the smallest and the largest of a column, which lie on
the outer edges. So rounding cannot move a value to the next bin, also in single precision.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def draw_factors(rng: np.random.Generator, num_points: int, num_values: Sequence[int]) -> Tensor:
    """Causes (N, F) from 0, unevenly distributed; each takes at least two of its values."""
    columns = []
    for count in num_values:
        chances = rng.dirichlet(np.full(count, 2.0))
        column = rng.choice(count, size=num_points, p=chances)
        column[:count] = np.arange(count)
        columns.append(rng.permutation(column))
    return torch.from_numpy(np.stack(columns, 1))


def draw_bins(
    rng: np.random.Generator, factors: Tensor, latent_dim: int, num_bins: int, blur: float = 0.3
) -> Tensor:
    """Bins (N, M) that depend on the causes, each on one of them most, in no simple order."""
    num_points, num_factors = factors.shape
    columns = []
    for m in range(latent_dim):
        value = factors[:, m % num_factors].numpy()
        other = factors[:, (m + 1) % num_factors].numpy()
        place = rng.permutation(num_bins)  # where each kind of point lies: any order will do
        kind = np.where(rng.uniform(size=num_points) < 0.2, other + 3, value)
        anywhere = rng.integers(num_bins, size=num_points)
        share = blur * (1 + m) / (1 + 0.5 * m)
        bins = np.where(rng.uniform(size=num_points) < share, anywhere, place[kind % num_bins])
        bins[:2] = 0, num_bins - 1
        columns.append(bins)
    return torch.from_numpy(np.stack(columns, 1))


def codes_in(rng: np.random.Generator, bins: Tensor, num_bins: int, unit: float = 1.0) -> Tensor:
    """Codes (N, M) whose bins of equal width, column by column, are these.

    Columns lie at different places and have different widths; `unit` scales them all.
    """
    inside = bins.numpy() + rng.uniform(0.15, 0.85, size=bins.shape)
    for m in range(bins.shape[1]):
        column = bins[:, m].numpy()
        inside[np.flatnonzero(column == 0)[0], m] = 0
        inside[np.flatnonzero(column == num_bins - 1)[-1], m] = num_bins
    latent_dim = bins.shape[1]
    width = rng.permutation(np.exp(np.linspace(-1.5, 1.5, latent_dim))) * rng.uniform(0.8, 1.2)
    start = rng.uniform(-3, 3, size=latent_dim)
    return unit * torch.from_numpy(start + width * inside / num_bins)


def table_of(bins: Tensor, factors: Tensor) -> Tensor:
    """The information in nats of each column of `bins` about each cause, (M, F)."""
    rows = [[information(a, v) for v in factors.unbind(1)] for a in bins.unbind(1)]
    return torch.tensor(rows, dtype=torch.float64)


def information(a: Tensor, b: Tensor) -> float:
    """Mutual information of two columns of whole numbers, in nats: H(a) + H(b) - H(a, b)."""
    pair = a * (int(b.max()) + 1) + b
    return entropy(a) + entropy(b) - entropy(pair)


def entropy(column: Tensor) -> float:
    """Entropy of the values of a column, in nats."""
    share = torch.bincount(column - column.min()).double() / len(column)
    return float(torch.special.entr(share).sum())


def grid(num_values: Sequence[int]) -> Tensor:
    """All combinations of causes, each once, (N, F)."""
    return torch.cartesian_prod(*(torch.arange(count) for count in num_values))
