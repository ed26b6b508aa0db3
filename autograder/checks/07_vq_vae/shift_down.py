"""`shift_down(features)`: every row gets what the row above it knows."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(features: Tensor) -> Tensor:
    return torch.nn.functional.pad(features, (0, 0, 1, 0))[:, :, :-1]


SHIFT_DOWN = Exercise(
    name="shift_down",
    unit="07_vq_vae",
    title="Hand down what the row above knows",
    points=1,
    difficulty=1,
    minutes=10,
    reference=reference,
    hints=(
        "**Principle.** A feature of the vertical stack in row i has seen row i itself, whole, "
        "also the codes to the right of the place where you stand. The place may not know those: "
        "they come later in the order. What it may know is all of row i - 1. So each row must "
        "receive the feature of the row above it. The top row has nobody above it: it receives "
        "zeros, which carry no message. What the bottom row knew is dropped, because there is no "
        "row below it. The map keeps its size.",
        "**Place.** The rows are the third of the four axes: (N, C, H, W). One way: make a tensor "
        "of zeros of the same shape and type, then copy all rows but the last into all rows but "
        "the first. Another way: add a row of zeros at the top, by `torch.nn.functional.pad`, and "
        "cut the last row off. Beware of `torch.roll`, which brings the last row round to the top: "
        "then the first code would depend on the last. Do not write into `features` itself, "
        "because the vertical stack goes on with it unshifted.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "shifted = torch.zeros_like(features)\n"
        "shifted[:, :, ...:] = features[:, :, :...]\n"
        "return shifted\n"
        "```\n\n"
        "The gaps are where the second row begins, and where the last row begins, counted from "
        "the end. Try a map with 3 rows and 1 column, holding 1, 2 and 3 from the top: you want "
        "0, 1 and 2. Then try a map with a single row: the result must be all zeros. If your "
        "result has one row too many, you padded and did not cut; if it has one row too few, you "
        "cut and did not pad. The columns and the channels stay where they are.",
    ),
)


@SHIFT_DOWN.check
def every_row_gets_the_one_above(candidate: Candidate, rng: np.random.Generator) -> None:
    """Row i holds what row i - 1 held, and the first row holds zeros."""
    for shape in ((2, 3, 4, 5), (1, 2, 5, 3), (3, 1, 2, 2)):
        features = torch.from_numpy(rng.normal(size=shape))
        expect.close(
            candidate.call(features), reference(features), f"shift_down for the shape {shape}"
        )


@SHIFT_DOWN.check
def gradient_goes_up(candidate: Candidate, rng: np.random.Generator) -> None:
    """Lets the gradient through, which goes the other way: from each row to the row above."""
    features, outer = (torch.from_numpy(rng.normal(size=(2, 2, 4, 3))) for _ in range(2))
    (gradient,) = candidate.gradient(features, outer=outer)
    right = torch.zeros_like(outer)
    right[:, :, :-1] = outer[:, :, 1:]
    expect.close(gradient, right, "the gradient for the features")


@SHIFT_DOWN.edge_check
def one_row_becomes_zeros(candidate: Candidate, rng: np.random.Generator) -> None:
    """A map with one row becomes zeros; single precision and infinite values do no harm."""
    features = torch.from_numpy(rng.normal(size=(2, 2, 1, 4))).float()
    expect.close(candidate.call(features), torch.zeros(2, 2, 1, 4), "shift_down of one row")
    features = torch.from_numpy(rng.normal(size=(1, 2, 3, 2))).float()
    features[0, 0, 2, 1] = torch.inf
    expect.close(
        candidate.call(features),
        reference(features),
        "shift_down for a map with an infinite value in its last row",
    )
