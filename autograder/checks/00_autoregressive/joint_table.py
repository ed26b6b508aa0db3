"""`joint_table(first, second)`: the chain rule for two variables, to warm up."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(first: Tensor, second: Tensor) -> Tensor:
    return first[:, None] * second


JOINT_TABLE = Exercise(
    name="joint_table",
    unit="00_autoregressive",
    title="The chain rule, to warm up",
    points=1,
    difficulty=1,
    minutes=5,
    reference=reference,
    hints=(
        "**Principle.** The chain rule says p(a, b) = p(a) p(b | a). First nature draws a, with "
        "the probabilities in `first`. Then it draws b, with the probabilities in row a of "
        "`second`. So the probability of the pair is a product of two numbers: one from `first`, "
        "one from the table. There are K times L pairs, and each gets its own product. Nothing is "
        "summed here, and nothing needs to be divided: the products of all pairs sum to one by "
        "themselves, because each row of `second` does, and `first` does. This was the first of "
        "three hints; the next one opens after one more check.",
        "**Place.** `first` has the shape (K,) and `second` the shape (K, L). You want entry a of "
        "`first` to multiply the whole row a of `second`. Torch lines up shapes from the right: in "
        "`first * second` the entry a would meet column a, and if K and L differ there is an "
        "error. Give `first` a second axis of length one, so that its shape is (K, 1). Then torch "
        "repeats it along the row. `first[:, None]` does that, and `first.unsqueeze(1)` too. Two "
        "nested loops are right as well, only slower. The result has the shape (K, L), row a for "
        "the value a.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "return first[:, ...] * ...\n"
        "```\n\n"
        "The first gap adds an axis, the second is the table of conditionals. To test yourself, "
        "take `first = torch.tensor([0.5, 0.5])` and `second = torch.tensor([[1.0, 0.0], [0.2, "
        "0.8]])`. The joint must be `[[0.5, 0.0], [0.1, 0.4]]`, and `joint.sum()` must be one. If "
        "you see `[[0.5, 0.0], [0.1, 0.4]]` only because both entries of `first` are equal, try "
        "`[0.9, 0.1]`: then the first row must be `[0.9, 0.0]` and the second `[0.02, 0.08]`. "
        "Each row of the joint sums to the entry of `first`.",
    ),
)


def draw_tables(rng: np.random.Generator, num_a: int, num_b: int) -> tuple[Tensor, Tensor]:
    """p(a) (K,) and p(b | a) (K, L), far from uniform, no entry tiny."""
    first = rng.dirichlet(np.full(num_a, 3.0)) * 0.8 + 0.2 / num_a
    second = rng.dirichlet(np.full(num_b, 1.0), size=num_a) * 0.8 + 0.2 / num_b
    return torch.from_numpy(first), torch.from_numpy(second)


@JOINT_TABLE.check
def multiplies_row_by_row(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives p(a) p(b | a) for every pair of values, in row a and column b."""
    for num_a, num_b in ((2, 2), (3, 4), (4, 3), (5, 5), (1, 3), (3, 1)):
        first, second = draw_tables(rng, num_a, num_b)
        right = torch.einsum("a,ab->ab", first, second)
        expect.close(
            candidate.call(first, second), right, f"joint_table for K = {num_a}, L = {num_b}"
        )


@JOINT_TABLE.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    first, second = (value.float() for value in draw_tables(rng, 3, 3))
    expect.close(candidate.call(first, second), (first * second.T).T, "joint_table in float32")


@JOINT_TABLE.edge_check
def keeps_rare_values(candidate: Candidate, rng: np.random.Generator) -> None:
    """Keeps probabilities of 0 and of 1e-9 as they are."""
    first, second = draw_tables(rng, 3, 3)
    rare, impossible, lost = (int(value) for value in rng.permutation(3))
    first[rare] = 1e-9
    first = first / first.sum()
    second[impossible, lost] = 0.0
    second = second / second.sum(1, keepdim=True)
    found = expect.close(candidate.call(first, second), first[:, None] * second, "joint_table")
    ratio = (found[rare] / first[rare]).double()
    expect.close(ratio, second[rare], f"joint_table in row {rare}, where p(a) = 1e-9, over p(a)")
    expect.true(
        found[impossible, lost] == 0,
        f"joint_table at [{impossible}, {lost}] is {found[impossible, lost]:.3g} where p(b | a) "
        "is 0; expected 0",
    )
