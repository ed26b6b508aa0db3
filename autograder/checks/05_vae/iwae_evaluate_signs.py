"""How mistakes in `iwae_evaluate` show: in the value, given the draws, or in the draws."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from autograder.candidate import Call
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


def repeats(seeds_differ: bool) -> Sign:
    """The same seed gave other draws, or another seed gave the same."""

    def sign(calls: Sequence[Call]) -> bool:
        last = [call for call in calls if call.args[3] == 3 and call.error is None]
        if len(last) < 2:
            return False
        noise = [f.noise.flatten().sort().values for f in evaluations(last)]
        pairs = [
            (torch.allclose(noise[i], noise[j], atol=1e-4), last[i].args[4] == last[j].args[4])
            for i in range(len(last))
            for j in range(i)
        ]
        if seeds_differ:
            return any(same and not seed for same, seed in pairs)
        return any(seed and not same for same, seed in pairs)

    return sign


def _average(log_weights: Tensor) -> Tensor:
    return log_weights.logsumexp(0) - math.log(len(log_weights))


def _small(calls: Sequence[Call]) -> list[Call]:
    """Without those of the check of extreme values, whose oracle is no method of the model."""
    return [call for call in calls if hasattr(call.args[2].function, "__self__")]
