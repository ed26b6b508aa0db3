"""`revive_dead_codes(…)`: codes that nobody uses get a new place among the points."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Seed
from autograder.exercise import Exercise

from ._codes import draw_codebook, draw_points

Z = 5.5  # standard errors: a sound answer is refused less than once in ten million runs


def reference(
    codebook: Tensor, counts: Tensor, z: Tensor, threshold: float, generator: torch.Generator
) -> tuple[Tensor, int]:
    dead = counts < threshold
    number = int(dead.sum())
    rows = torch.randperm(len(z), generator=generator)[:number]
    new = codebook.clone()
    new[dead] = z[rows]
    return new, number


REVIVE_DEAD_CODES = Exercise(
    name="revive_dead_codes",
    unit="07_vq_vae",
    title="A second life for dead codes",
    points=3,
    difficulty=3,
    minutes=20,
    reference=reference,
    deterministic=False,
    hints=(
        "**Principle.** A code learns from the points that choose it. One that is far from all "
        "points is chosen by none, so it never learns, and stays far away: it is dead. No gradient "
        "and no moving average can bring it back. So we take it up and put it down where points "
        "are: onto a point of the present batch, drawn at random. In the next step that point, at "
        "least, will choose it. Each dead code needs a point of its own, because two codes at the "
        "same place would share one. The living are left in peace.",
        "**Place.** A comparison with the threshold gives a mask (K,) of the dead, and its sum is "
        "their number. A code whose count is exactly the threshold lives. For different rows, draw "
        "a whole order with `torch.randperm(N, generator=generator)` and keep as many of its "
        "first entries as there are dead codes; `torch.randint` could give a row twice. Write the "
        "drawn rows into a copy of the codebook, at the places of the mask. Do not forget "
        "`generator`: without it your draws cannot be repeated. And do not seed it: a second call "
        "must give other rows.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "dead = counts < ...\n"
        "number = int(dead.sum())\n"
        "rows = torch.randperm(..., generator=generator)[:number]\n"
        "new = codebook.clone()\n"
        "new[dead] = z[...]\n"
        "return new, number\n"
        "```\n\n"
        "The gaps are the threshold, the number of points and the rows that were drawn. Without "
        "`clone` you would change the caller's codebook. If no code is dead, `rows` is empty, "
        "nothing is written, and you return the codebook as it was, with the number 0. Test "
        "yourself with counts [0, 3, 1, 0] and the threshold 1: two are dead, and rows 1 and 2 of "
        "the codebook stay as they were.",
    ),
)


def _ask(
    candidate: Candidate,
    codebook: Tensor,
    counts: Tensor,
    z: Tensor,
    threshold: float,
    seed: Seed,
) -> tuple[Tensor, float]:
    found = candidate.call(codebook, counts, z, threshold, seed)
    new, number = expect.items(found, 2, "what revive_dead_codes gives")
    new = expect.tensor(new, codebook.shape, "the new codebook")
    return new, expect.number(number, "the number of codes revived")


def _rows_of(vectors: Tensor, z: Tensor) -> Tensor:
    """Which row of z each vector is; a Failure if it is none."""
    distances = torch.cdist(vectors.double(), z.double(), compute_mode=_PLAIN)
    nearest = distances.min(dim=1)
    expect.true(
        not len(vectors) or bool((nearest.values < 1e-6).all()),
        "a dead code was put where there is no point; it must become a row of z, exactly",
    )
    return nearest.indices


_PLAIN = "donot_use_mm_for_euclid_dist"


def _seed(rng: np.random.Generator) -> Seed:
    return Seed(int(rng.integers(1 << 31)))


def _expect(candidate: Candidate, parts: tuple, threshold: float, seed: Seed) -> Tensor:
    """All properties of one call but the chance; gives the rows that were drawn."""
    codebook, counts, z = parts
    new, number = _ask(candidate, *parts, threshold, seed)
    dead = counts < threshold
    lives = (new == codebook.double()).all(dim=1)
    expect.true(
        bool(lives[~dead].all()),
        f"a code with a count of at least {threshold:g} was changed; only the dead are revived",
    )
    expect.true(
        number == int(dead.sum()),
        f"the number of codes revived is {number:g}; {int(dead.sum())} of {len(counts)} codes have "
        f"a count below {threshold:g}",
    )
    rows = _rows_of(new[dead], z)
    expect.true(
        len(rows.unique()) == len(rows),
        f"{len(rows)} dead codes became {len(rows.unique())} different rows of z; each needs a "
        "row of its own",
    )
    return rows


def _draw(rng: np.random.Generator, num_codes: int, latent_dim: int, num_points: int) -> tuple:
    counts = torch.from_numpy(rng.integers(0, 6, size=num_codes)).double()
    return (
        draw_codebook(rng, num_codes, latent_dim),
        counts,
        draw_points(rng, num_points, latent_dim),
    )


@REVIVE_DEAD_CODES.check
def the_dead_become_points(candidate: Candidate, rng: np.random.Generator) -> None:
    """Every dead code becomes a row of z, each another, and all other codes stay."""
    for sizes, threshold in (((12, 3, 20), 3.0), ((7, 2, 9), 1.0), ((5, 5, 5), 4.0)):
        _expect(candidate, _draw(rng, *sizes), threshold, _seed(rng))


@REVIVE_DEAD_CODES.check
def counts_need_not_be_whole(candidate: Candidate, rng: np.random.Generator) -> None:
    """Counts may be moving averages, and a code at the threshold itself lives."""
    codebook, _, z = _draw(rng, 9, 3, 12)
    counts = torch.from_numpy(rng.uniform(0, 1, size=9))
    counts[[2, 5]] = 0.5
    _expect(candidate, (codebook, counts, z), 0.5, _seed(rng))
    _expect(candidate, (codebook, 100 * counts, z), 50.0, _seed(rng))


@REVIVE_DEAD_CODES.check
def all_or_none_may_be_dead(candidate: Candidate, rng: np.random.Generator) -> None:
    """Nothing changes when no code is dead, and all may be dead with as many points as codes."""
    codebook, counts, z = _draw(rng, 6, 2, 6)
    _expect(candidate, (codebook, counts + 1, z), 1.0, _seed(rng))
    rows = _expect(candidate, (codebook, 0 * counts, z), 0.25, _seed(rng))
    expect.true(len(rows) == 6, "all six codes were dead")


@REVIVE_DEAD_CODES.check
def every_point_has_the_same_chance(candidate: Candidate, rng: np.random.Generator) -> None:
    """Draws the points at random, all with the same chance."""
    num_points, half = 1200, 600
    z, living = draw_points(rng, num_points, 2), draw_codebook(rng, 50, 2)
    z = z + 0.5 * torch.linspace(-1, 1, num_points, dtype=z.dtype)[:, None]
    codebook = torch.cat((living, z[:1].expand(half, 2) + 3))
    counts = torch.cat((torch.full((50,), 9.0), torch.zeros(half))).double()
    rows = _expect(candidate, (codebook, counts, z), 1.0, _seed(rng))
    drawn = torch.zeros(num_points, dtype=torch.float64)
    drawn[rows] = 1.0
    position = torch.arange(num_points, dtype=torch.float64)
    center = position - position.mean()
    features = {
        "that come late": center / center.std(),
        "in the outer part of the batch": (center / center.std()).square() - 1,
        "with even numbers": 1 - 2 * (position % 2),
        "far from the origin": _standard(z.norm(dim=1)),
        "far from the codebook": _standard(torch.cdist(z, living).amin(1)),
    }
    # without replacement, half of the points: the sum of a centred feature has this deviation
    for what, feature in features.items():
        feature = feature - feature.mean()
        deviation = (0.25 * feature.square().sum() * num_points / (num_points - 1)).sqrt()
        score = float((drawn * feature).sum() / deviation)
        expect.true(
            abs(score) < Z,
            f"of {num_points} points {half} were drawn, and those {what} too "
            f"{'often' if score > 0 else 'rarely'}; every point must have the same chance",
        )


def _standard(values: Tensor) -> Tensor:
    return values.argsort().argsort().double() / len(values)


@REVIVE_DEAD_CODES.check
def no_row_is_left_out(candidate: Candidate, rng: np.random.Generator) -> None:
    """Draws from all rows: the one that is left over changes from call to call."""
    num_points = 120
    codebook, _, z = _draw(rng, num_points, 1, num_points)
    counts = torch.zeros(num_points).double()
    counts[int(rng.integers(num_points))] = 2.0
    drawn = torch.zeros(num_points)
    for _ in range(4):  # the same row is left four times once in 120³ runs
        drawn[_expect(candidate, (codebook, counts, z), 1.0, _seed(rng))] = 1
    never = (drawn == 0).nonzero().flatten().tolist()
    expect.true(
        not never,
        f"in four calls with {num_points - 1} of {num_points} rows to draw, row {never} of z was "
        "left out every time; every row must have the same chance, the first and last as well",
    )


@REVIVE_DEAD_CODES.check
def chance_comes_from_the_generator(candidate: Candidate, rng: np.random.Generator) -> None:
    """Another generator gives other points, the same one the same; a second call draws anew."""
    codebook, _, z = _draw(rng, 30, 2, 90)
    parts, value = (codebook, torch.zeros(30).double(), z), int(rng.integers(1 << 31))
    seeds = Seed(value), Seed(value), Seed(value, used=True), Seed(value + 1)
    first, again, used, other = (_expect_rows(candidate, parts, seed) for seed in seeds)
    expect.true(
        first == again,
        "two calls with generators in the same state gave different points; draw from `generator`",
    )
    expect.true(
        first != other, "two calls with different generators gave the same points; use `generator`"
    )
    expect.true(
        first != used,
        "a generator that was drawn from before gave the same points as a fresh one; never seed it",
    )


def _expect_rows(candidate: Candidate, parts: tuple, seed: Seed) -> list[int]:
    return _expect(candidate, parts, 1.0, seed).tolist()


@REVIVE_DEAD_CODES.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision, with counts that are whole numbers."""
    codebook, counts, z = _draw(rng, 10, 3, 15)
    _expect(candidate, (codebook.float(), counts.long(), z.float()), 2, _seed(rng))
