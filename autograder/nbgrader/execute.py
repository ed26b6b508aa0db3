"""Grades a notebook behind the trust border, in place of nbgrader's Execute: no kernel is started.

The verdicts become the outputs of the check cells, in the form that nbgrader reads scores from: an
error scores nothing, a number is partial credit, and anything else is full marks.
"""

import atexit
import functools
import threading
from pathlib import Path
from typing import Any

import torch
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder import registry
from autograder.grading import (
    SubmissionVerdict,
    digest_of_file,
    grade,
    ungraded,
    with_released_setup,
)
from autograder.jail import Jail, JailUnavailable
from autograder.report import Report
from autograder.secret import load_secret
from autograder.submission import Submission
from autograder.verdict import Verdict

CHECK = "check-"
VERDICT_FILE = "verdict.json"
NOT_OF_THIS_COURSE = (
    "{name} is no unit of this course, so the trusted grader has no checks for it; nothing was "
    "graded. Plain nbgrader runs the tests in a notebook, and student code as you: for that, give "
    "the assignment a course folder of its own, whose nbgrader_config.py does not name autograder"
)
NO_SUCH_CHECKS = (
    "{name} has check cells without an exercise in autograder/checks/{name}: {cells}; nothing was "
    "graded. Name a check cell check-EXERCISE, or add the exercise"
)
NO_JAIL = "Nothing was graded, because student code is never run unconfined: {reason}"

_one_at_a_time = threading.Lock()  # formgrader runs in a server


class TrustedExecute(NbGraderPreprocessor):
    """First autograding step: one verdict for each check cell, and all of them in a file."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        names = resources["nbgrader"]
        coursedir = self.parent.parent.coursedir
        submitted = Path(
            coursedir.format_path(
                coursedir.submitted_directory, names["student"], names["assignment"]
            ),
            f"{names['notebook']}.ipynb",
        )
        with _one_at_a_time:
            verdict = verdict_on(nb, names["assignment"], submitted, load_secret(coursedir.root))
        show(nb, verdict)
        resources.setdefault("outputs", {})[VERDICT_FILE] = verdict.to_bytes()
        self.log.info(
            "%s: %g of %d points by the computer, in tier %s",
            submitted,
            verdict.points,
            verdict.max_points,
            verdict.tier,
        )
        return nb, resources


def require_trusted_grading(coursedir: CourseDirectory) -> None:
    """Make sure that an assignment can be graded in a jail, before the first submission is touched.

    Raises:
        NbGraderException: If it cannot; the message says what to do.
    """
    name = coursedir.assignment_id
    if name not in registry.units():
        raise NbGraderException(NOT_OF_THIS_COURSE.format(name=name))
    if unknown := _unknown_checks(coursedir):
        raise NbGraderException(NO_SUCH_CHECKS.format(name=name, cells=", ".join(unknown)))
    try:
        shared_jail().open().close()
    except (JailUnavailable, OSError) as reason:
        raise NbGraderException(NO_JAIL.format(reason=reason)) from reason


@functools.cache
def shared_jail() -> Jail:
    """The jail of this process: it takes seconds to start one, and milliseconds to use it."""
    torch.set_num_threads(1)  # how references round must not depend on the machine
    jail = Jail()
    atexit.register(jail.close)
    return jail


def verdict_on(nb: NotebookNode, unit: str, path: Path, secret: bytes) -> SubmissionVerdict:
    """The verdict on a notebook that was repaired and sanitised.

    Args:
        nb: The notebook.
        unit: Unit that it answers.
        path: The file that the student handed in.
        secret: Draws the inputs.
    """
    problem = nb.metadata.get("course", {}).get("problem")
    if problem:
        return ungraded(unit, digest_of_file(path), shared_jail(), secret, problem)
    return grade(graded_part(nb, unit, path), shared_jail(), secret)


def graded_part(nb: NotebookNode, unit: str, path: Path) -> Submission:
    """What runs: set-up cells as they were released, and the student's answer cells."""
    setup, answers = {}, {}
    for cell in nb.cells:
        if cell.cell_type == "code" and "nbgrader" in cell.metadata and not utils.is_grade(cell):
            part = setup if utils.is_locked(cell) else answers
            part[cell.metadata.nbgrader.grade_id] = cell.source
    missing = tuple(e.name for e in registry.exercises(unit) if e.name not in answers)
    return with_released_setup(Submission(path, unit, answers, missing), setup)


def show(nb: NotebookNode, verdict: SubmissionVerdict) -> None:
    """Write the verdicts into the check cells."""
    verdicts = {f"{CHECK}{found.exercise.name}": found for found in verdict.exercises}
    for count, cell in enumerate(nb.cells, start=1):
        if _is_check(cell):
            mark = cell.metadata.nbgrader
            cell.execution_count = count
            cell.outputs = _outputs(verdicts[mark.grade_id], mark.points, count)


def _outputs(verdict: Verdict, points: float, count: int) -> list[NotebookNode]:
    bundle = Report(verdict)._repr_mimebundle_()
    outputs = [new_output("display_data", data=bundle)]
    share = verdict.points / verdict.exercise.points
    if share == 0:
        text = f"{verdict.exercise.name}: {verdict.outcome}, 0 of {points:g} points"
        outputs.append(
            new_output("error", ename="CheckFailed", evalue=verdict.outcome, traceback=[text])
        )
    elif share < 1:
        data = {"text/plain": f"{share * points:g}"}
        outputs.append(new_output("execute_result", data=data, execution_count=count))
    return outputs


def _is_check(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell)


def _unknown_checks(coursedir: CourseDirectory) -> list[str]:
    """Check cells of the assignment that no exercise belongs to."""
    name = coursedir.assignment_id
    known = {f"{CHECK}{exercise.name}" for exercise in registry.exercises(name)}
    with Gradebook(coursedir.db_url) as gradebook:
        try:
            notebooks = gradebook.find_assignment(name).notebooks
        except MissingEntry:  # nbgrader has words of its own for this
            return []
        return [
            cell.name
            for notebook in notebooks
            for cell in notebook.grade_cells
            if cell.cell_type == "code"
            and cell.name not in known
            and cell.name not in {answer.name for answer in notebook.solution_cells}
        ]
