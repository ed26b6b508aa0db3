"""`neighbour_prior(codes, num_codes, smoothing)`: a prior that is learned by counting."""

import itertools

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._prior import draw_mesh


def reference(codes: Tensor, num_codes: int, smoothing: float) -> Tensor:
    counts = context_counts(codes, num_codes).double() + smoothing
    return torch.log(counts / counts.sum(-1, keepdim=True))


def context_counts(codes: Tensor, num_codes: int) -> Tensor:
    """How often (left, above, code) occurred, (K + 1, K + 1, K); K stands for outside."""
    framed = torch.nn.functional.pad(codes, (1, 0, 1, 0), value=num_codes)
    left, above = framed[:, 1:, :-1], framed[:, :-1, 1:]
    sizes = num_codes + 1, num_codes + 1, num_codes
    number = (left * sizes[1] + above) * num_codes + codes
    total = sizes[0] * sizes[1] * sizes[2]
    return torch.bincount(number.flatten(), minlength=total).reshape(sizes)


NEIGHBOUR_PRIOR = Exercise(
    name="neighbour_prior",
    unit="07_vq_vae",
    title="A prior that is learned by counting",
    points=2,
    difficulty=2,
    minutes=20,
    reference=reference,
    follow_up="With this table you have an autoregressive model: every place looks at two others.",
    hints=(
        "**Principle.** A code depends on what is around it, and of what is around it only what "
        "comes before may be used: to the left and above. So go through all places of all maps, "
        "and count how often each code followed each pair of neighbours. Divided by the number of "
        "times that this pair occurred, the counts are conditional probabilities. Most pairs are "
        "rare or never seen. Adding a small number to every count says that anything remains "
        "possible there, and makes a pair that was never seen predict all codes alike.",
        "**Place.** Places at the left edge have no left neighbour, and those at the top none "
        'above: for them index K, the last of the K + 1, stands for "outside". You may frame each '
        "map with a row and a column of K, as by `torch.nn.functional.pad(codes, (1, 0, 1, 0), "
        "value=num_codes)`. Then `left` and `above` are two slices of the framed maps. Add ones "
        "to a table of zeros, with `index_put_(..., accumulate=True)`, by `torch.bincount` of one "
        "combined number, or in a loop. `table[left, above, code] += 1` on whole arrays counts a "
        "repeated place once only.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "framed = torch.nn.functional.pad(codes, (1, 0, 1, 0), value=num_codes)\n"
        "left, above = framed[:, 1:, :-1], framed[:, :..., 1:]\n"
        "size = num_codes + 1\n"
        "table = torch.full((size, size, num_codes), float(...), dtype=torch.float64)\n"
        "table.index_put_(\n"
        "    (left, above, ...), torch.ones((), dtype=torch.float64), accumulate=True\n"
        ")\n"
        "return torch.log(table / table.sum(dim=..., keepdim=True))\n"
        "```\n\n"
        "The gaps are the last row, which is above nobody, the smoothing, the codes themselves, "
        "and the axis over which the probabilities have to sum to one. A test: "
        "`table.exp().sum(-1)` is 1 everywhere.",
    ),
)


def _expect(candidate: Candidate, codes: Tensor, num_codes: int, smoothing: float, which: str):
    right = reference(codes, num_codes, smoothing)
    given = expect.tensor(candidate.call(codes, num_codes, smoothing), right.shape, which)
    expect.finite(given, which)
    wrong = ~torch.isclose(given.exp(), right.exp(), rtol=1e-4, atol=1e-7)
    wrong |= ~torch.isclose(given, right, rtol=1e-4, atol=1e-4)
    if wrong.any():
        left, above, code = wrong.nonzero()[0].tolist()
        expect.true(
            False,
            f"{which}: log p of code {code}, after {_name(left, num_codes)} to the left and "
            f"{_name(above, num_codes)} above, is {given[left, above, code]:.5g}; expected "
            f"{right[left, above, code]:.5g} ({int(wrong.sum())} of {wrong.numel()} values differ)",
        )


def _name(code: int, num_codes: int) -> str:
    return "outside" if code == num_codes else f"code {code}"


@NEIGHBOUR_PRIOR.check
def is_the_table_of_counts(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the smoothed share of each code among all places with this code to the left and this one
    above."""
    for num_codes, shape, smoothing in (
        (3, (20, 4, 5), 0.5),
        (4, (6, 5, 3), 1.0),
        (2, (30, 2, 4), 0.1),
        (5, (3, 4, 4), 2.0),
        (12, (8, 4, 5), 0.005),
        (3, (4, 3, 3), 50.0),
    ):
        codes = draw_mesh(rng, *shape, num_codes)
        which = f"for codes {shape} with K = {num_codes}"
        _expect(candidate, codes, num_codes, smoothing, which)


@NEIGHBOUR_PRIOR.check
def every_context_sums_to_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives probabilities that sum to 1 for every pair of neighbours, and equal ones for a pair
    that never occurred."""
    codes = torch.from_numpy(rng.integers(0, 2, size=(2, 3, 2)))
    table = expect.tensor(candidate.call(codes, 6, 0.25), (7, 7, 6), "neighbour_prior")
    total = table.exp().sum(-1)
    expect.true(
        (total - 1).abs().max() < 1e-5,
        f"the probabilities of a context sum to {total.flatten()[(total - 1).abs().argmax()]:.5f}",
    )
    unseen = table[2:6, 2:6].exp()
    expect.true(
        (unseen - 1 / 6).abs().max() < 1e-5,
        f"after a pair that never occurred a code has the probability {unseen.max():.4f}; expected "
        "1/K for each",
    )


@NEIGHBOUR_PRIOR.check
def does_not_see_the_future(candidate: Candidate, rng: np.random.Generator) -> None:
    """A map tells the same, place by place, whatever comes after: the joint probabilities of all
    maps sum to 1."""
    codes = draw_mesh(rng, 12, 2, 3, 2)
    table = expect.tensor(candidate.call(codes, 2, 0.5), (3, 3, 2), "neighbour_prior")
    total = 0.0
    for z in itertools.product(range(2), repeat=6):
        framed = torch.full((3, 4), 2)
        framed[1:, 1:] = torch.tensor(z).reshape(2, 3)
        log_p = table[framed[1:, :-1], framed[:-1, 1:], framed[1:, 1:]]
        total += log_p.sum().exp().item()
    expect.true(abs(total - 1) < 1e-5, f"the probabilities of all 64 maps sum to {total:.6f}")
    _expect(candidate, codes, 2, 0.5, "for codes (12, 2, 3) with K = 2")


@NEIGHBOUR_PRIOR.edge_check
def works_on_single_places(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one map, maps of one row, one column or one place, and for K = 1."""
    for shape, num_codes in (
        ((1, 4, 3), 3),
        ((5, 1, 4), 3),
        ((5, 4, 1), 3),
        ((4, 1, 1), 2),
        ((2, 2, 2), 1),
    ):
        codes = torch.from_numpy(rng.integers(0, num_codes, size=shape))
        which = f"for codes {shape} with K = {num_codes}"
        _expect(candidate, codes, num_codes, 1.0, which)
