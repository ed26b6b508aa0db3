"""`pytest --submission notebook.ipynb`: one pytest item for each exercise of the notebook."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder import registry
from autograder.artifact import examine_weights, path_beside
from autograder.candidate import LocalCandidate
from autograder.exercise import Exercise
from autograder.report import Report
from autograder.submission import SubmissionError, read_submission, run_submission
from autograder.verdict import RIGHT, Verdict, examine


class ExerciseFailed(Exception):
    """An exercise of the submission is wrong or not attempted."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("autograder").addoption(
        "--submission",
        metavar="NOTEBOOK",
        help="check the exercises of this notebook instead of collecting tests",
    )


def pytest_configure(config: pytest.Config) -> None:
    submission = config.getoption("--submission")
    if submission is None:
        return
    path = Path(config.invocation_params.dir, submission)
    if not path.is_file():
        raise pytest.UsageError(f"--submission: there is no file {submission}")
    config.args = [str(path)]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "SubmissionFile | None":
    if parent.config.getoption("--submission") is None or file_path.suffix != ".ipynb":
        return None
    return SubmissionFile.from_parent(parent, path=file_path)


class SubmissionFile(pytest.File):
    """A submitted notebook."""

    def collect(self) -> Iterator["ExerciseItem"]:
        submission = read_submission(self.path)
        namespace, errors = run_submission(submission)
        for exercise in registry.exercises(submission.unit):
            yield ExerciseItem.from_parent(
                self,
                name=exercise.name,
                exercise=exercise,
                answer=namespace.get(exercise.name),
                error=errors.get(exercise.name),
            )

    def repr_failure(self, excinfo: pytest.ExceptionInfo, style: Any = None) -> Any:
        if isinstance(excinfo.value, SubmissionError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)


class ExerciseItem(pytest.Item):
    """The checks of one exercise."""

    def __init__(self, *, exercise: Exercise, answer: Any, error: str | None, **kwargs: Any):
        super().__init__(**kwargs)
        self._exercise = exercise
        self._answer = answer
        self._error = error

    def runtest(self) -> None:
        verdict = self._weights_verdict() if self._exercise.artifact else self._code_verdict()
        if verdict.outcome != RIGHT:
            raise ExerciseFailed(repr(Report(verdict)))

    def _weights_verdict(self) -> Verdict:
        return examine_weights(self._exercise, path_beside(self.path, self._exercise))

    def _code_verdict(self) -> Verdict:
        if self._error:
            raise ExerciseFailed(f"{self.name}: the answer cell fails with {self._error}")
        if not callable(self._answer):
            raise ExerciseFailed(f"{self.name}: the notebook defines no function of this name")
        return examine(self._exercise, LocalCandidate(self._answer))

    def repr_failure(self, excinfo: pytest.ExceptionInfo, style: Any = None) -> Any:
        if isinstance(excinfo.value, ExerciseFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"exercise {self.name}"
