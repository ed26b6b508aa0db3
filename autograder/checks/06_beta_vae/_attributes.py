"""A world in which codes, images and attributes are known exactly.

Images are D numbers on a curved surface, sinh(Q z) for a code z of M values; the encoder finds the
code again. Each attribute has a direction of its own in the code, and a probe that never saw the
encoder's vectors reads every attribute from the image.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

SHARPNESS = 6.0  # of the probe, per unit of an attribute


@dataclass(frozen=True, eq=False)
class World:
    """A decoder, its encoder and a probe.

    Attributes:
        frame: Q, orthonormal columns, (D, M).
        directions: What each attribute adds to the code, (A, M).
    """

    frame: Tensor
    directions: Tensor

    @property
    def latent_dim(self) -> int:
        return self.frame.shape[1]

    def decode(self, z: Tensor) -> Tensor:
        return torch.sinh(z.double() @ self.frame.T)

    def encode(self, x: Tensor) -> Tensor:
        return torch.asinh(x.double()) @ self.frame

    def probe(self, x: Tensor) -> Tensor:
        """Probability of each attribute, one half where it is half there, (N, A)."""
        amount = self.encode(x) @ torch.linalg.pinv(self.directions)
        return torch.sigmoid(SHARPNESS * (amount - 0.5))


def draw_world(rng: np.random.Generator, dim: int, latent_dim: int, num_attributes: int) -> World:
    frame = np.linalg.qr(rng.normal(size=(dim, latent_dim)))[0]
    # not orthogonal to one another, but far from parallel
    turn = np.linalg.qr(rng.normal(size=(latent_dim, latent_dim)))[0][:num_attributes]
    directions = 1.3 * turn + 0.1 * rng.normal(size=turn.shape)
    return World(torch.from_numpy(frame), torch.from_numpy(directions))


def draw_attributes(
    rng: np.random.Generator, counts: list[tuple[int, int]], num_others: int
) -> tuple[Tensor, Tensor]:
    """Labels (N,) and other attributes (N, A), uneven and correlated.

    `counts` gives for each combination of the others, counted in binary, how many points lack the
    label and how many have it.
    """
    numbers = torch.arange(len(counts))[:, None]
    return draw_members(rng, (numbers >> torch.arange(num_others)) & 1, counts)


def draw_members(
    rng: np.random.Generator, rows: Tensor, counts: list[tuple[int, int]]
) -> tuple[Tensor, Tensor]:
    """Labels (N,) and other attributes (N, A) of groups with these attributes, (G, A).

    `counts` gives for each group how many points lack the label and how many have it.
    """
    sizes = torch.tensor(counts)
    labels = torch.arange(2).repeat(len(rows)).repeat_interleave(sizes.flatten())
    others = rows.repeat_interleave(sizes.sum(1), 0)
    order = torch.from_numpy(rng.permutation(len(labels)))
    return labels.bool()[order], others.bool()[order]


def codes_of(
    rng: np.random.Generator, world: World, labels: Tensor, others: Tensor, noise: float
) -> Tensor:
    """Codes (N, M): the sum of the directions of what a point has, and noise."""
    has = torch.cat([labels[:, None], others], 1).double()
    spread = noise * torch.from_numpy(rng.normal(size=(len(has), world.latent_dim)))
    return has @ world.directions + spread
