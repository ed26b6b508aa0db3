"""Frames between the grader and the process that runs student code.

A frame is two lengths (header, payload; unsigned 32 bits, little-endian), a JSON header and a
safetensors payload. The header is `{"nonce": …, "body": …}`; tensors lie in the payload and floats
are written in hexadecimal, so that values arrive bit for bit. Nothing is ever unpickled.

The reading side trusts nothing: it caps lengths, depth, number and size of what it builds, accepts
only known dtypes, and raises `WireError` for anything else.
"""

import os
import select
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from torch import Tensor

from autograder.candidate import Seed
from autograder.jail.tensors import (
    MAX_TENSORS,
    WireError,
    check_kind,
    read_tensors,
    write_tensors,
)

LENGTHS = struct.Struct("<II")
DOUBLE = struct.Struct(">d")
MOMENT = 250e-6  # seconds
MAX_HEADER = 1 << 20
MAX_PAYLOAD = 64 << 20
MAX_DEPTH = 16
INTEGERS = range(-(2**63), 2**63)  # what a tensor can hold


@dataclass(frozen=True)
class OracleReference:
    """Stands for a function among the arguments, which stays with the grader."""

    number: int
    differentiable: bool = False


class TooLate(WireError):
    """No whole frame came in time."""


class Closed(WireError):
    """The other end is gone."""


def pack(nonce: str, body: Any) -> bytes:
    """A frame.

    Raises:
        WireError: If `body` holds something that has no place in a frame, or too much of it.
    """
    tensors: list[Tensor] = []
    tree = _encode(body, tensors, 0)
    if len(tensors) > MAX_TENSORS:
        raise WireError(f"{len(tensors)} tensors; at most {MAX_TENSORS} fit a frame")
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    if size > MAX_PAYLOAD // 2:
        raise WireError(f"{size / 2**20:.0f} MB of numbers; at most {MAX_PAYLOAD >> 21} MB fit")
    payload = write_tensors(tensors) if tensors else b""
    try:
        header = orjson.dumps({"nonce": nonce, "body": tree})
    except TypeError as error:
        raise WireError(f"text that is none: {error}") from None  # lone surrogates
    if len(header) > MAX_HEADER or len(payload) > MAX_PAYLOAD:
        raise WireError(f"a header of {len(header)} bytes; at most {MAX_HEADER} fit")
    return LENGTHS.pack(len(header), len(payload)) + header + payload


def unpack(header: bytes, payload: bytes) -> tuple[str, Any]:
    """Nonce and body of a frame.

    Raises:
        WireError: If the frame breaks a rule.
    """
    try:
        frame = orjson.loads(header)  # which also refuses lone surrogates
    except ValueError as error:
        raise WireError(f"the header is no JSON: {error}") from None
    if not isinstance(frame, dict) or frame.keys() != {"nonce", "body"}:
        raise WireError("the header does not hold exactly a nonce and a body")
    if not isinstance(frame["nonce"], str):
        raise WireError("the nonce is no string")
    tensors = read_tensors(payload)
    body = _decode(frame["body"], tensors, 0)
    if tensors:
        raise WireError(f"{len(tensors)} tensors belong to nothing")
    return frame["nonce"], body


def send(fd: int, nonce: str, body: Any, deadline: float | None = None) -> None:
    """Pack a frame and write it; `deadline` is a time of `time.monotonic`."""
    write(fd, pack(nonce, body), deadline)


def write(fd: int, frame: bytes, deadline: float | None = None) -> None:
    """Write a frame that was packed."""
    written = 0
    while written < len(frame):
        try:
            written += os.write(fd, memoryview(frame)[written:])
        except BlockingIOError:
            _wait(fd, select.POLLOUT, deadline)
        except OSError as error:
            raise Closed(error.strerror) from None


def receive(fd: int, deadline: float | None = None) -> tuple[str, Any]:
    """Read a frame; returns its nonce and its body.

    Raises:
        WireError: If the frame breaks a rule, or is not alone.
        TooLate: If it is not whole by the deadline.
        Closed: If the other end closed before it was whole.
    """
    frame = _read(fd, deadline)
    while len(frame) < LENGTHS.size:
        frame += _read(fd, deadline)
    header_length, payload_length = LENGTHS.unpack_from(frame)
    if header_length > MAX_HEADER or payload_length > MAX_PAYLOAD:
        raise WireError(f"a frame of {header_length} + {payload_length} bytes is too long")
    begin = LENGTHS.size + header_length
    if len(frame) < begin + payload_length:
        frame = _read_rest(fd, frame, begin + payload_length, deadline)
    if len(frame) > begin + payload_length:
        raise WireError("more than one frame")
    return unpack(frame[LENGTHS.size : begin], frame[begin:])


