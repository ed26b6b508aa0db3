"""Frames that break a rule are refused, whatever they hold, soon, and with little memory."""

import json
import math
import time
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from autograder.candidate import Seed
from autograder.jail import wire

QUICK = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


def header_of(body, nonce="n") -> bytes:
    return json.dumps({"nonce": nonce, "body": body}).encode()


def safetensors_of(entries, data=b"") -> bytes:
    header = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return len(header).to_bytes(8, "little") + header + data


DEEP_VALUE = [1]
for _ in range(wire.MAX_DEPTH + 1):
    DEEP_VALUE = [DEEP_VALUE]
UNSENDABLE = {
    "an object": object(),
    "a set": {1},
    "bytes": b"a",
    "a class": int,
    "an array": np.ones(2),
    "an array of objects": np.array([object()]),
    "a number of numpy": np.float64(1),
    "a subclass of float": type("Odd", (float,), {})(1.0),
    "complex": 1j,
    "a key that is a number": {1: 2},
    "a key that is a subclass of str": {type("Odd", (str,), {})("a"): 2},
    "a tensor of complex128": torch.ones(1, dtype=torch.complex128),
    "too deep": DEEP_VALUE,
    "too many tensors": [torch.ones(1)] * (wire.MAX_TENSORS + 1),
    "too many numbers": torch.zeros(wire.MAX_PAYLOAD // 2 + 1, dtype=torch.uint8),
    "a text of two megabytes": "a" * (2 << 20),
    "an integer of 5000 digits": 10**5000,
    "an integer that no tensor holds": 2**63,
    "a sparse tensor": torch.eye(2).to_sparse(),
    "a tensor without memory": torch.ones(2, device="meta"),
}


@pytest.mark.parametrize("value", UNSENDABLE.values(), ids=UNSENDABLE)
def test_what_has_no_place_in_a_frame_is_refused(value):
    with pytest.raises(wire.WireError):
        wire.pack("n", [value])


def test_a_list_that_holds_itself_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(wire.WireError, match="deep"):
        wire.pack("n", endless)


def entry(dtype="F64", shape=(2,), offsets=(0, 16)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


ONE = header_of({"tensor": 0})
TWO = header_of({"list": [{"tensor": 0}, {"tensor": 1}]})
BROKEN = {
    "no JSON": (b"{", b""),
    "no text": (b"\xff\xfe", b""),
    "empty": (b"", b""),
    "a number": (b"1", b""),
    "no nonce": (b'{"body": null}', b""),
    "a nonce that is a number": (b'{"nonce": 1, "body": null}', b""),
    "more than nonce and body": (b'{"nonce": "n", "body": null, "more": 1}', b""),
    "200 000 deep": (b'{"nonce": "n", "body": ' + b"[" * 200_000, b""),
    "200 000 deep and closed": (header_of(0).replace(b"0", b"[" * 200_000 + b"]" * 200_000), b""),
    "17 deep": (header_of({"list": [None]}).replace(b"null", b'{"list": [' * 17 + b"]}" * 17), b""),
    "an integer of 5000 digits": (header_of(0).replace(b"0", b"1" * 5000), b""),
    "a bare float": (header_of(1.5), b""),
    "a bare NaN": (header_of(math.nan), b""),
    "a bare list": (header_of([1]), b""),
    "no kind": (header_of({}), b""),
    "two kinds": (header_of({"list": [], "dict": {}}), b""),
    "an unknown kind": (header_of({"pickle": "gASV"}), b""),
    "a float in decimal": (header_of({"float": 1.5}), b""),
    "a float that is a word": (header_of({"float": "one"}), b""),
    "a float beyond all floats": (header_of({"float": "0x1p99999"}), b""),
    "a float of a megabyte": (header_of({"float": "0x" + "1" * 1_000_000}), b""),
    "a list that is a number": (header_of({"list": 1}), b""),
    "a dictionary that is a list": (header_of({"dict": []}), b""),
    "an integer that no tensor holds": (header_of(2**63), b""),
    "a seed of 100 bits": (header_of({"seed": 2**100}), b""),
    "a seed that is true": (header_of({"seed": True}), b""),
    "a used seed that is text": (header_of({"used_seed": "1"}), b""),
    "an oracle that is a word": (header_of({"oracle": "one"}), b""),
    "a tensor that is not there": (ONE, b""),
    "a tensor that is true": (header_of({"tensor": True}), b""),
    "a tensor named twice": (
        header_of({"list": [{"tensor": 0}, {"tensor": 0}]}),
        safetensors_of({"0": entry()}, bytes(16)),
    ),
    "a tensor that nobody names": (header_of(None), safetensors_of({"0": entry()}, bytes(16))),
    "a tensor of another name": (ONE, safetensors_of({"a": entry()}, bytes(16))),
    "a tensor counted from one": (
        header_of({"tensor": 1}),
        safetensors_of({"1": entry()}, bytes(16)),
    ),
    "a payload cut short": (ONE, safetensors_of({"0": entry()}, bytes(15))),
    "a payload with a tail": (ONE, safetensors_of({"0": entry()}, bytes(24))),
    "a payload of seven bytes": (ONE, bytes(7)),
    "a header longer than all": (ONE, (2**63).to_bytes(8, "little") + b"{}"),
    "a header of minus one": (ONE, b"\xff" * 8 + b"{}"),
    "a wrong shape": (ONE, safetensors_of({"0": entry(shape=(3,))}, bytes(16))),
    "a negative shape": (ONE, safetensors_of({"0": entry(shape=(-2,))}, bytes(16))),
    "a shape that overflows": (ONE, safetensors_of({"0": entry(shape=(2**62, 8))}, bytes(16))),
    "offsets the wrong way": (ONE, safetensors_of({"0": entry(offsets=(16, 0))}, bytes(16))),
    "offsets beyond the end": (ONE, safetensors_of({"0": entry(offsets=(8, 24))}, bytes(16))),
    "tensors on top of each other": (
        TWO,
        safetensors_of({"0": entry(), "1": entry()}, bytes(16)),
    ),
    "a hole between tensors": (
        TWO,
        safetensors_of({"0": entry(), "1": entry(offsets=(24, 40))}, bytes(40)),
    ),
    "an unknown dtype": (ONE, safetensors_of({"0": entry("F65")}, bytes(16))),
    "a dtype not on the list": (ONE, safetensors_of({"0": entry("F8_E5M2", (16,))}, bytes(16))),
    "unsigned 16-bit numbers": (ONE, safetensors_of({"0": entry("U16", (8,))}, bytes(16))),
    "half a byte": (ONE, safetensors_of({"0": entry("F4", (32,))}, bytes(16))),
    "17 dimensions": (ONE, safetensors_of({"0": entry(shape=[1] * 16 + [2])}, bytes(16))),
    "a million dimensions": (ONE, safetensors_of({"0": entry(shape=[1] * 10**6)}, bytes(16))),
    "a payload that is no JSON": (ONE, safetensors_of(b"{", bytes(16))),
    "a payload 200 000 deep": (ONE, safetensors_of(b"[" * 200_000)),
}


@pytest.mark.parametrize(("header", "payload"), BROKEN.values(), ids=BROKEN)
def test_a_broken_frame_is_refused(header, payload):
    with pytest.raises(wire.WireError):
        wire.unpack(header, payload)


def test_too_many_tensors_are_refused():
    count = wire.MAX_TENSORS + 1
    entries = {str(i): entry("U8", (1,), (i, i + 1)) for i in range(count)}
    body = header_of({"list": [{"tensor": i} for i in range(count)]})
    with pytest.raises(wire.WireError):
        wire.unpack(body, safetensors_of(entries, bytes(count)))


def test_no_lone_surrogate_arrives():
    r"""A text that cannot be written to a file or shown on a page must not get that far."""
    with pytest.raises(wire.WireError):
        wire.unpack(header_of(["\ud800"][0]), b"")
    with pytest.raises(wire.WireError):
        wire.unpack(header_of({"dict": {"\udfff": 1}}), b"")


def returns_or_refuses(header: bytes, payload: bytes) -> None:
    """`unpack` gives a value or a WireError, soon, and without taking much memory."""
    tracemalloc.start()
    begin = time.monotonic()
    try:
        wire.unpack(header, payload)
    except wire.WireError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert time.monotonic() - begin < 2
    assert peak < 1 << 24


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*wire._KINDS, "nonce", "body", "0"]) | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@QUICK
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_random_bytes(header, payload):
    returns_or_refuses(header, payload)


