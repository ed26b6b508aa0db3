r"""The 272 eruptions of the Old Faithful geyser, Yellowstone."""

import hashlib
from importlib import resources

import torch
from jaxtyping import Float
from torch import Tensor

FILE_NAME = "faithful.csv"
SHA256 = "d40b983752ab7ec0b15b740089c3ca7b7b59d0c7433a029a1714d134de1e8d14"


def old_faithful(dtype: torch.dtype = torch.float64) -> Float[Tensor, "272 2"]:
    r"""The eruptions of Old Faithful, in the order in which they were recorded.

    These are the values of R's `datasets::faithful`.

    Args:
        dtype: A floating-point type.

    Returns:
        One row per eruption. Column 0 is the duration of the eruption, column 1 the waiting time to
        the next one, both in minutes.

    Raises:
        ValueError: The file in the installed package is damaged, or `dtype` is not a floating-point
            type.

    Reference:
        Azzalini and Bowman (1990), "A look at some data on the Old Faithful geyser", Applied
        Statistics 39.

    Example:
        >>> old_faithful()[0]
        tensor([ 3.6000, 79.0000], dtype=torch.float64)
    """
    if not dtype.is_floating_point:
        raise ValueError(
            f"dtype is {dtype}; expected a floating-point type such as torch.float64: "
            "the durations are not whole minutes"
        )
    raw = resources.files("course_lib.data").joinpath(FILE_NAME).read_bytes()
    return torch.tensor(_parse(raw), dtype=dtype)


def _parse(raw: bytes) -> list[list[float]]:
    raw = raw.replace(b"\r\n", b"\n")  # git on Windows may have changed the line ends
    digest = hashlib.sha256(raw).hexdigest()
    if digest != SHA256:
        raise ValueError(
            f"{FILE_NAME} in the package course_lib is damaged: its SHA-256 is {digest}, expected "
            f"{SHA256}; restore the file with `git checkout`, or install course_lib again"
        )
    rows = raw.decode("ascii").splitlines()[1:]
    return [[float(cell) for cell in row.split(",")] for row in rows]
