"""`causal_mask(kernel_size, kind)`: which weights of a convolution may look."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(kernel_size: int, kind: str) -> Tensor:
    mask = torch.ones(kernel_size, kernel_size, dtype=torch.float64)
    middle = kernel_size // 2
    mask[middle, middle + (kind == "B") :] = 0
    mask[middle + 1 :] = 0
    return mask


CAUSAL_MASK = Exercise(
    name="causal_mask",
    unit="00_autoregressive",
    title="Masks for a convolution",
    points=2,
    difficulty=2,
    minutes=15,
    reference=reference,
    hints=(
        "**Principle.** The output at a pixel may depend only on pixels that come before it, line "
        "by line from the top, and from left to right in a line. A kernel of size k lies with its "
        "middle on that pixel. So all lines of the kernel above the middle may look, all lines "
        "below it may not, and in the middle line the weights to the left of the middle may. The "
        "middle itself decides between the two kinds. In the first layer it would be the very "
        "pixel that is to be predicted: kind A forbids it. Later layers look at features that do "
        "not contain that pixel: kind B allows it.",
        "**Place.** Start from a tensor of ones with the shape (k, k) and set to zero what must "
        "not look. The middle has the index `kernel_size // 2` in both directions, counted from "
        "zero. In the middle line, set everything to the right of the middle to zero, and for "
        "kind A the middle too. Then set all later lines to zero. The first index of a mask is "
        "the line, from the top, and the second the column. `torch.conv2d` does not turn the "
        "kernel over, so the line 0 of the mask really looks upwards. Check kernel size one: A "
        "gives a single 0, and B a single 1.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "middle = kernel_size // 2\n"
        "mask = torch.ones(kernel_size, kernel_size)\n"
        'start = middle if kind == "A" else ...\n'
        "mask[middle, start:] = 0          # the middle line, from here to the right\n"
        "mask[...:] = 0                    # all lines below\n"
        "return mask\n"
        "```\n\n"
        "The gaps are one column further, and the first line below the middle. Count the ones to "
        "test yourself: of the k² weights of kind A, (k² − 1) / 2 may look, because for each of "
        "them the one opposite may not. Kind B has one more. For k = 3 that is 4 and 5, for k = 5 "
        "it is 12 and 13.",
    ),
)


def read_mask(value: Any, shape: tuple[int, ...], what: str) -> Tensor:
    """Zeros and ones of any type, in float64."""
    if isinstance(value, Tensor) and not value.dtype.is_floating_point:
        value = value.double()
    mask = expect.tensor(value, shape, what)
    expect.true(((mask == 0) | (mask == 1)).all(), f"{what} holds more than zeros and ones")
    return mask


def _picture(mask: Tensor) -> str:
    return " / ".join("".join(str(int(v)) for v in row) for row in mask)


def _ask(candidate: Candidate, size: int, kind: str) -> Tensor:
    what = f"causal_mask({size}, {kind!r})"
    return read_mask(candidate.call(size, kind), (size, size), what)


@CAUSAL_MASK.check
def lets_the_past_through(candidate: Candidate, rng: np.random.Generator) -> None:
    """Has ones where a weight looks at a pixel before, with the middle for kind B only."""
    cases = [(size, kind) for size in (3, 5, 7) for kind in "AB"]
    masks = [_ask(candidate, *case) for case in cases]  # all, so that the mistake can be named
    for (size, kind), mask in zip(cases, masks, strict=True):
        steps = torch.arange(size) - size // 2
        place = steps[:, None] * 1000 + steps  # in the order of the pixels
        right = place < 0 if kind == "A" else place <= 0
        expect.true(
            torch.equal(mask, right.double()),
            f"causal_mask({size}, {kind!r}) is {_picture(mask)} from the top line on; expected "
            f"{_picture(right)}",
        )


@CAUSAL_MASK.check
def works_for_other_sizes(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for the sizes 1 and 9."""
    cases = ((1, "A", 0), (1, "B", 1), (9, "A", 40), (9, "B", 41))
    masks = [_ask(candidate, size, kind).flatten() for size, kind, _ in cases]
    for (size, kind, ones), mask in zip(cases, masks, strict=True):
        expect.true(
            (mask[:ones] == 1).all() and (mask[ones:] == 0).all(),
            f"causal_mask({size}, {kind!r}) has {int(mask.sum())} ones; expected the first {ones} "
            "places, line by line",
        )
