r"""Figures to play with: move a proposal and watch its weights, move q and watch the bound.

Each figure is one piece of HTML that holds its numbers and its program (explorer.js). It needs no
kernel and no network, and works in JupyterLab and in exported pages. Where scripts are off it shows
a still picture and the same numbers, for the values it was made with.
"""

import base64
import html
import io
import json
import math
from dataclasses import dataclass
from importlib import resources
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Normal

from course_lib.mixture.params import check_finite, check_same_kind
from course_lib.monte_carlo import (
    effective_sample_size,
    log_mean_exp,
    standard_error,
)
from course_lib.variational import log_integral

HTML = """\
<div class="explorer">
<img alt="{title}" width="512" src="data:image/png;base64,{picture}">
<ul>{rows}</ul>
<p>Drag and sliders need scripts: trust the notebook, or run the cell.</p>
</div>
<script>
{{
{program}
explore(document.currentScript.previousElementSibling, {data});
}}
</script>
"""


@dataclass(frozen=True, kw_only=True)
class Explorer:
    r"""A figure for the end of a cell, or for `IPython.display.display`.

    Attributes:
        data: What the program in the page gets, as JSON would hold it.
        readout: Names and values of what the figure tells at its start, with units.
        png: The still picture.
    """

    data: dict
    readout: dict[str, str]
    png: bytes
    program: ClassVar[str] = "explorer.js"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<li>{html.escape(name)}: <span>{html.escape(value)}</span></li>"
            for name, value in self.readout.items()
        )
        data = json.dumps(self.data).replace("<", "\\u003c")  # a label must not end the script
        program = resources.files("course_lib").joinpath(self.program).read_text("utf-8")
        return HTML.format(
            title=html.escape(self.data["title"]),
            picture=base64.b64encode(self.png).decode("ascii"),
            rows=rows,
            program=program,
            data=data,
        )

    def __repr__(self) -> str:
        values = "; ".join(f"{name}: {value}" for name, value in self.readout.items())
        return f"{self.data['title']}. {values}"


def proposal_explorer(
    grid: Float[Tensor, " g"],
    log_joint: Float[Tensor, " g"],
    *,
    loc: float = 0.0,
    scale: float = 1.0,
    num_samples: int = 200,
    seed: int = 0,
    x_label: str = "z",
) -> Explorer:
    r"""Drag a Gaussian proposal over an unnormalised posterior; watch the weights and the ESS.

    The draws move with the proposal, z = loc + scale · ε with the same ε, so what changes is the
    proposal and not luck. A button draws other ε.

    Args:
        grid: Values of z, evenly spaced and rising, shape (G,); wide enough to hold the posterior.
        log_joint: \log p(x, z) at each of them, shape (G,), in nats.
        loc: Mean of the proposal at the start.
        scale: Its standard deviation, in the unit of z.
        num_samples: S.
        seed: Of the draws at the start.
        x_label: What z is, with its unit.

    Raises:
        ValueError: The grid is not even, the shapes do not fit, a value is not finite, or a setting
            is out of range.
    """
    if num_samples < 2 or not scale > 0:
        raise ValueError(
            f"num_samples is {num_samples} and scale is {scale}; expected at least 2 draws and a "
            "positive standard deviation"
        )
    data = _common("proposal", grid, log_joint, loc, math.log(scale), x_label)
    with torch.device("cpu"):
        return _proposal_figure(data, num_samples, seed)


def _proposal_figure(data: dict, num_samples: int, seed: int) -> Explorer:
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(num_samples, generator=generator, dtype=torch.float64)
    data["noise"] = [round(value, 4) for value in noise.tolist()]
    data["title"] = "A proposal, the posterior, and the weights of the draws"
    noise = torch.tensor(data["noise"], dtype=torch.float64)
    q = _gaussian(data)
    draws = q.loc + q.scale * noise
    log_w = _interpolate(data, draws) - q.log_prob(draws)
    estimate, error = log_mean_exp(log_w).item(), standard_error(log_w).item()
    off = estimate - data["exact"]
    readout = {
        "effective sample size": f"{effective_sample_size(log_w).item():.1f} of {num_samples}",
        "log p(x), estimated": f"{estimate:.3f} ± {error:.3f} nats",
        "log p(x), exact": f"{data['exact']:.3f} nats",
        "off by": f"{off:.3f} nats, {abs(off) / error:.1f} × its standard error",
    }
    return Explorer(data=data, readout=readout, png=_picture(data, draws, log_w.softmax(0)))


def bound_explorer(
    grid: Float[Tensor, " g"],
    log_joint: Float[Tensor, " g"],
    *,
    loc: float = 0.0,
    log_scale: float = 0.0,
    x_label: str = "z",
) -> Explorer:
    r"""Move the mean and the log scale of a Gaussian q; watch the ELBO, the gap and \log p(x).

    Args:
        grid: Values of z, evenly spaced and rising, shape (G,); wide enough to hold the posterior.
        log_joint: \log p(x, z) at each of them, shape (G,), in nats.
        loc: Mean of q at the start.
        log_scale: Logarithm of the standard deviation of q.
        x_label: What z is, with its unit.

    Raises:
        ValueError: The grid is not even, the shapes do not fit, or a value is not finite.
    """
    data = _common("bound", grid, log_joint, loc, log_scale, x_label)
    with torch.device("cpu"):
        return _bound_figure(data)


