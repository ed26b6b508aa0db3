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

from autograder.candidate import Call, LocalCandidate
from autograder.exercise import Exercise, Misconception
from autograder.faults import NotAttempted

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
        if _changed_an_argument(outcome) != _changed_an_argument(call):
            return False
        if call.error is None:
            if not alike(outcome.value, call.value):
                return False
            matched += 1
    return matched > 0


def _changed_an_argument(call: Call) -> bool:
    return getattr(call.error, "code", "") == "changed_argument"


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
    """How the outcomes differ from the reference's, if all wrong ones differ in the same way."""
    reference = LocalCandidate(exercise.reference)
    pairs = []
    for call in calls:
        if call.error is not None or not _is_numeric(call.value):
            continue
        right = replay(reference, call)
        if right.error is None and _is_numeric(right.value):
            pairs.append(tuple(torch.as_tensor(v).double() for v in (call.value, right.value)))
    wrong = [pair for pair in pairs if not alike(*pair)]
    for message, holds in _DIFFERENCES.items():
        if wrong and all(holds(given, right) for given, right in wrong):
            return Diagnosis(message)
    return _constant_difference(pairs) if wrong else None


def _is_transposed(given: Tensor, right: Tensor) -> bool:
    return given.ndim == right.ndim == 2 and alike(given.T, right)


_DIFFERENCES = {
    "Your result is the transpose of the right one.": _is_transposed,
    "Your result has the wrong sign throughout.": lambda given, right: alike(given, -right),
    "You returned the exponential of what was asked for: a density, not its logarithm.": (
        lambda given, right: alike(given, right.exp())
    ),
    "You returned the logarithm of what was asked for.": (
        lambda given, right: bool((right > 0).all()) and alike(given, right.log())
    ),
}


def _constant_difference(pairs: Sequence[tuple[Tensor, Tensor]]) -> Diagnosis | None:
    """A constant offset or factor that is the same in every outcome, right ones included.

    Right values of zero say nothing about a factor, if they were answered by zeros.
    """
    if any(given.shape != right.shape for given, right in pairs):
        return None
    given, right = (torch.cat([pair[i].reshape(-1) for pair in pairs]) for i in (0, 1))
    if len(given) < 3 or not torch.isfinite(given).all() or not torch.isfinite(right).all():
        return None
    offset = (given - right).median()
    if abs(offset) > ATOL and alike(given, right + offset) and not alike(right, right + offset):
        return Diagnosis(f"Your result is off by the same amount everywhere: {offset:+.4g}.")
    zero = right.abs() <= ATOL
    if (~zero).sum() < 3 or not alike(given[zero], right[zero]):
        return None
    ratio = (given[~zero] / right[~zero]).median()
    if abs(ratio - 1) > RTOL and alike(given[~zero], ratio * right[~zero]):
        return Diagnosis(f"Your result is {ratio:.4g} times the right one everywhere.")
    return None
