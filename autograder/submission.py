"""Reads a submitted notebook: what is in it, what is missing, and whether it can be graded."""

import json
import linecache
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from autograder import registry
from autograder.candidate import safe_text

MAX_BYTES = 50 * 1024 * 1024


class SubmissionError(ValueError):
    """A notebook that cannot be graded as it is; the message says why and what to do."""


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
        raise SubmissionError(
            f"{path.name} has no list of cells. Restore it from a checkpoint (File > Revert "
            f"Notebook)"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old files lack cell ids; that harms nobody here
            notebook = nbformat.reads(json.dumps(data), as_version=4)
            nbformat.validate(notebook)
    except Exception as error:  # nbformat fails in many ways on what is nearly a notebook
        reason = str(error).strip().split("\n")[0][:200]
        raise SubmissionError(
            f"{path.name} is damaged: {reason}. Restore it from a checkpoint (File > Revert "
            f"Notebook)"
        ) from None
    return notebook


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

    Returns:
        The namespace, and for each cell that failed its grade id with the error in one line.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    errors = {}
    for grade_id, source in submission.cells.items():
        file = f"<{submission.path.name}: {grade_id}>"
        source = _without_magics(source)
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
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0][:200]
        raise SubmissionError(
            f"{path.name} is not JSON, so it is no notebook ({reason}). "
            "Was it cut short, or saved by another program? Hand in the file that JupyterLab saved"
        ) from None


def _code_cells(notebook: nbformat.NotebookNode) -> list[tuple[str | None, str]]:
    """Grade id and source of every set-up and answer cell; locked check cells are left out."""
    cells = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        mark = cell.metadata.get("nbgrader", {})
        if isinstance(mark, dict) and not mark.get("grade", False):
            cells.append((mark.get("grade_id"), cell.source))
    return cells


def _without_magics(source: str) -> str:
    """IPython's own lines (%magic, !command, help?) as comments, so that line numbers stay."""
    return re.sub(r"^(\s*)([%!].*|\w+\?+)$", r"\1pass  # \2", source, flags=re.MULTILINE)
