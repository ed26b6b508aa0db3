"""How mistakes in `naive_log_marginal` show in what was asked and what was answered."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from autograder.candidate import Call
from autograder.diagnosis import alike
from autograder.exercise import Sign

from ._questions import asked


@dataclass(frozen=True)
class Told:
    """One call: for one point the values of z that were asked for, and the log densities told."""

    z: Tensor
    a: Tensor
    low: Tensor
    high: Tensor
    num_samples: int
    num_points: int

    @property
    def u(self) -> Tensor:
        """The draws in units of the box, from 0 to 1."""
        return (self.z - self.low) / (self.high - self.low)

    @property
    def log_volume(self) -> Tensor:
        return (self.high - self.low).log().sum()

    @property
    def log_mean(self) -> Tensor:
        return self.a.logsumexp(0) - math.log(len(self.a))


def told(call: Call) -> list[Told]:
    """What was told in a call, point by point."""
    x, oracle, low, high, num_samples = call.args[:5]
    found = asked(oracle, x)
    return [
        Told(z, a, low, high, num_samples, len(x))
        for z, a in zip(found.z, found.values, strict=True)
    ]


def answered(calls: Sequence[Call]) -> list[Call]:
    return [call for call in calls if call.error is None and isinstance(call.value, Tensor)]


def recipe(formula: Callable[[Told], Tensor]) -> Sign:
    """Every answer is this function of what was told, point by point."""

    def sign(calls: Sequence[Call]) -> bool:
        found = answered(calls)
        return bool(found) and all(
            alike(torch.stack([formula(point) for point in told(call)]), call.value)
            for call in found
        )

    return sign


def over_points(formula: Callable[[Tensor], Tensor]) -> Sign:
    """Every answer is this function of the right answers to all points."""

    def sign(calls: Sequence[Call]) -> bool:
        found = answered(calls)
        return bool(found) and all(
            alike(formula(torch.stack([p.log_volume + p.log_mean for p in told(call)])), call.value)
            for call in found
        )

    return sign


def draws(condition: Callable[[Told], bool], at_least: int = 100) -> Sign:
    """The draws of every large call meet a condition."""

    def sign(calls: Sequence[Call]) -> bool:
        large = [p for call in answered(calls) for p in told(call) if p.num_samples >= at_least]
        return bool(large) and all(condition(point) for point in large)

    return sign


def _pairs(calls: Sequence[Call], same_seed: bool) -> list[tuple[Call, Call]]:
    """Calls with the same arguments, and with the same seed or another one."""
    found = answered(calls)
    return [
        (one, two)
        for i, one in enumerate(found)
        for two in found[i + 1 :]
        if torch.equal(one.args[0], two.args[0])
        and torch.equal(one.args[2], two.args[2])
        and one.args[4] == two.args[4]
        and (one.args[5] == two.args[5]) == same_seed
    ]


def seed_ignored(calls: Sequence[Call]) -> bool:
    """The same seed gives other draws."""
    pairs = _pairs(calls, same_seed=True)
    return bool(pairs) and not any(_same_draws(*pair) for pair in pairs)


def always_the_same(calls: Sequence[Call]) -> bool:
    """Another seed gives the same draws."""
    pairs = _pairs(calls, same_seed=False)
    return bool(pairs) and all(_same_draws(*pair) for pair in pairs)


def _same_draws(one: Call, two: Call) -> bool:
    return all(alike(p.z, q.z) for p, q in zip(told(one), told(two), strict=True))


def wrong_count(calls: Sequence[Call]) -> bool:
    return any(len(p.a) != p.num_samples for call in answered(calls) for p in told(call))
