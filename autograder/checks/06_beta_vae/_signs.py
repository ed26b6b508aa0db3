"""Signs of mistakes that several implementations make."""

from collections.abc import Callable, Sequence
from typing import Any

from autograder.candidate import Call
from autograder.diagnosis import explains
from autograder.exercise import Exercise, Misconception, Sign


def made_by(
    exercise: Exercise,
    *implementations: Callable[..., Any],
    where: Callable[[Call], bool] = lambda call: True,
) -> Sign:
    """Whether one of these gives what was given, in all calls of this kind.

    An answer that is right in all of them made no mistake there.
    """

    def sign(calls: Sequence[Call]) -> bool:
        chosen = [call for call in calls if where(call)]
        if explains_all(exercise.reference, chosen):
            return False
        return any(explains_all(model, chosen) for model in implementations)

    return sign


def explains_all(implementation: Callable[..., Any], calls: Sequence[Call]) -> bool:
    """Whether an implementation gives the outcome of every one of these calls, of at least one."""
    return explains(Misconception("candidate", "", implementation), calls)
