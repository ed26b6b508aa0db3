"""Grades one submission behind the trust border: a pure function from files to a verdict.

The student's cells run in a `Jail`; references, inputs and comparisons stay here. All exercises are
asked in one process first, which is fast and where helpers that a student shares between cells are
found. What is not right there is asked again in a process of its own, with only the cells it needs,
so that a crash or a patch in one exercise costs no other; there the grader also lends its reference
for an earlier exercise that failed, so that one mistake is not punished twice.

Where a trained model is handed in, the cell that trained it is not run: the weights beside the
notebook are evaluated, in a process without any of the student's code.
"""

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import course_lib
from autograder import registry
from autograder.artifact import examine_weights, fingerprint, path_beside
from autograder.exercise import Exercise
from autograder.faults import AnswerError
from autograder.jail import Jail, Session
from autograder.secret import seed_of
from autograder.submission import Submission, SubmissionError, parse_notebook, read_submission
from autograder.verdict import NOT_ATTEMPTED, RIGHT, WRONG, Finding, Verdict, examine

FORMAT = 1
CELL_RUNS = "The answer cell runs"
STUB = "raise NotImplementedError"
LOOKS_AT_ANSWERS = "when_answered("


@dataclass(frozen=True, kw_only=True)
class SubmissionVerdict:
    """What a submission is worth, and all that is needed to find the same again.

    Attributes:
        unit: Unit that it answers.
        digest: SHA-256 of the cells that were graded.
        tier: Sandbox tier that they ran in.
        limits: What they could use.
        suite: Version of the checks: a hash of their code, and the libraries' versions.
        key: Which secret the inputs were drawn with; never the secret itself.
        problem: Why nothing could be graded, for the student; empty if it could.
        exercises: One verdict for each exercise of the unit.
    """

    unit: str
    digest: str
    tier: str
    limits: dict[str, Any]
    suite: dict[str, str]
    key: str
    problem: str = ""
    exercises: tuple[Verdict, ...] = ()

    @property
    def points(self) -> float:
        return sum(verdict.points for verdict in self.exercises)

    @property
    def max_points(self) -> int:
        return sum(verdict.exercise.points for verdict in self.exercises)

    def to_json(self) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        exercises = [verdict.to_json() for verdict in self.exercises]
        totals = {"format": FORMAT, "points": self.points, "max_points": self.max_points}
        return fields | {"exercises": exercises} | totals

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "SubmissionVerdict":
        """The verdict that `to_json` wrote.

        Raises:
            ValueError: If `data` is no such verdict, or of another version of this program.
        """
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise ValueError("this is no verdict of this version; grade the submission again")
        fields = {name: data[name] for name in cls.__dataclass_fields__}
        return cls(**fields | {"exercises": tuple(map(Verdict.from_json, data["exercises"]))})

    def to_bytes(self) -> bytes:
        """Canonical JSON: the same submission, suite and secret give the same bytes."""
        return json.dumps(self.to_json(), sort_keys=True, ensure_ascii=False, indent=1).encode()


def grade_file(
    path: str | Path,
    jail: Jail,
    *,
    unit: str | None = None,
    released: str | Path | None = None,
    secret: bytes,
) -> SubmissionVerdict:
    """Grade a notebook file; one that cannot be read gets a verdict that says why.

    Args:
        path: What the student handed in.
        jail: Where it runs.
        unit: Unit that is expected; without it, the notebook's own.
        released: The notebook as students get it, whose set-up cells replace the student's.
        secret: Draws the inputs, together with the submission and the exercise.
    """
    try:
        submission = read_submission(path, unit)
    except SubmissionError as error:
        return ungraded(unit or "", digest_of_file(Path(path)), jail, secret, str(error))
    if released is not None:
        submission = with_released_setup(submission, setup_cells(released))
    return grade(submission, jail, secret)


