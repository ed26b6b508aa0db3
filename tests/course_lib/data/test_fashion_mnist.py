r"""Fashion-MNIST: where it comes from, in which order, and that its splits share nothing."""

import hashlib
import tomllib
from pathlib import Path

import pytest
import torch

from course_lib.data import DataError, fashion_mnist

ROOT = Path(__file__).resolve().parents[3]
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
needs_full_set = pytest.mark.skipif(not DEBIAN.is_dir(), reason="no dataset-fashion-mnist here")
SPLITS = ("train", "test")


def fingerprints(images):
    return [hashlib.sha256(image.tobytes()).digest() for image in images.numpy()]


def no_image_twice():
    prints = [print_ for split in SPLITS for print_ in fingerprints(fashion_mnist(split).images)]
    return len(set(prints)) == len(prints)


def use_tiny_files(module, monkeypatch):
    r"""Let the small files of `write_four_files` pass for the published ones."""
    monkeypatch.setattr(
        module,
        "read_idx",
        lambda path, *, num_axes, sha256, read=module.read_idx: read(path, num_axes=num_axes),
    )


def test_bundled_subset(nothing_installed, capsys):
    train, test = map(fashion_mnist, SPLITS)
    for data, per_class in ((train, 1000), (test, 200)):
        assert data.images.shape == (10 * per_class, 1, 28, 28)
        assert data.labels.bincount().tolist() == 10 * [per_class]
        assert data.label_names[9] == "Ankle boot"
        assert "of the published" in data.source
    assert "10000 of the published train images" in train.source
    (line,) = capsys.readouterr().out.splitlines()  # once, for both
    assert "numbers will differ a little" in line
    assert "python -m course_lib.data fetch" in line
    assert not nothing_installed.exists(), "nobody asked for a cache"


def test_bundled_splits_share_no_image(nothing_installed):
    assert no_image_twice()


def test_bundled_images_are_not_sorted_by_class(nothing_installed):
    labels = fashion_mnist("train").labels[:2000]
    assert labels.bincount(minlength=10).min() > 150


@needs_full_set
def test_full_splits_share_no_image(monkeypatch):
    monkeypatch.delenv("COURSE_DATA", raising=False)
    assert no_image_twice()


@needs_full_set
def test_full_set(monkeypatch, capsys):
    monkeypatch.delenv("COURSE_DATA", raising=False)
    for split, count in (("train", 60000), ("test", 10000)):
        data = fashion_mnist(split)
        assert data.images.shape == (count, 1, 28, 28)
        assert data.labels.bincount().tolist() == 10 * [count // 10]
        assert data.source.startswith(f"Fashion-MNIST, all {count} {split} images, from the ")
    assert capsys.readouterr().out == ""
    assert fashion_mnist("test").label_names[fashion_mnist("test").labels[0]] == "Ankle boot"


@needs_full_set
def test_bundled_images_are_those_of_the_full_set_in_its_order(
    nothing_installed, module, monkeypatch
):
    for split in SPLITS:
        own = fashion_mnist(split)
        with monkeypatch.context() as patch:
            patch.setattr(module, "DEBIAN_FOLDER", DEBIAN)
            full = fashion_mnist(split)
        place = {print_: k for k, print_ in enumerate(fingerprints(full.images))}
        places = [place[print_] for print_ in fingerprints(own.images)]
        assert places == sorted(places)
        assert torch.equal(full.labels[places], own.labels)


def test_order_of_sources(nothing_installed, module, write_four_files, monkeypatch, tmp_path):
    use_tiny_files(module, monkeypatch)
    places = {
        "the user's cache": nothing_installed / "fashion-mnist",
        "the Debian package dataset-fashion-mnist": module.DEBIAN_FOLDER,
        "the folder COURSE_DATA": tmp_path / "mine" / "fashion-mnist",
    }
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "mine"))
    assert "bundled" in fashion_mnist("test").source
    for words, folder in places.items():  # each new one is preferred to those before
        write_four_files(folder)
        assert fashion_mnist("test").source.endswith(words)
        assert module.full_set_source() == words
    monkeypatch.setenv("COURSE_DATA", "bundled")
    assert "bundled" in fashion_mnist("test").source
    assert module.full_set_source() is None


def test_unpacked_files_do_as_well(
    nothing_installed, module, write_four_files, monkeypatch, tmp_path
):
    use_tiny_files(module, monkeypatch)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    write_four_files(tmp_path / "fashion-mnist", suffix="")
    assert fashion_mnist("train").images[:, 0, 0, 0].tolist() == list(range(1, 13))


def test_half_a_set_is_none(nothing_installed, module, write_four_files, monkeypatch):
    use_tiny_files(module, monkeypatch)
    write_four_files(nothing_installed / "fashion-mnist")
    (nothing_installed / "fashion-mnist" / "train-labels-idx1-ubyte.gz").unlink()
    assert "bundled" in fashion_mnist("train").source
    assert "cache" in fashion_mnist("test").source
    assert module.full_set_source() is None


def test_other_files_of_these_names_are_refused(
    nothing_installed, write_four_files, monkeypatch, tmp_path
):
    write_four_files(tmp_path / "fashion-mnist")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"SHA-256.*MNIST's files have the same names"):
        fashion_mnist("train")


def test_damaged_file_is_an_error_and_no_reason_to_fall_back(
    nothing_installed, write_four_files, monkeypatch, tmp_path
):
    write_four_files(tmp_path / "fashion-mnist")
    path = tmp_path / "fashion-mnist" / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:40])
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz is cut short after 40 byt"):
        fashion_mnist("test")


def test_a_wrong_folder_is_an_error(nothing_installed, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "typo"))
    with pytest.raises(DataError, match=r"COURSE_DATA is '.*typo', which is no folder; expected"):
        fashion_mnist("train")


def test_no_such_split():
    with pytest.raises(ValueError, match="split is 'valid'; expected one of 'train', 'test'"):
        fashion_mnist("valid")


@needs_full_set
def test_the_tool_chooses_the_bundled_images(nothing_installed, module, monkeypatch):
    import fashion_mnist_subset as tool

    with monkeypatch.context() as patch:
        patch.setattr(module, "DEBIAN_FOLDER", DEBIAN)
        chosen = dict(tool.choose())
    for split in SPLITS:
        assert torch.equal(chosen[split].images, fashion_mnist(split).images)
        assert torch.equal(chosen[split].labels, fashion_mnist(split).labels)


def test_the_bundled_files_are_small_and_declared_as_package_data(module):
    paths = sorted(module._bundled().iterdir())
    sizes = [path.stat().st_size for path in paths]
    assert [path.name for path in paths if path.suffix == ".gz"] == [
        f"{file.name}.gz" for file in sorted(sum(module.FILES.values(), ()), key=lambda f: f.name)
    ]
    assert sum(sizes) < 5_500_000
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["course_lib"]
    declared = {path for pattern in patterns for path in (ROOT / "course_lib").glob(pattern)}
    assert set(paths) <= declared


def test_the_licence_comes_along(module):
    text = (module._bundled() / "LICENSE").read_text()
    assert "Copyright (c) 2017 Zalando SE" in text
    assert "Permission is hereby granted, free of charge" in text
