"""Marks the submissions of a class: finds them, and takes each one from its file to its scores."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook
from nbgrader import utils

from autograder import checks, registry
from autograder.cache import VerdictCache, write_whole
from autograder.grading import SubmissionVerdict, digest_of, digest_of_file, grade, ungraded
from autograder.jail import Jail, Limits
from autograder.nbgrader.execute import VERDICT_FILE, graded_part, show
from autograder.nbgrader.exporter import NOTICE
from autograder.nbgrader.repair import repair
from autograder.nbgrader.sanitise import sanitised
from autograder.submission import SubmissionError, parse_notebook, read_submission, unit_of

TIMESTAMP = "timestamp.txt"
LAYOUT = (
    "FOLDER/STUDENT/UNIT/UNIT.ipynb, as `nbgrader collect` leaves them, or FOLDER/STUDENT.ipynb"
)


class BatchError(Exception):
    """The run itself cannot be done; the message says what to do."""


@dataclass(frozen=True)
class Task:
    """One submission to mark.

    Attributes:
        student: Who handed it in.
        path: The notebook.
        problem: Why it must not be read, if so.
    """

    student: str
    path: Path
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What all submissions of a run have in common; a worker process gets it whole.

    Attributes:
        unit: Unit that is graded.
        released: The notebook as students get it.
        secret: Draws the inputs.
        tier: Sandbox tier.
        limits: What a submission may use.
        verdicts: Folder of the verdicts found so far.
        autograded: Folder for the marked notebooks, as formgrader expects them; None for none.
        banks: Folders of the exercises, so that a worker process finds the same ones.
    """

    unit: str
    released: Path
    secret: bytes
    tier: str
    limits: Limits
    verdicts: Path
    autograded: Path | None = None
    banks: tuple[str, ...] = field(default_factory=lambda: tuple(checks.__path__))


@dataclass(frozen=True, kw_only=True)
class Marked:
    """What became of a submission.

    Attributes:
        student: Who handed it in.
        points: By the computer.
        max_points: By the computer.
        problem: Why nothing could be graded; empty if it could.
        misconceptions: The mistakes found, as `exercise: name`.
        scores: By grade id, what the gradebook is to hold; None where a person must look.
        unanswered: Grade ids of the answer cells that are as they were released.
        timestamp: When it was handed in, as nbgrader wrote it; empty if unknown.
        verdict: File of the verdict; None if it was not kept.
    """

    student: str
    points: float
    max_points: int
    problem: str
    misconceptions: tuple[str, ...]
    scores: dict[str, float | None]
    unanswered: tuple[str, ...]
    timestamp: str
    verdict: Path | None


def find_submissions(folder: Path, unit: str | None) -> tuple[str, list[Task]]:
    """The unit, and the submissions in a folder in the order of their students.

    Args:
        folder: nbgrader's `submitted` folder, or one with a notebook for each student.
        unit: Unit to grade; without it, the only one there is.

    Raises:
        BatchError: If the folder holds no submissions, or the unit is not clear.
    """
    if not folder.is_dir():
        raise BatchError(f"there is no folder {folder}; expected {LAYOUT}")
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise BatchError(f"{folder} cannot be read: {error.strerror}") from None
    files = [path for path in entries if path.suffix == ".ipynb"]
    folders = [path for path in entries if path.is_dir()]
    unit = _the_unit(unit, files, folders)
    own = [path for path in folders if (path / unit).is_dir()]
    if own:
        return unit, [_task(path.name, path / unit / f"{unit}.ipynb", folder) for path in own]
    tasks = [_task(path.stem, path, folder) for path in files]
    if not tasks:
        raise BatchError(f"{folder} holds no submissions of {unit}; expected {LAYOUT}")
    return unit, tasks


def _the_unit(unit: str | None, files: list[Path], folders: list[Path]) -> str:
    known = registry.units()
    if unit is not None:
        if unit not in known:
            raise BatchError(f"there is no unit called {unit!r}; the units are {', '.join(known)}")
        return unit
    found = [name for name in known if any((path / name).is_dir() for path in folders)]
    found = found or (known if files else [])
    if not found:
        raise BatchError(f"no submissions were found; expected {LAYOUT}")
    if len(found) > 1:
        raise BatchError(f"say which unit to grade: --unit {' or --unit '.join(found)}")
    return found[0]


def _task(student: str, path: Path, folder: Path) -> Task:
    """A link may lead to the solution or to another student's answer, so none is followed."""
    student = student.encode("utf-8", "replace").decode()
    if path.resolve() != folder.resolve() / path.relative_to(folder):
        return Task(student, path, "the submission is a link; hand in the notebook itself")
    if not path.is_file():
        others = sorted(other.name for other in path.parent.glob("*.ipynb"))
        advice = f"; if {others[0]} is the answer, rename it {path.name}" if others else ""
        return Task(student, path, f"there is no notebook called {path.name}{advice}")
    return Task(student, path)