def ungraded(unit: str, digest: str, jail: Jail, secret: bytes, problem: str) -> SubmissionVerdict:
    """The verdict on what cannot be graded: no points, and the reason."""
    try:
        exercises = registry.exercises(unit)
    except registry.UnknownExerciseError:
        exercises = ()
    verdicts = tuple(Verdict(exercise, NOT_ATTEMPTED, (), None, 0) for exercise in exercises)
    header = _header(unit, digest, jail, secret)
    return SubmissionVerdict(**header, problem=problem, exercises=verdicts)


def grade(submission: Submission, jail: Jail, secret: bytes) -> SubmissionVerdict:
    """Grade a submission that was read."""
    digest = digest_of(submission)
    verdicts = _Grader(submission, jail, secret, digest).run()
    return SubmissionVerdict(
        **_header(submission.unit, digest, jail, secret), exercises=tuple(verdicts)
    )


class _Grader:
    """One submission on its way to a verdict."""

    def __init__(self, submission: Submission, jail: Jail, secret: bytes, digest: str):
        self._submission = submission
        self._jail = jail
        self._exercises = registry.exercises(submission.unit)
        self._trained = {e.name for e in self._exercises if e.artifact}
        self._seeds = {e.name: seed_of(secret, digest, e.name) for e in self._exercises}
        self._deadline = time.monotonic() + jail.limits.seconds_per_submission

    def run(self) -> list[Verdict]:
        together = self._examine_together()
        verdicts: dict[str, Verdict] = {}
        for exercise in self._exercises:
            if exercise.artifact:
                verdicts[exercise.name] = self._examine_weights(exercise)
                continue
            found = together.get(exercise.name)
            failed = [name for name in _needs(exercise) if verdicts[name].outcome != RIGHT]
            if found is None or found.outcome == WRONG or (failed and self._hides_stub(found)):
                found = _better(found, self._examine_alone(exercise, failed))
            verdicts[exercise.name] = found
        return list(verdicts.values())

    def _examine_weights(self, exercise: Exercise) -> Verdict:
        """Without a file, an answer cell that is as it was released means: not attempted."""
        path, seed = path_beside(self._submission.path, exercise), self._seeds[exercise.name]
        source = self._submission.cells.get(exercise.name, STUB)
        if STUB in source and not os.path.lexists(path):
            return Verdict(exercise, NOT_ATTEMPTED, (), None, seed)
        with self._jail.open(self._deadline) as session:
            return examine_weights(exercise, path, seed, session)

    def _hides_stub(self, verdict: Verdict) -> bool:
        """Whether an answer that counts as not attempted only calls one that was not."""
        source = self._submission.cells.get(verdict.exercise.name, STUB)
        return verdict.outcome == NOT_ATTEMPTED and STUB not in source

    def _examine_together(self) -> dict[str, Verdict]:
        """Verdicts by exercise, as far as the process lives to see them."""
        verdicts = {}
        with self._jail.open(self._deadline) as session:
            errors = self._execute(session, self._submission.cells)
            for exercise in self._exercises:
                if session.is_over:
                    break
                if not exercise.artifact:
                    verdicts[exercise.name] = self._examine(session, exercise, errors)
        return verdicts

    def _examine_alone(self, exercise: Exercise, failed: Sequence[str]) -> Verdict:
        """In a process of its own, with references lent for what failed before.

        The cells that failed run too, for helpers in them; unless the process does not live.
        """
        own = {exercise.name, *_needs(exercise)}
        verdict, lived = self._ask_alone(exercise, own, failed)
        if failed and not lived:
            verdict, _ = self._ask_alone(exercise, own - set(failed), failed)
        return verdict

    def _ask_alone(
        self, exercise: Exercise, own: set[str], failed: Sequence[str]
    ) -> tuple[Verdict, bool]:
        known = {e.name for e in self._exercises}
        cells = {
            name: source
            for name, source in self._submission.cells.items()
            if name in own or name not in known
        }
        with self._jail.open(self._deadline) as session:
            errors = self._execute(session, cells)
            with contextlib.suppress(AnswerError):  # then the first question says why it is over
                for name in failed:
                    session.lend(name, registry.find(name).reference)
            verdict = self._examine(session, exercise, errors)
            lent = tuple(name for name in failed if name in session.used)
            return replace(verdict, lent=lent), not session.is_over

    def _execute(self, session: Session, cells: dict[str, str]) -> dict[str, str]:
        """Run cells; returns what went wrong, by their names."""
        errors = {}
        for name, source in cells.items():
            if session.is_over:
                break
            if name in self._trained:
                continue
            try:
                error = session.execute(name, source)
            except AnswerError as ending:
                error = ending
            if error is not None:
                errors[name] = str(error)
        return errors

    def _examine(self, session: Session, exercise: Exercise, errors: dict[str, str]) -> Verdict:
        seed = self._seeds[exercise.name]
        if exercise.name not in self._submission.cells:
            return Verdict(exercise, NOT_ATTEMPTED, (), None, seed)
        session.start_exercise()
        verdict = examine(exercise, session.candidate(exercise.name), seed)
        problem = errors.get(exercise.name)  # it may come after the function's definition
        if problem and verdict.points == 0:
            return Verdict(exercise, WRONG, (Finding(CELL_RUNS, problem),), None, seed)
        return verdict


