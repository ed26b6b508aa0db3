"""Which mistake explains these outputs?

First the misconception bank: a wrong implementation that gives what the student's function gave, on
the very arguments the checks used, is the explanation. Otherwise the difference from the right
answer is described: its sign, a constant factor, a constant offset, a logarithm too many or too
few, a transpose.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from autograder.candidate import Call, LocalCandidate, NotAttempted
from autograder.exercise import Exercise, Misconception

RTOL, ATOL = 1e-4, 1e-6


@dataclass(frozen=True)
class Diagnosis:
    """A likely mistake.

    Attributes:
        message: What to tell the student.
        name: Name of the misconception in the bank; None for a described difference.
    """

    message: str
    name: str | None = None


def diagnose(exercise: Exercise, calls: Sequence[Call]) -> Diagnosis | None:
    """The mistake behind a wrong answer.

    Args:
        exercise: The exercise that was answered.
        calls: Every request the checks made, with its outcome.

    Returns:
        The first misconception that explains all outcomes, else a description of how they differ
        from right ones, else None.
    """
    for misconception in exercise.misconceptions:
        if explains(misconception, calls):
            return Diagnosis(misconception.message, misconception.name)
    return _describe(exercise, calls) if exercise.deterministic else None


def explains(misconception: Misconception, calls: Sequence[Call]) -> bool:
    """Whether the outcomes are those of this misconception."""
    if misconception.sign is not None:
        try:
            return bool(misconception.sign(calls))
        except Exception:  # a sign reads values of any shape; one it cannot read is not its own
            return False
    model = LocalCandidate(misconception.implementation)
    matched = 0
    for call in calls:
        outcome = replay(model, call)
        if (outcome.error is None) != (call.error is None):
            return False
        if call.error is None:
            if not alike(outcome.value, call.value):
                return False
            matched += 1
    return matched > 0


def replay(model: LocalCandidate, call: Call) -> Call:
    """The same request, put to another implementation."""
    try:
        value = getattr(model, call.verb)(*call.args, **call.options)
    except (Exception, NotAttempted) as error:
        return Call(call.verb, call.args, call.options, error=error)
    return Call(call.verb, call.args, call.options, value=value)


def alike(left: Any, right: Any) -> bool:
    """Whether two outcomes agree up to rounding, NaN counted as equal to NaN."""
    if isinstance(left, (tuple, list)) and isinstance(right, (tuple, list)):
        return len(left) == len(right) and all(map(alike, left, right))
    if _is_numeric(left) and _is_numeric(right):
        left, right = torch.as_tensor(left), torch.as_tensor(right)
        if left.shape != right.shape:
            return False
        left, right = left.double(), right.double()
        return torch.allclose(left, right, rtol=RTOL, atol=ATOL, equal_nan=True)
    return type(left) is type(right) and left == right


def _is_numeric(value: Any) -> bool:
    return isinstance(value, (Tensor, int, float)) and not isinstance(value, bool)


def _describe(exercise: Exercise, calls: Sequence[Call]) -> Diagnosis | None:
    """How the first outcome that is wrong differs from the reference's."""
    reference = LocalCandidate(exercise.reference)
    for call in calls:
        if call.error is not None or not _is_numeric(call.value):
            continue
        right = replay(reference, call)
        if right.error is None and not alike(right.value, call.value):
            message = _difference(torch.as_tensor(call.value), torch.as_tensor(right.value))
            return Diagnosis(message) if message else None
    return None


def _difference(given: Tensor, right: Tensor) -> str:
    given, right = given.double(), right.double()
    if given.ndim == 2 and given.shape == right.T.shape and alike(given.T, right):
        return "Your result is the transpose of the right one."
    if given.shape != right.shape or not torch.isfinite(given).all():
        return ""
    if alike(given, -right):
        return "Your result has the wrong sign throughout."
    if alike(given, right.exp()):
        return "You returned the exponential of what was asked for: a density, not its logarithm."
    if (right > 0).all() and alike(given, right.log()):
        return "You returned the logarithm of what was asked for."
    return _constant_difference(given, right)


def _constant_difference(given: Tensor, right: Tensor) -> str:
    if right.numel() < 3:
        return ""
    offset = given - right
    if alike(offset, offset.mean().expand_as(offset)):
        return f"Your result is off by the same amount everywhere: {offset.mean().item():+.4g}."
    ratio = given / right
    if torch.isfinite(ratio).all() and alike(ratio, ratio.mean().expand_as(ratio)):
        return f"Your result is {ratio.mean().item():.4g} times the right one everywhere."
    return ""
