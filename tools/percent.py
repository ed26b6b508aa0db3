"""Read a percent source into a notebook with settled ids and metadata and no outputs.

Cell attributes of an exercise source; their values are nbgrader's grade ids:

    # %% setup="imports"                    read-only code
    # %% solution="kl"                      answer from `### BEGIN SOLUTION` to `### END SOLUTION`
    # %% tests="check-kl" points=2          locked cell that grades the answer
    # %% [markdown] manual="why" points=4   answer graded by a person
"""

import hashlib
import re
from collections import Counter
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

KINDS = {  # attribute: nbgrader's flags
    "setup": {"grade": False, "solution": False, "locked": True},
    "solution": {"grade": False, "solution": True, "locked": False},
    "tests": {"grade": True, "solution": False, "locked": True},
    "manual": {"grade": True, "solution": True, "locked": False},
}
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


class BuildError(Exception):
    """A source that cannot become a notebook; the message names file and cell."""


def read_percent(root: Path, source: Path) -> NotebookNode:
    """The notebook of `root/source`; rebuilding gives the same bytes.

    Raises:
        BuildError: If an attribute is unknown, missing, misplaced or used twice.
    """
    notebook = jupytext.read(root / source, fmt="py:percent")
    used: Counter[str] = Counter()
    for number, cell in enumerate(notebook.cells, start=1):
        cell.source = cell.source.strip("\n")
        try:
            key = _expand(cell, lecture=source.parent.name == "lectures")
            used[key] += 1
            if used[key] > 1 and "nbgrader" in cell.metadata:
                raise ValueError(f"the grade id {key!r} is used twice; every cell needs its own")
        except ValueError as error:
            raise BuildError(f"{describe_cell(source, number, cell)}: {error}") from None
        cell["id"] = key if used[key] == 1 else f"{key}-{used[key]}"
    notebook.metadata = notebook_metadata(source.stem)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return notebook


def notebook_metadata(unit: str) -> NotebookNode:
    """What every notebook carries: how to run it, and which unit it belongs to."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.from_dict(
        {"course": {"unit": unit}, "kernelspec": kernel, "language_info": {"name": "python"}}
    )


def describe_cell(source: Path, number: int, cell: NotebookNode) -> str:
    """Where to look: file, number of the cell, its first line."""
    first_line = next((line for line in cell.source.splitlines() if line.strip()), "empty")
    return f"{source}, cell {number} ({first_line[:60]!r})"


def _expand(cell: NotebookNode, *, lecture: bool) -> str:
    """Replace the source's attributes by nbgrader's metadata; returns the cell's id."""
    attributes = {
        name: value
        for name, value in cell.metadata.items()
        if not name.startswith("lines_to_") and name != "cell_marker"  # jupytext's own
    }
    metadata = {"tags": attributes.pop("tags")} if "tags" in attributes else {}
    allowed = [] if lecture else [*KINDS, "points"]
    for name in attributes:
        if name not in allowed:
            raise ValueError(
                f"unknown attribute {name!r}; known here: {', '.join(['tags', *allowed])}"
            )
    kinds = [name for name in KINDS if name in attributes]
    if len(kinds) > 1:
        raise ValueError(f"{' and '.join(kinds)} cannot be combined; split the cell")
    kind = kinds[0] if kinds else None
    _check_points(kind, attributes.get("points"))
    _check_markers(kind, cell)
    if kind is None:
        cell.metadata = nbformat.from_dict(metadata)
        return "c" + hashlib.sha256(f"{cell.cell_type}\0{cell.source}".encode()).hexdigest()[:8]
    grade_id = str(attributes[kind])
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", grade_id):
        raise ValueError(f"{grade_id!r} is no grade id; use up to 64 letters, digits, - and _")
    points = {"points": attributes["points"]} if KINDS[kind]["grade"] else {}
    fixed = {"grade_id": grade_id, "schema_version": 3, "task": False}
    cell.metadata = nbformat.from_dict(metadata | {"nbgrader": KINDS[kind] | fixed | points})
    return grade_id


def _check_points(kind: str | None, points: object) -> None:
    graded = kind is not None and KINDS[kind]["grade"]
    if not graded and points is not None:
        raise ValueError("points belong to a cell with tests=… or manual=…")
    if graded and (isinstance(points, bool) or not isinstance(points, int | float) or points < 0):
        raise ValueError(f"{kind} needs points=NUMBER, got {points!r}")


def _check_markers(kind: str | None, cell: NotebookNode) -> None:
    begins, ends = cell.source.count(BEGIN), cell.source.count(END)
    if kind in ("setup", "solution", "tests") and cell.cell_type != "code":
        raise ValueError(f"{kind} belongs to a code cell; for a written answer use manual=…")
    if begins != ends:
        raise ValueError(f"{BEGIN!r} occurs {begins} times but {END!r} {ends} times")
    if kind == "solution" and not begins:
        raise ValueError(f"a solution needs {BEGIN!r} and {END!r} around the answer")
    if begins and kind not in ("solution", "manual"):
        raise ValueError(f"{BEGIN!r} stands outside a cell with solution=… or manual=…")
