r"""How `faces` are painted: layer by layer, from the background to the hat."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.data.draw import coverage, pixel_centers

DARK_SKIN, LIGHT_SKIN = (0.48, 0.31, 0.22), (0.98, 0.82, 0.72)
DARK_HAIR = ((0.06, 0.05, 0.05), (0.32, 0.19, 0.11))
BLOND_HAIR = ((0.80, 0.62, 0.25), (0.97, 0.86, 0.50))
WHITE, BLACK, LIPS = (0.97, 0.97, 0.97), (0.08, 0.07, 0.08), (0.62, 0.16, 0.18)
EYES_Y, MOUTH_Y = -0.10, 0.30
TILT_MARGIN = 0.18  # how much higher or lower a feature can be by place and tilt

Plane = Float[Tensor, "B H W"]
One = Float[Tensor, "B 1 1"]  # one number for each face
Values = dict[str, One]
Colour = Float[Tensor, "K 3 1 1"] | tuple[float, ...]


@dataclass(frozen=True)
class Canvas:
    r"""Pictures in the making, with coordinates in the frame of each face.

    Attributes:
        pixels: Colours from 0 to 1, painted over in place, shape (B, 3, H, W).
        x: To the right in the picture, along the line of the eyes, shape (B, H, W).
        y: Downwards, from the middle of the face, shape (B, H, W).
        size: Width of the pictures in pixels.
    """

    pixels: Float[Tensor, "B 3 H W"]
    x: Plane
    y: Plane
    size: int

    def band(self, top: float, bottom: float) -> "Canvas":
        r"""The rows in which something between these heights can lie; painting there is faster."""
        first = max(0, math.floor((top - TILT_MARGIN + 1) / 2 * self.size))
        rows = slice(first, math.ceil((bottom + TILT_MARGIN + 1) / 2 * self.size))
        pixels, x, y = self.pixels[:, :, rows], self.x[:, rows], self.y[:, rows]
        return Canvas(pixels, x, y, self.size)

    def paint(self, distance: Plane, colour: Colour, there: One | None = None) -> None:
        r"""Paint the shape with this signed distance (overwritten), where it is `there`."""
        cover = coverage(distance, self.size)
        if there is not None:
            cover *= there
        self.pixels.lerp_(_rgb(colour) if isinstance(colour, tuple) else colour, cover[:, None])

    def ellipse(self, x: float, y: float, width: One | float, height: One | float) -> Plane:
        r"""Distance to an ellipse; exact on its border, and nearly so beside it."""
        level = ((self.x - x) / width).square_().add_(((self.y - y) / height).square_())
        return level.sqrt_().sub_(1).mul_((width + height) / 2)

    def box(self, x: float, y: float, width: One, height: float, *, rounding: float) -> Plane:
        r"""Distance to a box with round corners."""
        u = (self.x - x).abs_().sub_(width - rounding)
        v = (self.y - y).abs_().sub_(height - rounding)
        outside = u.clamp(min=0).square_().add_(v.clamp(min=0).square_()).sqrt_()
        return outside.add_(torch.maximum(u, v).clamp_(max=0)).sub_(rounding)


def paint_faces(own: Values, has: Values, size: int) -> Float[Tensor, "B 3 H W"]:
    r"""Faces with values from 0 to 1, slightly beyond in bright light.

    Args:
        own: What makes each person, by the names in `faces.PERSON`.
        has: 1 for each attribute that a person has, else 0.
        size: Of the pictures, in pixels.
    """
    skin = _mix(_rgb(DARK_SKIN), _rgb(LIGHT_SKIN), own["skin"])
    dark, blond = (
        _mix(_rgb(low), _rgb(high), own["hair"]) for low, high in (DARK_HAIR, BLOND_HAIR)
    )
    hair = _mix(dark, blond, has["blond hair"])
    canvas = _background(own, size)
    _hair_behind(canvas, own, has, hair)
    _neck_and_shirt(canvas.band(0.3, 1.0), own, skin)
    head = canvas.ellipse(0.0, 0.0, own["width"], own["height"])
    canvas.paint(head, skin)
    _beard(canvas.band(0.1, 0.7), own, has, hair)
    _fringe(canvas.band(-0.7, 0.0), own, hair)
    _eyes(canvas.band(-0.28, 0.02), own, hair)
    _nose(canvas.band(-0.05, 0.16), skin)
    _mouth(canvas.band(0.2, 0.5), own, has)
    _glasses(canvas.band(-0.3, 0.1), own, has)
    _hat(canvas.band(-1.0, -0.28), own, has)
    return canvas.pixels.mul_((1 + own["light"] * canvas.x)[:, None])


def _background(own: Values, size: int) -> Canvas:
    x, y = pixel_centers(size)
    shade = 0.45 + 0.35 * own["background_shade"]
    tint = _hue(own["background"]).mul_(0.35).add_(0.65) * shade[:, None]
    pixels = tint + 0.08 * y.expand(3, size, size)
    x, y = x - own["place_x"], y - own["place_y"]
    cos, sin = own["tilt"].cos(), own["tilt"].sin()
    return Canvas(pixels, x * cos + y * sin, y * cos - x * sin, size)


def _hair_behind(canvas: Canvas, own: Values, has: Values, hair: Float[Tensor, "B 3 1 1"]) -> None:
    upper, lower = canvas.band(-0.9, 0.1), canvas.band(-0.3, 0.9)
    cap = upper.ellipse(0.0, -0.10, own["width"] + 0.09, own["height"] + 0.07)
    upper.paint(torch.maximum(cap, upper.y - 0.08), hair)
    mane = lower.box(0.0, 0.30, own["width"] + 0.10, 0.56, rounding=0.14)
    lower.paint(mane, hair, has["long hair"])


def _neck_and_shirt(canvas: Canvas, own: Values, skin: Float[Tensor, "B 3 1 1"]) -> None:
    canvas.paint(torch.maximum(canvas.x.abs() - 0.19, 0.3 - canvas.y), skin * 0.86)
    canvas.paint(canvas.ellipse(0.0, 1.12, 0.80, 0.42), _hue(own["shirt"]).mul_(0.6).add_(0.15))


def _beard(canvas: Canvas, own: Values, has: Values, hair: Float[Tensor, "B 3 1 1"]) -> None:
    r"""The lower face, but for a gap around the lips."""
    face = canvas.ellipse(0.0, 0.0, own["width"], own["height"])
    jaw = torch.maximum(face, 0.14 - canvas.y + 0.22 * canvas.x.square())
    lips = canvas.ellipse(0.0, MOUTH_Y, 0.20, 0.085)
    canvas.paint(torch.maximum(jaw, -lips), hair * 0.7, has["beard"])


def _fringe(canvas: Canvas, own: Values, hair: Float[Tensor, "B 3 1 1"]) -> None:
    forehead = canvas.ellipse(0.0, 0.0, own["width"] + 0.05, own["height"] + 0.04)
    line = canvas.y + 0.34 - 0.25 * canvas.x.square() + 0.10 * canvas.x
    canvas.paint(torch.maximum(forehead, line), hair)


def _eyes(canvas: Canvas, own: Values, hair: Float[Tensor, "B 3 1 1"]) -> None:
    x, y = canvas.x.abs() - own["eye_gap"], canvas.y - EYES_Y  # both eyes at once
    canvas.paint(((x / 1.25).square_() + y.square()).sqrt_() - own["eye_size"], WHITE)
    # both pupils look to the same side, so only their places are mirrored
    pupil_x = (canvas.x - own["gaze"]).abs_() - own["eye_gap"]
    canvas.paint((pupil_x.square_() + y.square()).sqrt_() - 0.052, BLACK)
    brow = torch.maximum(x.abs() - 0.11, (y + 0.145 - 0.1 * x).abs_() - 0.022)
    canvas.paint(brow, hair * 0.7)


def _nose(canvas: Canvas, skin: Float[Tensor, "B 3 1 1"]) -> None:
    sides = canvas.x.abs() - 0.025 - 0.12 * (canvas.y - 0.02)
    canvas.paint(torch.maximum(sides, (canvas.y - 0.06).abs_() - 0.09), skin * 0.8)


def _mouth(canvas: Canvas, own: Values, has: Values) -> None:
    r"""Closed, a straight line; smiling, a half-moon with teeth."""
    x, y, width, smile = canvas.x, canvas.y, own["mouth_width"], has["smile"]
    line = torch.maximum(x.abs() - 0.8 * width, (y - MOUTH_Y).abs_() - 0.028)
    canvas.paint(line, LIPS, 1 - smile)
    corner = MOUTH_Y - 0.075
    broad = 1.2 * width
    bow = 1 - (x / broad).square_()
    moon = torch.maximum(corner + 0.05 * bow - y, (y - corner - 0.25 * bow).mul_(0.5))
    moon = torch.maximum(moon, x.abs() - broad)
    teeth = torch.maximum(moon + 0.028, y - 0.335)
    canvas.paint(moon, LIPS, smile)
    canvas.paint(teeth, WHITE, smile)


def _glasses(canvas: Canvas, own: Values, has: Values) -> None:
    beside = canvas.x.abs()
    x, y = beside - own["eye_gap"] - 0.01, canvas.y - EYES_Y
    rims = ((x.square() + y.square()).sqrt_() - 0.165).abs_() - 0.03
    bar = (y + 0.02).abs_() - 0.025
    bridge = torch.maximum(beside - 0.06, bar)
    arms = torch.maximum(torch.maximum(0.16 - x, beside - own["width"]), bar)
    frame = torch.minimum(torch.minimum(rims, bridge), arms)
    canvas.paint(frame, BLACK, has["glasses"])


def _hat(canvas: Canvas, own: Values, has: Values) -> None:
    colour = _hue(own["hat_hue"]).mul_(0.75).add_(0.05)
    crown = canvas.ellipse(0.0, -0.36, own["width"] + 0.07, own["height"] - 0.10)
    canvas.paint(torch.maximum(crown, canvas.y + 0.36), colour, has["hat"])
    brim = canvas.box(0.0, -0.37, own["width"] + 0.22, 0.065, rounding=0.05)
    canvas.paint(brim, colour * 0.6, has["hat"])


def _rgb(colour: tuple[float, ...]) -> Float[Tensor, "1 3 1 1"]:
    return torch.tensor(colour, dtype=torch.float32, device="cpu")[None, :, None, None]


def _mix(
    low: Float[Tensor, "K 3 1 1"], high: Float[Tensor, "K 3 1 1"], share: Float[Tensor, "B 1 1"]
) -> Float[Tensor, "B 3 1 1"]:
    return low + (high - low) * share[:, None]


def _hue(turn: Float[Tensor, "B 1 1"]) -> Float[Tensor, "B 3 1 1"]:
    r"""The full colour at this share of a turn round the colour circle: red, green, blue, red."""
    offset = torch.tensor([0.0, 1 / 3, 2 / 3], dtype=torch.float32, device="cpu")
    angle = 2 * math.pi * (turn[:, None] - offset[:, None, None])
    return angle.cos_().mul_(0.5).add_(0.5)
