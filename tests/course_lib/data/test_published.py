r"""MNIST, Omniglot and CelebA: tiny sets in the published layouts, whole and damaged."""

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.data import DataError, celeba, mnist, omniglot
from course_lib.data.idx import write_idx

NAMES = "5_o_Clock_Shadow Male Smiling Young"


def pixels(data):
    return {image.tobytes() for image in data.images.numpy()}


# ---------------------------------------------------------------------------- MNIST


@pytest.mark.parametrize("suffix", [".gz", ""])
def test_mnist(tmp_path, write_four_files, suffix):
    write_four_files(tmp_path, suffix=suffix)
    train, test = mnist(tmp_path), mnist(str(tmp_path), "test")
    assert train.images.shape == (12, 1, 28, 28)
    assert train.images[:, 0, 5, 5].tolist() == list(range(1, 13))
    assert train.labels.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]
    assert test.images[:, 0, 0, 0].tolist() == [101, 102, 103, 104]
    assert test.label_names[test.labels[0]] == "1"
    assert test.source == "MNIST, 4 test images, from your own files"
    assert not pixels(train) & pixels(test)


def test_mnist_without_a_file(tmp_path, write_four_files):
    write_four_files(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    assert len(mnist(tmp_path)) == 12
    with pytest.raises(DataError, match=r"neither t10k-labels-idx1-ubyte\.gz nor t10k-labels"):
        mnist(tmp_path, "test")
    with pytest.raises(ValueError, match="split is 'valid'"):
        mnist(tmp_path, "valid")


@pytest.mark.parametrize(
    ("name", "numbers", "message"),
    [
        ("images-idx3", torch.zeros(11, 28, 28), r"12 labels up to 9 and images of shape \(11, 28"),
        (
            "images-idx3",
            torch.zeros(12, 28, 27),
            "expected labels 0 to 9 for as many images",
        ),
        ("labels-idx1", torch.full((12,), 10.0), "12 labels up to 10"),
        ("labels-idx1", torch.zeros(12, 28, 28), r"expected 1 axes .* mixed up"),
        ("images-idx3", torch.zeros(12), r"expected 3 axes .* mixed up"),
    ],
)
def test_mnist_files_that_do_not_fit(tmp_path, write_four_files, name, numbers, message):
    write_four_files(tmp_path)
    write_idx(tmp_path / f"train-{name}-ubyte.gz", numbers.byte())
    with pytest.raises(DataError, match=message):
        mnist(tmp_path)


def test_mnist_cut_short(tmp_path, write_four_files):
    write_four_files(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is cut short"):
        mnist(tmp_path)


# ---------------------------------------------------------------------------- Omniglot


@pytest.fixture
def omniglot_root(tmp_path):
    r"""Two alphabets and one, drawn as black bars on white in files of one bit a pixel."""
    bar = 1
    for archive, alphabets in (("background", ("Greek", "Latin")), ("evaluation", ("Oriya",))):
        for alphabet in alphabets:
            for character in (1, 2):
                folder = tmp_path / f"images_{archive}" / alphabet / f"character{character:02}"
                folder.mkdir(parents=True)
                for drawing in (1, 2, 3):
                    page = np.ones((105, 105), bool)
                    page[:, :bar] = False
                    Image.fromarray(page).save(folder / f"{7 + character:04}_{drawing:02}.png")
                    bar += 2
    return tmp_path


def test_omniglot(omniglot_root):
    train, test = omniglot(omniglot_root), omniglot(omniglot_root, "test")
    assert train.images.shape == (12, 1, 105, 105)
    assert train.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert train.label_names[:3] == ("Greek/character01", "Greek/character02", "Latin/character01")
    assert train.images.unique().tolist() == [0, 255]
    ink = (train.images == 255).sum((1, 2, 3)) // 105  # white ink on black, in order of the names
    assert ink.tolist() == list(range(1, 25, 2))
    assert len(test) == 6
    assert not pixels(train) & pixels(test)
    assert not set(train.label_names) & set(test.label_names)


def test_smaller_omniglot_is_averaged(omniglot_root):
    small = omniglot(omniglot_root, size=35)
    assert small.images.shape == (12, 1, 35, 35)
    whole = omniglot(omniglot_root).grid().mean((1, 2, 3))
    assert torch.allclose(small.grid().mean((1, 2, 3)), whole, atol=0.003)
    with pytest.raises(ValueError, match="size is 106; expected 1 to 105"):
        omniglot(omniglot_root, size=106)


def test_omniglot_that_is_not_there(omniglot_root, tmp_path):
    with pytest.raises(DataError, match=r"no folder .*empty.images_background; expected the unpac"):
        omniglot(tmp_path / "empty")
    (tmp_path / "empty" / "images_background").mkdir(parents=True)
    with pytest.raises(DataError, match="there are no drawings in"):
        omniglot(tmp_path / "empty")


def test_omniglot_alphabet_in_both_splits(omniglot_root):
    (omniglot_root / "images_evaluation" / "Greek").mkdir()
    with pytest.raises(DataError, match="Greek is in both images_background and images_evaluation"):
        omniglot(omniglot_root)


def test_omniglot_drawing_cut_short(omniglot_root):
    r"""Wherever it ends: either an error that names it, or (without its last bytes) whole."""
    path = omniglot_root / "images_background" / "Latin" / "character02" / "0009_02.png"
    whole, expected = path.read_bytes(), omniglot(omniglot_root).images
    refused = 0
    for keep in range(len(whole)):
        path.write_bytes(whole[:keep])
        try:
            images = omniglot(omniglot_root).images
        except DataError:
            refused += 1
        else:
            assert torch.equal(images, expected)
    assert refused > len(whole) - 40
    path.write_bytes(whole[:30])
    with pytest.raises(DataError, match=r"0009_02\.png cannot be read as a picture"):
        omniglot(omniglot_root)


def test_omniglot_drawing_of_another_size(omniglot_root):
    path = omniglot_root / "images_background" / "Latin" / "character02" / "0009_02.png"
    Image.new("1", (28, 28)).save(path)
    with pytest.raises(DataError, match=r"it has \(28, 28\) pixels, not 105 x 105"):
        omniglot(omniglot_root)


# ---------------------------------------------------------------------------- CelebA


def write_celeba(root, folders=("", "", "")):
    r"""Six pictures: red grows with the number, a green frame lies outside the crop."""
    places = [root / folder for folder in folders]
    images = places[0] / "img_align_celeba"
    for folder in (images, *places):
        folder.mkdir(parents=True, exist_ok=True)
    for k in range(1, 7):
        page = np.zeros((218, 178, 3), np.uint8)
        page[..., 1] = 255
        page[35:183, 15:163] = (40 * k, 0, 0)
        Image.fromarray(page).save(images / f"{k:06}.jpg", quality=95)
    signs = [" 1 -1  1 -1", "-1  1 -1  1", "-1 -1  1  1"] * 2
    rows = [f"{k:06}.jpg {sign}" for k, sign in enumerate(signs, 1)]
    (places[1] / "list_attr_celeba.txt").write_text("\n".join(["6", NAMES + " ", *rows, ""]))
    partition = "".join(f"{k:06}.jpg {p}\n" for k, p in enumerate("000122", 1))
    (places[2] / "list_eval_partition.txt").write_text(partition)
    return root


@pytest.fixture(params=[("", "", ""), ("Img", "Anno", "Eval")], ids=["flat", "as published"])
def celeba_root(request, tmp_path):
    return write_celeba(tmp_path, request.param)


def test_celeba(celeba_root):
    sets = {split: celeba(celeba_root, split) for split in ("train", "valid", "test")}
    assert [len(data) for data in sets.values()] == [3, 1, 2]
    train = sets["train"]
    assert train.images.shape == (3, 3, 64, 64)
    assert train.attribute_names == tuple(NAMES.split())
    assert train.attributes.int().tolist() == [[1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 1]]
    assert train.labels.tolist() == [1, 0, 1]
    assert train.label_names == ("not smiling", "smiling")
    assert sets["test"].attribute("Young").tolist() == [True, True]
    red = train.images[:, 0, 32, 32].tolist()
    assert red == pytest.approx([40, 80, 120], abs=3)
    assert train.images[:, 1, 4:-4, 4:-4].max() < 12, "the frame is outside the crop"
    assert celeba(celeba_root, size=32).images.shape == (3, 3, 32, 32)
    prints = [pixels(data) for data in sets.values()]
    assert sum(map(len, prints)) == len(set.union(*prints)) == 6


def test_first_pictures_of_celeba(celeba_root):
    (celeba_root / "img_align_celeba" / "000003.jpg").unlink(missing_ok=True)
    (celeba_root / "Img" / "img_align_celeba" / "000003.jpg").unlink(missing_ok=True)
    assert len(celeba(celeba_root, num_images=2)) == 2  # others are not even opened
    with pytest.raises(DataError, match=r"there is no file .*000003\.jpg; unpack the published"):
        celeba(celeba_root)
    with pytest.raises(ValueError, match="num_images=0; expected at least 1"):
        celeba(celeba_root, num_images=0)


def edit(path, change):
    path.write_text(change(path.read_text()))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("list_eval_partition.txt", lambda t: t + "000001.jpg 2\n", "names a picture twice"),
        ("list_eval_partition.txt", lambda t: t.replace("jpg 1", "jpg 7"), "is damaged; expected"),
        ("list_eval_partition.txt", lambda t: t[:40], "is damaged; expected lines like"),
        ("list_eval_partition.txt", lambda t: "000005.jpg 2\n", "has no picture of train"),
        ("list_attr_celeba.txt", lambda t: t[:90], "its first line says '6', it has"),
        ("list_attr_celeba.txt", lambda t: "", "is damaged: its first line says ''"),
        ("list_attr_celeba.txt", lambda t: t.replace("Smiling", "Smile"), "4 names of attributes"),
        (
            "list_attr_celeba.txt",
            lambda t: t.replace("000002.jpg -1 ", "000002.jpg "),
            r"lacks the 4 attributes of 1 pictures, the first 000002\.jpg",
        ),
        (
            "list_attr_celeba.txt",
            lambda t: t.replace("000002.jpg", "000009.jpg"),
            r"lacks the 4 attributes of 1 pictures, the first 000002\.jpg",
        ),
    ],
)
def test_damaged_lists_of_celeba(tmp_path, name, change, message):
    edit(write_celeba(tmp_path) / name, change)
    with pytest.raises(DataError, match=message):
        celeba(tmp_path)


@pytest.mark.parametrize("keep", [0, 100, 900])
def test_celeba_picture_cut_short(tmp_path, keep):
    path = write_celeba(tmp_path) / "img_align_celeba" / "000002.jpg"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"000002\.jpg cannot be read as a picture"):
        celeba(tmp_path)


def test_celeba_in_the_wild_is_refused(tmp_path):
    path = write_celeba(tmp_path) / "img_align_celeba" / "000002.jpg"
    Image.new("RGB", (409, 687)).save(path)
    with pytest.raises(DataError, match=r"it has \(409, 687\) pixels, not \(178, 218\)"):
        celeba(tmp_path)


@pytest.mark.parametrize(
    "name", ["img_align_celeba", "list_attr_celeba.txt", "list_eval_partition.txt"]
)
def test_celeba_without_a_file(tmp_path, name):
    root = write_celeba(tmp_path)
    (root / name).rename(root / "elsewhere")
    with pytest.raises(DataError, match=rf"there is no {name} in .*, nor in its folder"):
        celeba(root)
