"""`traverse(z, dim, values)`: one hidden value moves, from an encoded point."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(z: Tensor, dim: int, values: Tensor) -> Tensor:
    path = z.repeat(len(values), 1)
    path[:, dim] = values
    return path


TRAVERSE = Exercise(
    name="traverse",
    unit="06_beta_vae",
    title="Move one hidden value",
    points=1,
    difficulty=1,
    minutes=10,
    reference=reference,
    hints=(
        "**Principle.** To see what a hidden value does, change it and nothing else, and look at "
        "the images. The others must keep the values that belong to a real image: a code of zeros "
        "is the average of everything, and what you see there need not hold anywhere. So start "
        "from the code of an image. The values say where the hidden value shall stand, not by how "
        "much it moves, so that the first picture of two different images shows the same setting. "
        "And the code you were given still belongs to somebody else: work on copies.",
        "**Place.** `z` has M values and you need a table of V rows, each a copy of `z`. "
        "`z.repeat(V, 1)` makes real copies. `z.expand(V, M)` makes rows that all lie on the same "
        "memory: a value that is written to one of them appears in all, and in `z` as well. Then "
        "write `values` into the column `dim`: `[:, dim] = values` sets the whole column at once. "
        "All other columns stay. Check afterwards that `z` itself has not changed. A solution "
        "without writing in place is as good, for instance by `torch.where` and a one-hot row.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "path = z.repeat(..., 1)       # (V, M), copies\n"
        "path[:, ...] = values\n"
        "return ...\n"
        "```\n\n"
        "The gaps are the number of values, the number of the hidden value, and the table. Test "
        "yourself with z = [1, 2, 3], dim = 1 and the values [−5, 0, 5]: the rows must be [1, −5, "
        "3], [1, 0, 3] and [1, 5, 3]. If the middle row is [1, 2, 3], you added the values instead "
        "of setting them. If the first row is [0, −5, 0], you started from zero. If `z` is [1, 5, "
        "3] afterwards, you wrote into the argument.",
    ),
)


def _expect(candidate: Candidate, z: Tensor, dim: int, values: Tensor) -> None:
    right = torch.stack([z] * len(values))
    right[:, dim] = values
    what = f"traverse of hidden value {dim} of {len(z)} to {len(values)} values"
    given = candidate.call(z, dim, values)
    atol = 1e-6 if torch.float32 in (z.dtype, values.dtype) else 1e-11
    expect.close(given, right, what, rtol=atol, atol=atol)
    given, wanted = (str(dtype).removeprefix("torch.") for dtype in (given.dtype, z.dtype))
    expect.true(given == wanted, f"{what} holds {given}; expected {wanted}, the dtype of z")


@TRAVERSE.check
def sets_one_value_and_keeps_the_others(candidate: Candidate, rng: np.random.Generator) -> None:
    """Sets one hidden value to each of the values in turn, and keeps all others of the code."""
    for latent_dim, num_values in ((5, 4), (2, 7), (4, 4), (8, 3)):
        z = torch.from_numpy(rng.normal(size=latent_dim) * 2 + 0.5)
        values = torch.from_numpy(rng.uniform(-3, 3, size=num_values))
        values[int(rng.integers(num_values))] = float(rng.choice([-7, 7]))
        _expect(candidate, z, int(rng.integers(1, latent_dim)), values)


@TRAVERSE.check
def works_for_the_first_and_the_last(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for the first and the last hidden value, for a single value and for one hidden value
    alone."""
    for latent_dim, dim, num_values in ((3, 0, 5), (3, 2, 1), (1, 0, 4)):
        z = torch.from_numpy(rng.normal(size=latent_dim) - 1.0)
        _expect(candidate, z, dim, torch.from_numpy(rng.normal(size=num_values)))


@TRAVERSE.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision, and gives it back."""
    z = torch.from_numpy(rng.normal(size=4)).float()
    _expect(candidate, z, 2, torch.tensor([-2.0, 0.0, 2.0]))


@TRAVERSE.edge_check
def the_code_decides_the_dtype(candidate: Candidate, rng: np.random.Generator) -> None:
    """Has the dtype of the code, also where the values come in another one."""
    z, values = torch.from_numpy(rng.normal(size=(2, 4)))
    _expect(candidate, z.float(), 1, values)
    _expect(candidate, z, 3, values.float())
