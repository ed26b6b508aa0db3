r"""The data that comes with the package."""

import hashlib
from importlib import resources

import pytest
import torch

from course_lib.data import digits, old_faithful
from course_lib.data.old_faithful import _parse

PINNED = "d40b983752ab7ec0b15b740089c3ca7b7b59d0c7433a029a1714d134de1e8d14"


def raw_file():
    return resources.files("course_lib.data").joinpath("faithful.csv").read_bytes()


def test_file_is_the_pinned_one():
    assert hashlib.sha256(raw_file()).hexdigest() == PINNED


def test_old_faithful_is_rs_faithful():
    x = old_faithful().cpu()
    assert x.shape == (272, 2)
    assert x.dtype == torch.float64
    assert x[0].tolist() == [3.6, 79.0]
    assert x[-1].tolist() == [4.467, 74.0]
    assert x.mean(0).tolist() == pytest.approx([3.487783, 70.897059], abs=1e-6)
    assert old_faithful(torch.float32).dtype == torch.float32


def test_every_call_gives_fresh_data():
    old_faithful().zero_()
    assert old_faithful().min() > 0


@pytest.mark.parametrize(
    "damage", [lambda raw: raw[:-10], lambda raw: raw.replace(b"79", b"78"), lambda raw: b""]
)
def test_damaged_file_is_refused(damage):
    with pytest.raises(ValueError, match=r"faithful\.csv.*is damaged.*install course_lib again"):
        _parse(damage(raw_file()))


def test_line_ends_of_another_system_are_no_damage():
    assert len(_parse(raw_file().replace(b"\n", b"\r\n"))) == 272


def test_digits_are_images_and_labels():
    images, labels = digits(torch.float32)
    assert images.shape == (1797, 64)
    assert images.dtype == torch.float32
    assert (images.min(), images.max()) == (0, 1)
    assert labels.shape == (1797,)
    assert labels.unique().tolist() == list(range(10))
    top_corner_of_the_zero = (16 * images[0].reshape(8, 8)[0, 2:4]).tolist()
    assert top_corner_of_the_zero == [5, 13]


def test_digits_of_integers_are_refused():
    with pytest.raises(ValueError, match=r"torch\.uint8; expected a floating-point type"):
        digits(torch.uint8)


def test_integers_are_refused():
    with pytest.raises(ValueError, match=r"torch\.int64; expected a floating-point type"):
        old_faithful(torch.int64)
