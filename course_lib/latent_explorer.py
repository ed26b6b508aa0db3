r"""A map of a two-dimensional latent space: move a point, see the image that is decoded there.

The figure holds images decoded on a grid and mixes the four around the point, so it needs no kernel
and no network. Where scripts are off it shows all of the grid. With a kernel, `live` decodes the
point itself.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_lib.decoded import Decode, decoded_images, to_png
from course_lib.explorer import Explorer
from course_lib.mixture.params import check_finite

if TYPE_CHECKING:
    import ipywidgets

Pair = tuple[float | int, float | int]
Limits = Pair | tuple[Pair, Pair]

MAX_CODES = 2000
STEPS = 200  # of a slider


@dataclass(frozen=True, kw_only=True, repr=False)
class LatentExplorer(Explorer):
    r"""What `latent_explorer` returns: a figure for the end of a cell.

    Attributes:
        decode: The decoder that it was made with.
    """

    decode: Decode
    program: ClassVar[str] = "latent_explorer.js"

    def live(self) -> "ipywidgets.Widget":
        r"""Two sliders and the image of the point itself; needs a kernel."""
        import ipywidgets  # comes with nbgrader

        image = ipywidgets.Image(width=280)
        sliders = [
            ipywidgets.FloatSlider(start, min=low, max=high, step=(high - low) / STEPS, **names)
            for start, (low, high), names in zip(
                self.data["start"],
                self.data["limits"],
                ({"description": "z₁"}, {"description": "z₂"}),
                strict=True,
            )
        ]

        def draw(change: dict | None = None) -> None:
            place = torch.tensor([[slider.value for slider in sliders]])
            image.value = to_png(decoded_images(self.decode, place)[0])

        for slider in sliders:
            slider.observe(draw, "value")
        draw()
        return ipywidgets.VBox([*sliders, image])


def latent_explorer(
    decode: Decode,
    *,
    limits: Limits,
    grid_size: int = 13,
    codes: Float[Tensor, "n 2"] | None = None,
    labels: Int[Tensor, " n"] | None = None,
    label_names: tuple[str, ...] | None = None,
    start: Pair = (0.0, 0.0),
) -> LatentExplorer:
    r"""Move a point over the latent plane and see what is decoded there.

    Args:
        decode: From codes (K, 2), in torch's default type on its default device, to images in
            [0, 1], (K, C, H, W) with C = 1 or 3, or (K, D) with D a square number; what lies
            outside [0, 1] is cut.
        limits: Lowest and highest z, for both coordinates or as a pair for each.
        grid_size: Images decoded in each direction. 13 of 28 × 28 pixels take about 80 KB of page.
        codes: Where data is encoded, shape (N, 2), drawn as dots; of more than 2 000, every n-th.
        labels: Their classes, shape (N,), from 0; up to 14 look different.
        label_names: Of the classes.
        start: The point at the start.

    Raises:
        ValueError: The limits are empty, `decode` gives no images, or codes and labels do not fit.
    """
    if grid_size < 2:
        raise ValueError(f"grid_size is {grid_size}; expected at least 2")
    pairs = _limits(limits)
    if not all(low <= at <= high for at, (low, high) in zip(start, pairs, strict=True)):
        raise ValueError(f"start is {start}; expected a point within the limits {pairs}")
    sheet, size = _sheet(decode, pairs, grid_size)
    data = {
        "title": "The latent plane, and the image decoded at a point",
        "limits": [list(pair) for pair in pairs],
        "gridSize": grid_size,
        "size": size,
        "start": [float(at) for at in start],
        **_codes(codes, labels, label_names),
    }
    return LatentExplorer(data=data, readout=_readout(data), png=to_png(sheet), decode=decode)


def _limits(limits: Limits) -> list[tuple[float, float]]:
    pairs = [limits, limits] if isinstance(limits[0], float | int) else list(limits)
    pairs = [(float(low), float(high)) for low, high in pairs]
    if not all(low < high and math.isfinite(high - low) for low, high in pairs):
        raise ValueError(
            f"limits are {limits}; expected (low, high) for both coordinates, or a pair of such "
            "pairs, with low below high"
        )
    return pairs


def _sheet(
    decode: Decode, limits: list[tuple[float, float]], grid_size: int
) -> tuple[Tensor, list[int]]:
    r"""All images of the grid side by side, uint8 (rows, columns, C); z₂ rises upwards."""
    (left, right), (low, high) = limits
    across, up = torch.linspace(left, right, grid_size), torch.linspace(high, low, grid_size)
    places = torch.cartesian_prod(up, across).flip(1)  # row by row from the top; (z₁, z₂)
    images = decoded_images(decode, places)
    _, height, width, num_channels = images.shape
    rows = images.unflatten(0, (grid_size, grid_size)).transpose(1, 2)
    return rows.reshape(grid_size * height, -1, num_channels), [height, width]


def _codes(
    codes: Tensor | None, labels: Tensor | None, label_names: tuple[str, ...] | None
) -> dict:
    if codes is None:
        if labels is not None:
            raise ValueError("labels were given without codes; expected both")
        return {"codes": [], "labels": [], "labelNames": []}
    if codes.ndim != 2 or codes.shape[1] != 2 or (labels is not None and len(labels) != len(codes)):
        given = None if labels is None else tuple(labels.shape)
        raise ValueError(
            f"codes has shape {tuple(codes.shape)} and labels {given}; expected (N, 2) and (N,)"
        )
    check_finite(codes=codes)
    every = math.ceil(len(codes) / MAX_CODES)
    shown = [[round(value, 3) for value in code] for code in codes[::every].tolist()]
    if labels is None:
        return {"codes": shown, "labels": [], "labelNames": []}
    names = label_names or tuple(str(k) for k in range(int(labels.max()) + 1))
    if int(labels.min()) < 0 or int(labels.max()) >= len(names):
        raise ValueError(
            f"labels go from {int(labels.min())} to {int(labels.max())} and there are "
            f"{len(names)} label_names; expected numbers from 0, with a name for each"
        )
    return {"codes": shown, "labels": labels[::every].tolist(), "labelNames": list(names)}


def _readout(data: dict) -> dict[str, str]:
    r"""What is told of the starting point, as `readout` in latent_explorer.js."""
    (left, right), (low, high) = data["limits"]
    z1, z2 = data["start"]
    rows = {
        "z": f"({z1:.2f}, {z2:.2f})",
        "distance from 0": f"{math.hypot(z1, z2):.2f}",
    }
    if data["codes"]:
        distances = [math.hypot(z1 - a, z2 - b) for a, b in data["codes"]]
        nearest = min(range(len(distances)), key=distances.__getitem__)
        name = data["labelNames"][data["labels"][nearest]] + ", " if data["labels"] else ""
        rows["nearest code"] = f"{name}{distances[nearest]:.2f} away"
    rows["the grid"] = f"z₁ from {left:g} (left) to {right:g}, z₂ from {low:g} (bottom) to {high:g}"
    return rows
