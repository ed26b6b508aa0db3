"""`factor_vae_score(train_groups, train_fixed, test_groups, test_fixed, scale)`: who stood still?

The groups are built backwards: first which hidden value varies least in each, then codes that show
it. So the score is known exactly, and no two hidden values are near a tie.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

DEAD = 0.05
# How often each hidden value wins while each cause is fixed, in training and in test groups. Each
# of these gives another score: votes of the test groups or of all, votes in proportion to how often
# a cause was fixed, the median cause, one hidden value for each cause, means of another kind.
TRAIN_VOTES = torch.tensor([[6, 1, 2], [4, 6, 1], [8, 5, 4], [2, 11, 2]])
TEST_VOTES = torch.tensor([[2, 2, 7], [1, 1, 8], [6, 1, 0], [1, 1, 2]])
UNSURE = 0.6  # up to here the vote of the test groups differs from that of the training groups


def reference(
    train_groups: Tensor,
    train_fixed: Tensor,
    test_groups: Tensor,
    test_fixed: Tensor,
    scale: Tensor,
) -> float:
    """Kim & Mnih 2018, section 4."""
    train, test = least(train_groups, scale), least(test_groups, scale)
    return accuracy(majority(train, train_fixed, len(scale)), test, test_fixed)


def least(groups: Tensor, scale: Tensor) -> Tensor:
    """The live hidden value that varies least in each group, relative to its scale, (V,)."""
    alive = scale >= DEAD
    share = groups.var(1) / torch.where(alive, scale, 1.0).square()
    return torch.where(alive, share, torch.inf).argmin(1)


def votes(least: Tensor, fixed: Tensor, latent_dim: int) -> Tensor:
    """How often each hidden value won while each factor was fixed, (M, F)."""
    num_factors = int(fixed.max()) + 1
    counts = torch.bincount(least * num_factors + fixed, minlength=latent_dim * num_factors)
    return counts.reshape(latent_dim, num_factors)


def majority(least: Tensor, fixed: Tensor, latent_dim: int) -> Tensor:
    """The factor that each hidden value stands for, (M,)."""
    return votes(least, fixed, latent_dim).argmax(1)


def accuracy(stands_for: Tensor, least: Tensor, fixed: Tensor) -> float:
    return float((stands_for[least] == fixed).double().mean())


FACTOR_VAE_SCORE = Exercise(
    name="factor_vae_score",
    unit="06_beta_vae",
    title="The FactorVAE score",
    points=3,
    difficulty=3,
    minutes=25,
    reference=reference,
    hints=(
        "**Principle.** Take a group of images that agree in one cause and differ in all others. "
        "If a hidden value holds that cause and nothing else, it is the same for the whole group, "
        "while all others vary. So the hidden value that varies least gives the fixed cause away. "
        "Hidden values have different sizes, so vary means relative to the spread over all data; "
        "and one that never varies at all would win every time without knowing anything, so the "
        "dead ones may not take part. Which hidden value stands for which cause is not known in "
        "advance: learn it from some groups, and test it on others.",
        "**Place.** Three steps. (1) `groups.var(dim=1)` gives the variance of each hidden value "
        "in each group, (V, M). Divide by `scale**2`, because `scale` is a standard deviation. Set "
        "the dead columns to infinity and take `argmin(dim=1)`: one winner for each group. (2) "
        "From the training groups alone, count in a table (M, F) how often hidden value m won "
        "while cause f was fixed. The largest entry of each row says what m stands for. (3) For "
        "each test group, look up what its winner stands for, and compare with the cause that was "
        "fixed. The score is the share of hits.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "def winners(groups):\n"
        "    share = groups.var(dim=1) / ...\n"
        "    share[:, scale < 0.05] = ...\n"
        "    return share.argmin(dim=1)\n"
        "table = torch.zeros(len(scale), int(train_fixed.max()) + 1)\n"
        "for m, f in zip(winners(train_groups), train_fixed):\n"
        "    table[m, f] += 1\n"
        "stands_for = table.argmax(dim=...)\n"
        "hits = stands_for[winners(...)] == test_fixed\n"
        "return hits.double().mean()\n"
        "```\n\n"
        "The gaps are the square of the scale, infinity, the axis of the causes and the test "
        "groups. Test yourself: with codes that are the causes, the winner has the variance 0 and "
        "the score is 1. A code that knows nothing scores about 1/F, not 0.",
    ),
)


@dataclass(frozen=True, eq=False)
class World:
    """Groups, the factors that are fixed in them, and the scale of each hidden value."""

    train_groups: Tensor
    train_fixed: Tensor
    test_groups: Tensor
    test_fixed: Tensor
    scale: Tensor
    score: float

    @property
    def args(self) -> tuple[Tensor, ...]:
        return self.train_groups, self.train_fixed, self.test_groups, self.test_fixed, self.scale


def draw(
    rng: np.random.Generator,
    num_factors: int,
    num_alive: int,
    num_dead: int,
    sure: float = 0.7,
    dead_scale: float | None = None,
) -> World:
    """A code in which each live hidden value stands for a factor, with this probability."""
    alive = rng.permutation(num_alive + num_dead)[:num_alive]
    latent_dim = num_alive + num_dead
    scale = (
        rng.uniform(0.005, 0.04, latent_dim)
        if dead_scale is None
        else np.full(latent_dim, dead_scale)
    )
    if num_dead > 0 and dead_scale is None:
        scale[np.argmin(np.isin(np.arange(latent_dim), alive))] = 0.047  # just dead
    scale[alive] = rng.permutation(np.geomspace(0.055, 1.5, num_alive))
    owner = rng.permutation(np.arange(num_alive) % num_factors)
    for _ in range(1000):
        parts = [_winners(rng, count, alive, owner, num_factors, sure) for count in (60, 40)]
        (train, train_fixed), (test, test_fixed) = (map(torch.from_numpy, p) for p in parts)
        if int(train_fixed.max()) + 1 == num_factors and _is_clear(train, train_fixed, test):
            score = accuracy(majority(train, train_fixed, latent_dim), test, test_fixed)
            own = accuracy(majority(test, test_fixed, latent_dim), test, test_fixed)
            if sure > UNSURE or own > score:  # else the test groups alone must vote otherwise
                break
    groups = [_groups(rng, winners, scale, alive) for winners in (train, test)]
    return World(groups[0], train_fixed, groups[1], test_fixed, torch.from_numpy(scale), score)


def _winners(
    rng: np.random.Generator,
    count: int,
    alive: np.ndarray,
    owner: np.ndarray,
    num_factors: int,
    sure: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Who wins in each group, and the factor that was fixed."""
    place = rng.integers(len(alive), size=count)
    other = rng.integers(num_factors, size=count)
    fixed = np.where(rng.uniform(size=count) < sure, owner[place], other)
    return alive[place], fixed


