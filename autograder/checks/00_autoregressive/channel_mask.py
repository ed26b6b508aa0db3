"""`channel_mask(kernel_size, kind, num_channels)`: the order of the colours inside a pixel."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from . import causal_mask
from .causal_mask import read_mask


def reference(kernel_size: int, kind: str, num_channels: int) -> Tensor:
    mask = causal_mask.reference(kernel_size, "A").repeat(num_channels, num_channels, 1, 1)
    middle = kernel_size // 2
    ones = torch.ones(num_channels, num_channels, dtype=torch.float64)
    mask[:, :, middle, middle] = ones.tril(-1 if kind == "A" else 0)
    return mask


CHANNEL_MASK = Exercise(
    name="channel_mask",
    unit="00_autoregressive",
    title="Colours have an order too",
    points=2,
    difficulty=3,
    minutes=20,
    reference=reference,
    needs=("causal_mask",),
    hints=(
        "**Principle.** A colour pixel is several values, and the chain rule puts them in an "
        "order too: first red, then green given red, then blue given both. Pixels that come "
        "before are finished, so all their colours may be seen by every colour of this pixel. "
        "Pixels that come later show nothing of themselves. Only in the middle does the order of "
        "the colours matter: there an output may look at the colours before its own. Kind A "
        "stops there. Kind B adds its own colour, because the feature of its own colour does not "
        "contain that value. No kind may look at a later colour of the same pixel.",
        "**Place.** The weight of `conv2d` has the axes (output, input, line, column), and so "
        "has the mask. For every pair of colours, the table (k, k) is that of `causal_mask` "
        "except for its middle. Repeat the mask of kind A for all pairs: its middle is zero. "
        "Then fill the middle, which is a table of its own, `mask[:, :, middle, middle]`, with "
        "outputs as lines and inputs as columns. It has a one where the number of the input is "
        "smaller than that of the output, and on the diagonal for kind B. That is a lower "
        "triangle, without or with its diagonal.",
        "**Nearly the code.**\n\n"
        "```python\n"
        'mask = causal_mask(kernel_size, "A").repeat(num_channels, num_channels, 1, 1)\n'
        "middle = kernel_size // 2\n"
        "pairs = torch.ones(num_channels, num_channels)\n"
        "mask[:, :, middle, middle] = pairs.tril(-1) if kind == ... else pairs.tril(...)\n"
        "return mask\n"
        "```\n\n"
        "The gaps: the kind that hides the own colour, and the diagonal that belongs to the "
        "triangle. To test yourself, take one channel: the mask must be that of `causal_mask`, "
        "with two axes in front. Then count the ones for k = 1 and three channels: kind A has 3 "
        "(green sees red, blue sees red and green), kind B has 6.",
    ),
)


@CHANNEL_MASK.check
def orders_the_colours(candidate: Candidate, rng: np.random.Generator) -> None:
    """Shows all colours of pixels before, and of the pixel itself only the colours before."""
    cases = [(3, "A", 3), (3, "B", 3), (5, "A", 2), (5, "B", 4), (1, "A", 3), (1, "B", 3)]
    masks = []
    for size, kind, channels in cases:
        what = f"channel_mask({size}, {kind!r}, {channels})"
        shape = (channels, channels, size, size)
        masks.append(read_mask(candidate.call(size, kind, channels), shape, what))
    for (size, kind, channels), mask in zip(cases, masks, strict=True):
        steps = torch.arange(size) - size // 2
        pixel = (steps[:, None] * 1000 + steps) * 1000  # the order of the pixels, then of colours
        colour = torch.arange(channels)
        place = pixel + (colour - colour[:, None])[..., None, None]
        right = place < 0 if kind == "A" else place <= 0
        wrong = (mask.bool() != right).nonzero()
        at = tuple(wrong[0].tolist()) if len(wrong) else (0, 0, 0, 0)
        expect.true(
            not len(wrong),
            f"channel_mask({size}, {kind!r}, {channels}) has {mask[at]:.0f} for output {at[0]}, "
            f"input {at[1]}, line {at[2]}, column {at[3]}; expected {int(right[at])}",
        )


@CHANNEL_MASK.check
def is_the_plain_mask_for_one_channel(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the mask without colours for a single channel."""
    for kind in "AB":
        what = f"channel_mask(3, {kind!r}, 1)"
        mask = read_mask(candidate.call(3, kind, 1), (1, 1, 3, 3), what)
        right = causal_mask.reference(3, kind)
        expect.true(torch.equal(mask[0, 0], right), f"{what} is not the mask of causal_mask")
