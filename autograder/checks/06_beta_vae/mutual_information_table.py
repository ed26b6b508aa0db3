"""`mutual_information_table(codes, factors, num_bins)`: what does each hidden value say?"""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._factors import codes_in, draw_bins, draw_factors, entropy, grid, table_of


def to_bins(codes: Tensor, num_bins: int) -> Tensor:
    """The bin of each value among bins of equal width from the smallest to the largest of its
    column."""
    low, high = codes.amin(0), codes.amax(0)
    width = torch.where(high > low, high - low, torch.ones_like(low))
    return ((codes - low) / width * num_bins).long().clamp(max=num_bins - 1)


def reference(codes: Tensor, factors: Tensor, num_bins: int) -> Tensor:
    """The estimate of disentanglement_lib (Locatello et al. 2019)."""
    return table_of(to_bins(codes, num_bins), factors)


MUTUAL_INFORMATION_TABLE = Exercise(
    name="mutual_information_table",
    unit="06_beta_vae",
    title="What each hidden value says about each cause",
    points=3,
    difficulty=3,
    minutes=25,
    reference=reference,
    hints=(
        "**Principle.** Mutual information asks how many nats you learn about the cause when you "
        "are told the hidden value. It compares two tables of probabilities: the joint one, and "
        "the one you would have if both were independent, which is the product of the margins. "
        "The logarithm of their ratio, averaged with the joint probabilities, is the answer. It is "
        "zero for independent values, and it is the whole entropy of the cause if the cause can be "
        "read off the hidden value. It does not care about order, scale or whether the relation is "
        "a straight line: that is why it is preferred to a correlation.",
        "**Place.** Treat one pair (m, f) at a time. First bins: subtract the smallest value of "
        "the column, divide by the range, multiply by `num_bins`, round down. The largest value "
        "would land in bin number `num_bins`; put it into the last one with `clamp`. Then count "
        "how often bin b and value k occur together, for instance with `torch.bincount` of b × "
        "(number of values) + k, and reshape. Divide by N. The margins are the sums over each "
        "axis. Only cells with a positive count contribute: elsewhere 0 · log 0 is 0, but the "
        "computer says NaN. A column without any range needs care as well.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "low, high = column.min(), column.max()\n"
        "b = ((column - low) / (high - low) * ...).long().clamp(max=...)\n"
        "K = int(v.max()) + 1\n"
        "joint = torch.bincount(b * K + v, minlength=num_bins * K).reshape(num_bins, K) / len(v)\n"
        "product = joint.sum(1, keepdim=True) * joint.sum(0)\n"
        "seen = joint > 0\n"
        "table[m, f] = (joint[seen] * (joint[seen] / product[seen]).log()).sum()\n"
        "```\n\n"
        "The gaps are the number of bins and the number of the last bin. Where high = low, leave "
        "the row at zero. Test yourself: a column that equals the cause must give its entropy, "
        "log 2 for a fair coin, and two columns of a full grid must give zero.",
    ),
)


def _demand(given: object, right: Tensor, which: str) -> Tensor:
    return expect.close(given, right, f"mutual_information_table {which}", atol=2e-5)


