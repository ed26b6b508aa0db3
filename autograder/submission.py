"""Reads a submitted notebook: what is in it, what is missing, and whether it can be graded."""

import json
import linecache
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat.validator import get_validator

from autograder import registry
from autograder.cells import make_namespace, to_python
from autograder.faults import safe_text

MAX_BYTES = 50 * 1024 * 1024
MAX_CELLS = 2000
MAX_DEPTH = 50  # of lists and objects inside one another; copying a notebook recurses
CELL_TYPES = ("code", "markdown", "raw")
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
RESTORE = "Restore it from a checkpoint (File > Revert Notebook)"


class SubmissionError(ValueError):
    """A notebook that cannot be graded as it is; the message says why and what to do."""

    def __init__(self, message: str):
        super().__init__(_encodable(message))  # the name of a file may be of any bytes


@dataclass(frozen=True)
class Submission:
    """The parts of a notebook that are graded.

    Attributes:
        path: The notebook file.
        unit: Unit it answers.
        cells: Source of every set-up and answer cell by its grade id, in notebook order.
        missing: Names of the exercises without an answer cell.
    """

    path: Path
    unit: str
    cells: dict[str, str]
    missing: tuple[str, ...]


def read_submission(path: str | Path, unit: str | None = None) -> Submission:
    """Read a notebook that a student handed in.

    Args:
        path: The notebook file.
        unit: Unit that is expected; without it, the notebook's own.

    Raises:
        SubmissionError: If the file is missing, no notebook of format 4, or of another unit.
    """
    path = Path(path)
    notebook = parse_notebook(path)
    found = unit_of(notebook)
    if found is None:
        raise SubmissionError(
            f"{path.name} belongs to no unit of this course: it has none of the course's answer "
            f"cells. "
            "Was another file handed in? Answer in the notebook from exercises/ and hand that in"
        )
    if unit is not None and found != unit:
        raise SubmissionError(
            f"{path.name} is a notebook of {found}, but {unit} was expected. "
            "Hand in the notebook of the right unit"
        )
    cells = {grade_id: source for grade_id, source in _code_cells(notebook) if grade_id}
    missing = [e.name for e in registry.exercises(found) if e.name not in cells]
    return Submission(path, found, cells, tuple(missing))


def parse_notebook(path: Path) -> nbformat.NotebookNode:
    """Parse a notebook file, with an error that says what is wrong with it.

    Where other programs, or a slip of the pen, spoilt what no grade depends on (outputs, metadata,
    cell ids), the notebook comes without it, as one of the newest minor version.

    Raises:
        SubmissionError: If the file cannot be read as a notebook of format 4.
    """
    data = _load_json(path)
    version = data.get("nbformat") if isinstance(data, dict) else None
    if not isinstance(version, int) or not isinstance(data.get("cells", data), (list, dict)):
        raise SubmissionError(
            f"{path.name} is JSON, but no notebook (it has no nbformat number). "
            "Hand in the .ipynb file that JupyterLab saved"
        )
    if version != 4:
        raise SubmissionError(
            f"{path.name} has notebook format {version}; format 4 was expected. "
            "Open it in JupyterLab and save it again, or run: jupyter nbconvert --to notebook "
            "--inplace"
        )
    if not isinstance(data.get("cells"), list):
        raise SubmissionError(f"{path.name} has no list of cells. {RESTORE}")
    if len(data["cells"]) > MAX_CELLS:
        raise SubmissionError(
            f"{path.name} has {len(data['cells'])} cells; at most {MAX_CELLS} are read. "
            "Delete those that hold no answer"
        )
    try:
        return _as_notebook(data)
    except Exception:  # JSON that is nearly a notebook fails in many ways
        return _as_notebook(_bare(data, path.name))


def unit_of(notebook: nbformat.NotebookNode) -> str | None:
    """The unit a notebook answers: from its metadata, else from its answer cells."""
    named = notebook.metadata.get("course", {})
    unit = named.get("unit") if isinstance(named, dict) else None
    if unit in registry.units():
        return unit
    ids = {grade_id for grade_id, _ in _code_cells(notebook)}
    for candidate in registry.units():
        if ids & {exercise.name for exercise in registry.exercises(candidate)}:
            return candidate
    return None


def run_submission(submission: Submission) -> tuple[dict[str, Any], dict[str, str]]:
    """Run the set-up and answer cells in one namespace, in this process.

    The cells that train a model are left out: its weights are handed in.

    Returns:
        The namespace, and for each cell that failed its grade id with the error in one line.
    """
    namespace = make_namespace()
    errors = {}
    trained = {e.name for e in registry.exercises(submission.unit) if e.artifact}
    for grade_id, source in submission.cells.items():
        if grade_id in trained:
            continue
        file = f"<{submission.path.name}: {grade_id}>"
        source = to_python(source)
        # so that an error can show the student's own line
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        try:
            exec(compile(source, file, "exec"), namespace)  # noqa: S102 - the student's own cells
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # sys.exit() in a cell must not end the run
            errors[grade_id] = f"{type(error).__name__[:80]}: {safe_text(error)}"
    return namespace, errors


