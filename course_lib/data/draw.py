r"""Drawing many small pictures at once: coordinates, soft-edged shapes, and paint.

A shape is a signed distance, negative inside, in units of half a picture; a pixel is covered by as
much of it as lies inside, which gives smooth edges without drawing anything larger. Pictures are
drawn a few hundred at a time, so that the values being worked on stay in the processor's cache.
"""

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

CHUNK = 256  # pictures of 32 x 32


def in_chunks(
    num_images: int, size: int, render: Callable[[slice], Float[Tensor, "B C H W"]]
) -> UInt8[Tensor, "N C H W"]:
    r"""All pictures as bytes, from a function that renders those of a slice with values 0 to 1."""
    parts = [
        render(part).clamp_(0, 1).mul_(255).add_(0.5).to(torch.uint8)
        for part in chunks(num_images, size)
    ]
    return torch.cat(parts)


def chunks(num_images: int, size: int) -> Iterator[slice]:
    r"""Slices that cover all pictures; always at the same places, whatever their number."""
    step = max(1, CHUNK * 32**2 // size**2)
    return (slice(k, min(k + step, num_images)) for k in range(0, num_images, step))


def pixel_centers(size: int) -> tuple[Float[Tensor, "1 W"], Float[Tensor, "H 1"]]:
    r"""x to the right and y downwards at the pixel centres, from -1 to 1 between the borders."""
    line = (torch.arange(size, dtype=torch.float32, device="cpu") + 0.5) * (2 / size) - 1
    return line[None, :], line[:, None]


def coverage(distance: Float[Tensor, "B H W"], size: int) -> Float[Tensor, "B H W"]:
    r"""How much of each pixel lies inside, from 0 to 1; overwrites `distance`."""
    return distance.mul_(-size / 2).add_(0.5).clamp_(0, 1)


def column(values: Float[Tensor, " B"]) -> Float[Tensor, "B 1 1"]:
    r"""One value for each picture, to meet its pixels."""
    return values[:, None, None]


def check_request(num_images: int, size: int, sizes: tuple[int, ...] = (32, 64)) -> None:
    r"""Raise a ValueError unless the number of pictures and their size can be rendered."""
    if num_images < 1:
        raise ValueError(f"num_images is {num_images}; expected at least 1")
    if size not in sizes:
        raise ValueError(f"size is {size}; expected {' or '.join(map(str, sizes))} pixels")
