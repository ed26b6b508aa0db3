r"""White shapes on black whose every cause is known, in the manner of dSprites."""

import math

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from course_lib.data.draw import check_request
from course_lib.data.image_set import WHITE, FactorSet

SHAPES = ("square", "ellipse", "heart")
FACTOR_NAMES = ("shape", "scale", "turn", "x", "y")
FACTOR_SIZES = (len(SHAPES), 6, 20, 16, 16)
SCALES = (0.5, 1.0)  # smallest and largest, as shares of the largest
QUARTER = math.pi / 2
SUBPIXELS = 8  # each pixel is covered by so many points in both directions
TRAVEL = 15  # the distance between the first and the last place, of 32
SIZES = (32, 64, 96, 128)


def sprites(num_images: int | None = None, *, size: int = 32, seed: int = 0) -> FactorSet:
    r"""Squares, ellipses and hearts of 6 scales, 20 angles and 16 x 16 places.

    The angles go from 0 to 85.5 degrees, in steps of 4.5. A square looks the same after a quarter
    turn, so beyond that the angle could not be read from the picture. As it is, no two of the
    92 160 pictures are the same.

    Args:
        num_images: How many different ones to draw at random, N; None for all 92 160, in order:
            the last factor, y, changes fastest.
        size: Of the pictures: 32, 64, 96 or 128 pixels.
        seed: Of the choice of `num_images`; 0 or a positive whole number.

    Returns:
        Pictures, shape (N, 1, size, size), their factors, and the shape as the label.

    Raises:
        ValueError: A number is out of range.

    Reference:
        Matthey, Higgins, Hassabis and Lerchner (2017), "dSprites: Disentanglement testing Sprites
        dataset", has the same shapes, other scales and places, and full turns.

    Example:
        >>> data = sprites(100)
        >>> data.images.shape, data.factor_names
        (torch.Size([100, 1, 32, 32]), ('shape', 'scale', 'turn', 'x', 'y'))
    """
    total = math.prod(FACTOR_SIZES)
    wanted = total if num_images is None else num_images
    check_request(wanted, size, SIZES)
    if wanted > total or seed < 0:
        raise ValueError(
            f"num_images={num_images} and seed={seed}; expected at most {total} different images, "
            "and a seed of 0 or more"
        )
    index = torch.arange(total, device="cpu")
    if num_images is not None:
        generator = torch.Generator().manual_seed(seed)
        index = torch.randperm(total, generator=generator, device="cpu")[:num_images]
    factors = torch.stack(torch.unravel_index(index, FACTOR_SIZES), 1)
    return FactorSet(
        images=render_sprites(factors, size=size),
        labels=factors[:, 0].clone(),
        label_names=SHAPES,
        factors=factors,
        factor_names=FACTOR_NAMES,
        factor_sizes=FACTOR_SIZES,
        source=f"{wanted} of {total} sprites"
        + (", all of them" if num_images is None else f", chosen with seed {seed}"),
    )


def render_sprites(factors: Int[Tensor, "N 5"], *, size: int = 32) -> UInt8[Tensor, "N 1 S S"]:
    r"""The pictures with these causes.

    Each shape, scale and angle is drawn once, in a small square, and copied to its place.

    Args:
        factors: One row each: shape (of 3), scale (of 6), turn (of 20), x and y (of 16), counted
            from 0.
        size: Of the pictures: 32, 64, 96 or 128 pixels.

    Raises:
        ValueError: A factor is out of range, or there is no such size.

    Example:
        >>> render_sprites(torch.tensor([[0, 5, 0, 0, 0]]))[0, 0, 8, 6:10]
        tensor([255, 255, 255, 255], dtype=torch.uint8)
    """
    check_request(len(factors), size, SIZES)
    factors = factors.cpu().long()
    sizes = torch.tensor(FACTOR_SIZES, device="cpu")
    if bad := ((factors < 0) | (factors >= sizes)).any(1).sum().item():
        raise ValueError(
            f"{bad} of {len(factors)} rows of factors are out of range; expected "
            + ", ".join(
                f"{n} from 0 to {k - 1}" for n, k in zip(FACTOR_NAMES, FACTOR_SIZES, strict=True)
            )
        )
    looks, look = factors[:, :3].unique(dim=0, return_inverse=True)
    step = size // 32
    stamps = _stamps(looks, size - TRAVEL * step)
    images = torch.zeros(len(factors), 1, size, size, dtype=torch.uint8, device="cpu")
    place = factors[:, 3] * FACTOR_SIZES[4] + factors[:, 4]
    order = place.argsort(stable=True)
    for rows in order.split(place.bincount(minlength=FACTOR_SIZES[3] * FACTOR_SIZES[4]).tolist()):
        if len(rows):
            left, top = (step * factors[rows[0], 3:]).tolist()
            width = stamps.shape[-1]
            images[rows, 0, top : top + width, left : left + width] = stamps[look[rows]]
    return images


def _stamps(looks: Int[Tensor, "K 3"], width: int) -> UInt8[Tensor, "K width width"]:
    r"""Shapes at these scales and angles, each in the middle of a small square."""
    fine = width * SUBPIXELS
    line = (torch.arange(fine, device="cpu", dtype=torch.float32) + 0.5) * (2 / fine) - 1
    stamps = []
    for shape, scale, turn in looks.tolist():
        share = SCALES[0] + (SCALES[1] - SCALES[0]) * scale / (FACTOR_SIZES[1] - 1)
        angle = QUARTER * turn / FACTOR_SIZES[2]
        x, y = line[None, :] / share, line[:, None] / share
        u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
        inside = INSIDE[shape](u, v).float()
        cover = inside.reshape(width, SUBPIXELS, width, SUBPIXELS).mean((1, 3))
        stamps.append(cover.mul_(WHITE).round_().to(torch.uint8))
    return torch.stack(stamps)


def _in_square(u: Float[Tensor, "H W"], v: Float[Tensor, "H W"]) -> Bool[Tensor, "H W"]:
    return torch.maximum(u.abs(), v.abs()) < 0.62


def _in_ellipse(u: Float[Tensor, "H W"], v: Float[Tensor, "H W"]) -> Bool[Tensor, "H W"]:
    return (u / 0.95) ** 2 + (v / 0.5) ** 2 < 1


def _in_heart(u: Float[Tensor, "H W"], v: Float[Tensor, "H W"]) -> Bool[Tensor, "H W"]:
    r"""The sextic curve (a^2 + b^2 - 1)^3 = a^2 b^3, with its tip down."""
    a, b = u / 0.66, 0.12 - v / 0.66
    return (a * a + b * b - 1) ** 3 < a * a * b**3


INSIDE = (_in_square, _in_ellipse, _in_heart)  # in the order of SHAPES
