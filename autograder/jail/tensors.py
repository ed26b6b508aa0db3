"""The payload of a frame: tensors, numbered from 0, as safetensors.

Written and read without a second copy of the numbers. The reading side trusts nothing.
"""

import functools

import orjson
import safetensors
import torch
from torch import Tensor

MAX_TENSORS = 512
MAX_NDIM = 16
DTYPES = {  # and their names in safetensors
    torch.bool: "BOOL",
    torch.uint8: "U8",
    torch.int8: "I8",
    torch.int16: "I16",
    torch.int32: "I32",
    torch.int64: "I64",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float32: "F32",
    torch.float64: "F64",
    torch.complex64: "C64",
}
DTYPE_OF = {name: dtype for dtype, name in DTYPES.items()}


class WireError(Exception):
    """A frame that breaks the rules; whoever sent it is not asked again."""


class Unsupported(WireError):
    """A kind of number that frames do not carry."""


def check_kind(tensor: Tensor) -> None:
    """Refuse a tensor that has no place in a payload.

    Raises:
        Unsupported: It is sparse, has no values, or numbers of another kind.
    """
    if tensor.dtype not in DTYPES or tensor.layout != torch.strided or tensor.is_meta:
        raise Unsupported(f"tensors of {tensor.dtype} have no place in a frame")


def write_tensors(tensors: list[Tensor]) -> bytes:
    """A payload; the library's own writer would double the time of a call."""
    header = _tensor_header(tuple((tensor.dtype, tensor.shape) for tensor in tensors))
    return b"".join([header, *map(_bytes_of, tensors)])


@functools.lru_cache(maxsize=256)  # a check asks the same kind of question again and again
def _tensor_header(kinds: tuple[tuple[torch.dtype, torch.Size], ...]) -> bytes:
    entries, end = {}, 0
    for number, (dtype, shape) in enumerate(kinds):
        begin, end = end, end + shape.numel() * dtype.itemsize
        entries[str(number)] = {
            "dtype": DTYPES[dtype],
            "shape": list(shape),
            "data_offsets": [begin, end],
        }
    header = orjson.dumps(entries)
    header += b" " * (-len(header) % 8)  # aligns what follows
    return len(header).to_bytes(8, "little") + header


def _bytes_of(tensor: Tensor) -> bytes:
    if tensor.dtype is torch.bfloat16:  # which numpy lacks
        tensor = tensor.view(torch.int16)
    return tensor.numpy(force=True).tobytes()


def read_tensors(payload: bytes) -> dict[int, Tensor]:
    """The tensors of a payload by number.

    Raises:
        WireError: If the payload breaks a rule.
    """
    if not payload:
        return {}
    try:
        loaded = dict(safetensors.deserialize(payload))
        if len(loaded) > MAX_TENSORS or loaded.keys() != {str(i) for i in range(len(loaded))}:
            raise WireError("the tensors are not numbered from 0")
        return {int(name): _read_tensor(**parts) for name, parts in loaded.items()}
    except WireError:
        raise
    except Exception as error:  # safetensors and torch each have errors of their own
        raise WireError(f"the payload is no safetensors: {type(error).__name__}") from None


def _read_tensor(dtype: str, shape: list[int], data: bytearray) -> Tensor:
    if dtype not in DTYPE_OF or len(shape) > MAX_NDIM:
        raise WireError(f"a tensor of {dtype} with {len(shape)} dimensions")
    if not data:
        return torch.empty(shape, dtype=DTYPE_OF[dtype])
    return torch.frombuffer(data, dtype=DTYPE_OF[dtype]).view(shape)
