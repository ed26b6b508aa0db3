r"""Latent traversals to play with: a slider for each latent dimension, from the code of an example.

The figure holds the images of every slider position, decoded beforehand, so it needs no kernel and
no network: each row changes its own dimension and leaves the others where the code has them. Where
scripts are off it shows all of the images. With a kernel, `live` moves all dimensions together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.decoded import Decode, decoded_images, to_png
from course_lib.explorer import Explorer
from course_lib.latent_arithmetic import traverse
from course_lib.latent_explorer import STEPS, Limits, Pair

if TYPE_CHECKING:
    import ipywidgets

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True, kw_only=True, repr=False)
class TraversalExplorer(Explorer):
    r"""What `traversal_explorer` returns: a figure for the end of a cell.

    Attributes:
        decode: The decoder that it was made with.
        z: The code that it starts from, shape (M,).
    """

    decode: Decode
    z: Float[Tensor, " m"]
    program: ClassVar[str] = "traversal_explorer.js"

    def live(self) -> "ipywidgets.Widget":
        r"""A slider for each dimension and the image of all of them together; needs a kernel."""
        import ipywidgets  # comes with nbgrader

        image = ipywidgets.Image(width=280)
        data = self.data
        rows = zip(data["names"], data["start"], data["ranges"], strict=True)
        sliders = [
            ipywidgets.FloatSlider(
                start, description=name, min=low, max=high, step=(high - low) / STEPS
            )
            for name, start, (low, high) in rows
        ]

        def draw(change: dict | None = None) -> None:
            place = self.z.new_tensor([[slider.value for slider in sliders]])
            image.value = to_png(decoded_images(self.decode, place)[0])

        for slider in sliders:
            slider.observe(draw, "value")
        draw()
        return ipywidgets.HBox([ipywidgets.VBox(sliders), image])


def traversal_explorer(
    decode: Decode,
    z: Float[Tensor, " m"],
    *,
    ranges: Limits | Sequence[Pair],
    names: Sequence[str] | None = None,
    num_values: int = 9,
) -> TraversalExplorer:
    r"""Move one latent dimension at a time, from the code of an example.

    Args:
        decode: From codes (K, M), of the type and on the device of `z`, to images in [0, 1],
            (K, C, H, W) with C = 1 or 3, or (K, D) with D a square number; what lies outside
            [0, 1] is cut.
        z: The code to start from, shape (M,).
        ranges: Lowest and highest value, for all dimensions or as a pair for each; z lies within.
        names: Of the M dimensions, perhaps with what each of them costs; z₁, z₂, … if not given.
        num_values: Images of each dimension, evenly over its range; the one at z comes on top. Ten
            rows of nine images of 32 × 32 grey pixels take about 20 KB of page.

    Raises:
        ValueError: The ranges are empty or leave z out, or an argument does not fit the others.
    """
    if z.ndim != 1 or len(z) == 0 or not z.is_floating_point() or num_values < 2:
        raise ValueError(
            f"z has shape {tuple(z.shape)} and type {z.dtype}, and num_values is {num_values}; "
            "expected one code (M,) of floating-point numbers, and at least 2"
        )
    z = z.detach()
    pairs = _ranges(ranges, z)
    names = _names(names, len(z))
    places = [z[None]]
    for m, (low, high) in enumerate(pairs):
        places.append(traverse(z, m, torch.linspace(low, high, num_values).to(z)))
    images = decoded_images(decode, torch.cat(places))
    own, others = images[0], images[1:].unflatten(0, (len(z), num_values))
    rows = torch.cat([own.expand(len(z), 1, *own.shape), others], 1)  # (M, 1 + V, H, W, C)
    sheet = rows.transpose(1, 2).flatten(2, 3).flatten(0, 1)
    data = {
        "title": "Latent dimensions, one at a time, from the code of an example",
        "names": names,
        "ranges": [list(pair) for pair in pairs],
        "start": [round(value, 4) for value in z.tolist()],
        "numValues": num_values,
        "size": list(own.shape[:2]),
    }
    options = {"data": data, "readout": _readout(data), "png": to_png(sheet)}
    return TraversalExplorer(decode=decode, z=z, **options)


def _ranges(ranges: Limits | Sequence[Pair], z: Float[Tensor, " m"]) -> list[tuple[float, float]]:
    same = len(ranges) == 2 and isinstance(ranges[0], float | int)
    pairs = [(float(low), float(high)) for low, high in ([ranges] * len(z) if same else ranges)]
    if len(pairs) != len(z) or not all(low < high for low, high in pairs):
        raise ValueError(
            f"ranges are {ranges} for {len(z)} dimensions; expected (low, high) for all of them or "
            "one pair for each, with low below high"
        )
    for m, (value, (low, high)) in enumerate(zip(z.tolist(), pairs, strict=True)):
        if not low <= value <= high:
            raise ValueError(
                f"z[{m}] is {value:.4g} and its range is ({low:g}, {high:g}); expected a range "
                "that holds it: widen the range"
            )
    return pairs


def _names(names: Sequence[str] | None, num_dimensions: int) -> list[str]:
    if names is None:
        return [f"z{m + 1}".translate(SUBSCRIPTS) for m in range(num_dimensions)]
    if len(names) != num_dimensions:
        raise ValueError(f"there are {len(names)} names for {num_dimensions} latent dimensions")
    return list(names)


def _readout(data: dict) -> dict[str, str]:
    r"""What the still picture shows, for those who see no sliders."""
    rows = zip(data["names"], data["start"], data["ranges"], strict=True)
    told = {
        name: f"from {low:g} to {high:g}; the example has {start:.2f}".replace("-", "−")
        for name, start, (low, high) in rows
    }
    return {"each row": "the example, then one latent dimension over its range"} | told
