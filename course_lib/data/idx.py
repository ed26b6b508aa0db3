r"""The IDX files in which MNIST and its relatives are published, plain or gzipped.

Two zero bytes, one for the type of the numbers (8: unsigned bytes), one for how many axes there
are, each axis as four bytes (most significant first), then the numbers line by line.

Reference: LeCun, Cortes and Burges, "The MNIST database", section "File formats".
"""

import gzip
import hashlib
import zlib
from math import prod
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

UNSIGNED_BYTE = 8
REPAIR = "delete it and get it again"


class DataError(ValueError):
    r"""A file of a data set is missing or damaged, or cannot be fetched or kept."""


def read_idx(
    path: Path, *, num_axes: int | None = None, sha256: str | None = None
) -> UInt8[Tensor, "..."]:
    r"""The unsigned bytes of an IDX file, in its own shape.

    Args:
        path: The file; `.gz` at its end says that it is compressed.
        num_axes: How many axes are expected: 3 for images, 1 for labels; None for any.
        sha256: Checksum expected of the contents, after unpacking (so that it does not matter who
            compressed them); None for no check.

    Raises:
        DataError: The file is missing, cut short, damaged, not an IDX file, or holds something
            else than was asked for; the message names it and says what to do.
    """
    raw = _unpacked(path)
    axes = _axes(raw, path)
    expected = 4 + 4 * len(axes) + prod(axes)
    if len(raw) != expected:
        what = "cut short" if len(raw) < expected else "too long"
        raise DataError(
            f"{path} is {what}: it has {len(raw)} bytes after unpacking, its header promises "
            f"{expected}; {REPAIR}"
        )
    if num_axes is not None and len(axes) != num_axes:
        raise DataError(
            f"{path} holds an array of shape {axes}; expected {num_axes} axes "
            "(images have 3, labels 1): are the files mixed up?"
        )
    if sha256 is not None and (found := hashlib.sha256(raw).hexdigest()) != sha256:
        raise DataError(
            f"{path} is not the published file: the SHA-256 of its contents is {found}, expected "
            f"{sha256}; {REPAIR} (MNIST's files have the same names)"
        )
    numbers = np.frombuffer(raw, np.uint8, offset=4 + 4 * len(axes)).reshape(axes)
    return torch.from_numpy(numbers.copy())


def write_idx(path: Path, numbers: UInt8[Tensor, "..."]) -> None:
    r"""Write an IDX file; the same numbers give the same bytes, also if `path` ends in `.gz`."""
    header = bytes([0, 0, UNSIGNED_BYTE, numbers.ndim])
    raw = header + b"".join(size.to_bytes(4, "big") for size in numbers.shape)
    raw += numbers.cpu().numpy().tobytes()
    path.write_bytes(gzip.compress(raw, 9, mtime=0) if path.suffix == ".gz" else raw)


def find_idx(folder: Path, name: str) -> Path | None:
    r"""The IDX file of this name in a folder, compressed or not; None if there is none."""
    candidates = (folder / f"{name}.gz", folder / name)
    return next((path for path in candidates if path.is_file()), None)


def _unpacked(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"there is no file {path}; expected an IDX file") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if path.suffix != ".gz":
        return raw
    try:
        return gzip.decompress(raw)
    except EOFError:
        raise DataError(f"{path} is cut short after {len(raw)} bytes; {REPAIR}") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged: {error}; {REPAIR}") from None


def _axes(raw: bytes, path: Path) -> tuple[int, ...]:
    num_axes = raw[3] if len(raw) >= 4 else 0
    if raw[:3] != bytes([0, 0, UNSIGNED_BYTE]) or len(raw) < 4 + 4 * num_axes:
        raise DataError(
            f"{path} is not an IDX file of unsigned bytes: it begins with {raw[:4].hex(' ')!r}, "
            f"expected '00 00 08 01' or '00 00 08 03'; {REPAIR}"
        )
    return tuple(int.from_bytes(raw[4 + 4 * k : 8 + 4 * k], "big") for k in range(num_axes))