class Marker:
    """Marks one submission after the other. Use it as a context manager: it holds a jail."""

    def __init__(self, settings: Settings):
        torch.set_num_threads(1)  # a worker has one core; and rounding must not depend on it
        checks.__path__[:] = settings.banks
        self._settings = settings
        self._cache = VerdictCache(settings.verdicts)
        self._released = read_released(settings.released)
        self._jail = Jail(settings.tier, settings.limits)

    def __enter__(self) -> "Marker":
        return self

    def __exit__(self, *_: object) -> None:
        self._jail.close()

    def mark(self, task: Task) -> Marked:
        """From the file to the scores; the verdict is on disk before anything else happens."""
        nb, problem = self._read(task)
        verdict = self._verdict_on(nb, task, problem)
        show(nb, verdict)
        timestamp = _read_timestamp(task.path)
        if self._settings.autograded is not None:
            self._write(nb, verdict, task.student, timestamp)
        named = [found for found in verdict.exercises if found.diagnosis and found.diagnosis.name]
        return Marked(
            student=task.student,
            points=verdict.points,
            max_points=verdict.max_points,
            problem=verdict.problem,
            misconceptions=tuple(f"{v.exercise.name}: {v.diagnosis.name}" for v in named),
            scores={_name(c): utils.determine_grade(c)[0] for c in nb.cells if utils.is_grade(c)},
            unanswered=tuple(_name(c) for c in nb.cells if _is_unanswered(c)),
            timestamp=timestamp,
            verdict=None if task.problem else self._cache.path_of(verdict),
        )

    def _read(self, task: Task) -> tuple[NotebookNode, str]:
        """The notebook with the released cells, each once, and why it cannot be graded, if so."""
        problem = task.problem
        try:
            nb = new_notebook() if problem else read_notebook(task.path, self._settings.unit)
        except SubmissionError as error:
            problem = str(error)
        if problem:
            nb = new_notebook(cells=[new_markdown_cell(NOTICE.format(problem=problem))])
        return self._released.restore(nb), problem

    def _verdict_on(self, nb: NotebookNode, task: Task, problem: str) -> SubmissionVerdict:
        unit, secret = self._settings.unit, self._settings.secret
        if problem:
            verdict = ungraded(unit, digest_of_file(task.path), self._jail, secret, problem)
        else:
            submission = graded_part(nb, unit, task.path)
            blank = ungraded(unit, digest_of(submission), self._jail, secret, "")
            if found := self._cache.find(blank):
                return found
            verdict = grade(submission, self._jail, secret)
        if not task.problem:  # what stopped the grader once may not do so the next time
            self._cache.save(verdict)
        return verdict

    def _write(
        self, nb: NotebookNode, verdict: SubmissionVerdict, student: str, timestamp: str
    ) -> None:
        folder = self._settings.autograded / student / self._settings.unit
        text = json.dumps(nb, ensure_ascii=False, sort_keys=True) + "\n"  # indenting takes longer
        content = text.encode("utf-8", "backslashreplace")
        write_whole(folder / f"{self._settings.unit}.ipynb", content)
        write_whole(folder / VERDICT_FILE, verdict.to_bytes())
        if timestamp:
            write_whole(folder / TIMESTAMP, timestamp.encode())


def read_notebook(path: Path, unit: str) -> NotebookNode:
    """A submitted notebook of this unit.

    Raises:
        SubmissionError: If it is none; the message is for the student.
    """
    nb = parse_notebook(path)
    if unit_of(nb) != unit:
        read_submission(path, unit)  # has the words for it
    return nb


@dataclass(frozen=True)
class ReleasedCell:
    """A cell that every student got; the names are those of nbgrader's gradebook."""

    name: str
    cell_type: str
    source: str
    locked: bool
    checksum: str | None
    max_score: float | None
    is_solution: bool


@dataclass(frozen=True)
class Released:
    """The notebook as students get it; takes the place of nbgrader's own record of it."""

    source_cells: tuple[ReleasedCell, ...]
    metadata: NotebookNode

    @property
    def grade_cells(self) -> list[ReleasedCell]:
        return [cell for cell in self.source_cells if cell.max_score is not None]

    @property
    def solution_cells(self) -> list[ReleasedCell]:
        return [cell for cell in self.source_cells if cell.is_solution]

    def restore(self, nb: NotebookNode) -> NotebookNode:
        """A submission, cleaned, with every released cell once and the locked ones as they were."""
        repair(nb, self)
        nb = sanitised(nb)
        sources = {cell.name: cell.source for cell in self.source_cells if cell.locked}
        for cell in nb.cells:
            if "nbgrader" in cell.metadata:
                cell.source = sources.get(_name(cell), cell.source)
        nb.metadata = NotebookNode(self.metadata)
        return nb


def read_released(path: Path) -> Released:
    """The released notebook.

    Raises:
        BatchError: If there is none.
    """
    try:
        nb = parse_notebook(path)
    except SubmissionError as error:
        raise BatchError(
            f"the released notebook is missing or damaged: {error}. Name its folder with "
            "--released; `nbgrader generate_assignment` makes it"
        ) from None
    cells = []
    for cell in nb.cells:
        if mark := cell.metadata.get("nbgrader"):
            points = mark["points"] if mark["grade"] else None
            own = (mark["grade_id"], cell.cell_type, cell.source, mark["locked"])
            cells.append(ReleasedCell(*own, mark.get("checksum"), points, mark["solution"]))
    return Released(tuple(cells), nb.metadata)


def _name(cell: NotebookNode) -> str:
    return cell.metadata.nbgrader.grade_id


def _is_unanswered(cell: NotebookNode) -> bool:
    if not utils.is_solution(cell):
        return False
    return cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)


def _read_timestamp(path: Path) -> str:
    """When nbgrader collected the submission; empty if it does not say so, or nonsense."""
    try:
        text = path.with_name(TIMESTAMP).read_text(encoding="utf-8").strip()
        utils.parse_utc(text)
    except (OSError, ValueError, OverflowError):
        return ""
    return text