def _is_clear(train: Tensor, fixed: Tensor, test: Tensor) -> bool:
    """No ties in the vote, and no winner of a test group without a vote."""
    table = votes(train, fixed, int(max(train.max(), test.max())) + 1)
    table = table.sort(1, descending=True).values
    return bool((table[test, 0] > table[test, 1]).all())


def _groups(
    rng: np.random.Generator, winners: Tensor, scale: np.ndarray, alive: np.ndarray, size: int = 7
) -> Tensor:
    """Codes (V, L, M): relative to `scale`, the winner varies least of those that live."""
    num, latent_dim = len(winners), len(scale)
    share = np.full((num, latent_dim), 1e-3)
    share[:, alive] = rng.uniform(0.6, 1.3, size=(num, len(alive)))
    share[np.arange(num), winners.numpy()] = rng.uniform(0.15, 0.4, size=num)
    noise = rng.normal(size=(num, size, latent_dim))
    noise -= noise.mean(1, keepdims=True)
    noise /= noise.std(1, ddof=1, keepdims=True)
    place = 2.5 * rng.normal(size=(num, 1, latent_dim))
    return torch.from_numpy(scale * (place + share[:, None] * noise))


def draw_votes(rng: np.random.Generator) -> World:
    """Groups with the votes of the two tables; no hidden value's first or last vote is its own."""
    num_alive, latent_dim = len(TRAIN_VOTES), len(TRAIN_VOTES) + 1
    alive = rng.permutation(latent_dim)[:num_alive]
    scale = np.full(latent_dim, 0.02)
    scale[alive] = rng.permutation(np.geomspace(0.1, 1.5, num_alive))
    parts = [_ballots(rng, table) for table in (TRAIN_VOTES, TEST_VOTES)]
    (train, train_fixed), (test, test_fixed) = parts
    groups = [_groups(rng, torch.from_numpy(alive[part]), scale, alive) for part in (train, test)]
    score = accuracy(TRAIN_VOTES.argmax(1), torch.from_numpy(test), test_fixed)
    return World(groups[0], train_fixed, groups[1], test_fixed, torch.from_numpy(scale), score)


