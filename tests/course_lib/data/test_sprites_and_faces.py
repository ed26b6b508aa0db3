r"""Factors and attributes: each does what its name says, alone, and visibly."""

import math

import pytest
import torch

from course_lib.data import faces, render_sprites, sprites
from course_lib.data.face_paint import Canvas
from course_lib.data.faces import ATTRIBUTE_NAMES


@pytest.fixture(scope="module")
def all_sprites():
    return sprites()


def test_every_sprite_is_different(all_sprites):
    r"""So a split of the grid, however drawn, has no picture on both sides."""
    assert len({image.tobytes() for image in all_sprites.images.numpy()}) == 92160


def test_sprites_come_in_order_of_their_factors(all_sprites):
    assert all_sprites.factor_sizes == (3, 6, 20, 16, 16)
    grid = torch.cartesian_prod(*map(torch.arange, all_sprites.factor_sizes)).cpu()
    assert torch.equal(all_sprites.factors, grid)
    assert torch.equal(all_sprites.labels, grid[:, 0])


def test_chosen_sprites_are_those_of_the_grid(all_sprites):
    some = sprites(2000, seed=1)
    sizes = torch.tensor(all_sprites.factor_sizes, device="cpu")
    strides = sizes.flip(0).cumprod(0).flip(0) // sizes
    rows = (some.factors * strides).sum(1)
    assert len(rows.unique()) == 2000
    assert torch.equal(some.images, all_sprites.images[rows])
    assert not torch.equal(some.factors, sprites(2000, seed=2).factors)


def factors(**values):
    start = {"shape": 0, "scale": 3, "turn": 0, "x": 8, "y": 8} | values
    length = max(len(v) for v in start.values() if not isinstance(v, int))
    columns = [torch.as_tensor(v, device="cpu").expand(length) for v in start.values()]
    return torch.stack(columns, 1)


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("shape", [0, 1, 2])
def test_places_are_shifts(shape, size):
    step = size // 32
    across = render_sprites(factors(shape=shape, x=range(16)), size=size)
    down = render_sprites(factors(shape=shape, y=range(16)), size=size)
    for k in range(15):
        assert torch.equal(across[k].roll(step, -1), across[k + 1])
        assert torch.equal(down[k].roll(step, -2), down[k + 1])


def test_areas_grow_with_the_scale_and_not_with_the_angle():
    for shape in range(3):
        area = render_sprites(factors(shape=shape, scale=range(6))).sum((1, 2, 3)) / 255
        linear = (area / area[-1]).sqrt()
        expected = torch.linspace(0.5, 1, 6, dtype=torch.float32, device="cpu")
        assert torch.allclose(linear.float(), expected, atol=0.02)
        turned = render_sprites(factors(shape=shape, turn=range(20), scale=[5])).sum((1, 2, 3))
        assert turned.max() < 1.02 * turned.min()


def test_the_angle_is_an_angle():
    r"""The axis of the ellipse, from its second moments, turns by 4.5 degrees a step."""
    images = render_sprites(factors(shape=1, turn=range(20), scale=[5]), size=128)[:, 0].double()
    line = torch.arange(128, dtype=torch.float64, device="cpu")
    weight = images / images.sum((1, 2), keepdim=True)
    x, y = (weight.sum(1) * line).sum(1), (weight.sum(2) * line).sum(1)
    dx, dy = line - x[:, None], line - y[:, None]
    xx = (weight.sum(1) * dx**2).sum(1)
    yy = (weight.sum(2) * dy**2).sum(1)
    xy = torch.einsum("nij,ni,nj->n", weight, dy, dx)
    angle = torch.atan2(2 * xy, xx - yy) / 2
    expected = torch.arange(20, dtype=torch.float64, device="cpu") * math.pi / 40
    assert torch.allclose(angle, expected, atol=0.02)


@pytest.mark.usefixtures("unchecked_shapes")
def test_factors_out_of_range():
    with pytest.raises(ValueError, match=r"1 of 2 rows of factors.*shape from 0 to 2, scale"):
        render_sprites(factors(shape=[2, 3]))


def test_every_combination_of_attributes_is_equally_frequent():
    attributes = faces(640, seed=1).attributes
    codes = (attributes.long() * 2 ** torch.arange(6, device="cpu")).sum(1)
    for block in codes.split(64):
        assert block.sort().values.tolist() == list(range(64))
    assert not torch.equal(codes[:64], codes[64:128]), "the order is not random"


def test_the_label_is_the_smile():
    data = faces(100)
    assert torch.equal(data.labels, data.attribute("smile").long())
    assert data.label_names[1] == "smile"


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("name", ATTRIBUTE_NAMES)
def test_every_attribute_shows_whatever_the_others_are(name, size):
    r"""Adding it to the same person changes enough pixels, and only some."""
    data = faces(192, size=size, seed=2)
    column = ATTRIBUTE_NAMES.index(name)
    pictures = []
    for value in (False, True):
        attributes = data.attributes.clone()
        attributes[:, column] = value
        pictures.append(faces(192, size=size, seed=2, attributes=attributes).grid())
    change = (pictures[1] - pictures[0]).abs().amax(1).flatten(1)
    share = (change > 0.08).float().mean(1)
    assert share.min() > 0.01, f"{name} is hard to see on {int(share.argmin())}"
    assert share.max() < 0.6


def test_attributes_given_are_attributes_shown():
    data = faces(100, seed=3)
    again = faces(100, seed=3, attributes=data.attributes)
    assert torch.equal(again.images, data.images)
    assert torch.equal(again.attributes, data.attributes)


def test_people_do_not_tell_their_attributes():
    r"""What differs between people is drawn independently of their attributes.

    Of 6400 faces, the average colour of the first row, where no hat ends, tells nothing about them:
    the correlations have standard deviation 1/80, and 18 of them stay below 5 of these but for a
    chance of 1e-5; with fixed seeds the answer is always the same.
    """
    data = faces(6400, seed=4)
    background = data.grid(torch.float64)[:, :, 16:18, 0].mean(2)  # left border, half-way down
    background = (background - background.mean(0)) / background.std(0)
    has = data.attributes.double()
    has = (has - has.mean(0)) / has.std(0)
    short = ~data.attribute("long hair")  # long hair could reach the border
    correlation = background[short].mT @ has[short] / short.sum()
    assert correlation[:, [0, 1, 2, 3, 5]].abs().max() < 5 / math.sqrt(float(short.sum()))


@pytest.mark.parametrize("size", [32, 64])
def test_painting_in_bands_leaves_nothing_out(size, monkeypatch):
    in_bands = faces(200, size=size, seed=5).images
    monkeypatch.setattr(Canvas, "band", lambda canvas, top, bottom: canvas)
    assert torch.equal(faces(200, size=size, seed=5).images, in_bands)
