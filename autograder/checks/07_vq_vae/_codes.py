"""What the checks of this unit share: codebooks, points near them, and a demand for indices."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect


def draw_codebook(rng: np.random.Generator, num_codes: int, latent_dim: int) -> Tensor:
    """Vectors of very different lengths, so that no rule that forgets the lengths is right."""
    directions = rng.normal(size=(num_codes, latent_dim))
    return torch.from_numpy(directions * np.exp(rng.uniform(-1, 1, size=(num_codes, 1))))


def draw_points(rng: np.random.Generator, *shape: int) -> Tensor:
    return torch.from_numpy(1.3 * rng.normal(size=shape))


def brute_force(z: Tensor, codebook: Tensor) -> Tensor:
    """Index of the nearest vector of the codebook, the first of several: (..., M) -> (...)."""
    differences = z.double()[..., None, :] - codebook.double()
    return differences.square().sum(-1).argmin(-1)


def indices(value: Any, shape: Sequence[int], num_codes: int, what: str) -> Tensor:
    """Demand whole numbers from 0 to K - 1 in a tensor of this shape; gives them as int64."""
    expect.true(value is not None, f"{what} is None; does your function end with a return?")
    if isinstance(value, (int, list)) and not isinstance(value, bool):
        value = torch.as_tensor(value)
    expect.true(
        isinstance(value, Tensor), f"{what} is a {type(value).__name__}; a tensor was expected"
    )
    expect.true(
        tuple(value.shape) == tuple(shape),
        f"{what} has the shape {tuple(value.shape)}; expected {tuple(shape)}",
    )
    expect.true(
        not value.dtype.is_floating_point and value.dtype != torch.bool,
        f"{what} holds {value.dtype}; indices are whole numbers, in int64",
    )
    outside = (value < 0) | (value >= num_codes)
    if outside.any():
        raise expect.Failure(
            f"{what} holds {value[outside][0].item()}; with K = {num_codes} codes, indices go from "
            f"0 to {num_codes - 1}"
        )
    return value.long()


def same_indices(value: Any, right: Tensor, num_codes: int, what: str) -> Tensor:
    """Demand these very indices."""
    value = indices(value, right.shape, num_codes, what)
    wrong = value != right
    if wrong.any():
        place = tuple(index.item() for index in wrong.nonzero()[0])
        raise expect.Failure(
            f"{what} at {list(place)} is {value[place].item()}; expected {right[place].item()} "
            f"({int(wrong.sum())} of {wrong.numel()} indices differ)"
        )
    return value