def _ballots(rng: np.random.Generator, table: Tensor) -> tuple[np.ndarray, Tensor]:
    """Winner and fixed cause of each group, in any order, but for each winner its second choice
    comes first and its last choice last."""
    left = {}
    for m, row in enumerate(table):
        order = row.argsort(stable=True)
        causes = rng.permutation(np.repeat(np.arange(len(row)), row))
        second = int(order[-2])
        causes = sorted(causes, key=lambda f, second=second: f != second)
        last = next(f for f in order.tolist() if f in causes[1:])
        middle = causes[1:]
        middle.remove(last)
        left[m] = [causes[0], *rng.permutation(middle), last]
    winners = rng.permutation(np.repeat(np.arange(len(table)), table.sum(1)))
    return winners, torch.tensor([int(left[m].pop(0)) for m in winners])


def draw_uneven(rng: np.random.Generator) -> World:
    """Groups in which some hidden values vary far more than `scale` says, and others less."""
    world = draw(rng, 3, 4, 0, 0.9)
    factor = torch.ones(4, dtype=torch.float64)
    factor[torch.from_numpy(rng.permutation(4)[:2])] = 6.0
    groups = []
    for part in (world.train_groups, world.test_groups):
        winners = least(part, world.scale)
        chosen = torch.from_numpy(rng.uniform(size=(len(part), 1, 4)) < 0.5)
        chosen &= torch.nn.functional.one_hot(winners, 4)[:, None] == 0
        middle = part.mean(1, keepdim=True)
        groups.append(middle * factor + (part - middle) * torch.where(chosen, factor, 1.0))
    return World(
        groups[0], world.train_fixed, groups[1], world.test_fixed, world.scale, world.score
    )


