"""Takes out of a submission what neither graders nor pages should meet.

Students write every byte of a notebook: outputs that were never computed, scripts, metadata that
programs act on, a hundred megabytes of prints. Here it is rebuilt from the parts that count. The
answers themselves stay as they are.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor

MAX_OUTPUTS = 20  # of a cell
MAX_OUTPUT = 10_000  # characters of text
MAX_IMAGE = 2_000_000  # characters of base64
MAX_IMAGES = 10_000_000  # the same, in the whole notebook
MAX_SOURCE = 200_000  # characters of a cell
MAX_OWN_CELLS = 1_000  # that the student added
IMAGES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
KEPT_METADATA = ("nbgrader", "deletable", "editable")
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
KIND = re.compile(r"[a-z]+/[\w.+-]{1,60}")


class SanitiseSubmission(NbGraderPreprocessor):
    """Sanitiser of `nbgrader autograde`, in place of nbgrader's ClearOutput."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        names = resources["nbgrader"]
        course = {"unit": names["assignment"]}
        if problem := resources.get("problem"):
            course["problem"] = problem
        nb = sanitised(nb)
        nb.metadata.course = NotebookNode(course)
        return nb, resources


def sanitised(nb: NotebookNode) -> NotebookNode:
    """A new notebook from the parts of a submission that count.

    Check cells come out with an error as their only output, so that a check that does not run
    afterwards scores nothing.
    """
    cells, own, ids, budget = [], 0, set(), ImageBudget()
    for cell in nb.cells:
        own += "nbgrader" not in cell.metadata
        if "nbgrader" in cell.metadata or own <= MAX_OWN_CELLS:
            cells.append(_sanitised_cell(cell, _new_id(cell, ids), budget))
    if own > MAX_OWN_CELLS:
        cells.append(_notice(f"{own - MAX_OWN_CELLS} more cells were left out.", ids))
    metadata = NotebookNode(language_info=NotebookNode(name="python"))
    return NotebookNode(nbformat=4, nbformat_minor=5, metadata=metadata, cells=cells)


class ImageBudget:
    """How much of a notebook may still be images."""

    def __init__(self) -> None:
        self._left = MAX_IMAGES

    def take(self, kind: str, data: Any) -> str | None:
        """The image as plain base64, if it is one and there is room for it."""
        if not isinstance(data, str) or len(data) > min(MAX_IMAGE, self._left):
            return None
        text = "".join(data.split())
        try:
            start = base64.b64decode(text, validate=True)[:8]
        except (binascii.Error, ValueError):
            return None
        if not start.startswith(IMAGES[kind]):
            return None
        self._left -= len(text)
        return text


def clean_text(text: str, limit: int = MAX_OUTPUT) -> str:
    """Text that can be encoded, stored and shown, of a limited length."""
    text = text if len(text) <= limit else text[:limit] + "\n… (cut short here)"
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _sanitised_cell(cell: NotebookNode, cell_id: str, budget: ImageBudget) -> NotebookNode:
    metadata = {name: cell.metadata[name] for name in KEPT_METADATA if name in cell.metadata}
    clean = NotebookNode(
        cell_type=cell.cell_type,
        id=cell_id,
        metadata=NotebookNode(metadata),
        source=clean_text(cell.source, MAX_SOURCE),
    )
    if cell.cell_type == "code":
        is_checked = utils.is_grade(clean) and not utils.is_solution(clean)
        clean.execution_count = None if is_checked else cell.get("execution_count")
        clean.outputs = [_not_checked()] if is_checked else _clean_outputs(cell.outputs, budget)
    elif cell.cell_type == "markdown" and cell.get("attachments"):
        clean.attachments = clean_attachments(cell.attachments, budget)
    return clean


def clean_attachments(attachments: Any, budget: ImageBudget) -> NotebookNode:
    """Attached images by name; nothing else can be attached."""
    kept: dict[str, dict[str, str]] = {}
    for name, bundle in attachments.items():
        for kind in IMAGES:
            if image := budget.take(kind, bundle.get(kind)):
                kept[clean_text(name, 200)] = {kind: image}
    return NotebookNode(kept)


def _clean_outputs(outputs: list[NotebookNode], budget: ImageBudget) -> list[NotebookNode]:
    clean, left_out = [], set()
    for output in outputs[:MAX_OUTPUTS]:
        if output.output_type == "stream":
            name = output.name if output.name in ("stdout", "stderr") else "stdout"
            clean.append(new_output("stream", name=name, text=clean_text(output.text)))
        elif output.output_type == "error":
            clean.append(_clean_error(output))
        else:
            data = _clean_bundle(output.data, budget)
            left_out |= output.data.keys() - data.keys()
            clean += [new_output("display_data", data=data)] if data else []
    if len(outputs) > MAX_OUTPUTS:
        left_out.add(f"{len(outputs) - MAX_OUTPUTS} outputs after the first {MAX_OUTPUTS}")
    if left_out:
        clean.append(new_output("stream", text=f"[left out here: {_listed(left_out)}]\n"))
    return clean


def _clean_error(output: NotebookNode) -> NotebookNode:
    trace = "\n".join(map(str, output.traceback))
    return new_output(
        "error",
        ename=clean_text(output.ename, 80),
        evalue=clean_text(output.evalue, 500),
        traceback=[clean_text(trace)],
    )


def _clean_bundle(data: dict[str, Any], budget: ImageBudget) -> dict[str, str]:
    clean = {}
    if image := budget.take("image/png", data.get("image/png")):
        clean["image/png"] = image
    if isinstance(data.get("text/plain"), str):
        clean["text/plain"] = clean_text(data["text/plain"])
    return clean


def _listed(kinds: Iterable[str]) -> str:
    """The student chose these words, too."""
    known = sorted(kind for kind in kinds if KIND.fullmatch(kind) or " outputs after " in kind)
    return ", ".join(known[:5]) or "an output of an unknown kind"


def _not_checked() -> NotebookNode:
    text = "this check did not run"
    return new_output("error", ename="NotChecked", evalue=text, traceback=[text])


def _notice(text: str, ids: set[str]) -> NotebookNode:
    cell = NotebookNode(cell_type="markdown", metadata=NotebookNode(), source=text)
    return NotebookNode(id=_new_id(cell, ids), **cell)


def _new_id(cell: NotebookNode, taken: set[str]) -> str:
    """The cell's id, or another one if it is damaged or there twice."""
    found = cell.get("id")
    if not isinstance(found, str) or not CELL_ID.fullmatch(found) or found in taken:
        found = next(name for n in range(len(taken) + 1) if (name := f"cell-{n}") not in taken)
    taken.add(found)
    return found
