"""Finds the exercises: one package for each unit in `autograder/checks/`."""

import difflib
import importlib
import pkgutil
from functools import cache

from autograder import checks
from autograder.exercise import Exercise


class UnknownExerciseError(LookupError):
    """No exercise or unit has this name."""


def units() -> list[str]:
    """Names of the units that have exercises, in course order."""
    return sorted(module.name for module in pkgutil.iter_modules(checks.__path__))


@cache
def exercises(unit: str) -> tuple[Exercise, ...]:
    """The exercises of a unit, in the order of its notebook.

    Raises:
        UnknownExerciseError: If there is no such unit.
    """
    if unit not in units():
        raise UnknownExerciseError(
            f"there is no unit called {unit!r}; the units are {', '.join(units())}"
        )
    # importlib, because the name of a unit starts with a digit
    return tuple(importlib.import_module(f"autograder.checks.{unit}").EXERCISES)


def find(name: str) -> Exercise:
    """The exercise whose function is called `name`.

    Raises:
        UnknownExerciseError: If there is none; the message names the nearest.
    """
    known = {exercise.name: exercise for unit in units() for exercise in exercises(unit)}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]}?" if near else f"the exercises are {', '.join(known)}"
    raise UnknownExerciseError(f"there is no exercise called {name!r}; {advice}")
