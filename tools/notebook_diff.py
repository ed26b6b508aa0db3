"""Compare two versions of a notebook: the first difference in words, or None."""

import json
import math
import re
from itertools import takewhile, zip_longest
from pathlib import Path

import nbformat
from nbformat import NotebookNode

RELATIVE_TOLERANCE = 1e-3  # between the processors that ran a lecture
NEGLIGIBLE = 1e-6  # rounding errors, which may differ by any factor
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def file_difference(new: Path, old: Path, *, outputs_vary: bool) -> str | None:
    """Compare a committed notebook file with one just built, which is taken to be well-formed.

    Args:
        new: The notebook just built.
        old: The notebook that may be missing, broken or out of date.
        outputs_vary: Whether another processor may change digits and pixels of the outputs.
    """
    if not old.is_file():
        return "it is missing"
    try:
        old_notebook = nbformat.read(old, as_version=nbformat.NO_CONVERT)
    except (ValueError, nbformat.ValidationError) as error:
        return f"it is no notebook ({error})"
    compare = lecture_difference if outputs_vary else exact_difference
    found = compare(nbformat.read(new, as_version=nbformat.NO_CONVERT), old_notebook)
    if not found and not outputs_vary and new.read_bytes() != old.read_bytes():
        return "same cells but other bytes; another program saved it"
    return found


def exact_difference(new: NotebookNode, old: NotebookNode) -> str | None:
    """Any difference at all."""
    return _cells_difference(new, old, ignore=()) or _notebook_difference(new, old)


def lecture_difference(new: NotebookNode, old: NotebookNode) -> str | None:
    """Any difference but those that another processor may make in the outputs."""
    found = _cells_difference(new, old, ignore=("outputs",)) or _notebook_difference(new, old)
    if found:
        return found
    compare = _kinds_difference if is_trained(new) else _outputs_difference
    for number, (new_cell, old_cell) in enumerate(zip(new.cells, old.cells, strict=True), start=1):
        found = compare(new_cell.get("outputs", []), old_cell.get("outputs", []))
        if found:
            return f"cell {number} ({new_cell.id}), {found}"
    return None


def is_trained(notebook: NotebookNode) -> bool:
    """Whether a cell is tagged as one whose numbers depend on the processor and on the data."""
    return any("trained" in cell.metadata.get("tags", ()) for cell in notebook.cells)


def same_text(new: str, old: str) -> bool:
    """Equal apart from spacing and from numbers that another processor rounds differently."""
    new_words, old_words = NUMBER.sub(" # ", new).split(), NUMBER.sub(" # ", old).split()
    if new_words != old_words:
        return False
    pairs = zip(NUMBER.findall(new), NUMBER.findall(old), strict=True)
    return all(
        math.isclose(float(a), float(b), rel_tol=RELATIVE_TOLERANCE, abs_tol=NEGLIGIBLE)
        for a, b in pairs
    )


def _cells_difference(new: NotebookNode, old: NotebookNode, ignore: tuple[str, ...]) -> str | None:
    for number, (new_cell, old_cell) in enumerate(zip_longest(new.cells, old.cells), start=1):
        if new_cell is None:
            return f"cell {number} ({old_cell.get('id')}) is not in the source"
        if old_cell is None:
            return f"cell {number} ({new_cell.id}) is missing"
        for key in ("cell_type", "source", "id", *sorted({*new_cell, *old_cell} - {*ignore})):
            if new_cell.get(key) != old_cell.get(key):
                contrast = _contrast(old_cell.get(key), new_cell.get(key))
                return f"cell {number} ({new_cell.id}), {key}: {contrast}"
    return None


def _notebook_difference(new: NotebookNode, old: NotebookNode) -> str | None:
    for key in sorted({*new, *old} - {"cells"}):
        if new.get(key) != old.get(key):
            return f"{key}: {_contrast(old.get(key), new.get(key))}"
    return None


def _outputs_difference(new: list[NotebookNode], old: list[NotebookNode]) -> str | None:
    if [_shape(output) for output in new] != [_shape(output) for output in old]:
        return f"outputs: {_contrast([*map(_shape, old)], [*map(_shape, new)])}"
    for new_output, old_output in zip(new, old, strict=True):
        new_texts, old_texts = _texts(new_output), _texts(old_output)
        for kind, text in new_texts.items():
            if not same_text(text, old_texts[kind]):
                return f"{kind} output: {_contrast(old_texts[kind], text)}"
    return None


def _kinds_difference(new: list[NotebookNode], old: list[NotebookNode]) -> str | None:
    """Other figures and values; what is printed may depend on the data at hand."""
    new_kinds, old_kinds = (
        [_shape(output) for output in outputs if output.output_type != "stream"]
        for outputs in (new, old)
    )
    return None if new_kinds == old_kinds else f"outputs: {_contrast(old_kinds, new_kinds)}"


def _shape(output: NotebookNode) -> tuple[str, ...]:
    return (output.output_type, output.get("name", ""), *sorted(output.get("data", {})))


def _texts(output: NotebookNode) -> dict[str, str]:
    texts = {"stream": output.text} if output.output_type == "stream" else {}
    for kind, content in output.get("data", {}).items():
        if not kind.startswith("image/"):
            texts[kind] = (
                content if isinstance(content, str) else json.dumps(content, sort_keys=True)
            )
    return texts


def _contrast(old: object, new: object) -> str:
    """Both values from shortly before the place where they part."""
    texts = repr(old), repr(new)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False)))
    start = max(shared - 20, 0)
    old_text, new_text = ("…" * (start > 0) + text[start : start + 80] for text in texts)
    return f"{old_text} should be {new_text}"