def _bound_figure(data: dict) -> Explorer:
    data["title"] = "A Gaussian q, the posterior, and the bound"
    points = torch.linspace(-8, 8, 321, dtype=torch.float64)
    density = (-0.5 * points.square()).exp() / math.sqrt(2 * math.pi)
    q = _gaussian(data)
    values = _interpolate(data, q.loc + q.scale * points)
    bound = 0.05 * (density @ values).item() + q.entropy().item()
    readout = {
        "ELBO": f"{bound:.3f} nats",
        "KL(q ‖ posterior)": f"{max(data['exact'] - bound, 0):.3f} nats",
        "log p(x), exact": f"{data['exact']:.3f} nats",
    }
    return Explorer(data=data, readout=readout, png=_picture(data, bound=bound))


def _common(
    kind: str,
    grid: Float[Tensor, " g"],
    log_joint: Float[Tensor, " g"],
    loc: float,
    log_scale: float,
    x_label: str,
) -> dict:
    check_same_kind(grid=grid, log_joint=log_joint)
    check_finite(grid=grid, log_joint=log_joint)
    grid, log_joint = grid.detach().double().cpu(), log_joint.detach().double().cpu()
    steps = grid.diff()
    even = grid.ndim == 1 and len(grid) >= 3 and (steps > 0).all()
    if not even or (steps - steps.mean()).abs().max() > 1e-3 * steps.mean():
        raise ValueError(
            f"grid has shape {tuple(grid.shape)}; expected (G,) with at least three points, rising "
            "in even steps: torch.linspace(low, high, 301)"
        )
    if log_joint.shape != grid.shape:
        raise ValueError(
            f"log_joint has shape {tuple(log_joint.shape)} and grid {tuple(grid.shape)}; expected "
            "one value per point"
        )
    if not (grid[0] <= loc <= grid[-1] and math.isfinite(log_scale)):
        raise ValueError(
            f"loc is {loc} and log scale is {log_scale}; expected a mean between {grid[0]:.4g} and "
            f"{grid[-1]:.4g}, where the grid is, and a finite width"
        )
    return {
        "kind": kind,
        "low": grid[0].item(),
        "step": steps.mean().item(),
        "logJoint": [round(value, 5) for value in log_joint.tolist()],
        "exact": log_integral(log_joint, grid).item(),
        "loc": float(loc),
        "logScale": float(log_scale),
        "xLabel": x_label,
    }


def _gaussian(data: dict) -> Normal:
    loc = torch.tensor(data["loc"], dtype=torch.float64)
    return Normal(loc, math.exp(data["logScale"]))


def _interpolate(data: dict, z: Float[Tensor, " s"]) -> Float[Tensor, " s"]:
    r"""The log joint at any z, as `interpolate` in explorer.js."""
    values = torch.tensor(data["logJoint"], dtype=torch.float64)
    place = (z - data["low"]) / data["step"]
    i = place.round().long().clamp(1, len(values) - 2)
    u = place - i
    before, here, after = values[i - 1], values[i], values[i + 1]
    bend = after - 2 * here + before
    bend = torch.where(u.abs() > 1, bend.clamp(max=0), bend)
    return here + 0.5 * u * (after - before) + 0.5 * u.square() * bend


def _picture(
    data: dict,
    draws: Float[Tensor, " s"] | None = None,
    shares: Float[Tensor, " s"] | None = None,
    bound: float | None = None,
) -> bytes:
    r"""The still picture: densities above, and below the weights or beside the bound."""
    import matplotlib.pyplot as plt  # takes a second to import
    from matplotlib.figure import Figure

    from course_lib.plots import COLOURS, DATA

    blue, orange = COLOURS[:2]
    values = torch.tensor(data["logJoint"], dtype=torch.float64)
    grid = data["low"] + data["step"] * torch.arange(len(values), dtype=torch.float64)
    posterior = (values - data["exact"]).exp().numpy()
    q = _gaussian(data).log_prob(grid).exp().numpy()
    places, low, high = grid.numpy(), grid[0].item(), grid[-1].item()
    style = resources.files("course_lib").joinpath("course.mplstyle")
    with plt.style.context(str(style)):
        figure = Figure(figsize=(6.4, 3.6))  # not pyplot's, which would show it by itself
        if bound is None:
            upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
            lower.vlines(draws.numpy(), 0, (100 * shares).numpy(), color=orange, linewidth=1.5)
            lower.set(xlabel=data["xLabel"], ylabel="share (%)", ylim=(0, None))
            lower.set_xlim(low, high)
        else:
            upper, side = figure.subplots(1, 2, width_ratios=[3, 1])
            gap = max(data["exact"] - bound, 0)
            side.bar([0], [gap], bottom=-gap, color=orange, alpha=0.35, label="KL")
            side.bar([0], [5 - min(gap, 5)], bottom=-5, color=blue, label="ELBO")
            side.axhline(0, color="black")
            side.set(xticks=[], ylim=(-5, 0.3), ylabel="nats from log p(x)")
            upper.set(xlabel=data["xLabel"], xlim=(low, high))
        upper.fill_between(places, posterior, color=DATA, alpha=0.35)
        upper.plot(places, q, color=blue)
        name = "proposal q(z)" if bound is None else "q(z)"
        upper.set_title(f"posterior (grey), {name} (blue)")
        upper.set(ylabel="density", ylim=(0, None))
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
