"""`dci(importance)`: disentanglement and completeness of a table of importances."""

import math

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(importance: Tensor) -> tuple[Tensor, Tensor]:
    """Eastwood & Williams 2018, section 2."""
    return purity(importance), purity(importance.T)


def purity(table: Tensor) -> Tensor:
    """How far each row is from even, weighted with its share of the whole."""
    return (weights(table) * scores(table)).sum()


def weights(table: Tensor) -> Tensor:
    return table.sum(1) / table.sum()


def scores(table: Tensor) -> Tensor:
    """1 - entropy of each row over that of an even one; a row of zeros counts as even."""
    total = table.sum(1, keepdim=True)
    even = torch.full_like(table, 1 / table.shape[1])
    share = torch.where(total > 0, table / total.clamp(min=1e-300), even)
    return 1 - torch.special.entr(share).sum(1) / math.log(table.shape[1])


DCI = Exercise(
    name="dci",
    unit="06_beta_vae",
    title="Disentanglement and completeness",
    points=3,
    difficulty=3,
    minutes=20,
    reference=reference,
    hints=(
        "**Principle.** Two different questions hide in one table. Disentanglement looks at a "
        "hidden value and asks whether it serves one cause only. Completeness looks at a cause and "
        "asks whether one hidden value is enough for it. A code that holds a position in two "
        "hidden values, both of them pure, is disentangled and not complete. Each question "
        "normalises its own lines so that they sum to one, and measures with the entropy how "
        "evenly a line is spread: all in one place is 1, the same everywhere is 0. Lines that "
        "matter little for anything count little.",
        "**Place.** Start with disentanglement. Divide each row by its sum, (M, F). The entropy of "
        "a row is −Σ P log P with 0 · log 0 = 0, and `torch.special.entr` does just that. Its "
        "largest value for F entries is log F, so divide by `math.log(F)`: the logarithm with base "
        "F. One minus that is the score of the row. Weigh the rows with their share of the whole "
        "table before you sum. A row of zeros has the weight zero, but 0/0 is NaN, and NaN times "
        "zero is still NaN, so treat it first. Completeness is the same function of the "
        "transposed table, then with log M.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "def purity(table):\n"
        "    total = table.sum(dim=1)\n"
        "    kept = total > ...\n"
        "    share = table[kept] / total[kept, None]\n"
        "    score = 1 - torch.special.entr(share).sum(dim=1) / math.log(table.shape[...])\n"
        "    return (total[kept] / ... * score).sum()\n"
        "return purity(importance), purity(importance....)\n"
        "```\n\n"
        "The gaps are zero, the axis over which the shares sum to one, the sum of the whole table, "
        "and the transpose. Test yourself with [[1, 0], [1, 0], [0, 2]]: each row is pure, so "
        "disentanglement is 1. The first cause uses two of three rows alike, so completeness is "
        "½ (1 − log 2 / log 3) + ½.",
    ),
)


def draw(rng: np.random.Generator, latent_dim: int, num_factors: int, unit: float = 1.0) -> Tensor:
    """Importances, uneven in every way."""
    table = rng.gamma(0.6, size=(latent_dim, num_factors)) + 0.003
    table *= np.exp(rng.normal(size=(latent_dim, 1))) * np.exp(0.7 * rng.normal(size=num_factors))
    return torch.from_numpy(unit * table / table.sum())


def _expect(candidate: Candidate, table: Tensor, right: tuple, which: str) -> None:
    given = candidate.call(table)
    if isinstance(given, Tensor) and given.shape == (2,):  # it can be unpacked like a pair
        given = given.tolist()
    pair = expect.items(given, 2, f"dci {which}")
    names = ("disentanglement", "completeness")
    for name, given, value in zip(names, pair, right, strict=True):
        what = f"{name} {which}"
        given, value = expect.number(given, what), float(value)
        expect.true(abs(given - value) < 1e-4, f"{what} is {given:.5f}; expected {value:.5f}")


@DCI.check
def is_weighted_purity(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is one minus the entropy of each line over its largest value, weighted with the share of the
    line, for rows and for columns."""
    for latent_dim, num_factors, unit in ((3, 5, 1.0), (6, 4, 7.0), (4, 4, 0.02), (2, 3, 1.0)):
        table = draw(rng, latent_dim, num_factors, unit)
        _expect(candidate, table, reference(table), f"for M = {latent_dim}, F = {num_factors}")


@DCI.check
def a_pure_table_scores_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is 1 twice for one entry in each row and column, and 0 twice for an even table."""
    order = torch.from_numpy(rng.permutation(4))
    pure = torch.diag(torch.from_numpy(rng.uniform(0.2, 3, 4)))[order]
    _expect(candidate, pure, (1, 1), "of a table with one entry in each row and column")
    even = torch.full((5, 3), float(rng.uniform(0.5, 2)), dtype=torch.float64)
    _expect(candidate, even, (0, 0), "of an even table")


@DCI.check
def the_two_are_different(candidate: Candidate, rng: np.random.Generator) -> None:
    """Tells apart two hidden values for one cause, and one hidden value for two causes."""
    table = torch.zeros(6, 3, dtype=torch.float64)
    table[torch.arange(6), torch.tensor([0, 0, 1, 1, 2, 2])] = float(rng.uniform(0.3, 3))
    split = 1 - math.log(2) / math.log(6)
    _expect(candidate, table, (1, split), "where each cause has two hidden values")
    _expect(candidate, table.T.contiguous(), (split, 1), "where each hidden value has two causes")


@DCI.check
def order_and_unit_do_not_matter(candidate: Candidate, rng: np.random.Generator) -> None:
    """Does not change with the order of rows and columns or with the unit of the importances."""
    table = draw(rng, 5, 3)
    rows, columns = (torch.from_numpy(rng.permutation(n)) for n in (5, 3))
    moved = (12.5 * table[rows][:, columns]).float()
    _expect(candidate, moved, reference(table), "in another order and unit, in single precision")
    for unit in (1e-5, 1e6):
        _expect(candidate, unit * table, reference(table), f"for importances that sum to {unit:g}")


@DCI.edge_check
def lines_of_zeros_count_nothing(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives rows and columns of zeros no weight; but they count in M and in F."""
    table = draw(rng, 5, 4)
    dead, unseen = rng.choice(5, 2, replace=False), int(rng.integers(4))
    table[dead] = 0
    table[:, unseen] = 0
    _expect(candidate, table, reference(table), "with two rows and one column of zeros")
