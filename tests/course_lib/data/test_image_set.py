r"""What the loaders return."""

import pytest
import torch

from course_lib.data import AttributeSet, FactorSet, ImageSet, faces, parts, sprites, tones


def small(**changes):
    images = torch.arange(4 * 3 * 2 * 2, dtype=torch.uint8, device="cpu").reshape(4, 3, 2, 2)
    labels = torch.tensor([0, 1, 1, 0], device="cpu")
    fields = {"images": images, "labels": labels, "label_names": ("a", "b"), "source": "made here"}
    return ImageSet(**(fields | changes))


def test_flat_and_grid_are_the_same_values_from_0_to_1():
    line = torch.tensor([0, 51, 255], dtype=torch.uint8, device="cpu")
    data = small(images=line.expand(4, 1, 1, 3))
    assert torch.equal(data.grid()[0, 0, 0], torch.tensor([0, 0.2, 1.0], dtype=torch.float32))
    assert torch.equal(data.flat(torch.float64), data.grid(torch.float64).reshape(4, 3))
    assert data.flat().dtype == torch.float32
    assert torch.equal(small().flat()[1].reshape(3, 2, 2), small().grid()[1])


def test_values_are_copies():
    data = small()
    data.grid().zero_()
    data.flat().zero_()
    data.take([0]).images.zero_()
    assert data.images.sum() > 0


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ([2, 0, 2], [2, 0, 2]),
        (torch.tensor([3, 1]), [3, 1]),
        (torch.tensor([True, False, False, True]), [0, 3]),
        (slice(1, None), [1, 2, 3]),
        (slice(None, None, 2), [0, 2]),
        ([-1], [3]),
        ([], []),
    ],
)
def test_take(index, expected):
    data = small().take(index)
    assert len(data) == len(expected)
    assert torch.equal(data.images, small().images[expected])
    assert torch.equal(data.labels, small().labels[expected])
    assert (data.label_names, data.source) == (("a", "b"), "made here")


@pytest.mark.parametrize(
    "make", [lambda: sprites(70), lambda: faces(70), lambda: parts(70), lambda: tones(70)]
)
def test_take_keeps_all_that_is_known(make):
    data, picked = make(), make().take([5, 69])
    assert type(picked) is type(data)
    rows = {name: value for name, value in vars(data).items() if isinstance(value, torch.Tensor)}
    assert len(rows) >= 2
    for name, value in rows.items():
        assert torch.equal(getattr(picked, name), value[[5, 69]]), name
    assert len(data) == 70


@pytest.mark.usefixtures("unchecked_shapes")
def test_take_refuses_one_number_and_numbers_out_of_reach():
    data = small()
    with pytest.raises(ValueError, match=r"index has 0 axes; expected one: .*take\(\[i\]\)"):
        data.take(torch.tensor(2))
    with pytest.raises(IndexError):
        data.take([4])
    with pytest.raises(IndexError):
        data.take(torch.tensor([True, False]))


@pytest.mark.usefixtures("unchecked_shapes")
def test_rows_must_agree():
    with pytest.raises(ValueError, match=r"rows differ in number.*'images': 4, 'labels': 3"):
        small(labels=torch.zeros(3, dtype=torch.int64, device="cpu"))
    with pytest.raises(ValueError, match=r"labels go from 0 to 2.*the 2 label_names"):
        small(labels=torch.tensor([0, 1, 2, 0], device="cpu"))


def test_whole_numbers_are_no_type_for_values_up_to_1():
    with pytest.raises(ValueError, match=r"dtype is torch\.uint8; expected a floating-point"):
        small().flat(torch.uint8)


def test_sets_print_as_one_line():
    assert repr(small()) == "ImageSet(4 images of 3 x 2 x 2; made here)"
    assert repr(tones(3)).startswith("ToneSet(3 signals of 256 samples; 3 tones")


def test_attributes_by_name():
    data = faces(64)
    assert isinstance(data, AttributeSet)
    assert torch.equal(data.attribute("hat"), data.attributes[:, 2])
    with pytest.raises(
        ValueError, match="no attribute 'moustache'; expected one of smile, glasses"
    ):
        data.attribute("moustache")


def test_types_of_sets():
    assert isinstance(sprites(2), FactorSet)
    assert issubclass(FactorSet, ImageSet)
    assert issubclass(AttributeSet, ImageSet)
