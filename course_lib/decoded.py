r"""Images that a decoder makes of codes, as pictures that an interactive figure can hold."""

import io
import math
from collections.abc import Callable

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from course_lib.mixture.params import check_finite

Decode = Callable[[Float[Tensor, "k m"]], Tensor]

GREY_LEVELS = 48  # few, to be small; where figures mix images that hides the steps


@torch.no_grad()
def decoded_images(decode: Decode, codes: Float[Tensor, "k m"]) -> UInt8[Tensor, "k h w c"]:
    r"""The decoded images as bytes, shape (K, H, W, C), on the CPU.

    Args:
        decode: To images in [0, 1], (K, C, H, W) with C = 1 or 3, or (K, D) with D a square number;
            what lies outside [0, 1] is cut.
        codes: z, shape (K, M).

    Raises:
        ValueError: `decode` returns another shape, or values that are not finite.
    """
    images = decode(codes)
    if images.ndim == 2:
        side = math.isqrt(images.shape[1])
        if side**2 == images.shape[1]:
            images = images.unflatten(1, (1, side, side))
    if images.ndim != 4 or len(images) != len(codes) or images.shape[1] not in (1, 3):
        raise ValueError(
            f"decode returned shape {tuple(images.shape)} for {len(codes)} codes; expected "
            "(K, C, H, W) with C = 1 or 3, or (K, D) with D a square number"
        )
    check_finite(images=images)
    return (255 * images.float().clamp(0, 1)).round().byte().movedim(1, -1).cpu()


def to_png(image: UInt8[Tensor, "h w c"]) -> bytes:
    r"""A PNG of an image; grey ones with `GREY_LEVELS` levels."""
    from PIL import Image  # comes with matplotlib

    if image.shape[-1] == 1:
        factor = 255 / (GREY_LEVELS - 1)
        grey = ((image[..., 0].float() / factor).round() * factor).round().byte()
        picture = Image.fromarray(grey.numpy())
    else:
        picture = Image.fromarray(image.contiguous().numpy())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