def _better(together: Verdict | None, alone: Verdict) -> Verdict:
    """The verdict that counts: more points, else the one with the references lent."""
    if together is None or alone.points > together.points:
        return alone
    return alone if alone.lent and alone.points == together.points else together


def _needs(exercise: Exercise) -> list[str]:
    """Names of the exercises that an exercise builds on, also through others."""
    names: dict[str, None] = {}
    for name in exercise.needs:
        names |= dict.fromkeys([*_needs(registry.find(name)), name])
    return list(names)


def setup_cells(released: str | Path) -> dict[str, str]:
    """Source of the set-up cells of a released notebook by grade id, without its answer cells."""
    cells = parse_notebook(Path(released)).cells
    marks = [(cell, cell.metadata.get("nbgrader", {})) for cell in cells]
    return {
        mark["grade_id"]: cell.source
        for cell, mark in marks
        if cell.cell_type == "code" and mark.get("locked") and not mark.get("grade")
    }


def with_released_setup(submission: Submission, setup: dict[str, str]) -> Submission:
    """The submission with the set-up cells as they were released, before its answers.

    Cells that look at answers (`with when_answered(...)`) are for the student's eyes, and left out.
    """
    answers = {exercise.name for exercise in registry.exercises(submission.unit)}
    given = {name: source for name, source in setup.items() if LOOKS_AT_ANSWERS not in source}
    own = {name: source for name, source in submission.cells.items() if name in answers}
    return replace(submission, cells=given | own)


def digest_of(submission: Submission) -> str:
    """SHA-256 of what is graded: the unit, the cells in their order, and files of weights."""
    parts: list[Any] = [submission.unit, list(submission.cells.items())]
    if files := fingerprint(submission.path, submission.unit):
        parts.append(files)
    content = json.dumps(parts)
    return hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file that cannot be graded; of nothing, if it is no file to read."""
    with contextlib.suppress(OSError):
        if path.is_file():  # opening a pipe would wait for ever
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256().hexdigest()


def _header(unit: str, digest: str, jail: Jail, secret: bytes) -> dict[str, Any]:
    return {
        "unit": unit,
        "digest": digest,
        "tier": jail.tier,
        "limits": jail.limits.to_json(),
        "suite": suite_version(),
        "key": hashlib.sha256(b"key:" + secret).hexdigest()[:16],
    }


@functools.cache
def suite_version() -> dict[str, str]:
    """What a verdict depends on beside the submission: this package's code, and the libraries."""
    code = hashlib.sha256()
    for package in (Path(__file__).parent, Path(course_lib.__file__).parent):
        files = [p for p in package.rglob("*") if p.suffix in (".py", ".csv", ".gz")]
        for path in sorted(files, key=lambda p: p.as_posix()):
            name = path.relative_to(package.parent).as_posix()
            code.update(name.encode() + b"\0" + path.read_bytes())
    versions = {name: importlib.metadata.version(name) for name in ("torch", "numpy", "scipy")}
    return {"code": code.hexdigest()[:16], "python": platform.python_version(), **versions}
