"""The registry of mutations: small functions whose names say what they do to a notebook."""

import json
import random
from collections.abc import Callable
from typing import Any

Notebook = dict[str, Any]
Cell = dict[str, Any]
Edit = Callable[[Notebook, random.Random], None]
Rewrite = Callable[[bytes, random.Random], bytes]

EDITS: dict[str, Edit] = {}
REWRITES: dict[str, Rewrite] = {}
COSTLY: set[str] = set()


def edit(function: Edit) -> Edit:
    """Register a change of the notebook's content, made in place."""
    EDITS[function.__name__] = function
    return function


def rewrite(function: Rewrite) -> Rewrite:
    """Register a change of the file's bytes."""
    REWRITES[function.__name__] = function
    return function


def costly(function: Edit) -> Edit:
    """Mark a change that makes a notebook huge, so that it is drawn seldom."""
    COSTLY.add(function.__name__)
    return function


def cells(notebook: Notebook) -> list[Cell]:
    """The list of cells; an empty one where an earlier mutation spoilt it."""
    found = notebook.get("cells")
    return found if isinstance(found, list) else []


def code_cells(notebook: Notebook) -> list[Cell]:
    return [cell for cell in cells(notebook) if cell.get("cell_type") == "code"]


def marked(notebook: Notebook) -> list[Cell]:
    """Cells whose nbgrader metadata is still readable."""
    return [cell for cell in cells(notebook) if isinstance(metadata_of(cell).get("nbgrader"), dict)]


def answers(notebook: Notebook) -> list[Cell]:
    """Code cells in which a student answers, or any code cell where no mark is left."""
    found = [cell for cell in marked(notebook) if cell["metadata"]["nbgrader"].get("solution")]
    return [cell for cell in found if cell.get("cell_type") == "code"] or code_cells(notebook)


def metadata_of(cell: Cell) -> dict[str, Any]:
    found = cell.get("metadata")
    return found if isinstance(found, dict) else {}


def some(rng: random.Random, found: list[Any], most: int = 3) -> list[Any]:
    """One to `most` of what was found; none of nothing."""
    return rng.sample(found, min(len(found), rng.randint(1, most)))


def text_of(cell: Cell) -> str:
    source = cell.get("source", "")
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def dumped(notebook: Any) -> bytes:
    """The bytes that JupyterLab writes, also for what is no notebook any more."""
    text = json.dumps(notebook, indent=1, ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:  # lone surrogates can only be written as escapes
        return json.dumps(notebook, indent=1).encode()