def _load_json(path: Path) -> Any:
    if path.is_symlink():  # it may lead to the solution, or to another student's answer
        raise SubmissionError(f"{path.name} is a link; hand in the notebook itself")
    if not path.is_file():
        raise SubmissionError(
            f"there is no file {path}; give the path of a submitted .ipynb notebook"
        )
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise SubmissionError(
            f"{path.name} has {size / 2**20:.0f} MB; at most {MAX_BYTES / 2**20:.0f} MB are read. "
            "Clear the outputs of all cells and save it again"
        )
    try:
        return json.loads(_encodable(json.dumps(json.loads(path.read_bytes()), ensure_ascii=False)))
    except OSError as error:
        raise SubmissionError(
            f"{path.name} cannot be read ({error.strerror}); look at its permissions"
        ) from None
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0][:200]
        raise SubmissionError(
            f"{path.name} is not JSON, so it is no notebook ({reason}). "
            "Was it cut short, or saved by another program? Hand in the file that JupyterLab saved"
        ) from None


def _encodable(text: str) -> str:
    """The text with question marks for lone surrogates, which no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _as_notebook(data: dict[str, Any]) -> nbformat.NotebookNode:
    """The notebook that JSON data holds; fails in many ways if it holds none.

    nbformat's own `validate` explains what is wrong, which takes it minutes in a large notebook.
    """
    if _is_too_deep(data):
        raise ValueError(f"lists and objects are nested more than {MAX_DEPTH} deep")
    notebook = nbformat.v4.to_notebook(data | {"nbformat_minor": 5})
    ids: set[str] = set()
    for number, cell in enumerate(notebook.cells):
        if not _is_id(cell.get("id")) or cell.id in ids:
            cell.id = next(i for n in range(MAX_CELLS) if (i := f"cell-{number}-{n}") not in ids)
        ids.add(cell.id)
    get_validator(4, 5, name="fastjsonschema").validate(notebook)
    return notebook


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and CELL_ID.fullmatch(value) is not None


def _is_too_deep(data: Any) -> bool:
    layer = [data]
    for _ in range(MAX_DEPTH):
        layer = [
            part
            for value in layer
            if isinstance(value, (dict, list))
            for part in (value.values() if isinstance(value, dict) else value)
        ]
    return bool(layer)


def _bare(data: dict[str, Any], file: str) -> dict[str, Any]:
    """A notebook with what is graded, by a computer or a person, and nothing else.

    Raises:
        SubmissionError: If a cell has no type or no source.
    """
    for number, cell in enumerate(data["cells"], start=1):
        if fault := _fault_of(cell):
            raise SubmissionError(f"{file} is damaged: its cell {number} {fault}. {RESTORE}")
    course = _part(data.get("metadata"), "course")
    return {
        "nbformat": 4,
        "metadata": {"course": course} if _is_flat(course) else {},
        "cells": [_bare_cell(cell) for cell in data["cells"]],
    }


def _bare_cell(cell: dict[str, Any]) -> dict[str, Any]:
    bare = {"cell_type": cell["cell_type"], "source": cell["source"], "metadata": {}}
    if _is_id(cell.get("id")):
        bare["id"] = cell["id"]
    mark = _part(cell.get("metadata"), "nbgrader")
    if _is_flat(mark):
        bare["metadata"]["nbgrader"] = mark
    if cell["cell_type"] == "code":
        return bare | {"outputs": [], "execution_count": None}
    attachments = cell.get("attachments")
    if isinstance(attachments, dict) and all(map(_is_picture, attachments.values())):
        bare["attachments"] = attachments
    return bare


def _fault_of(cell: Any) -> str:
    """What a cell lacks to be one; empty if it lacks nothing."""
    if not isinstance(cell, dict):
        return "is no JSON object"
    if cell.get("cell_type") not in CELL_TYPES:
        return f"is of an unknown type; the types are {', '.join(CELL_TYPES)}"
    source = cell.get("source")
    lines = source if isinstance(source, list) else [source]
    return "" if all(isinstance(line, str) for line in lines) else "has no text as its source"


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _is_flat(value: Any) -> bool:
    """Whether it is an object without other objects and lists in it."""
    return isinstance(value, dict) and not any(
        isinstance(part, (dict, list)) for part in value.values()
    )


def _is_picture(value: Any) -> bool:
    """Whether it is an attachment as JupyterLab writes one."""
    return isinstance(value, dict) and all(isinstance(part, str) for part in value.values())


def _code_cells(notebook: nbformat.NotebookNode) -> list[tuple[str | None, str]]:
    """Grade id and source of every set-up and answer cell; locked check cells are left out."""
    cells = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        mark = cell.metadata.get("nbgrader", {})
        if isinstance(mark, dict) and not mark.get("grade", False):
            name = mark.get("grade_id")
            cells.append((name if isinstance(name, str) else None, cell.source))
    return cells
