"""How mistakes in `iwae_evaluate` show: in the value, given the draws, or in the draws."""

import itertools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from autograder.candidate import Call, Seed
from autograder.diagnosis import alike
from autograder.exercise import Sign

from ._exact import LOG_2PI
from .iwae_evaluate import MANY, Evaluated, read

Value = Callable[[Evaluated], Tensor]


def evaluations(calls: Sequence[Call]) -> list[Evaluated]:
    """All calls that gave a value, with the draws that were asked about."""
    found = []
    for call in calls:
        if call.error is None:
            model = call.args[1].function.__self__
            found.append(read(model, call.args[3], call.args[2], torch.as_tensor(call.value)))
    return found


def gives(value: Value) -> Sign:
    """Each answer is this function of its draws, and not always the right one."""

    def sign(calls: Sequence[Call]) -> bool:
        found = evaluations(_small(calls))
        return (
            bool(found)
            and all(alike(f.given.double(), value(f)) for f in found)
            and not all(alike(f.given.double(), f.bound) for f in found)
        )

    return sign


def draws(condition: Callable[[Evaluated], bool]) -> Sign:
    """The draws of the statistical check meet a condition, and are used as they should be."""

    def sign(calls: Sequence[Call]) -> bool:
        found = [f for f in evaluations(_small(calls)) if f.num_samples == MANY]
        return bool(found) and all(map(condition, found))

    return sign


def log_prior(z: Tensor) -> Tensor:
    return -0.5 * (z.square() + LOG_2PI).sum(-1)


def from_weights(change: Callable[[Evaluated, int], Tensor]) -> Value:
    """The logarithm of the mean of other weights, given for each point as (S,)."""
    return lambda f: torch.stack([_average(change(f, n)) for n in range(len(f.model.x))])


def by_point(reduce: Callable[[Tensor], Tensor]) -> Value:
    """The right weights, put together in another way."""
    return lambda f: torch.stack([reduce(w) for w in f.log_weights])


def repeats(related: Callable[[Seed, Seed], bool], same: bool) -> Sign:
    """Two calls with seeds so related, at the same place, gave the same draws, or did not."""

    def sign(calls: Sequence[Call]) -> bool:
        last = [call for call in calls if call.args[3] == 3 and call.error is None]
        noise = [f.noise.flatten().sort().values for f in evaluations(last)]
        pairs = itertools.combinations(zip(last, noise, strict=True), 2)
        return any(
            torch.allclose(u, v, atol=1e-4) == same
            for (one, u), (two, v) in pairs
            if related(one.args[4], two.args[4])
        )

    return sign


def asked_twice(calls: Sequence[Call]) -> bool:
    """Every draw was asked about twice."""
    found = [read(c.args[1].function.__self__, c.args[3], c.args[2], None) for c in _small(calls)]
    pairs = [(f.z[0].unique(dim=0), f.num_samples) for f in found]
    return bool(found) and all(
        len(z) == count and len(f.z[0]) == 2 * count
        for f, (z, count) in zip(found, pairs, strict=True)
    )


def pieces_averaged(calls: Sequence[Call]) -> bool:
    """Right with few draws; with many between the mean of the log weights and its right value."""
    found = evaluations(_small(calls))
    wrong = [f for f in found if not alike(f.given.double(), f.bound)]
    return bool(wrong) and all(
        f.num_samples >= 7 and bool((f.given < f.bound).all() and (f.given > _elbo(f)).all())
        for f in wrong
    )


def _elbo(found: Evaluated) -> Tensor:
    return torch.stack([w.mean() for w in found.log_weights])


def another_number_of_draws(calls: Sequence[Call]) -> bool:
    """log_joint was asked, and not about as many draws as were wanted."""
    found = []
    for call in _small(calls):
        oracle = call.args[2]
        model = call.args[1].function.__self__
        found.append(len(read(model, call.args[3], oracle, None).z[0]) != call.args[3])
    return sum(found) > len(found) / 2


def only_large_ones_fail(calls: Sequence[Call]) -> bool:
    """All values are right but those of the check of extreme values."""
    found = evaluations(_small(calls))
    extreme = [call for call in calls if not _is_small(call)]
    return (
        bool(found)
        and all(alike(f.given.double(), f.bound) for f in found)
        and any(not _is_right(call) for call in extreme)
    )


def _is_right(call: Call) -> bool:
    if call.error is not None:
        return False
    found = read(call.args[1].function.__self__, call.args[3], call.args[2], call.value)
    return alike(call.value.double(), found.bound)


def _average(log_weights: Tensor) -> Tensor:
    return log_weights.logsumexp(0) - math.log(len(log_weights))


def _small(calls: Sequence[Call]) -> list[Call]:
    """Without those of the check of extreme values, whose oracle is no method of the model."""
    return [call for call in calls if _is_small(call)]


def _is_small(call: Call) -> bool:
    return hasattr(call.args[2].function, "__self__")
