"""Reads the weights that a student hands in: safetensors only, capped before anything is built."""

import os
import stat
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

MAX_BYTES = 30 << 20  # what one frame to the jail may hold
MAX_TENSORS = 512
DTYPES = frozenset(
    (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64, torch.bool)
)


class WeightsError(ValueError):
    """A file of weights that cannot be used; the message says why and what to do."""


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Parameters and buffers by name, from a file that `safetensors.torch.save_file` wrote.

    Nothing of the student's is run: a pickle (`torch.save`) is refused, not opened.

    Raises:
        WeightsError: If it is no such file, or holds too much, or other than finite numbers.
    """
    path = Path(path)
    data = _read(path)
    try:
        state = safetensors.torch.load(data)
    except Exception as error:  # safetensors, torch and struct each have errors of their own
        raise WeightsError(
            f"{path.name} is no safetensors file ({type(error).__name__}); save the weights with "
            "safetensors.torch.save_file(model.state_dict(), path), not with torch.save; or was "
            "the file cut short on its way?"
        ) from None
    if len(state) > MAX_TENSORS:
        raise WeightsError(f"{path.name} holds {len(state)} tensors; at most {MAX_TENSORS} fit")
    for tensor in state.values():
        if tensor.dtype not in DTYPES:
            raise WeightsError(
                f"{path.name} holds numbers of {tensor.dtype}; save them as torch.float32"
            )
        if not torch.isfinite(tensor).all():
            raise WeightsError(f"{path.name} holds NaN or infinite numbers; train it again")
    return state


def _read(path: Path) -> bytes:
    """The file itself: no link, no device, not more than fits."""
    if path.is_symlink():
        raise WeightsError(f"{path.name} is a link; hand in the file itself")
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        raise WeightsError(f"there is no file {path.name} that can be read") from None
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        os.close(fd)
        raise WeightsError(f"there is no file {path.name}, but something else of that name")
    with os.fdopen(fd, "rb") as file:
        if status.st_size > MAX_BYTES:
            raise WeightsError(
                f"{path.name} has {status.st_size / 2**20:.0f} MB; at most {MAX_BYTES >> 20} MB fit"
            )
        return file.read(MAX_BYTES + 1)[:MAX_BYTES]
