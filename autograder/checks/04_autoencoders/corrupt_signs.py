"""How mistakes in `corrupt` show in the damaged points, whatever drew the damage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from autograder.candidate import Call, Seed
from autograder.exercise import Sign

from .corrupt import SHAPE


@dataclass(frozen=True, eq=False)
class Damaged:
    """One answer and its question."""

    x: Tensor
    level: float
    value: Tensor

    @property
    def noise(self) -> Tensor:
        return self.value - self.x

    @property
    def lost(self) -> Tensor:
        return self.value == 0

    @property
    def kept(self) -> Tensor:
        return (self.value - self.x).abs() < 1e-6

    @property
    def share(self) -> float:
        return self.lost.double().mean().item()


Condition = Callable[[Damaged], bool]


def damaged(calls: Sequence[Call], kind: str) -> list[Damaged]:
    """The answers for a table of ordinary size; one of another shape has no sign."""
    return [
        Damaged(call.args[0], call.args[2], call.value.double())
        for call in calls
        if tuple(call.args[0].shape) == SHAPE
        and call.args[1] == kind
        and call.value.shape == call.args[0].shape
    ]


def every(kind: str, condition: Condition) -> Sign:
    """All answers for a kind meet a condition."""

    def sign(calls: Sequence[Call]) -> bool:
        found = damaged(calls, kind)
        return bool(found) and all(map(condition, found))

    return sign


def both(*signs: Sign) -> Sign:
    return lambda calls: all(sign(calls) for sign in signs)


def is_standard(z: Tensor) -> bool:
    """Whether a thousand numbers look like standard normal ones."""
    normal = abs(z.mean()) < 0.2 and abs(z.std() - 1) < 0.13 and 2.3 < z.abs().max() < 6
    return bool(normal)


def is_noise(scale: Callable[[float], float]) -> Condition:
    """The noise is normal, with a function of the level as its standard deviation."""
    return lambda d: is_standard(d.noise / scale(d.level)) and not is_right_noise(d)


def is_right_noise(d: Damaged) -> bool:
    return is_standard(d.noise / d.level)


def is_darkened(calls: Sequence[Call]) -> bool:
    """Noise around √(1 − level²) x explains the answers better than noise around x."""
    found = [d for d in damaged(calls, "gaussian") if d.level < 0.9]
    models = [(d.value - (1 - d.level**2) ** 0.5 * d.x) / d.level for d in found]
    surplus = sum(
        (d.noise / d.level).square().sum() - z.square().sum()
        for d, z in zip(found, models, strict=True)
    )
    return all(map(is_standard, models)) and bool(surplus > 0)


def is_dropout(d: Damaged) -> bool:
    return bool((d.lost | d.kept).all() and d.lost.any())


def share_is(model: Callable[[float], float]) -> Sign:
    """The lost share is another function of the level, and at some level far from it."""

    def sign(calls: Sequence[Call]) -> bool:
        found = damaged(calls, "dropout")
        return (
            all(is_dropout(d) and abs(d.share - model(d.level)) < 0.06 for d in found)
            and max(abs(d.share - d.level) for d in found) > 0.1
        )

    return sign


def rows_agree(table: Tensor) -> bool:
    return bool((table - table[:1]).abs().max() < 1e-6)


def agree(along: str) -> Sign:
    """The same places are lost in all points, or all values of a point are lost or kept."""

    def sign(calls: Sequence[Call]) -> bool:
        masks = [d.lost.double() for d in damaged(calls, "dropout")]
        tables = masks if along == "points" else [mask.T for mask in masks]
        return all(map(rows_agree, tables)) and any(0 < mask.mean() < 1 for mask in masks)

    return sign


def by_size(d: Damaged) -> bool:
    """All lost values are smaller, or all are larger, than all kept ones."""
    lost, kept = d.x[d.lost], d.x[~d.lost]
    return is_dropout(d) and bool(lost.max() < kept.min() or lost.min() > kept.max())


def too_regular(calls: Sequence[Call]) -> bool:
    """In total, or in every point, the number of lost values is the level's share."""
    found = damaged(calls, "dropout")
    whole = all(abs(d.share - d.level) * d.x.numel() <= 1 for d in found)
    rows = all(((d.lost.double().sum(1) - d.level * d.x.shape[1]).abs() <= 1).all() for d in found)
    return len(found) > 3 and all(map(is_dropout, found)) and (whole or rows)


def _repeats(calls: Sequence[Call], related: Callable[[Seed, Seed], bool]) -> list[bool]:
    """Whether two answers agree, for each two questions that agree but for seeds so related."""
    return [
        torch.equal(one.value, other.value)
        for place, one in enumerate(calls)
        for other in calls[place + 1 :]
        if one.args[1:3] == other.args[1:3]
        and one.args[0].shape == other.args[0].shape
        and torch.equal(one.args[0], other.args[0])
        and related(one.args[3], other.args[3])
    ]


def unrepeatable(calls: Sequence[Call]) -> bool:
    return not all(_repeats(calls, lambda one, other: one == other))


def always_the_same(calls: Sequence[Call]) -> bool:
    return any(_repeats(calls, lambda one, other: one.value != other.value))


def starts_again(calls: Sequence[Call]) -> bool:
    """The same result, whatever was drawn from a generator before."""
    return any(
        _repeats(calls, lambda one, other: one.value == other.value and one.used != other.used)
    )


def changed_in_place(calls: Sequence[Call]) -> bool:
    return any(getattr(call.error, "code", "") == "changed_argument" for call in calls)


def of_another_type(calls: Sequence[Call]) -> bool:
    return any(
        isinstance(call.value, Tensor) and call.value.dtype != call.args[0].dtype for call in calls
    )


def colours_together(calls: Sequence[Call]) -> bool:
    images = [c for c in calls if c.args[0].ndim == 4 and c.args[1] == "dropout"]
    return bool(images) and all(rows_agree((c.value == 0).double().transpose(0, 1)) for c in images)


def is_mixed(calls: Sequence[Call]) -> bool:
    """(1 − level) x plus level times standard normal numbers."""
    found = [d for d in damaged(calls, "gaussian") if 0 < d.level < 0.9]
    models = [(d.value - (1 - d.level) * d.x) / d.level for d in found]
    return all(map(is_standard, models)) and not any(map(is_right_noise, found))


def _repeated(noise: Tensor, rounding: float) -> bool:
    return int((noise.abs().flatten().sort().values.diff() < rounding).sum()) > noise.numel() // 4


def repeats_noise(d: Damaged) -> bool:
    return is_right_noise(d) and _repeated(d.noise, 1e-9)


def has_fixed_mean(d: Damaged) -> bool:
    """The noise sums to zero over all values, or over those of each point."""
    return is_right_noise(d) and bool(d.noise.mean().abs() < 1e-6)


def images_share_noise(calls: Sequence[Call]) -> bool:
    images = [c for c in calls if c.args[0].ndim == 4 and c.args[1] == "gaussian"]
    tables = all(is_right_noise(d) for d in damaged(calls, "gaussian"))
    return tables and any(_repeated(c.value.double() - c.args[0].double(), 1e-6) for c in images)
