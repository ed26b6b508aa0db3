"""How mistakes in `few_label_accuracy` show in what the probe was given, and in the number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from autograder.candidate import Call, Seed
from autograder.exercise import Sign

from .few_label_accuracy import CLASS_SIZE, places


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
    def is_share_right(self) -> bool:
        return abs(float(self.call.value) - self.num_right / len(self.tested)) < 1e-5

    @property
    def masks(self) -> list[Tensor]:
        """For each class, which of its points were learned from, in the order of the data."""
        learned = torch.zeros(len(self.labels), dtype=torch.bool)
        learned[self.learned] = True
        return [learned[self.labels == label] for label in self.labels.unique()]

    @property
    def takes_the_first(self) -> bool:
        return all(bool(mask[: self.count].all()) for mask in self.masks)

    @property
    def takes_same_places(self) -> bool:
        return len({tuple(mask.nonzero()[:, 0].tolist()) for mask in self.masks}) == 1


def prefers_an_end(calls: Sequence[Call]) -> bool:
    """All splits and shares are right, but in classes of one size some end is chosen too often."""
    seen = [Seen(call) for call in calls]
    if not all(one.is_split_well and one.in_order and one.is_share_right for one in seen):
        return False
    masks = [mask for one in seen if one.count == CLASS_SIZE - 2 for mask in one.masks]
    share = torch.stack([mask for mask in masks if len(mask) == CLASS_SIZE]).double().mean(0)
    return bool((share[0] - share[-1]).abs() > 0.2)


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


def choose_alike(calls: Sequence[Call], related: Callable[[Seed, Seed], bool]) -> bool | None:
    """Whether two calls on the same data, with seeds so related, chose the same points."""
    for place, one in enumerate(calls):
        for other in calls[place + 1 :]:
            if torch.equal(one.args[2], other.args[2]) and related(one.args[4], other.args[4]):
                return set(Seen(one).learned) == set(Seen(other).learned)
    return None


def same_seed(one: Seed, other: Seed) -> bool:
    return one == other


def other_seed(one: Seed, other: Seed) -> bool:
    return one.value != other.value


def same_seed_used(one: Seed, other: Seed) -> bool:
    return one.value == other.value and one.used != other.used
