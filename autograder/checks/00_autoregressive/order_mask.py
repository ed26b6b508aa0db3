"""`order_mask(order)`: which variables an output may see, for any order of the variables."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from .causal_mask import read_mask


def reference(order: Tensor) -> Tensor:
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order))
    return (rank[:, None] > rank).double()


ORDER_MASK = Exercise(
    name="order_mask",
    unit="00_autoregressive",
    title="Any order will do",
    points=2,
    difficulty=2,
    minutes=15,
    reference=reference,
    hints=(
        "**Principle.** The chain rule holds for every order of the variables, so a model is free "
        "to choose one: pixels line by line, column by column, or shuffled. What matters for the "
        "pair (d, j) is who comes first. If variable j comes before variable d in the order, the "
        "output for d may see j, and the entry is 1. No variable sees itself. Two lists must be "
        "kept apart: `order` says which variable stands at each place of the queue, and its "
        "inverse says at which place of the queue each variable stands. You compare places, so "
        "you need the inverse.",
        "**Place.** First find the place of each variable: `place[order[i]] = i` for every i. In "
        "one line that is `order.argsort()`, because sorting a permutation gives its inverse. "
        "Then compare all pairs: `place[:, None] > place[None, :]` is a table (D, D) that is true "
        "where the place of the column variable is smaller, so where j comes before d. Rows "
        "belong to outputs, columns to inputs, as in the weight of a linear layer. Use a strict "
        "comparison, since the diagonal must be zero. For the order 0, 1, 2, … the table is lower "
        "triangular without its diagonal.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "place = order....()                        # (D,)\n"
        "return (place[:, None] > place[...]).double()\n"
        "```\n\n"
        "The gaps: what inverts a permutation, and an axis in front. To test yourself, take "
        "`order = torch.tensor([2, 0, 1])`: variable 2 comes first, then 0, then 1. So row 2 is "
        "all zeros; row 0 has a one in column 2; row 1 has ones in the columns 2 and 0. If your "
        "row 0 is the one without any ones, you compared the entries of `order` itself. Any "
        "permutation of D variables gives D (D − 1) / 2 ones, because of every pair exactly one "
        "comes first.",
    ),
)


def draw_order(rng: np.random.Generator, dim: int) -> Tensor:
    """A permutation that is not its own inverse, nor the inverse of its reverse, where one is."""
    while True:
        order = rng.permutation(dim)
        inverse = np.argsort(order)
        if dim < 4 or not (
            (order == inverse).all() or (order[::-1] == inverse).all() or order[0] == 0
        ):
            return torch.from_numpy(order)


@ORDER_MASK.check
def follows_any_order(candidate: Candidate, rng: np.random.Generator) -> None:
    """Has a one in row d and column j where j comes before d in the order, and zeros elsewhere."""
    orders = [draw_order(rng, dim) for dim in (5, 4, 7, 9)]
    masks = [
        read_mask(candidate.call(order), (len(order),) * 2, "the result of order_mask")
        for order in orders
    ]
    for order, mask in zip(orders, masks, strict=True):
        right = torch.zeros_like(mask)
        queue = order.tolist()
        for place, variable in enumerate(queue):
            right[variable, queue[:place]] = 1
        wrong = (mask != right).nonzero()
        row, column = wrong[0].tolist() if len(wrong) else (0, 0)
        expect.true(
            not len(wrong),
            f"for the order {queue} your mask has {mask[row, column]:.0f} in row {row} and column "
            f"{column}; expected {right[row, column]:.0f}: {len(wrong)} of {mask.numel()} entries "
            "are wrong",
        )


@ORDER_MASK.check
def knows_simple_orders(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is lower triangular for the natural order, upper triangular backwards, and 0 for one
    variable."""
    cases = {
        "natural": torch.arange(4),
        "backwards": torch.arange(4).flip(0),
        "one": torch.zeros(1).long(),
    }
    masks = {
        name: read_mask(candidate.call(order), (len(order),) * 2, "the result of order_mask")
        for name, order in cases.items()
    }
    full = torch.ones(4, 4, dtype=torch.float64)
    rights = {"natural": full.tril(-1), "backwards": full.triu(1), "one": 0 * full[:1, :1]}
    for name, mask in masks.items():
        expect.true(
            torch.equal(mask, rights[name]),
            f"the mask for the order {cases[name].tolist()} is wrong",
        )
