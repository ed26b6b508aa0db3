"""How mistakes in `revive_dead_codes` show, whatever points were drawn."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from autograder.candidate import Call, Seed
from autograder.exercise import Sign

from ._signs import both, every, some


def changed_codes(call: Call) -> Tensor:
    """Which codes moved, (K,)."""
    return (call.value[0].double() != call.args[0].double()).any(1)


def dead_codes(call: Call) -> Tensor:
    """Which codes were below the threshold, (K,)."""
    return call.args[1] < call.args[3]


def new_vectors(call: Call) -> Tensor:
    """The vectors that dead codes became."""
    return call.value[0][dead_codes(call)].double()


def _distances(vectors: Tensor, points: Tensor) -> Tensor:
    return torch.cdist(vectors, points.double(), compute_mode="donot_use_mm_for_euclid_dist")


def drawn_rows(call: Call) -> Tensor:
    """Which rows of z the dead became; -1 where that is none."""
    vectors = new_vectors(call)
    if not len(vectors):
        return torch.zeros(0, dtype=torch.int64)
    nearest = _distances(vectors, call.args[2]).min(1)
    return nearest.indices.where(nearest.values < 1e-6, -1)


def is_sound(call: Call) -> bool:
    """No living code moved, and the dead moved onto points."""
    moved = changed_codes(call) & ~dead_codes(call)
    return bool((drawn_rows(call) >= 0).all()) and not bool(moved.any())


def several_dead(call: Call) -> bool:
    return int(dead_codes(call).sum()) > 1


def number_is(right: Callable[[Call], float]) -> Sign:
    """The sign of a wrong number beside a sound codebook."""
    return both(
        every(lambda call: float(call.value[1]) == right(call)),
        some(lambda call: float(call.value[1]) != float(dead_codes(call).sum())),
        every(is_sound),
    )


def is_a_run(call: Call) -> bool:
    """Each row is the one after the row before, the first coming after the last."""
    rows = drawn_rows(call)
    return len(rows) < 2 or bool(((rows[1:] - rows[:-1]) % len(call.args[2]) == 1).all())


def farthest_rows(codebook: Tensor, z: Tensor, number: int) -> Tensor:
    """The rows of z that are farthest from the codebook."""
    return torch.cdist(z.double(), codebook.double()).amin(1).argsort(descending=True)[:number]


def copies_the_living(call: Call) -> bool:
    living, vectors = call.args[0][~dead_codes(call)], new_vectors(call)
    if not len(living) or not len(vectors):
        return True
    return bool((_distances(vectors, living).amin(1) < 1e-6).all())


def is_the_mean(call: Call) -> bool:
    gap = new_vectors(call) - call.args[2].double().mean(0)
    return not len(gap) or float(gap.abs().max()) < 1e-4


def is_near_points(call: Call) -> bool:
    vectors = new_vectors(call)
    return not len(vectors) or float(_distances(vectors, call.args[2]).amin(1).max()) < 0.1


def pairs_of_draws(
    calls: Sequence[Call], test: Callable[[Seed, Seed], bool]
) -> list[tuple[list[int], list[int]]]:
    """The rows of every two calls with the same arguments whose seeds pass the test."""
    found = []
    for i, one in enumerate(calls):
        for other in calls[i + 1 :]:
            same = all(map(torch.equal, one.args[:3], other.args[:3]))
            if same and test(one.args[4], other.args[4]):
                found.append((drawn_rows(one).tolist(), drawn_rows(other).tolist()))
    return found


def same_seed(one: Seed, other: Seed) -> bool:
    return one == other


def used_before(one: Seed, other: Seed) -> bool:
    return one.value == other.value and one.used != other.used


def other_seed(one: Seed, other: Seed) -> bool:
    return one.value != other.value


def never_drawn(row: int) -> Sign:
    """The sign of rows drawn at random, among which this one never is, unless all are needed."""

    def left_out(call: Call) -> bool:
        num_points = len(call.args[2])
        return int(dead_codes(call).sum()) == num_points or row % num_points not in drawn_rows(call)

    return both(every(is_sound), every(left_out), some(lambda call: not is_a_run(call)))
