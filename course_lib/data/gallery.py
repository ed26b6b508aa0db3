r"""Pictures of every data set, for the command line and the documentation."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from rich.text import Text
from torch import Tensor

from course_lib.data.celeba import celeba
from course_lib.data.digits import digits
from course_lib.data.faces import faces
from course_lib.data.fashion_mnist import fashion_mnist
from course_lib.data.mnist import mnist
from course_lib.data.old_faithful import old_faithful
from course_lib.data.omniglot import omniglot
from course_lib.data.parts import parts
from course_lib.data.sprites import sprites
from course_lib.data.tones import tones

GAP = 2  # pixels between pictures
PLOT_HEIGHT = 32
Examples = tuple[UInt8[Tensor, "N C H W"], str]


@dataclass(frozen=True, kw_only=True)
class Entry:
    r"""A data set in the list.

    Attributes:
        what: What it holds, in a few words.
        here: Whether it comes with the package; else its files must be given as `root`.
        load: From how many, the split and the root, to pictures and a sentence on their source.
    """

    what: str
    here: bool
    load: Callable[[int, str, Path | None], Examples]


def examples(name: str, num: int, *, split: str = "train", root: Path | None = None) -> Examples:
    r"""The first pictures of a data set, shape (N, C, H, W), and where they come from.

    Raises:
        ValueError: The data set has no such split.
        DataError: Its files are missing or damaged.
    """
    images, source = SETS[name].load(num, split, root)
    return images[:num], source


def contact_sheet(
    images: UInt8[Tensor, "N C H W"], columns: int
) -> UInt8[Tensor, "height width C"]:
    r"""The pictures side by side in rows, on mid grey.

    Example:
        >>> contact_sheet(parts(6).images, columns=3).shape
        torch.Size([66, 100, 1])
    """
    rows = -(-len(images) // columns)
    channels, height, width = images.shape[1:]
    cell_height, cell_width = height + GAP, width + GAP
    shape = (rows * cell_height - GAP, columns * cell_width - GAP, channels)
    sheet = torch.full(shape, 128, dtype=torch.uint8, device="cpu")
    for k, image in enumerate(images.cpu()):
        top, left = k // columns * cell_height, k % columns * cell_width
        sheet[top : top + height, left : left + width] = image.permute(1, 2, 0)
    return sheet


def save_picture(sheet: UInt8[Tensor, "H W C"], path: Path, *, zoom: int = 2) -> None:
    r"""Write a picture file; its name's ending says of which kind.

    Raises:
        ValueError: No such kind of picture file.
        OSError: It cannot be written.
    """
    from PIL import Image

    pixels = sheet.repeat_interleave(zoom, 0).repeat_interleave(zoom, 1)
    pixels = pixels if pixels.shape[2] == 3 else pixels[..., 0]
    Image.fromarray(pixels.numpy()).save(path, optimize=True)


def terminal_picture(sheet: UInt8[Tensor, "H W C"]) -> Text:
    r"""The picture in coloured half blocks: each character shows two pixels, upper and lower."""
    if len(sheet) % 2:
        sheet = torch.cat([sheet, sheet[-1:]])
    rows = sheet.expand(-1, -1, 3).tolist()
    text = Text(no_wrap=True, overflow="crop")
    for above, below in zip(rows[::2], rows[1::2], strict=True):
        for upper, lower in zip(above, below, strict=True):
            text.append("▀", f"rgb({_rgb(upper)}) on rgb({_rgb(lower)})")
        text.append("\n")
    return text


def _rgb(pixel: list[int]) -> str:
    return ",".join(map(str, pixel))


def curves(signals: Float[Tensor, "N T"], height: int = PLOT_HEIGHT) -> UInt8[Tensor, "N 1 H W"]:
    r"""Signals from -1 to 1 as white lines on black, every second sample."""
    values = (1 - signals[:, ::2]) / 2 * (height - 1)  # rows from the top
    earlier = torch.cat([values[:, :1], values[:, :-1]], 1)
    low, high = torch.minimum(values, earlier), torch.maximum(values, earlier)
    row = torch.arange(height, device="cpu")[:, None]
    ink = (row > low[:, None, :] - 0.75) & (row < high[:, None, :] + 0.75)
    return (255 * ink[:, None]).to(torch.uint8)


def _of_images(load: Callable) -> Callable[[int, str, Path | None], Examples]:
    def examples(num: int, split: str, root: Path | None) -> Examples:
        data = load(num, split, root)
        return data.images, data.source

    return examples


def _digits(num: int, split: str, root: Path | None) -> Examples:
    images = digits(torch.float32)[0][:num].reshape(-1, 1, 8, 8).mul(255).to(torch.uint8)
    images = images.repeat_interleave(4, 2).repeat_interleave(4, 3)
    return images.cpu(), "scikit-learn's 1797 digits of 8 x 8 pixels, four times as large"


def _old_faithful(num: int, split: str, root: Path | None) -> Examples:
    x = old_faithful().cpu()
    place = ((x - x.amin(0)) / (x.amax(0) - x.amin(0)) * 47).round().long()
    image = torch.zeros(1, 1, 48, 48, dtype=torch.uint8, device="cpu")
    image[0, 0, 47 - place[:, 1], place[:, 0]] = 255
    return image, "Old Faithful: duration of 272 eruptions to the right, waiting time upwards"


def _parts(num: int, split: str, root: Path | None) -> Examples:
    data = parts(num, split=split, defect_share=0.5)
    return data.images, data.source


def _tones(num: int, split: str, root: Path | None) -> Examples:
    data = tones(num, split=split)
    return curves(data.signals), data.source


SETS = {
    "old_faithful": Entry(what="272 eruptions of a geyser", here=True, load=_old_faithful),
    "digits": Entry(what="1797 digits, grey, 8 x 8", here=True, load=_digits),
    "fashion_mnist": Entry(
        what="clothes of 10 kinds, grey, 28 x 28",
        here=True,
        load=_of_images(lambda num, split, root: fashion_mnist(split)),
    ),
    "sprites": Entry(
        what="92160 shapes with known factors, grey, 32 x 32",
        here=True,
        load=_of_images(lambda num, split, root: sprites(num)),
    ),
    "faces": Entry(
        what="drawn faces with 6 attributes, colour, 32 x 32 or 64 x 64",
        here=True,
        load=_of_images(lambda num, split, root: faces(num, split=split)),
    ),
    "parts": Entry(
        what="machined parts, 6 kinds of defects, grey, 32 x 32 or 64 x 64", here=True, load=_parts
    ),
    "tones": Entry(what="signals of known pitch, 256 samples", here=True, load=_tones),
    "mnist": Entry(
        what="70000 digits, grey, 28 x 28",
        here=False,
        load=_of_images(lambda num, split, root: mnist(root, split)),
    ),
    "omniglot": Entry(
        what="32460 letters of 50 alphabets, grey, 105 x 105",
        here=False,
        load=_of_images(lambda num, split, root: omniglot(root, split, size=28)),
    ),
    "celeba": Entry(
        what="202599 faces with 40 attributes, colour, 178 x 218",
        here=False,
        load=_of_images(lambda num, split, root: celeba(root, split, num_images=num)),
    ),
}
