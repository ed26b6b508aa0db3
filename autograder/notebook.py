"""`check`, `hint` and `when_answered`: what a notebook uses."""

import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from autograder import registry
from autograder.artifact import examine_weights
from autograder.candidate import LocalCandidate
from autograder.exercise import Exercise
from autograder.progress import Progress
from autograder.report import Report
from autograder.threads import one_thread
from autograder.verdict import NOT_ATTEMPTED, RIGHT, Verdict, examine


class CheckFailed(Exception):
    """An exercise is not right; nbgrader scores the cell 0. Shown without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Interrupted(KeyboardInterrupt):
    """You stopped a check; shown without the grader's part of the traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def check(answer: Callable[..., Any]) -> float | None:
    """Check your answer to an exercise and show what was found.

    Args:
        answer: Your function itself, `check(log_gaussian)`; its name tells which exercise it
            answers.

    Returns:
        Nothing, except under plain nbgrader for an answer that is worth part of the points: then
        that number, which nbgrader reads from the cell's result.
    """
    grading = os.environ.get("NBGRADER_EXECUTION") == "autograde"
    try:
        exercise = _exercise_of(answer)
    except LookupError as error:
        _refuse(str(error), grading)
        return None
    try:
        verdict = _examine(exercise, answer)
    except KeyboardInterrupt as stop:
        raise Interrupted(_place_of(stop)) from None
    if grading:
        _show(Report(verdict))
        if verdict.points == 0:
            raise CheckFailed(f"{exercise.name}: {verdict.outcome}, 0 of {exercise.points} points")
        return None if verdict.outcome == RIGHT else verdict.points
    progress = Progress()
    progress.record(verdict)
    _show(Report(verdict, _next_step(verdict, progress)))
    return None


def hint(answer: Callable[..., Any]) -> None:
    """Show the next hint for an exercise: the principle, then the place, then nearly the code.

    The second and the third open after one more check each.

    Args:
        answer: Your function itself, finished or not.
    """
    try:
        exercise = _exercise_of(answer)
    except LookupError as error:
        _refuse(str(error), grading=False)
        return
    progress = Progress()
    level = min(progress.hints_read(exercise.name) + 1, len(exercise.hints))
    opened = min(level, 1 + progress.attempts(exercise.name))
    progress.record_hint(exercise.name, opened)
    _show(HintText(exercise, opened, waiting=opened < level))


@contextlib.contextmanager
def when_answered(answer: Callable[..., Any]) -> Iterator[None]:
    """Around a cell that uses an answer: without one, it says so instead of failing.

    It also says so when a variable is missing that an earlier such cell would have made.

    Args:
        answer: The function that the cell needs.
    """
    try:
        yield
    except NotImplementedError:
        _close_figure()
        print(f"This cell needs {getattr(answer, '__name__', 'your answer')}: answer it first.")
    except NameError as error:
        if not _is_of_the_cell(error):
            raise
        _close_figure()
        print(f"This cell needs {error.name}, which an earlier cell makes: run that cell first.")


def _close_figure() -> None:
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close()  # the figure would be shown half-drawn


def _is_of_the_cell(error: NameError) -> bool:
    """Whether the cell itself lacks the name, and not a function that a student wrote in another.

    The first place of the traceback is `when_answered`, the second the cell, the last the error's.
    """
    _, cell, *deeper = (
        frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)
    )
    return not deeper or deeper[-1] == cell


class HintText:
    """One hint, rich or plain."""

    def __init__(self, exercise: Exercise, level: int, *, waiting: bool):
        self.title = f"Hint {level} of {len(exercise.hints)} for {exercise.name}"
        self.text = exercise.hints[level - 1]
        self.note = (
            f"The next hint opens after one more `check({exercise.name})`." if waiting else ""
        )

    def __repr__(self) -> str:
        text = "\n".join(part for part in (self.title, self.text, self.note) if part)
        return text.replace("**", "")

    def _repr_markdown_(self) -> str:
        note = f"\n\n*{self.note}*" if self.note else ""
        return f"**{self.title}**\n\n{self.text}{note}"


def _exercise_of(answer: Any) -> Exercise:
    """The exercise that a function answers.

    Raises:
        LookupError: If it is no function, or its name is not an exercise's.
    """
    name = getattr(answer, "__name__", None)
    if not callable(answer) or not isinstance(name, str):
        raise LookupError(
            f"a {type(answer).__name__} was given; give your function itself, without calling it "
            "and without quotation marks: check(log_gaussian)"
        )
    return registry.find(name)


def _examine(exercise: Exercise, answer: Callable[..., Any]) -> Verdict:
    with one_thread():  # as the grader does
        if exercise.artifact:
            path = Path(exercise.artifact.file)
            if not os.path.lexists(path):
                return Verdict(exercise, NOT_ATTEMPTED, (), None, 0)
            return examine_weights(exercise, path)
        return examine(exercise, LocalCandidate(answer))


def _place_of(stop: KeyboardInterrupt) -> str:
    """The innermost line of the notebook among those that were running."""
    frames = [frame for frame, _ in traceback.walk_tb(stop.__traceback__)]
    lines = zip(frames, traceback.extract_tb(stop.__traceback__), strict=True)
    own = [line for frame, line in lines if frame.f_globals.get("__name__") == "__main__"]
    if not own:
        return "Interrupted while the check was computing; nothing was recorded."
    return (
        f"Interrupted while your code was running, in line {own[-1].lineno} of {own[-1].name}:\n"
        f"    {own[-1].line}"
    )


def _next_step(verdict: Verdict, progress: Progress) -> str:
    name = verdict.exercise.name
    first = progress.first_prediction(name)
    if first is not None and first != verdict.prediction:
        return f"You committed to {first:g} first; that prediction stays in the log."
    if verdict.outcome == RIGHT:
        return ""
    return f"`hint({name})` shows a hint."


def _refuse(message: str, grading: bool) -> None:
    if grading:
        raise CheckFailed(message)
    print(f"Nothing was checked: {message}")


def _show(result: Any) -> None:
    """Display in a notebook, print anywhere else."""
    try:
        from IPython import get_ipython
    except ImportError:
        print(repr(result))
        return
    if get_ipython() is None:
        print(repr(result))
    else:
        from IPython.display import display

        display(result)
