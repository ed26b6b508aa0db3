"""Networks on small images of which it is known what each output sees."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from . import causal_mask


@dataclass(frozen=True, eq=False)
class Stack:
    """Masked convolutions with positive weights, so that no influence cancels.

    Between two layers stands h + ½ tanh h, whose slope is at least 1.
    """

    kernels: tuple[Tensor, ...]  # masked
    shape: tuple[int, int]

    def logits(self, x: Any) -> Tensor:
        h = _images(x, self.shape)[:, None]
        for layer, kernel in enumerate(self.kernels):
            h = h + 0.5 * h.tanh() if layer else h
            h = conv2d(h, kernel[None, None], padding=len(kernel) // 2)
        return h[:, 0].to(_type(x))

    def seen(self, row: int, column: int) -> Tensor:
        """Back from the output, layer by layer: where any weight leads."""
        field = torch.zeros(1, 1, *self.shape, dtype=torch.float64)
        field[0, 0, row, column] = 1
        for kernel in reversed(self.kernels):
            paths = (kernel > 0).double().flip(0, 1)  # the transpose of a layer
            field = (conv2d(field, paths[None, None], padding=len(kernel) // 2) > 0).double()
        return field[0, 0] > 0


def draw_stack(
    rng: np.random.Generator, shape: tuple[int, int], sizes: tuple[int, ...], kinds: str
) -> Stack:
    kernels = []
    for size, kind in zip(sizes, kinds, strict=True):
        kernel = torch.from_numpy(rng.uniform(0.3, 0.8, size=(size, size)))
        kernel = kernel * causal_mask.reference(size, kind)
        kernels.append(2 * kernel / kernel.sum())
    return Stack(tuple(kernels), shape)


@dataclass(frozen=True, eq=False)
class Gates:
    """Every output sees some pixels at any time, and a ring of pixels only by pairs of neighbours.

    A pair counts where both pixels have the value that they wait for. So a pixel of the ring
    matters where one of its two neighbours has that value: in three of four images.

    Attributes:
        weight: (D, D), many of them 0.
        ring: (D, G), numbers of the pixels; the first half waits for 1, the second for 0.
        of_pair: (D, G), positive, so that nothing cancels.
    """

    weight: Tensor
    ring: Tensor
    of_pair: Tensor
    shape: tuple[int, int]

    def logits(self, x: Any) -> Tensor:
        flat = _images(x, self.shape).flatten(1)
        ring = flat[:, self.ring]  # (N, D, G)
        waits_for_one = torch.arange(ring.shape[-1]) < ring.shape[-1] // 2
        ready = torch.where(waits_for_one, ring, 1 - ring)
        # no matrix product, whose rounding would depend on the other rows of the batch
        linear = (flat[:, None] * self.weight).sum(-1)
        a = linear + (ready * ready.roll(1, -1) * self.of_pair).sum(-1)
        return a.view(-1, *self.shape).to(_type(x))

    def seen(self, row: int, column: int) -> Tensor:
        place = row * self.shape[1] + column
        field = self.weight[place] != 0
        field[self.ring[place]] = True
        return field.view(self.shape)


def draw_gates(
    rng: np.random.Generator, shape: tuple[int, int], size: int, *, future: bool
) -> Gates:
    """Rings of `size` pixels; with `future` at any place, otherwise before the output.

    An output that comes too early for that sees pixel 0 in place of a ring.
    """
    dim = shape[0] * shape[1]
    weight, rings = np.zeros((dim, dim)), np.zeros((dim, size), dtype=int)
    for place in range(dim):
        allowed = rng.permutation(dim if future else place)
        alone = allowed[size:][: dim // 6]
        strength = np.exp(rng.uniform(np.log(0.02), 0, size=len(alone)))
        weight[place, alone] = strength * np.where(np.arange(len(alone)) % 2, 1, -1)
        if len(allowed) >= size:
            rings[place] = allowed[:size]
    of_pair = rng.uniform(0.3, 1, size=(dim, size))
    tensors = (torch.from_numpy(value) for value in (weight, rings, of_pair))
    return Gates(*tensors, shape)


@dataclass(frozen=True, eq=False)
class Dispute:
    """One output, of the last pixel, sees five pixels only where 24 others are not all equal.

    That is so in nearly all random images, but in no image of one value.

    Attributes:
        leaves: Numbers of the pixels that need the dispute, (5,).
        judges: Numbers of the others, (24,), which are seen at any time.
        of_leaf: Weights of the leaves, (5,).
    """

    leaves: Tensor
    judges: Tensor
    of_leaf: Tensor
    shape: tuple[int, int] = (5, 6)

    def logits(self, x: Any) -> Tensor:
        flat = _images(x, self.shape).flatten(1)
        judges = flat[:, self.judges]
        differ = 1 - judges.prod(1) - (1 - judges).prod(1)  # 0 or 1 for binary images
        a = 9 * judges.sum(1) + (flat[:, self.leaves] * self.of_leaf).sum(1) * differ
        return torch.nn.functional.pad(a[:, None], (29, 0)).view(-1, *self.shape).to(_type(x))

    def seen(self, row: int, column: int) -> Tensor:
        before = torch.arange(30).view(self.shape) < 29
        return before & ((row, column) == (4, 5))


def draw_dispute(rng: np.random.Generator) -> Dispute:
    places = torch.from_numpy(rng.permutation(29))
    return Dispute(places[:5], places[5:], torch.from_numpy(rng.uniform(0.3, 1, size=5)))


def _images(x: Any, shape: tuple[int, int]) -> Tensor:
    if not isinstance(x, Tensor) or x.ndim != 3 or tuple(x.shape[1:]) != shape:
        given = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
        raise ValueError(f"logits_fn takes images (N, {shape[0]}, {shape[1]}), not {given}")
    return x.double()


def _type(x: Tensor) -> torch.dtype:
    return x.dtype if x.dtype.is_floating_point else torch.float64
