"""How mistakes in answers that draw at random show, whatever the draws were."""

from collections.abc import Callable, Sequence

from autograder.candidate import Call
from autograder.exercise import Sign


def every(test: Callable[[Call], bool]) -> Sign:
    """All calls ended without an error and show it."""
    return lambda calls: all(call.error is None and test(call) for call in calls)


def some(test: Callable[[Call], bool]) -> Sign:
    """A call that ended without an error shows it."""
    return lambda calls: any(call.error is None and test(call) for call in calls)


def both(*signs: Sign) -> Sign:
    """All of these signs."""
    return lambda calls: all(sign(calls) for sign in signs)


def changed_in_place(calls: Sequence[Call]) -> bool:
    """A call ended because it had changed an argument."""
    return any(getattr(call.error, "code", "") == "changed_argument" for call in calls)