def draw_shapes(rng: np.random.Generator) -> World:
    """Groups in which variance, range and mean absolute deviation disagree about the winner.

    One hidden value jumps between two values, another has a single outlier. In some of the test
    groups the first has the smaller variance, in the others the second.
    """
    num, size = 40, 8
    scale = rng.permutation(np.geomspace(0.1, 1.5, 4))
    train = torch.from_numpy(rng.permutation(np.arange(num) % 4))
    winners = rng.permutation(np.arange(num) % 4)
    rivals = (winners + rng.integers(1, 4, size=num)) % 4
    groups = _groups(rng, torch.from_numpy(winners), np.ones(4), np.arange(4), size)
    jump = np.where(np.arange(size) % 2 == 0, 1.0, -1.0)
    outlier = [1.0 * (np.arange(size) == place) for place in (size - 1, size // 2)]
    kinds = (  # what the winner does and what its rival; 1 and 2: the range errs, 3 and 4 the MAD
        (1.0 * outlier[0], 0.38 * jump),
        (1.0 * outlier[1], 0.38 * jump),
        (0.4 * jump, 1.5 * outlier[0]),
        (0.39 * jump, 1.6 * outlier[1]),
    )
    for n, kind in enumerate(rng.permutation(np.repeat(np.arange(4), (15, 9, 9, 7)))):
        for m, shape in zip((winners[n], rivals[n]), kinds[kind], strict=True):
            groups[n, :, m] = torch.from_numpy(rng.normal() + rng.choice([-1, 1]) * shape)
    start = _groups(rng, train, scale, np.arange(4), size)
    fixed = torch.from_numpy(winners)
    return World(start, train, groups * torch.from_numpy(scale), fixed, torch.from_numpy(scale), 1)


def _expect(candidate: Candidate, args: tuple, right: float, which: str) -> None:
    given = expect.number(candidate.call(*args), f"factor_vae_score {which}")
    expect.true(
        abs(given - right) < 1e-5,
        f"factor_vae_score {which} is {given:.4f}; expected {right:.4f}",
    )


@FACTOR_VAE_SCORE.check
def is_the_share_of_hits(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the share of the test groups whose fixed factor the majority vote names."""
    for num_factors, num_alive, sure in ((3, 5, 0.5), (2, 6, 0.75), (5, 5, 0.7), (4, 3, 0.5)):
        world = draw(rng, num_factors, num_alive, 0, sure)
        which = f"for F = {num_factors} and M = {num_alive}"
        _expect(candidate, world.args, world.score, which)


@FACTOR_VAE_SCORE.check
def the_dead_do_not_vote(candidate: Candidate, rng: np.random.Generator) -> None:
    """Leaves hidden values out whose scale is below 0.05, and only them."""
    for num_dead in (1, 4):
        world = draw(rng, 3, 4, num_dead, 0.8)
        _expect(candidate, world.args, world.score, f"with {num_dead} dead hidden values")


@FACTOR_VAE_SCORE.check
def the_training_groups_vote(candidate: Candidate, rng: np.random.Generator) -> None:
    """Lets each hidden value stand for the cause that was fixed most often in the training groups
    it won, however often each cause was fixed."""
    world = draw_votes(rng)
    _expect(candidate, world.args, world.score, "for causes that were not fixed equally often")


@FACTOR_VAE_SCORE.check
def the_variance_decides(candidate: Candidate, rng: np.random.Generator) -> None:
    """Compares variances, also where another measure of spread names another winner."""
    world = draw_shapes(rng)
    _expect(candidate, world.args, world.score, "for groups with outliers")


@FACTOR_VAE_SCORE.check
def the_given_scale_counts(candidate: Candidate, rng: np.random.Generator) -> None:
    """Divides by the scale that is given, also if the groups themselves spread otherwise."""
    world = draw_uneven(rng)
    _expect(candidate, world.args, world.score, "for groups that spread more than `scale` says")


@FACTOR_VAE_SCORE.check
def oracle_codes_score_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is 1 for codes that are the causes, in any order and unit."""
    unit = torch.from_numpy(rng.permutation(np.geomspace(0.2, 30, 4)))
    order = torch.from_numpy(rng.permutation(4))
    fixed = torch.from_numpy(rng.permutation(np.arange(60) % 4))
    groups = torch.from_numpy(rng.uniform(-1.7, 1.7, size=(60, 9, 4)))
    still = groups[:, :1].expand_as(groups)
    groups = torch.where(torch.nn.functional.one_hot(fixed, 4)[:, None] > 0, still, groups)
    groups = (groups * unit)[..., order]
    args = groups[:40], fixed[:40], groups[40:], fixed[40:], unit[order]
    _expect(candidate, args, 1.0, "for codes that are the causes")


@FACTOR_VAE_SCORE.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for codes in single precision."""
    world = draw(rng, 3, 4, 1)
    train_groups, train_fixed, test_groups, test_fixed, scale = world.args
    args = train_groups.float(), train_fixed, test_groups.float(), test_fixed, scale.float()
    _expect(candidate, args, world.score, "in single precision")


@FACTOR_VAE_SCORE.edge_check
def a_scale_of_zero(candidate: Candidate, rng: np.random.Generator) -> None:
    """Leaves out a hidden value whose scale is exactly 0."""
    world = draw(rng, 3, 4, 1, 0.8, dead_scale=0.0)
    _expect(candidate, world.args, world.score, "with a scale of exactly 0")
