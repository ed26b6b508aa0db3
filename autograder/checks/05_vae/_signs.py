"""Signs that several exercises share: an argument changed in place, and ordinary inputs only."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from autograder.candidate import Call
from autograder.diagnosis import explains
from autograder.exercise import Exercise, Misconception, Sign


def changed_in_place(calls: Sequence[Call]) -> bool:
    return any(getattr(call.error, "code", "") == "changed_argument" for call in calls)


def name_changes_in_place(exercise: Exercise) -> None:
    """Add the mistake of writing into an argument; first in a bank, it goes before all others."""

    def argument_changed(*args: Any) -> Any:
        value = exercise.reference(*args)
        next(a for a in args if isinstance(a, torch.Tensor) and a.is_floating_point()).data.add_(1)
        return value

    exercise.misconception(
        "You change an argument in place (`+=`, `clamp_`, `.data` and the like): the caller still "
        "needs it as it was. Work on a copy, as in `x = x - loc`.",
        sign=changed_in_place,
    )(argument_changed)


def at_ordinary_inputs(
    exercise: Exercise, is_ordinary: Callable[[Call], bool]
) -> Callable[[str], Callable]:
    """A decorator that names a mistake by its values at ordinary inputs alone.

    At extreme ones an answer may overflow besides, in a way of its own. The wrong implementation
    must differ from the right one at ordinary inputs.
    """

    def misconception(message: str) -> Callable:
        def register(implementation: Callable[..., Any]) -> Callable[..., Any]:
            return exercise.misconception(message, sign=like(implementation, is_ordinary))(
                implementation
            )

        return register

    return misconception


def like(implementation: Callable[..., Any], is_ordinary: Callable[[Call], bool]) -> Sign:
    """The outcomes at ordinary inputs are those of this implementation."""
    model = Misconception("", "", implementation)
    return lambda calls: explains(model, [call for call in calls if is_ordinary(call)])
