"""What is left of a submission after sanitising: answers whole, outputs small and harmless."""

import base64
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from autograder.nbgrader import sanitise
from autograder.nbgrader.sanitise import sanitised

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(100)).decode()
CHECK = {"grade_id": "check-bic", "grade": True, "solution": False, "locked": True, "points": 2}
ANSWER = {"grade_id": "bic", "grade": False, "solution": True, "locked": False}


def notebook(*cells: NotebookNode) -> NotebookNode:
    nb = new_notebook()
    nb.cells = list(cells)  # not validated: these are what a student's file may hold
    return nb


def outputs_of(*outputs: NotebookNode, **mark: Any) -> list[NotebookNode]:
    cell = new_code_cell("x", metadata={"nbgrader": mark} if mark else {})
    cell.outputs = list(outputs)
    clean = sanitised(notebook(cell))
    nbformat.validate(clean)
    return clean.cells[0].outputs


def test_text_and_images_stay():
    shown = new_output("display_data", data={"image/png": PNG, "text/plain": "<Figure>"})
    printed = new_output("stream", text="3\n")
    assert outputs_of(printed, shown) == [printed, shown]


@pytest.mark.parametrize(
    "kind", ["text/html", "image/svg+xml", "application/javascript", "text/latex", "text/markdown"]
)
def test_everything_else_goes_and_a_line_says_so(kind):
    kept, line = outputs_of(new_output("display_data", data={kind: "<b>", "text/plain": "x"}))
    assert kept.data == {"text/plain": "x"}
    assert line.text == f"[left out here: {kind}]\n"


@pytest.mark.parametrize("image", ["x' onerror='alert(1)", "AAAA", 7, {"a": 1}, "=", "é"])
def test_what_is_no_image_is_none(image):
    output = new_output("display_data")
    output.data["image/png"] = image
    (line,) = outputs_of(output)
    assert line.output_type == "stream"


def test_a_line_never_repeats_the_students_words():
    (line,) = outputs_of(new_output("display_data", data={"text/<script>": "x"}))
    assert line.text == "[left out here: an output of an unknown kind]\n"


def test_long_text_is_cut_and_many_outputs_are_dropped():
    printed = new_output("stream", text="x" * 10**6)
    outputs = outputs_of(*[printed] * 50)
    assert len(outputs) == sanitise.MAX_OUTPUTS + 1
    assert max(len(o.text) for o in outputs) < sanitise.MAX_OUTPUT + 100
    assert "30 outputs after the first 20" in outputs[-1].text


def test_images_have_a_budget(monkeypatch):
    monkeypatch.setattr(sanitise, "MAX_IMAGES", 2 * len(PNG))
    shown = new_output("display_data", data={"image/png": PNG})
    assert [o.output_type for o in outputs_of(*[shown] * 4)] == [*["display_data"] * 2, "stream"]


def test_a_check_cell_scores_nothing_until_it_was_checked():
    (output,) = outputs_of(new_output("stream", text="all fine"), **CHECK)
    assert output.output_type == "error"


def test_an_answer_keeps_its_source():
    source = "def bic(x):\r\n    return '\u2713'\n\n"
    cell = new_code_cell(source, metadata={"nbgrader": ANSWER, "tags": ["<b>"]})
    (clean,) = sanitised(notebook(cell)).cells
    assert clean.source == source
    assert clean.metadata == {"nbgrader": ANSWER}


def test_what_cannot_be_encoded_becomes_something_that_can():
    cells = [new_markdown_cell("a\ud800b\0c"), new_raw_cell("\udfff")]
    clean = sanitised(notebook(*cells))
    nbformat.writes(clean).encode()
    assert "\0" not in clean.cells[0].source


def test_metadata_of_the_notebook_goes():
    nb = new_notebook(metadata={"widgets": {}, "title": "<b>", "language_info": {"name": "<b>"}})
    assert sanitised(nb).metadata == {"language_info": {"name": "python"}}


def test_only_images_can_be_attached():
    attachments = {"a.png": {"image/png": PNG}, "b.svg": {"image/svg+xml": "x"}, "c": {}}
    cell = new_markdown_cell("x", attachments=attachments)
    (clean,) = sanitised(notebook(cell)).cells
    assert clean.attachments == {"a.png": {"image/png": PNG}}


def test_a_hundred_thousand_cells_become_few():
    cells = [new_markdown_cell("x", id="same") for _ in range(3000)]
    cells.append(new_code_cell("y", metadata={"nbgrader": ANSWER}))
    clean = sanitised(notebook(*cells))
    assert len(clean.cells) == sanitise.MAX_OWN_CELLS + 2
    assert clean.cells[-1].source == "2000 more cells were left out."
    assert clean.cells[-2].source == "y"
    assert len({cell.id for cell in clean.cells}) == len(clean.cells)
