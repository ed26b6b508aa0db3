"""Models of small binary images whose probabilities are known, and answers about them."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class GridModel:
    """Each pixel depends on those before it, row by row: a linear term, and pairs of pixels.

    Attributes:
        bias: (D,).
        weight: (D, D), zero on and above the diagonal.
        pair: Weight of the product of the two pixels before, (D,).
        shape: (H, W), with D = H W.
    """

    bias: Tensor
    weight: Tensor
    pair: Tensor
    shape: tuple[int, int]

    def logits(self, x: Any) -> Tensor:
        """(N, H, W) -> (N, H, W), in the precision of x."""
        if not isinstance(x, Tensor) or x.ndim != 3 or tuple(x.shape[1:]) != self.shape:
            given = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
            raise ValueError(
                f"logits_fn takes images (N, {self.shape[0]}, {self.shape[1]}), not {given}"
            )
        dtype = x.dtype if x.dtype.is_floating_point else torch.float64
        flat = x.double().flatten(1)
        before = torch.nn.functional.pad(flat, (2, 0))
        products = before[:, 1:-1] * before[:, :-2]
        a = flat @ self.weight.T + self.pair * products + self.bias
        return a.view(-1, *self.shape).to(dtype)

    def log_prob(self, x: Tensor, temperature: float = 1.0) -> Tensor:
        a = self.logits(x.double()) / temperature
        signed = torch.where(x > 0.5, a, -a)
        return torch.nn.functional.logsigmoid(signed).flatten(1).sum(1)


def every_image(height: int, width: int) -> Tensor:
    """All 2^(HW) of them, (2^(HW), H, W)."""
    rows = list(itertools.product([0.0, 1.0], repeat=height * width))
    return torch.tensor(rows, dtype=torch.float64).view(-1, height, width)


def draw_model(rng: np.random.Generator, height: int, width: int, size: float = 1.5) -> GridModel:
    """Weights of a typical size that leave no probability near 0 or 1."""
    dim = height * width
    signs = rng.choice([-1.0, 1.0], size=(dim, dim))
    weight = np.tril(signs * rng.uniform(0.5, 1.0, size=(dim, dim)), -1)
    weight *= size / np.sqrt(np.maximum(np.arange(dim), 1))[:, None]
    bias = rng.uniform(0.2, 0.6, size=dim) * rng.choice([-1.0, 1.0], size=dim)
    pair = rng.choice([-1.0, 1.0], size=dim) * rng.uniform(0.5, 1.0, size=dim)
    tensors = (torch.from_numpy(value) for value in (bias, weight, pair))
    return GridModel(*tensors, (height, width))


def binary(rng: np.random.Generator, *shape: int) -> Tensor:
    return torch.from_numpy(rng.integers(2, size=shape).astype(float))
