"""Writes the scores of a whole class into nbgrader's gradebook, in one transaction.

nbgrader commits once for each cell of each student, 18 ms each; here a class takes a few statements
through its own models. Afterwards the gradebook is what `nbgrader autograde` would have left: every
automatic score is replaced or taken away, and what a person gave stays.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from nbgrader import utils
from nbgrader.api import (
    Comment,
    Grade,
    Gradebook,
    MissingEntry,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from autograder.batch import Marked

NO_RESPONSE = "No response."  # nbgrader's own words
GENERATE = "run `nbgrader generate_assignment {unit}` first, or grade with --no-gradebook"


class GradebookError(Exception):
    """The gradebook cannot be used; the message says what to do."""


def require_assignment(url: str, unit: str) -> None:
    """Make sure that the scores of a unit can be written, before anything is graded.

    Raises:
        GradebookError: If there is no gradebook, or the assignment is not in it.
    """
    with _opened(url, unit):
        pass


def write_scores(url: str, unit: str, class_: Sequence[Marked]) -> None:
    """Write the scores of all students, or, if anything fails, nothing.

    Raises:
        GradebookError: If the gradebook cannot be written.
    """
    with _opened(url, unit) as (session, notebook):
        _add_students(session, class_)
        assignments = _add_submissions(session, notebook.assignment_id, class_)
        notebooks = _add_notebooks(session, notebook, assignments)
        _write_grades(session, notebook, notebooks, class_)
        _write_comments(session, notebook, notebooks, class_)
        session.commit()


@contextlib.contextmanager
def _opened(url: str, unit: str) -> Iterator[tuple[Session, Notebook]]:
    """A session and the released notebook; every error becomes one that says what to do."""
    _require_file(url, unit)
    try:
        with Gradebook(url) as gradebook:
            yield gradebook.db, gradebook.find_notebook(unit, unit)
    except MissingEntry:
        raise GradebookError(
            f"the gradebook {url} has no assignment {unit}: {GENERATE.format(unit=unit)}"
        ) from None
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise GradebookError(
            f"the gradebook {url} cannot be used ({reason}); nothing was written to it. Is it "
            "damaged, read-only, or in use by another program? Verdicts found so far are kept"
        ) from None


def _require_file(url: str, unit: str) -> None:
    """Opening a database of SQLite makes it, so a mistyped name would give an empty one."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise GradebookError(
            f"{url!r} is no address of a gradebook; expected one like sqlite:///gradebook.db"
        ) from None
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database not in (None, ":memory:")
    if is_file and not Path(parsed.database).is_file():
        raise GradebookError(f"there is no gradebook at {url}: {GENERATE.format(unit=unit)}")


def _add_students(session: Session, class_: Sequence[Marked]) -> None:
    known = set(session.scalars(select(Student.id)))
    _insert(session, Student, [{"id": m.student} for m in class_ if m.student not in known])


def _add_submissions(session: Session, assignment: str, class_: Sequence[Marked]) -> dict[str, str]:
    """Identifiers of the submissions by student."""
    own = SubmittedAssignment.assignment_id == assignment
    query = select(SubmittedAssignment.student_id, SubmittedAssignment.id).where(own)
    known = dict(session.execute(query).all())
    new = {m.student: new_uuid() for m in class_ if m.student not in known}
    _insert(
        session,
        SubmittedAssignment,
        [{"id": i, "assignment_id": assignment, "student_id": s} for s, i in new.items()],
    )
    known |= new
    times = [
        {"row": known[m.student], "timestamp": utils.parse_utc(m.timestamp)}
        for m in class_
        if m.timestamp
    ]
    _update(session, SubmittedAssignment, times, "timestamp")
    return {m.student: known[m.student] for m in class_}


def _add_notebooks(
    session: Session, notebook: Notebook, assignments: dict[str, str]
) -> dict[str, str]:
    """Identifiers of the submitted notebooks by student."""
    own = SubmittedNotebook.notebook_id == notebook.id
    query = select(SubmittedNotebook.assignment_id, SubmittedNotebook.id).where(own)
    known = dict(session.execute(query).all())
    new = {a: new_uuid() for a in assignments.values() if a not in known}
    _insert(
        session,
        SubmittedNotebook,
        [{"id": i, "assignment_id": a, "notebook_id": notebook.id} for a, i in new.items()],
    )
    known |= new
    return {student: known[assignment] for student, assignment in assignments.items()}


def _write_grades(
    session: Session, notebook: Notebook, notebooks: dict[str, str], class_: Sequence[Marked]
) -> None:
    """Automatic scores; a cell without one, or with a person's score, asks to be looked at."""
    cells = {cell.name: cell.id for cell in (*notebook.grade_cells, *notebook.task_cells)}
    rows = _rows(session, Grade, cells, notebooks)
    by_hand = set(session.scalars(select(Grade.id).where(Grade.manual_score.is_not(None))))
    values = []
    for marked in class_:
        for name in cells:
            row, score = rows[notebooks[marked.student], cells[name]], marked.scores.get(name)
            look = score is None or row in by_hand
            values.append({"row": row, "auto_score": score, "needs_manual_grade": look})
    _update(session, Grade, values, "auto_score", "needs_manual_grade")


def _write_comments(
    session: Session, notebook: Notebook, notebooks: dict[str, str], class_: Sequence[Marked]
) -> None:
    cells = {cell.name: cell.id for cell in (*notebook.solution_cells, *notebook.task_cells)}
    rows = _rows(session, Comment, cells, notebooks)
    values = []
    for marked in class_:
        for name in cells:
            text = NO_RESPONSE if name in marked.unanswered else None
            row = rows[notebooks[marked.student], cells[name]]
            values.append({"row": row, "auto_comment": text})
    _update(session, Comment, values, "auto_comment")


def _rows(
    session: Session,
    model: type[Grade] | type[Comment],
    cells: dict[str, str],
    notebooks: dict[str, str],
) -> dict[tuple[str, str], str]:
    """Identifiers of the rows by submitted notebook and cell; those that lack are added."""
    columns = (model.notebook_id, model.cell_id, model.id)
    query = select(*columns).where(model.cell_id.in_(cells.values()))
    known = {(notebook, cell): row for notebook, cell, row in session.execute(query)}
    wanted = [(notebook, cell) for notebook in notebooks.values() for cell in cells.values()]
    new = {pair: new_uuid() for pair in wanted if pair not in known}
    _insert(
        session, model, [{"id": i, "notebook_id": n, "cell_id": c} for (n, c), i in new.items()]
    )
    return known | new


def _insert(session: Session, model: type, rows: list[dict]) -> None:
    if rows:
        session.execute(insert(model.__table__), rows)


def _update(session: Session, model: type, rows: list[dict], *columns: str) -> None:
    if rows:
        table = model.__table__
        values = {name: bindparam(f"new_{name}") for name in columns}
        statement = update(table).where(table.c.id == bindparam("row")).values(values)
        renamed = [{"row": r["row"]} | {f"new_{n}": r[n] for n in columns} for r in rows]
        session.execute(statement, renamed)
