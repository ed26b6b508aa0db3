r"""IDX files: what is written is read, and every damage is named."""

import gzip

import pytest
import torch

from course_lib.data import DataError
from course_lib.data.idx import find_idx, read_idx, write_idx


@pytest.fixture(params=["numbers.gz", "numbers"])
def path(request, tmp_path):
    path = tmp_path / request.param
    write_idx(path, numbers())
    return path


def numbers():
    return torch.arange(2 * 3 * 5, dtype=torch.uint8, device="cpu").reshape(2, 3, 5)


def raw(path):
    return gzip.decompress(path.read_bytes()) if path.suffix else path.read_bytes()


def put(path, contents):
    path.write_bytes(gzip.compress(contents) if path.suffix else contents)


def test_round_trip(path):
    assert torch.equal(read_idx(path), numbers())
    read_idx(path).zero_()  # the file's numbers are copies, free to change


def test_the_layout_is_the_published_one(path):
    header = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 5])
    assert raw(path) == header + bytes(range(30))


def test_the_same_numbers_give_the_same_bytes(path):
    before = path.read_bytes()
    write_idx(path, numbers())
    assert path.read_bytes() == before


def refused(path, message, **options):
    with pytest.raises(DataError, match=message) as caught:
        read_idx(path, **options)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("keep", [0, 1, 3, 7, 15, 16, 45])
def test_contents_cut_short(path, keep):
    put(path, raw(path)[:keep])
    refused(path, "cut short|is not an IDX file")


def test_file_cut_short(path):
    whole = path.read_bytes()
    for keep in range(len(whole)):
        path.write_bytes(whole[:keep])
        refused(path, "cut short|not an IDX file|damaged")


def test_every_flipped_bit_of_a_packed_file_is_noticed(tmp_path):
    path = tmp_path / "numbers.gz"
    write_idx(path, numbers())
    whole = path.read_bytes()
    harmless = {4, 5, 6, 7, 8, 9}  # time stamp, level and system in gzip's header
    for place in set(range(len(whole))) - harmless:
        damaged = bytearray(whole)
        damaged[place] ^= 4
        path.write_bytes(damaged)
        refused(path, "damaged|cut short|not an IDX file")


def test_too_long(path):
    put(path, raw(path) + b"\0")
    refused(path, "too long: it has 47 bytes after unpacking, its header promises 46")


def test_other_types_of_numbers(path):
    put(path, bytes([0, 0, 13]) + raw(path)[3:])
    refused(path, "begins with '00 00 0d 03', expected '00 00 08")


def test_no_file(tmp_path):
    refused(tmp_path / "missing.gz", "there is no file")
    refused(tmp_path, "cannot be read: Is a directory")


def test_images_for_labels(path):
    refused(path, r"shape \(2, 3, 5\); expected 1 axes .*mixed up", num_axes=1)


def test_checksum_of_the_contents(path):
    refused(path, "not the published file: the SHA-256 of its contents", sha256=64 * "0")


def test_packed_is_found_first(tmp_path):
    assert find_idx(tmp_path, "numbers") is None
    (tmp_path / "numbers").touch()
    assert find_idx(tmp_path, "numbers").name == "numbers"
    (tmp_path / "numbers.gz").touch()
    assert find_idx(tmp_path, "numbers").name == "numbers.gz"