@MUTUAL_INFORMATION_TABLE.check
def is_the_information_in_nats(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the mutual information, in nats, of the binned hidden values with each cause."""
    for num_points, num_values, latent_dim, num_bins in (
        (60, (3, 4), 3, 6),
        (150, (2, 5, 3), 5, 11),
        (80, (4, 2), 2, 8),
    ):
        factors = draw_factors(rng, num_points, num_values)
        bins = draw_bins(rng, factors, latent_dim, num_bins)
        codes = codes_in(rng, bins, num_bins)
        which = f"for N = {num_points}, M = {latent_dim}, F = {len(num_values)}, B = {num_bins}"
        _demand(candidate.call(codes, factors, num_bins), table_of(bins, factors), which)


@MUTUAL_INFORMATION_TABLE.check
def a_copy_says_all(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the entropy of a cause for a hidden value that shows it, and exactly 0 for one that has
    nothing to do with it."""
    factors = grid((3, 4, 2))
    place = [torch.from_numpy(rng.permutation(count)) for count in (3, 4, 2)]
    # all values in another order: what counts is that they can be told apart
    codes = torch.stack([place[f][factors[:, f]] for f in range(3)], 1).double()
    right = torch.diag(torch.tensor([entropy(column) for column in factors.T]))
    _demand(candidate.call(codes, factors, 12), right, "for hidden values that are the causes")


@MUTUAL_INFORMATION_TABLE.check
def the_unit_does_not_matter(candidate: Candidate, rng: np.random.Generator) -> None:
    """Does not change when a hidden value is shifted, scaled or mirrored."""
    factors = draw_factors(rng, 70, (3, 3))
    bins = draw_bins(rng, factors, 3, 7)
    codes = codes_in(rng, bins, 7)
    for unit in (1e-4, -50.0, 3e5):
        given = candidate.call(codes * unit + 0.3 * unit, factors, 7)
        _demand(given, table_of(bins, factors), f"for codes in units of {unit:g}")


@MUTUAL_INFORMATION_TABLE.check
def bins_span_a_column(candidate: Candidate, rng: np.random.Generator) -> None:
    """Uses bins of equal width over the range of each column, also if the values pile up."""
    factors = draw_factors(rng, 90, (4, 3))
    bins = draw_bins(rng, factors, 2, 3, blur=0.6)
    # most of the first column in its first bin, and in the second a few values far below the rest
    bins[4:, 0] *= torch.from_numpy(rng.permutation(np.repeat([0, 1], 43)))
    bins[:, 1] += 5
    bins[2:4, 1] = 0
    bins[:2] = torch.tensor([[9, 9], [0, 0]])
    codes = codes_in(rng, bins, 10)
    _demand(candidate.call(codes, factors, 10), table_of(bins, factors), "for skewed columns")


@MUTUAL_INFORMATION_TABLE.check
def a_cause_may_have_more_values_than_bins(candidate: Candidate, rng: np.random.Generator) -> None:
    """Tells all values of a cause apart, also if they are more than the bins."""
    factors = draw_factors(rng, 200, (23, 3))
    bins = draw_bins(rng, factors, 3, 6)
    given = candidate.call(codes_in(rng, bins, 6), factors, 6)
    _demand(given, table_of(bins, factors), "for 6 bins and a cause with 23 values")


@MUTUAL_INFORMATION_TABLE.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for codes in single precision."""
    factors = draw_factors(rng, 50, (3, 2))
    bins = draw_bins(rng, factors, 3, 5)
    given = candidate.call(codes_in(rng, bins, 5).float(), factors, 5)
    _demand(given, table_of(bins, factors), "in single precision")


@MUTUAL_INFORMATION_TABLE.edge_check
def a_dead_value_says_nothing(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is 0 for a hidden value that never changes, and finite where values of a cause are
    missing."""
    factors = draw_factors(rng, 60, (3, 6))
    factors[:, 1] = torch.tensor([0, 1, 0, 5, 4, 5])[factors[:, 1]]  # two in the middle are missing
    bins = draw_bins(rng, factors, 3, 6)
    codes = codes_in(rng, bins, 6)
    codes[:, 1], bins[:, 1] = float(rng.uniform(0.2, 2)), 0
    _demand(candidate.call(codes, factors, 6), table_of(bins, factors), "with a dead hidden value")


@MUTUAL_INFORMATION_TABLE.edge_check
def an_edge_belongs_to_the_upper_bin(candidate: Candidate, rng: np.random.Generator) -> None:
    """Puts a value that lies exactly on an inner edge into the upper bin."""
    num_bins = 8
    factors = draw_factors(rng, 120, (4, 3))
    edges = draw_bins(rng, factors, 3, num_bins + 1)  # 0, 1, ..., B: all exact in any formula
    codes = edges.double() * torch.tensor([1.0, 0.25, 4.0]) - torch.tensor([0.0, 1.0, 16.0])
    right = table_of(edges.clamp(max=num_bins - 1), factors)
    _demand(candidate.call(codes, factors, num_bins), right, "for values on the edges of bins")
