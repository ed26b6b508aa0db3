"""Frames: everything plain arrives bit for bit, and nothing else arrives at all."""

import math
import os
import socket
import struct
import threading
import time
import tracemalloc

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from autograder.candidate import Seed
from autograder.jail import tensors, wire

QUICK = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
SHAPES = st.lists(st.integers(0, 4), max_size=4).map(tuple)
NAN_PAYLOAD = struct.unpack("<d", bytes.fromhex("efbeaddeefbef47f"))[0]


def through(body, nonce="n"):
    """The body as it arrives at the other end."""
    frame = wire.pack(nonce, body)
    lengths = wire.LENGTHS.unpack(frame[: wire.LENGTHS.size])
    header = frame[wire.LENGTHS.size :][: lengths[0]]
    payload = frame[wire.LENGTHS.size + lengths[0] :]
    assert len(payload) == lengths[1]
    arrived, value = wire.unpack(header, payload)
    assert arrived == nonce
    return value


def bits(tensor: Tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def assert_identical(left, right):
    """The same types, shapes and bits."""
    assert type(left) is type(right)
    if isinstance(left, Tensor):
        assert (left.dtype, left.shape) == (right.dtype, right.shape)
        assert bits(left) == bits(right)
    elif isinstance(left, (list, tuple)):
        assert len(left) == len(right)
        for pair in zip(left, right, strict=True):
            assert_identical(*pair)
    elif isinstance(left, dict):
        assert list(left) == list(right)
        for key in left:
            assert_identical(left[key], right[key])
    elif isinstance(left, float):
        assert left.hex() == right.hex()
        assert math.copysign(1, left) == math.copysign(1, right)
    else:
        assert left == right


@st.composite
def any_tensor(draw):
    """Any bits, in any shape, of any dtype that has a place in a frame."""
    dtype = draw(st.sampled_from(list(tensors.DTYPES)))
    shape = draw(SHAPES)
    size = math.prod(shape) * dtype.itemsize
    data = draw(st.binary(min_size=size, max_size=size))
    if dtype == torch.bool:
        data = bytes(byte & 1 for byte in data)
    raw = torch.tensor(list(data), dtype=torch.uint8)
    return raw.view(dtype).reshape(shape) if size else torch.empty(shape, dtype=dtype)


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text()
    | any_tensor()
    | st.integers(0, 2**63 - 1).map(Seed)
    | st.builds(wire.OracleReference, st.integers(0, 99), st.booleans()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@QUICK
@given(PLAIN, st.text(max_size=20))
def test_every_plain_value_arrives_bit_for_bit(value, nonce):
    assert_identical(through(value, nonce), value)


@pytest.mark.parametrize("value", [-0.0, math.inf, -math.inf, 5e-324, 1e308, True, 2**63 - 1])
def test_numbers_at_the_edge_arrive(value):
    assert_identical(through([value]), [value])


def test_a_nan_stays_one():
    assert math.isnan(through(math.nan))


def test_the_bits_of_a_nan_in_a_tensor_arrive():
    tensor = torch.from_numpy(np.array([NAN_PAYLOAD, -0.0, math.inf]))
    assert bits(tensor)[:8].hex() == "efbeaddeefbef47f"
    assert_identical(through(tensor), tensor)


VIEWS = {
    "transposed": torch.arange(6.0).reshape(2, 3).T,
    "strided": torch.arange(9)[::3],
    "expanded": torch.ones(1, 3).expand(4, 3),
    "flipped": torch.arange(4.0).flip(0),
    "conjugate": torch.tensor([1 + 2j, 3 - 4j], dtype=torch.complex64).conj(),
    "imaginary part of a conjugate": torch.tensor([1 + 2j], dtype=torch.complex64).conj().imag,
    "offset": torch.arange(10.0)[7:],
    "leaf with gradient": torch.ones(2, requires_grad=True),
}


@pytest.mark.parametrize("tensor", VIEWS.values(), ids=VIEWS)
def test_views_arrive_as_what_they_show(tensor):
    arrived = through((tensor, tensor))
    for copy in arrived:
        assert torch.equal(copy, tensor.detach())
        assert not copy.requires_grad
        assert not copy.is_conj()
        assert not copy.is_neg()


def test_what_arrives_shares_no_memory():
    first, second = through([torch.zeros(3), torch.zeros(3)])
    first += 1
    assert second.sum() == 0


@QUICK
@given(st.lists(any_tensor(), min_size=1, max_size=5))
def test_our_writer_writes_what_the_library_reads(written):
    read = safetensors.torch.load(tensors.write_tensors(written))
    assert read.keys() == {str(i) for i in range(len(written))}
    for number, tensor in enumerate(written):
        assert_identical(read[str(number)], tensor)


@pytest.fixture
def ends():
    """Both ends of a line."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def soon(seconds=0.2):
    return time.monotonic() + seconds


def test_a_frame_goes_through_a_line(ends):
    ours, theirs = ends
    big = torch.arange(3_000_000, dtype=torch.int64)  # more than the line's buffer
    sender = threading.Thread(target=wire.send, args=(theirs.fileno(), "n", big))
    sender.start()
    nonce, value = wire.receive(ours.fileno(), soon(20))
    sender.join()
    assert nonce == "n"
    assert torch.equal(value, big)


@pytest.mark.parametrize(
    "lengths",
    [(wire.MAX_HEADER + 1, 0), (0, wire.MAX_PAYLOAD + 1), (2**32 - 1, 2**32 - 1)],
    ids=["header", "payload", "minus one"],
)
def test_huge_lengths_are_refused_before_anything_is_read(ends, lengths):
    ours, theirs = ends
    theirs.send(wire.LENGTHS.pack(*lengths))
    with pytest.raises(wire.WireError, match="too long"):
        wire.receive(ours.fileno(), soon())


def test_an_announced_length_takes_no_memory(ends):
    ours, theirs = ends
    theirs.send(wire.LENGTHS.pack(wire.MAX_HEADER, wire.MAX_PAYLOAD) + b"x")
    tracemalloc.start()
    with pytest.raises(wire.TooLate):
        wire.receive(ours.fileno(), soon())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < wire.MAX_HEADER * 3


def test_a_silent_peer_is_too_late(ends):
    begin = time.monotonic()
    with pytest.raises(wire.TooLate):
        wire.receive(ends[0].fileno(), soon())
    assert 0.15 < time.monotonic() - begin < 2


def test_a_peer_that_drips_is_too_late(ends):
    ours, theirs = ends
    stop = threading.Event()

    def drip():
        for byte in wire.pack("n", "x" * 10_000):
            if stop.wait(0.01):
                return
            theirs.send(bytes([byte]))

    dripping = threading.Thread(target=drip)
    dripping.start()
    begin = time.monotonic()
    with pytest.raises(wire.TooLate):
        wire.receive(ours.fileno(), soon())
    assert time.monotonic() - begin < 2
    stop.set()
    dripping.join()


def test_a_peer_that_does_not_read_is_too_late(ends):
    with pytest.raises(wire.TooLate):
        wire.send(ends[0].fileno(), "n", torch.zeros(1_000_000), soon())


@pytest.mark.parametrize("sent", [b"", b"\0", wire.LENGTHS.pack(5, 0) + b"{"])
def test_a_peer_that_hangs_up_is_gone(ends, sent):
    ours, theirs = ends
    theirs.send(sent)
    theirs.close()
    with pytest.raises(wire.Closed):
        wire.receive(ours.fileno(), soon())


def test_nobody_is_there_to_read(ends):
    ours, theirs = ends
    theirs.close()
    with pytest.raises(wire.Closed):
        wire.send(ours.fileno(), "n", None, soon())


def test_input_is_noticed(ends):
    ours, theirs = ends
    assert not wire.has_input(ours.fileno())
    theirs.send(b"x")
    assert wire.has_input(ours.fileno())
    os.read(ours.fileno(), 1)
    theirs.close()
    assert wire.has_input(ours.fileno())
