r"""Figures: small functions that draw into the axes they are given."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import matplotlib.pyplot as plt
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from torch import Tensor

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DATA = "#7F7F7F"
GRID_SIZE = 160


@runtime_checkable
class GaussianComponents(Protocol):
    r"""What a figure needs to know of a mixture, such as `course_lib.mixture.MixtureParams`."""

    loc: Tensor
    covariance: Tensor

    @property
    def num_components(self) -> int: ...

    @property
    def dim(self) -> int: ...

    @property
    def batch_shape(self) -> torch.Size: ...

    @property
    def is_diagonal(self) -> bool: ...


def use_style() -> None:
    r"""Switch matplotlib to the style of the course."""
    plt.style.use(str(Path(__file__).with_name("course.mplstyle")))


def draw_eruptions(
    axes: Axes, x: Float[Tensor, "n 2"], *, resp: Float[Tensor, "n k"] | None = None
) -> None:
    r"""Scatter the eruptions; with responsibilities, in the mixed colours of the components.

    Args:
        axes: Where to draw.
        x: Duration and waiting time in minutes, shape (N, 2).
        resp: Responsibilities, shape (N, K) with K up to 6.
    """
    colour = DATA if resp is None else _mix_colours(resp)
    axes.scatter(x[:, 0], x[:, 1], s=14, c=colour, alpha=0.8, linewidths=0)
    axes.set_xlabel("duration of the eruption (minutes)")
    axes.set_ylabel("waiting time to the next (minutes)")


def draw_components(
    axes: Axes, params: GaussianComponents, *, num_std: Sequence[float] = (1.0, 2.0)
) -> None:
    r"""Draw each component of a two-dimensional mixture as a cross and ellipses.

    Args:
        axes: Where to draw.
        params: A single mixture with D = 2.
        num_std: Radii of the ellipses, in standard deviations.

    Raises:
        ValueError: The mixture is not two-dimensional, or has batch dimensions.
    """
    if params.dim != 2 or params.batch_shape:
        raise ValueError(
            f"given a mixture in {params.dim} dimensions with batch shape "
            f"{tuple(params.batch_shape)}; expected a single one in 2 dimensions"
        )
    covariance = params.covariance.diag_embed() if params.is_diagonal else params.covariance
    scale_tril = torch.linalg.cholesky(covariance)
    angle = torch.linspace(0, 2 * torch.pi, 100, dtype=params.loc.dtype)
    circle = torch.stack([angle.cos(), angle.sin()])
    for k in range(params.num_components):
        colour = COLOURS[k % len(COLOURS)]
        axes.plot(*params.loc[k], marker="x", markersize=9, markeredgewidth=2.5, color=colour)
        for radius in num_std:
            ellipse = params.loc[k][:, None] + radius * scale_tril[k] @ circle
            axes.plot(*ellipse, color=colour, linewidth=1.6)


def draw_log_density(
    axes: Axes,
    log_density: Callable[[Float[Tensor, "m 2"]], Float[Tensor, " m"]],
    *,
    num_levels: int = 5,
    color: str = "black",
) -> None:
    r"""Draw contours of a density over the current limits of the axes.

    Args:
        axes: Where to draw; draw the data first, because it sets the limits.
        log_density: Log-density in nats of points of shape (M, 2).
        num_levels: Contours are this many, each at half the density of the one inside it.
        color: Of the lines.
    """
    horizontal, vertical = (
        torch.linspace(low, high, GRID_SIZE, dtype=torch.float64)
        for low, high in (axes.get_xlim(), axes.get_ylim())
    )
    points = torch.cartesian_prod(horizontal, vertical)
    values = log_density(points).detach().exp().reshape(GRID_SIZE, GRID_SIZE).T
    levels = values.max().item() * 0.5 ** torch.arange(num_levels, 0, -1)
    axes.contour(horizontal, vertical, values, levels=levels, colors=color, linewidths=1)


def draw_log_likelihood(
    axes: Axes, log_likelihoods: Float[Tensor, " steps"] | Sequence[float], *, label: str = ""
) -> None:
    r"""Draw the log-likelihood in nats, step by step; step 0 is the start."""
    axes.plot(range(len(log_likelihoods)), log_likelihoods, marker=".", label=label or None)
    axes.set_xlabel("step")
    axes.set_ylabel("log-likelihood (nats)")


def draw_images(
    axes: Axes,
    rows: Sequence[Sequence[Tensor]],
    *,
    names: Sequence[str] | None = None,
    below: Sequence[str] | None = None,
    limits: tuple[float, float] = (0.0, 1.0),
) -> None:
    r"""Draw rows of square images, a pixel apart, with names at the left and below.

    Args:
        axes: Where to draw.
        rows: As many images in each. An image is flat, (S²,), or (S, S), (1, S, S), or in colour
            (3, S, S); one of NaN leaves a gap.
        names: Of the rows.
        below: Of the columns.
        limits: Values that are drawn black and white.

    Raises:
        ValueError: The rows differ in length, or an image is not square.
    """
    if len({len(row) for row in rows}) != 1:
        raise ValueError(
            f"given rows of {[len(row) for row in rows]} images; expected as many in each"
        )
    images = [[_with_channels(image) for image in row] for row in rows]
    sides = sorted({image.shape[-1] for row in images for image in row})
    if len(sides) != 1:
        raise ValueError(f"given images of {sides} pixels a side; expected one size")
    channels = max(image.shape[0] for row in images for image in row)
    side, step = sides[0], sides[0] + 1
    sheet = torch.full((channels, step * len(rows) - 1, step * len(rows[0]) - 1), torch.nan)
    for i, row in enumerate(images):
        for j, image in enumerate(row):
            sheet[:, i * step :, j * step :][:, :side, :side] = image
    if channels == 1:
        grey = {"cmap": "gray", "vmin": limits[0], "vmax": limits[1]}
        axes.imshow(sheet[0].numpy(), interpolation="nearest", **grey)
    else:
        shown = ((sheet - limits[0]) / (limits[1] - limits[0])).clamp(0, 1).nan_to_num(1.0)
        axes.imshow(shown.permute(1, 2, 0).numpy(), interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if names is not None:
        axes.set_yticks([step * i + side / 2 for i in range(len(rows))], names)
    if below is not None:
        axes.set_xticks([step * j + side / 2 for j in range(len(rows[0]))], below, fontsize=8)


def _with_channels(image: Tensor) -> Float[Tensor, "c s s"]:
    if image.ndim == 1:
        side = round(len(image) ** 0.5)
        if side**2 == len(image):
            return image.reshape(1, side, side)
    elif image.ndim == 2 and image.shape[0] == image.shape[1]:
        return image[None]
    elif image.ndim == 3 and image.shape[0] in (1, 3) and image.shape[1] == image.shape[2]:
        return image
    raise ValueError(
        f"given an image of shape {tuple(image.shape)}; expected (S²,), (S, S), (1, S, S) or "
        "(3, S, S)"
    )


def _mix_colours(resp: Float[Tensor, "n k"]) -> Float[Tensor, "n 3"]:
    palette = torch.tensor([to_rgb(colour) for colour in COLOURS], dtype=resp.dtype)
    if resp.shape[1] > len(palette):
        raise ValueError(
            f"resp has {resp.shape[1]} components; expected at most {len(palette)}, one per colour"
        )
    return (resp @ palette[: resp.shape[1]]).clamp(0, 1)
