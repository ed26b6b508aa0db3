"""`mig(codes, factors, num_bins)`: has each cause a hidden value of its own?"""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._factors import codes_in, draw_bins, draw_factors, entropy, grid, table_of
from .mutual_information_table import reference as information_table


def reference(codes: Tensor, factors: Tensor, num_bins: int) -> float:
    """Chen et al. 2018, equation (6)."""
    return gap(information_table(codes, factors, num_bins), factors)


def gap(table: Tensor, factors: Tensor) -> float:
    """Mean over the causes of (largest - second largest information) / entropy."""
    best = table.topk(2, dim=0).values
    return float(((best[0] - best[1]) / entropies(factors)).mean())


def entropies(factors: Tensor) -> Tensor:
    return torch.tensor([entropy(column) for column in factors.T], dtype=torch.float64)


MIG = Exercise(
    name="mig",
    unit="06_beta_vae",
    title="The mutual information gap",
    points=2,
    difficulty=2,
    minutes=15,
    needs=("mutual_information_table",),
    reference=reference,
    hints=(
        "**Principle.** A cause is disentangled if exactly one hidden value tells you about it. So "
        "go through the causes one by one, never through the hidden values: which hidden value "
        "says most about this cause, and how much does the next one say? If the first says all and "
        "the second nothing, the gap is the whole entropy of the cause, which is the most that "
        "anybody can learn about it. Dividing by that entropy makes causes with two values and "
        "causes with forty comparable, and brings every gap between 0 and 1. Then take the mean.",
        "**Place.** Your table of exercise D1 has a row for each hidden value and a column for "
        "each cause. You need the two largest entries of each column: `table.topk(2, dim=0)` or a "
        "sort along dim 0. Their difference has the shape (F,). The entropy of a cause comes from "
        "the shares of its values, in nats like the table: not from the number of values, because "
        "some are rarer than others. Note that the entropy is also the information of a cause "
        "about itself. Divide first, cause by cause, and average afterwards; the two orders give "
        "different numbers.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "table = mutual_information_table(codes, factors, num_bins)      # (M, F)\n"
        "best = table.topk(2, dim=...).values                            # (2, F)\n"
        "total = 0.0\n"
        "for f, v in enumerate(factors.T):\n"
        "    share = torch.bincount(v) / len(v)\n"
        "    share = share[share > 0]\n"
        "    total += (best[0, f] - best[1, f]) / -(... * share.log()).sum()\n"
        "return total / ...\n"
        "```\n\n"
        "The gaps are the axis of the hidden values, the shares, and the number of causes. Test "
        "yourself: codes that are the causes give 1, and the same codes with one column repeated "
        "lose the share of that cause.",
    ),
)


def _expect(candidate: Candidate, args: tuple, right: float, which: str) -> None:
    given = expect.number(candidate.call(*args), f"mig {which}")
    expect.true(abs(given - right) < 1e-4, f"mig {which} is {given:.5f}; expected {right:.5f}")


def _draw(
    rng: np.random.Generator, num_points: int, num_values: tuple, latent_dim: int, num_bins: int
) -> tuple[Tensor, Tensor, float]:
    factors = draw_factors(rng, num_points, num_values)
    bins = draw_bins(rng, factors, latent_dim, num_bins)
    return codes_in(rng, bins, num_bins), factors, gap(table_of(bins, factors), factors)


@MIG.check
def is_the_mean_gap(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the mean over the causes of the gap between the two most informative hidden values, as a
    share of the entropy of the cause."""
    for num_points, num_values, latent_dim, num_bins in (
        (60, (3, 4), 4, 6),
        (120, (2, 5, 3), 6, 11),
        (80, (4, 2, 3), 2, 8),
        (160, (3, 17, 2), 3, 7),
    ):
        codes, factors, right = _draw(rng, num_points, num_values, latent_dim, num_bins)
        which = f"for N = {num_points}, M = {latent_dim}, F = {len(num_values)}, B = {num_bins}"
        _expect(candidate, (codes, factors, num_bins), right, which)


@MIG.check
def oracle_codes_score_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is 1 for codes that are the causes, in any order and unit, also with idle values beside
    them."""
    factors = grid((3, 4, 2))
    idle = torch.zeros(24, 1).double() + float(rng.normal())
    codes = torch.cat([-2.0 * factors[:, [2, 0, 1]].double() + 5, idle], 1)
    order = torch.from_numpy(rng.permutation(4))
    _expect(candidate, (codes[:, order], factors, 12), 1.0, "for codes that are the causes")


@MIG.check
def rotated_codes_score_zero(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is 0 for two causes turned by 45 degrees, where both hidden values say the same of each."""
    count = int(rng.integers(5, 9))
    factors = grid((count, count))
    a, b = factors.double().T
    codes = torch.stack([a + b, a - b], 1) / 2**0.5
    _expect(candidate, (codes, factors, 2 * count - 3), 0.0, "for codes turned by 45 degrees")


@MIG.check
def a_second_copy_closes_the_gap(candidate: Candidate, rng: np.random.Generator) -> None:
    """Counts a cause as 0 if two hidden values show it equally well."""
    factors = grid((3, 2, 4))
    twice = int(rng.integers(2))
    codes = torch.cat([factors, factors[:, [twice]]], 1).double()
    codes[:, 2] = codes[:, 2] // 2  # one bit of two: a gap of a half
    _expect(candidate, (codes, factors, 9), 0.5, "for codes of which one is there twice")


@MIG.check
def order_does_not_matter(candidate: Candidate, rng: np.random.Generator) -> None:
    """Does not change when hidden values, causes or points are put in another order."""
    codes, factors, right = _draw(rng, 90, (3, 2, 5), 4, 6)
    columns, causes, rows = (torch.from_numpy(rng.permutation(n)) for n in (4, 3, 90))
    moved = codes[rows][:, columns].float(), factors[rows][:, causes], 6
    _expect(candidate, moved, right, "in another order, for codes in single precision")


@MIG.edge_check
def values_may_be_missing(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is a finite number, and the right one, where values of a cause never occur."""
    factors = draw_factors(rng, 80, (3, 6))
    factors[:, 1] = torch.tensor([0, 1, 0, 5, 4, 5])[factors[:, 1]]
    bins = draw_bins(rng, factors, 3, 7)
    right = gap(table_of(bins, factors), factors)
    _expect(candidate, (codes_in(rng, bins, 7), factors, 7), right, "with missing values")
