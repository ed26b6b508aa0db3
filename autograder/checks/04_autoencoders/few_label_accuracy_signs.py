"""How mistakes in `few_label_accuracy` show in what the probe was given, and in the number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from autograder.candidate import Call
from autograder.exercise import Sign

from .few_label_accuracy import places


@dataclass(frozen=True, eq=False)
class Seen:
    """One call: what the probe was given, and what came back."""

    call: Call

    @cached_property
    def question(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.call.args[0].questions[0]

    @cached_property
    def labels(self) -> Tensor:
        return self.call.args[2]

    @property
    def count(self) -> int:
        return self.call.args[3]

    @cached_property
    def learned(self) -> list[int]:
        return places(self.question[0], self.call.args[1]).tolist()

    @cached_property
    def tested(self) -> list[int]:
        return places(self.question[2], self.call.args[1]).tolist()

    @property
    def rest(self) -> set[int]:
        return set(range(len(self.labels))) - set(self.learned)

    def is_balanced(self, chosen: list[int]) -> bool:
        """Whether so many different points of each class are among these."""
        counts = torch.unique(self.labels[chosen], return_counts=True)[1]
        all_classes = len(counts) == len(self.labels.unique())
        return all_classes and set(counts.tolist()) == {self.count} == {
            len(set(chosen)) // len(counts)
        }

    @property
    def is_split_well(self) -> bool:
        return self.is_balanced(self.learned) and sorted(self.tested) == sorted(self.rest)

    @property
    def in_order(self) -> bool:
        """Whether the labels that were given belong to the codes that were given."""
        return torch.equal(self.question[1], self.labels[self.learned])

    @property
    def in_another_order(self) -> bool:
        """Whether they are the right labels, but not in the order of the codes."""
        given, right = self.question[1], self.labels[self.learned]
        return not self.in_order and torch.equal(given.sort().values, right.sort().values)

    @property
    def num_right(self) -> int:
        answers = self.call.args[0].function(*self.question)
        return int((answers == self.labels[self.tested]).sum())

    @property
    def takes_the_first(self) -> bool:
        first = [
            (self.labels == label).nonzero()[: self.count, 0] for label in self.labels.unique()
        ]
        return set(self.learned) == set(torch.cat(first).tolist())

    @property
    def takes_same_places(self) -> bool:
        own = {
            tuple(
                n
                for n, place in enumerate((self.labels == label).nonzero()[:, 0].tolist())
                if place in set(self.learned)
            )
            for label in self.labels.unique()
        }
        return len(own) == 1


def every(condition: Callable[[Seen], bool]) -> Sign:
    """Each call that asked the probe meets a condition."""

    def sign(calls: Sequence[Call]) -> bool:
        seen = [Seen(call) for call in calls if call.args[0].questions]
        return bool(seen) and all(map(condition, seen))

    return sign


def some(condition: Callable[[Seen], bool], beside: Callable[[Seen], bool]) -> Sign:
    """Some call meets a condition, and all the others meet another."""

    def sign(calls: Sequence[Call]) -> bool:
        seen = [Seen(call) for call in calls if call.args[0].questions]
        found = [condition(one) for one in seen]
        return any(found) and all(hit or beside(one) for one, hit in zip(seen, found, strict=True))

    return sign


def returned(value: Callable[[Seen], float]) -> Sign:
    """The split is right, and this number came back."""
    return every(
        lambda seen: seen.is_split_well and abs(float(seen.call.value) - value(seen)) < 1e-5
    )


def choose_alike(calls: Sequence[Call], *, same_seed: bool) -> bool | None:
    """Whether two calls on the same data chose the same points, for equal or unequal seeds."""
    for place, one in enumerate(calls):
        for other in calls[place + 1 :]:
            same_data = torch.equal(one.args[2], other.args[2])
            if same_data and (one.args[4] == other.args[4]) == same_seed:
                return set(Seen(one).learned) == set(Seen(other).learned)
    return None
