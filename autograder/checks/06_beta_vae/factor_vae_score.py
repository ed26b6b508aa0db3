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
    scale[alive] = rng.permutation(np.geomspace(0.1, 1.5, num_alive))
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
