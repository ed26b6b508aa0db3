r"""The map of a latent plane: its grid of images, and what it does in a real browser."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.latent_explorer import latent_explorer
from course_lib.vae import VAE

SIZE = 8


def blobs(z):
    r"""Grey images that are brighter to the right (z₁) and to the top (z₂), shape (K, 64)."""
    place = torch.linspace(-1, 1, SIZE)
    image = z[:, :1, None] * place + z[:, 1:, None] * place.flip(0)[:, None]
    return torch.sigmoid(image).flatten(1)


def colours(z):
    r"""Plain images: red is z₁ and green is z₂, both from 0 to 1, shape (K, 3, 8, 8)."""
    channels = torch.stack([z[:, 0], z[:, 1], torch.zeros_like(z[:, 0])], 1)
    return channels[..., None, None].expand(-1, -1, SIZE, SIZE)


@pytest.fixture
def codes():
    return torch.tensor([[0.0, 0.0], [1.0, -1.0], [2.0, 1.5]])


def test_the_picture_is_the_grid_of_decoded_images():
    figure = latent_explorer(colours, limits=(0.0, 1.0), grid_size=3)
    image = Image.open(io.BytesIO(figure.png))
    assert image.size == (3 * SIZE, 3 * SIZE)
    corners = [image.getpixel(place) for place in ((0, 0), (23, 0), (0, 23), (23, 23), (12, 12))]
    assert corners == [(0, 255, 0), (255, 255, 0), (0, 0, 0), (255, 0, 0), (128, 128, 0)]


def test_limits_of_each_axis():
    figure = latent_explorer(colours, limits=((0.0, 1.0), (0.5, 1.0)), grid_size=2, start=(0, 0.5))
    image = Image.open(io.BytesIO(figure.png))
    assert image.getpixel((0, SIZE)) == (0, 128, 0)
    assert figure.readout["the grid"] == "z₁ from 0 (left) to 1, z₂ from 0.5 (bottom) to 1"


def test_grey_images_keep_their_brightness():
    figure = latent_explorer(blobs, limits=(-3.0, 3.0), grid_size=5)
    image = Image.open(io.BytesIO(figure.png))
    assert image.mode == "L"
    first = np.asarray(image.crop((0, 0, SIZE, SIZE))).ravel() / 255
    expected = blobs(torch.tensor([[-3.0, 3.0]]))[0].numpy(force=True)
    assert abs(first - expected).max() < 0.02


def test_what_it_tells_of_the_start(codes):
    figure = latent_explorer(
        blobs,
        limits=(-3.0, 3.0),
        codes=codes,
        labels=torch.tensor([0, 2, 1]),
        label_names=("shirt", "bag", "boot"),
        start=(1.0, -0.5),
    )
    assert figure.readout["z"] == "(1.00, -0.50)"
    assert figure.readout["distance from 0"] == "1.12"
    assert figure.readout["nearest code"] == "boot, 0.50 away"
    assert repr(figure).startswith("The latent plane, and the image decoded at a point. z: (1.00")


def test_many_codes_are_thinned_out(generator):
    codes = torch.randn(4001, 2, generator=generator)
    data = latent_explorer(
        blobs, limits=(-3.0, 3.0), codes=codes, labels=torch.arange(4001) % 3
    ).data
    assert len(data["codes"]) == len(data["labels"]) == 1334
    assert data["labels"][:3] == [0, 0, 0]  # every third
    assert data["labelNames"] == ["0", "1", "2"]


def test_the_page_is_small_and_holds_no_address(generator):
    vae = VAE(784, 2)
    codes = torch.randn(2000, 2, generator=generator)
    pages = [
        latent_explorer(vae.decode, limits=(-3.0, 3.0), codes=codes)._repr_html_() for _ in range(2)
    ]
    assert pages[0] == pages[1]
    assert set(re.findall(r"https?://[^\"'\s]+", pages[0])) == {"http://www.w3.org/2000/svg"}
    assert len(pages[0]) < 300_000


def test_a_label_cannot_end_the_script(codes):
    options = {"codes": codes, "labels": torch.zeros(3, dtype=torch.long)}
    figure = latent_explorer(blobs, limits=(-3, 3), label_names=("</script>",), **options)
    assert figure._repr_html_().count("</script>") == 1


def test_sliders_decode_the_point_itself():
    r"""Not a mixture of images: the live figure asks the decoder."""
    figure = latent_explorer(blobs, limits=(-3.0, 3.0), grid_size=2, start=(0.5, 0.5))
    first, second, image = figure.live().children
    before = image.value
    first.value = -2.0
    assert image.value != before
    shown = np.asarray(Image.open(io.BytesIO(image.value))).ravel() / 255
    expected = blobs(torch.tensor([[-2.0, second.value]]))[0].numpy(force=True)
    assert abs(shown - expected).max() < 0.02


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grid_size": 1}, "grid_size is 1"),
        ({"limits": (1.0, 1.0)}, "with low below high"),
        ({"limits": ((0.0, 1.0), (2.0, 1.0))}, "with low below high"),
        ({"start": (4.0, 0.0)}, "expected a point within the limits"),
        ({"decode": lambda z: z}, "decode returned shape"),
        ({"decode": lambda z: blobs(z[:1])}, "for 9 codes"),
        ({"decode": lambda z: blobs(z) * torch.nan}, "images holds 576 values that are NaN"),
        ({"labels": torch.zeros(3)}, "labels were given without codes"),
        ({"codes": torch.zeros(3, 3)}, r"expected \(N, 2\) and \(N,\)"),
        ({"codes": torch.zeros(3, 2), "labels": torch.zeros(2)}, r"expected \(N, 2\) and \(N,\)"),
        (
            {"codes": torch.zeros(2, 2), "labels": torch.tensor([0, 1]), "label_names": ("a",)},
            "labels go from 0 to 1 and there are 1 label_names",
        ),
    ],
)
def test_bad_input(change, message):
    options = {"decode": blobs, "limits": (-3.0, 3.0), "grid_size": 3} | change
    with pytest.raises(ValueError, match=message):
        latent_explorer(**options)


# In a browser


def readouts(page):
    return [text.strip() for text in page.locator("dd").all_inner_texts()]


def shown_pixels(page):
    r"""The decoded image on the page, as (H, W, 4) numbers."""
    script = """canvas => Array.from(canvas.getContext("2d").getImageData(
        0, 0, canvas.width, canvas.height).data)"""
    return torch.tensor(page.locator("canvas").evaluate(script)).reshape(SIZE, SIZE, 4)


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_drag_and_keys_move_the_point_and_the_image(codes, browser, page_of):
    figure = latent_explorer(
        colours,
        limits=(0.0, 2.0),
        grid_size=3,
        codes=codes,
        labels=torch.tensor([0, 1, 9]),
        label_names=tuple("abcdefghij"),
        start=(0.5, 0.25),
    )
    page, problems = browser.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(page_of(figure))
    page.wait_for_selector("canvas")
    assert readouts(page) == list(figure.readout.values())[:3]
    red, green = shown_pixels(page)[3, 4, :2].tolist()
    assert abs(red - 255 * 0.5) <= 2  # between the images at 0 and 1
    assert abs(green - 255 * 0.25) <= 2
    box = page.locator("svg[role=img]").bounding_box()
    scale = box["width"] / 360
    page.mouse.move(box["x"] + 60 * scale, box["y"] + 60 * scale)
    page.mouse.down()
    page.mouse.move(box["x"] + (46 + 225) * scale, box["y"] + (12 + 75) * scale, steps=3)
    page.mouse.up()
    z = [float(value) for value in re.findall(r"-?\d+\.\d+", readouts(page)[0])]
    assert z == pytest.approx([1.5, 1.5], abs=0.03)
    assert shown_pixels(page)[3, 4, :3].tolist() == pytest.approx([255, 255, 0], abs=2)
    assert readouts(page)[2].startswith("j, ")
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    moved = [float(value) for value in re.findall(r"-?\d+\.\d+", readouts(page)[0])]
    assert moved == pytest.approx([z[0] - 0.01, z[1] + 0.03], abs=0.011)
    page.keyboard.press("ArrowRight")
    slider = page.get_by_label("z₁")
    slider.focus()
    page.keyboard.press("Home")
    assert readouts(page)[0].startswith("(0.00, 1.5")
    for control in page.locator("input").all():  # JupyterLab leaves their keys alone
        assert control.get_attribute("data-lm-suppress-shortcuts") == "true"
    assert not problems


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_without_scripts_all_images_and_the_numbers(browser, page_of):
    figure = latent_explorer(blobs, limits=(-3.0, 3.0), grid_size=5)
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(page_of(figure))
    assert page.locator("img").evaluate("image => image.naturalWidth") == 5 * SIZE
    assert page.locator("li span").all_inner_texts() == list(figure.readout.values())
    assert base64.b64encode(figure.png).decode() in page.content()
