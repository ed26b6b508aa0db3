"""Figures as they are committed: in a palette, with the colours of the curves unchanged."""

import base64
import io

import numpy as np
from PIL import Image

from outputs import NUM_COLOURS, with_palette

TEAL, BLUE = (0, 158, 115), (0, 114, 178)


def png_of(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")


def image_of(png: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(png)))


def test_two_curves_beside_a_grey_picture_keep_their_own_colours():
    random = np.random.default_rng(0)
    pixels = np.repeat(random.integers(0, 256, (100, 100, 1), dtype=np.uint8), 3, axis=2)
    pixels[:2] = TEAL
    pixels[2:4] = BLUE
    shown = np.asarray(image_of(with_palette(png_of(pixels))).convert("RGB"))
    assert (shown[:2] == TEAL).all()
    assert (shown[2:4] == BLUE).all()
    assert np.abs(shown[4:].astype(int) - pixels[4:]).max() < 10


def test_a_colourful_photograph_fits_the_palette():
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (60, 60, 3), dtype=np.uint8)
    shown = image_of(with_palette(png_of(pixels)))
    assert len(shown.convert("RGB").getcolors()) <= NUM_COLOURS


def test_few_colours_stay_as_they_are():
    pixels = np.zeros((20, 20, 3), dtype=np.uint8)
    pixels[5:] = TEAL
    shown = np.asarray(image_of(with_palette(png_of(pixels))).convert("RGB"))
    assert (shown == pixels).all()
