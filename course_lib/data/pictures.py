r"""Reading many picture files into one tensor."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from course_lib.data.idx import DataError


def read_pictures(
    paths: Sequence[Path], prepare: Callable, num_channels: int, size: int
) -> UInt8[Tensor, "N C S S"]:
    r"""Pictures of any format that Pillow reads, one after the other.

    Args:
        paths: The files.
        prepare: From an opened `PIL.Image` to one of `size` x `size` pixels in mode "L" or "RGB".
        num_channels: 1 for "L", 3 for "RGB".
        size: Of the prepared pictures.

    Raises:
        DataError: A file is missing, cut short or no picture.
    """
    from PIL import Image  # nothing else needs it

    images = torch.empty(len(paths), num_channels, size, size, dtype=torch.uint8, device="cpu")
    for image, path in zip(images, paths, strict=True):
        try:
            with Image.open(path) as opened:
                pixels = np.array(prepare(opened)).reshape(size, size, num_channels)
        except FileNotFoundError:
            raise DataError(
                f"there is no file {path}; unpack the published archive again"
            ) from None
        except (OSError, SyntaxError, ValueError) as error:  # Pillow's, for damaged files
            raise DataError(
                f"{path} cannot be read as a picture: {error}; unpack the published archive again"
            ) from error
        image.copy_(torch.from_numpy(pixels).permute(2, 0, 1))
    return images


def check_folder(folder: Path, what: str) -> Path:
    r"""The folder; a DataError if it is not there.

    Raises:
        DataError: There is no such folder.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}; expected {what}")
    return folder
