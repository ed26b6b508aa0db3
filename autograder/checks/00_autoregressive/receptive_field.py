"""`receptive_field(logits_fn, height, width, row, column, generator)`: what one output sees."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Seed, smooth_oracle
from autograder.exercise import Exercise

from ._views import draw_dispute, draw_gates, draw_stack
from .causal_mask import read_mask

PROBES = 16  # a pixel hides in one of four images at most: never in all of them


def reference(
    logits_fn, height: int, width: int, row: int, column: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    seen = visible(logits_fn, height, width, row, column, generator)
    return seen, past(height, width, row, column) & ~seen


def visible(
    logits_fn, height, width, row, column, generator, *, probes=PROBES, tolerance=1e-5
) -> Tensor:
    dim = height * width
    seen = torch.zeros(dim, dtype=torch.bool)
    for _ in range(probes):
        image = torch.randint(2, (dim,), generator=generator).double()
        flipped = (image + torch.eye(dim, dtype=torch.float64)) % 2  # row i differs in pixel i
        both = torch.cat((image[None], flipped)).view(-1, height, width)
        logit = logits_fn(both)[:, row, column]
        seen |= (logit[1:] - logit[0]).abs() > tolerance
    return seen.view(height, width)


def past(height: int, width: int, row: int, column: int) -> Tensor:
    places = torch.arange(height * width).view(height, width)
    return places < row * width + column


RECEPTIVE_FIELD = Exercise(
    name="receptive_field",
    unit="00_autoregressive",
    title="What an output sees, and what it misses",
    points=3,
    difficulty=3,
    minutes=25,
    reference=reference,
    hints=(
        "**Principle.** A pixel is seen by an output if changing this pixel, and nothing else, "
        "changes the output. So take an image, flip one pixel, ask again, and compare the one "
        "logit that you are interested in. Do that for every pixel. One image is not enough: a "
        "pixel may count only where another pixel has a certain value, so repeat the experiment "
        "with many random images, and call a pixel seen if it made a difference at least once. "
        "Do not assume that the network is causal. Whether it is, you want to find out. The blind "
        "spot then is everything that comes before and was never seen.",
        "**Place.** With D = H W pixels, an image and its D flipped versions fit in one batch of "
        "D + 1 images, so that one call of `logits_fn` tests all pixels. In a flat image, adding "
        "the unit matrix and taking the remainder modulo 2 flips pixel i in row i. Then give the "
        "rows the shape (H, W) again. Look at `[:, row, column]` of the answer only. Compare with "
        "a small tolerance. You may as well let autograd do it: the gradient of the one logit for "
        "the image is not zero at what is seen; use its absolute value, because weights may be "
        "negative. For the past, number the pixels line by line: before means a smaller number.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "dim = height * width\n"
        "seen = torch.zeros(dim, dtype=torch.bool)\n"
        "for _ in range(20):\n"
        "    image = torch.randint(2, (dim,), generator=generator).double()\n"
        "    flipped = (image + torch.eye(dim)) % 2\n"
        "    batch = torch.cat((image[None], flipped)).view(-1, height, width)\n"
        "    logit = logits_fn(batch)[:, ..., ...]\n"
        "    seen |= (logit[1:] - logit[...]).abs() > 1e-5\n"
        "seen = seen.view(height, width)\n"
        "past = torch.arange(dim).view(height, width) < ...\n"
        "return seen, past & ...\n"
        "```\n\n"
        "The gaps: the place of the output twice, the image that was not changed, the number of "
        "the output's pixel, and what is not seen.",
    ),
)


def _ask(candidate: Candidate, model: Any, row: int, column: int, seed: int) -> tuple:
    height, width = model.shape
    what = f"for the output at ({row}, {column}) of {height} × {width} pixels"
    value = candidate.call(smooth_oracle(model.logits), height, width, row, column, Seed(seed))
    pair = expect.items(value, 2, f"the result of receptive_field {what}")
    names = "seen", "blind"
    tables = [
        read_mask(table, model.shape, f"{name} {what}")
        for table, name in zip(pair, names, strict=True)
    ]
    return model, row, column, what, tables


def _judge(asked: list[tuple]) -> None:
    for model, row, column, what, (seen, blind) in asked:
        right = model.seen(row, column)
        _same(seen, right, f"{what}, seen")
        _same(blind, past(*model.shape, row, column) & ~right, f"{what}, blind")


def _same(table: Tensor, right: Tensor, what: str) -> None:
    wrong = (table.bool() != right).nonzero()
    place = tuple(wrong[0].tolist()) if len(wrong) else (0, 0)
    expect.true(
        not len(wrong),
        f"{what} is {bool(table[place])} at {place}; expected {bool(right[place])} "
        f"({len(wrong)} of {right.numel()} pixels are wrong)",
    )


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


@RECEPTIVE_FIELD.check
def finds_the_blind_spot(candidate: Candidate, rng: np.random.Generator) -> None:
    """Finds what an output of stacked masked convolutions sees, and what it misses."""
    cases = (((5, 6), (3, 3), 3, 2), ((3, 9), (5, 3), 2, 7))
    asked = []
    for shape, sizes, row, column in cases:
        stack = draw_stack(rng, shape, sizes, "A" + "B" * (len(sizes) - 1))
        asked.append(_ask(candidate, stack, row, column, _seed(rng)))
    _judge(asked)


@RECEPTIVE_FIELD.check
def reports_what_must_not_be_seen(candidate: Candidate, rng: np.random.Generator) -> None:
    """Reports also the pixel itself and later ones, where a network is not causal."""
    leaky = draw_stack(rng, (5, 5), (3, 3), "BB")
    anywhere = draw_gates(rng, (4, 5), 4, future=True)
    places = ((leaky, 2, 2), (anywhere, 1, 3))
    _judge([_ask(candidate, *place, _seed(rng)) for place in places])


@RECEPTIVE_FIELD.check
def tries_many_images(candidate: Candidate, rng: np.random.Generator) -> None:
    """Finds pixels that count only where others have some value, and weights of both signs."""
    asked = []
    for shape, row, column in (((4, 6), 3, 5), ((6, 4), 5, 2)):
        gates = draw_gates(rng, shape, 16, future=False)
        asked.append(_ask(candidate, gates, row, column, _seed(rng)))
    asked.append(_ask(candidate, draw_dispute(rng), 4, 5, _seed(rng)))
    _judge(asked)