@QUICK
@given(JSON, st.booleans())
def test_random_trees(tree, as_body):
    header = header_of(tree) if as_body else json.dumps(tree).encode()
    returns_or_refuses(header, b"")


@QUICK
@given(JSON, st.binary(max_size=64))
def test_random_tables_of_tensors(tree, data):
    returns_or_refuses(ONE, safetensors_of(tree, data))


@QUICK
@given(
    st.sampled_from(["BOOL", "U8", "I64", "F16", "BF16", "F64", "C64", "F8_E4M3", "F4", "U64"]),
    st.lists(st.integers(-1, 3) | st.sampled_from([2**31, 2**32, 2**63, 2**64]), max_size=4),
    st.lists(st.integers(-1, 40) | st.sampled_from([2**63, 2**64 - 1]), min_size=2, max_size=2),
    st.binary(max_size=48),
)
@example("F64", [2**63, 0], [0, 0], b"")
@example("U8", [2**32, 2**32, 0], [0, 0], b"")
def test_odd_entries_of_tensors(dtype, shape, offsets, data):
    returns_or_refuses(ONE, safetensors_of({"0": entry(dtype, shape, offsets)}, data))


VALID = wire.pack("nonce", {"value": (torch.arange(6.0), [1, 2.5, "a", None, True], Seed(3))})
SPLIT = wire.LENGTHS.size + wire.LENGTHS.unpack(VALID[: wire.LENGTHS.size])[0]


@QUICK
@given(
    st.lists(
        st.tuples(
            st.integers(wire.LENGTHS.size, len(VALID) - 1), st.integers(0, 255), st.booleans()
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(-8, 8),
)
def test_mutated_frames(changes, shift):
    frame = bytearray(VALID)
    for place, byte, is_cut in changes:
        if is_cut:
            del frame[place : place + 1]
        elif place < len(frame):
            frame[place] = byte
    header, payload = frame[wire.LENGTHS.size : SPLIT + shift], frame[SPLIT + shift :]
    returns_or_refuses(bytes(header), bytes(payload))
