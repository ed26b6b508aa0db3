"""`reverse_order(first, second)`: the same joint, with the other variable first."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from .joint_table import draw_tables


def reference(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    joint = first[:, None] * second
    return joint.sum(0), (joint / joint.sum(0)).T


REVERSE_ORDER = Exercise(
    name="reverse_order",
    unit="00_autoregressive",
    title="The other order",
    points=2,
    difficulty=2,
    minutes=15,
    reference=reference,
    needs=("joint_table",),
    hints=(
        "**Principle.** The chain rule does not say which variable comes first. The joint p(a, b) "
        "is one table, and it can be read in two ways: as p(a) p(b | a), and as p(b) p(a | b). So "
        "build the joint from what you were given, and then take it apart the other way round. "
        "p(b) is what remains when you sum over all values of a. And p(a | b) is the share that "
        "the value a has among all pairs with this b, so it is the joint divided by p(b). This is "
        "Bayes' rule. Both descriptions give every pair the same probability; only the "
        "conditionals differ.",
        "**Place.** Your `joint_table(first, second)` has the shape (K, L): a goes down, b goes to "
        "the right. A sum over a is a sum over axis 0 and leaves (L,). For the conditional divide "
        "every column by its own sum. Torch lines shapes up from the right, so `joint / "
        "joint.sum(0)` does just that. But now a row must belong to what comes first, and that is "
        "b: the answer has the shape (L, K), so transpose it. Check that each of its rows sums to "
        "one. A plain mean of the rows of `second` is not p(b): values of a that are rare must "
        "count less.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "joint = joint_table(first, second)      # (K, L)\n"
        "new_first = joint.sum(dim=...)          # (L,)\n"
        "new_second = (joint / ...).T            # (L, K)\n"
        "return new_first, new_second\n"
        "```\n\n"
        "The gaps are the axis of a, and what every column is divided by. To test yourself, apply "
        "your function twice: `reverse_order(*reverse_order(first, second))` must give back "
        "`first` and `second`. That is a complete test, because a table that is turned twice is "
        "where it was. If it fails, look at the sums of the rows of the second result first: each "
        "row is a distribution over a and must sum to one. Then look at the shape.",
    ),
)


def _expect(candidate: Candidate, first: Tensor, second: Tensor, what: str) -> None:
    pair = expect.items(candidate.call(first, second), 2, "the result of reverse_order")
    joint = torch.einsum("a,ab->ab", first.double(), second.double())
    new_first = expect.close(pair[0], joint.sum(0), f"p(b) {what}")
    conditional = expect.close(pair[1], (joint / joint.sum(0)).T, f"p(a | b) {what}")
    again = (new_first[:, None] * conditional).T
    expect.close(again, joint, f"p(b) p(a | b), which must be the old joint, {what}")


@REVERSE_ORDER.check
def keeps_the_joint(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives p(b) and p(a | b), whose product is the joint that was given."""
    for num_a, num_b in ((2, 2), (3, 5), (5, 3), (4, 4), (2, 1), (1, 3)):
        first, second = draw_tables(rng, num_a, num_b)
        _expect(candidate, first, second, f"for K = {num_a} and L = {num_b}")


@REVERSE_ORDER.check
def knows_a_deterministic_variable(candidate: Candidate, rng: np.random.Generator) -> None:
    """Holds where b is decided by a, so that some entries are 0."""
    first = torch.from_numpy(rng.dirichlet([4.0, 4.0, 4.0]))
    second = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    _expect(candidate, first, second, "where b is decided by a")


@REVERSE_ORDER.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    first, second = (value.float() for value in draw_tables(rng, 3, 2))
    _expect(candidate, first, second, "in float32")


@REVERSE_ORDER.edge_check
def knows_a_rare_value(candidate: Candidate, rng: np.random.Generator) -> None:
    """Holds for a value of b that is possible, but as rare as 1e-10."""
    first, second = draw_tables(rng, 3, 4)
    rare = int(rng.integers(4))
    second[:, rare] *= 1e-10
    second = second / second.sum(1, keepdim=True)
    _expect(candidate, first, second, f"where p(b) is about 1e-10 for b = {rare}")
