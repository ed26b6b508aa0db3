r"""Latent traversals to play with: the images they hold, and what they do in a real browser."""

import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.traversal_explorer import traversal_explorer
from course_lib.vae import VAE

SIZE = 8


def colours(z):
    r"""Plain images: red, green and blue are z₁, z₂ and z₃, shape (K, 3, 8, 8)."""
    return z[:, :3, None, None].expand(-1, -1, SIZE, SIZE)


@pytest.fixture
def figure():
    z = torch.tensor([0.25, 0.5, 0.8])
    return traversal_explorer(colours, z, ranges=(0.0, 1.0), num_values=3)


def levels(*shares):
    return tuple(round(255 * share) for share in shares)


def test_a_row_changes_its_own_dimension_only(figure):
    image = Image.open(io.BytesIO(figure.png))
    assert image.size == (4 * SIZE, 3 * SIZE)
    rows = [[image.getpixel((SIZE * c + 3, SIZE * r + 3)) for c in range(4)] for r in range(3)]
    own = levels(0.25, 0.5, 0.8)
    assert rows[0] == [own, *(levels(value, 0.5, 0.8) for value in (0, 0.5, 1))]
    assert rows[1] == [own, *(levels(0.25, value, 0.8) for value in (0, 0.5, 1))]
    assert rows[2] == [own, *(levels(0.25, 0.5, value) for value in (0, 0.5, 1))]


def test_what_it_tells(figure):
    assert figure.readout == {
        "each row": "the example, then one latent dimension over its range",
        "z₁": "from 0 to 1; the example has 0.25",
        "z₂": "from 0 to 1; the example has 0.50",
        "z₃": "from 0 to 1; the example has 0.80",
    }


def test_ranges_and_names_of_each_dimension():
    z = torch.tensor([0.25, 0.5, 0.8])
    pairs = [(-1, 1), (0.5, 1), (0, 1)]
    found = traversal_explorer(colours, z, ranges=pairs, names=["x", "y", "size"], num_values=2)
    assert found.data["ranges"] == [[-1, 1], [0.5, 1], [0, 1]]
    assert found.readout["x"] == "from −1 to 1; the example has 0.25"
    image = Image.open(io.BytesIO(found.png))
    assert image.getpixel((SIZE, SIZE)) == levels(0.25, 0.5, 0.8)


def test_two_dimensions_can_have_two_ranges():
    z = torch.tensor([0.25, 0.5])
    found = traversal_explorer(
        lambda z: z.mean(1)[:, None].expand(-1, 4), z, ranges=[(0, 1), (-2, 2)]
    )
    assert found.data["ranges"] == [[0, 1], [-2, 2]]


def test_the_decoder_gets_codes_like_the_one_given():
    seen = []

    def decode(z):
        seen.append(z)
        return colours(z.float())

    z = torch.zeros(3, dtype=torch.float64)
    traversal_explorer(decode, z, ranges=(-1, 1))
    assert seen[0].dtype == torch.float64
    assert seen[0].shape == (28, 3)


def test_the_page_is_small_and_holds_no_address():
    vae, z = VAE(1024, 10), torch.zeros(10)
    pages = [traversal_explorer(vae.decode, z, ranges=(-3.0, 3.0))._repr_html_() for _ in range(2)]
    assert pages[0] == pages[1]
    assert not re.findall(r"https?://[^\"'\s]+", pages[0])
    assert len(pages[0]) < 200_000


def test_a_name_cannot_end_the_script():
    found = traversal_explorer(colours, torch.zeros(3), ranges=(-1, 1), names=["</script>", "", ""])
    assert found._repr_html_().count("</script>") == 1


def test_with_a_kernel_all_dimensions_move_together(figure):
    sliders, image = figure.live().children
    red, green, blue = sliders.children
    assert [slider.value for slider in sliders.children] == pytest.approx([0.25, 0.5, 0.8])
    red.value, green.value = 1.0, 0.0
    shown = np.asarray(Image.open(io.BytesIO(image.value)))
    assert tuple(shown[0, 0]) == pytest.approx(levels(1, 0, blue.value), abs=1)


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"z": torch.zeros(2, 3)}, r"expected one code \(M,\)"),
        ({"z": torch.zeros(3, dtype=torch.long)}, "of floating-point numbers"),
        ({"num_values": 1}, "num_values is 1"),
        ({"ranges": (1.0, 1.0)}, "with low below high"),
        ({"ranges": [(0, 1)] * 2}, "one pair for each"),
        ({"ranges": (0.5, 1.0)}, r"z\[0\] is 0 and its range is \(0.5, 1\)"),
        ({"names": ["a"]}, "there are 1 names for 3 latent dimensions"),
        ({"decode": lambda z: z}, "decode returned shape"),
    ],
)
def test_bad_input(change, message):
    options = {"decode": colours, "z": torch.zeros(3), "ranges": (-1.0, 1.0)} | change
    with pytest.raises(ValueError, match=message):
        traversal_explorer(**options)


# In a browser


def colour(page, name):
    r"""Of the image in the row of this name."""
    script = "canvas => Array.from(canvas.getContext('2d').getImageData(3, 3, 1, 1).data)"
    return tuple(page.get_by_label(f"{name}, decoded", exact=True).evaluate(script)[:3])


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_keys_clicks_and_the_way_back(figure, browser, page_of):
    page, problems = browser.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(page_of(figure))
    page.wait_for_selector("canvas")
    own = levels(0.25, 0.5, 0.8)
    assert page.locator("output").all_inner_texts() == ["0.25", "0.50", "0.80"]
    assert [colour(page, name) for name in ("z₁", "z₂", "z₃")] == [own] * 3
    back = page.get_by_role("button")
    assert back.is_disabled()
    page.get_by_label("z₁", exact=True).focus()
    page.keyboard.press("End")
    assert page.locator("output").all_inner_texts() == ["1.00", "0.50", "0.80"]
    assert colour(page, "z₁") == levels(1, 0.5, 0.8)
    page.get_by_label("z₃ = 0.00").click()
    assert colour(page, "z₃") == levels(0.25, 0.5, 0)
    assert colour(page, "z₂") == own  # rows do not add up
    assert page.get_by_label("z₃", exact=True).input_value() == "0"
    back.click()
    assert page.locator("output").all_inner_texts() == ["0.25", "0.50", "0.80"]
    assert back.is_disabled()
    for control in page.locator("input, button").all():  # JupyterLab leaves their keys alone
        assert control.get_attribute("data-lm-suppress-shortcuts") == "true"
    assert not problems


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_without_scripts_all_images_and_the_numbers(figure, browser, page_of):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(page_of(figure))
    assert page.locator("img").evaluate("image => image.naturalWidth") == 4 * SIZE
    assert page.locator("li span").all_inner_texts() == list(figure.readout.values())