def has_input(fd: int) -> bool:
    """Whether there is something to read, or the other end is gone."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


def _read_rest(fd: int, begun: bytes, length: int, deadline: float | None) -> bytes:
    frame = bytearray(begun)
    while len(frame) < length:
        frame += _read(fd, deadline)
    return bytes(frame)


def _read(fd: int, deadline: float | None) -> bytes:
    """What there is to read, at least a byte."""
    if deadline is not None:
        _wait(fd, select.POLLIN, deadline)
    try:
        piece = os.read(fd, 1 << 16)
    except OSError as error:
        raise Closed(error.strerror) from None
    if not piece:
        raise Closed("the other end is gone")
    return piece


def _wait(fd: int, event: int, deadline: float | None) -> None:
    poll = select.poll()
    poll.register(fd, event)
    if deadline is None:
        poll.poll()
    elif time.monotonic() > deadline:
        raise TooLate("no answer in time")
    elif not _comes_at_once(poll):
        seconds = max(0.0, deadline - time.monotonic())
        if not poll.poll(1e3 * seconds):
            raise TooLate("no answer in time")


def _comes_at_once(poll: select.poll) -> bool:
    """Look again and again for a moment: most calls are answered before this process could sleep.

    Falling asleep and being woken would take half as long as such a call. Others go first.
    """
    end = time.monotonic() + MOMENT
    while time.monotonic() < end:
        if poll.poll(0):
            return True
        os.sched_yield()
    return False


def _encode(value: Any, tensors: list[Tensor], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise WireError(f"values nested more than {MAX_DEPTH} deep")
    if value is None or type(value) in (bool, str):
        return value
    if type(value) is int:
        if value not in INTEGERS:
            raise WireError("an integer of more than 64 bits")
        return value
    if type(value) is float:
        return {"float": DOUBLE.pack(value).hex()}
    if isinstance(value, Tensor):
        return {"tensor": _place(value, tensors)}
    if isinstance(value, Seed):
        return {"used_seed" if value.used else "seed": value.value}
    if isinstance(value, OracleReference):
        return {"smooth" if value.differentiable else "oracle": value.number}
    if type(value) in (list, tuple):
        return {type(value).__name__: [_encode(item, tensors, depth + 1) for item in value]}
    if isinstance(value, Mapping) and all(type(key) is str for key in value):
        return {"dict": {key: _encode(item, tensors, depth + 1) for key, item in value.items()}}
    raise WireError(f"a {type(value).__name__[:80]} has no place in a frame")


def _place(tensor: Tensor, tensors: list[Tensor]) -> int:
    check_kind(tensor)
    tensors.append(tensor)
    return len(tensors) - 1


def _decode(node: Any, tensors: dict[int, Tensor], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise WireError(f"values nested more than {MAX_DEPTH} deep")
    if node is None or type(node) in (bool, str) or (type(node) is int and node in INTEGERS):
        return node
    if not isinstance(node, dict) or len(node) != 1:
        raise WireError("a value without a kind")
    ((kind, content),) = node.items()
    decode = _KINDS.get(kind)
    if decode is None:
        raise WireError("a value of an unknown kind")
    return decode(content, tensors, depth + 1)


def _decode_float(content: Any, *_: Any) -> float:
    try:
        return DOUBLE.unpack(bytes.fromhex(content))[0]
    except (TypeError, ValueError, struct.error):
        raise WireError("a float that is no hexadecimal text") from None


def _decode_tensor(content: Any, tensors: dict[int, Tensor], _: int) -> Tensor:
    if type(content) is not int or content not in tensors:
        raise WireError("a tensor that is not there, or named twice")
    return tensors.pop(content)


def _decode_seed(content: Any, *_: Any) -> Seed:
    if type(content) is not int or not -(2**63) <= content < 2**63:
        raise WireError("a seed that is no 64-bit number")
    return Seed(content)


def _decode_used_seed(content: Any, *_: Any) -> Seed:
    return Seed(_decode_seed(content).value, used=True)


def _decode_oracle(content: Any, *_: Any) -> OracleReference:
    if type(content) is not int:
        raise WireError("an oracle without a number")
    return OracleReference(content)


def _decode_smooth(content: Any, *_: Any) -> OracleReference:
    return replace(_decode_oracle(content), differentiable=True)


def _decode_list(content: Any, tensors: dict[int, Tensor], depth: int) -> list[Any]:
    if type(content) is not list:
        raise WireError("a list that is none")
    return [_decode(item, tensors, depth) for item in content]


def _decode_tuple(content: Any, tensors: dict[int, Tensor], depth: int) -> tuple[Any, ...]:
    return tuple(_decode_list(content, tensors, depth))


def _decode_dict(content: Any, tensors: dict[int, Tensor], depth: int) -> dict[str, Any]:
    if type(content) is not dict:
        raise WireError("a dictionary that is none")
    return {key: _decode(item, tensors, depth) for key, item in content.items()}


_KINDS = {
    "float": _decode_float,
    "tensor": _decode_tensor,
    "seed": _decode_seed,
    "used_seed": _decode_used_seed,
    "oracle": _decode_oracle,
    "smooth": _decode_smooth,
    "list": _decode_list,
    "tuple": _decode_tuple,
    "dict": _decode_dict,
}
