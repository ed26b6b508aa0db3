r"""`python -m course_lib.data`: what it says, what it writes, and how it fails."""

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from course_lib.data import gallery
from course_lib.data.__main__ import app
from course_lib.data.gallery import contact_sheet, curves, terminal_picture

HERE = [name for name, entry in gallery.SETS.items() if entry.here]


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return " ".join(result.output.replace("│", " ").split())


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


def test_list_names_every_set(nothing_installed):
    text = run("list")
    assert all(name in text for name in gallery.SETS)
    assert "`fetch` gets all 70000" in text


def test_list_says_where_the_full_set_is(module, nothing_installed, write_four_files):
    write_four_files(module.DEBIAN_FOLDER)
    assert "all 70000, from the Debian package" in run("list")


def test_list_with_a_wrong_folder(nothing_installed, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", "no/such/folder")
    assert "which is no folder" in run("list", code=1)


@pytest.mark.parametrize("name", HERE)
def test_every_set_that_is_here_can_be_shown(name, nothing_installed, tmp_path):
    path = tmp_path / "sheet.png"
    text = run("show", name, "--num", 9, "--save", path)
    assert "sheet.png" in text
    picture = np.asarray(Image.open(path))
    assert picture.ndim == (3 if name == "faces" else 2)
    assert picture.std() > 10


def test_show_ones_own_files(tmp_path, write_four_files):
    write_four_files(tmp_path)
    sheet = tmp_path / "sheet.png"
    run("show", "mnist", "--root", tmp_path, "--num", 4, "--save", sheet, "--split", "test")
    picture = np.asarray(Image.open(sheet))
    assert set(np.unique(picture)) == {101, 102, 103, 104, 128}


def test_show_in_a_terminal(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    lines = run("show", "faces", "--num", 3).split("faces (train)")[0]
    assert lines.count("▀") == 16 * (3 * 32 + 2 * 2)
    assert "38;2;" in lines, "no colours"
    monkeypatch.setenv("COLUMNS", "70")  # now two of them fit side by side
    assert run("show", "faces", "--num", 3).count("▀") == 33 * (2 * 32 + 2)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("show", "nothing"), 2, "none of old_faithful"),
        (("show", "celeba"), 2, "celeba needs --root"),
        (("show", "mnist", "--root", "empty"), 1, "there is neither train-images-idx3-ubyte.gz"),
        (("show", "faces", "--split", "valid"), 1, "split is 'valid'"),
        (("show", "faces"), 1, "write a picture file with --save"),
        (("show", "faces", "--save", "sheet.strange"), 1, "sheet.strange"),
        (("show", "faces", "--save", "no/such/folder/sheet.png"), 1, "No such file"),
        (("fetch", "celeba"), 2, "celeba cannot be fetched"),
    ],
)
def test_what_cannot_be_done(arguments, code, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = run(*arguments, code=code)
    if message == "sheet.strange":
        assert "extension" in text
    else:
        assert message in text
    assert list(tmp_path.iterdir()) == []


def test_fetch_without_a_network(nothing_installed, module, monkeypatch):
    monkeypatch.setattr(module, "ADDRESSES", ("http://no-such-host.invalid/",))
    text = run("fetch", "fashion_mnist", code=1)
    assert "train-images-idx3-ubyte.gz could not be downloaded" in text
    assert "the server cannot be reached" in text


def test_fetch_what_is_here(nothing_installed, module, monkeypatch, write_four_files):
    write_four_files(module.DEBIAN_FOLDER)
    monkeypatch.setattr(
        module,
        "read_idx",
        lambda path, *, num_axes, sha256, read=module.read_idx: read(path, num_axes=num_axes),
    )
    text = run("fetch", "fashion_mnist")
    assert "all 12 train images, from the Debian package" in text
    assert "all 4 test images" in text


def test_contact_sheet():
    images = torch.arange(1, 6, dtype=torch.uint8, device="cpu")[:, None, None, None]
    sheet = contact_sheet(images.expand(5, 3, 4, 6), columns=3)
    assert sheet.shape == (2 * 4 + 2, 3 * 6 + 2 * 2, 3)
    assert sheet[0, ::8, 0].tolist() == [1, 2, 3]
    assert sheet[-1, ::8, 0].tolist() == [4, 5, 128]


def test_terminal_picture_shows_two_pixels_a_character():
    sheet = torch.tensor([[[10], [20]], [[30], [40]], [[50], [60]]], dtype=torch.uint8).cpu()
    text = terminal_picture(sheet)
    assert text.plain == "▀▀\n▀▀\n"
    styles = [span.style for span in text.spans]
    assert styles[0] == "rgb(10,10,10) on rgb(30,30,30)"
    assert styles[3] == "rgb(60,60,60) on rgb(60,60,60)"


def test_curves_are_connected():
    signals = torch.sin(torch.linspace(0, 20, 256, dtype=torch.float32, device="cpu"))[None]
    ink = curves(signals)[0, 0] > 0
    assert ink.shape == (32, 128)
    assert ink.any(0).all()
    assert ink[0].any()
    assert ink[-1].any()
