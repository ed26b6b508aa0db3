"""What students hand in by accident: everybody else is graded, and a message says what is wrong."""

import copy
import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import demo
from nbgrader_process import NbGraderError, nbgrader_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bad-submissions")]  # one course for all

UNIT = "01_mixture_models"
FULL = 7
Notebook = dict[str, Any]


def cell_of(notebook: Notebook, name: str) -> Notebook:
    return next(cell for cell in notebook["cells"] if cell["id"] == name)


def without(*names: str) -> Callable[[Notebook], None]:
    def edit(notebook: Notebook) -> None:
        notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] not in names]

    return edit


def duplicated(notebook: Notebook) -> None:
    for name in ("bic", "check-bic"):
        notebook["cells"].append(copy.deepcopy(cell_of(notebook, name)))


def of_an_old_schema(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"].get("nbgrader", {}).pop("schema_version", None)


def without_metadata(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] = {}


def with_damaged_metadata(notebook: Notebook) -> None:
    cell_of(notebook, "bic")["metadata"]["nbgrader"] = {}
    cell_of(notebook, "log_gaussian")["metadata"]["nbgrader"] = "log_gaussian"
    cell_of(notebook, "imports")["metadata"]["nbgrader"] = {"grade_id": 7, "grade": True}


def with_a_cell_of_another_assignment(notebook: Notebook) -> None:
    foreign = copy.deepcopy(cell_of(notebook, "check-bic"))
    foreign["metadata"]["nbgrader"]["grade_id"] = "check-something"
    notebook["cells"].append(foreign | {"id": "foreign"})


def with_changed_locked_cells(notebook: Notebook) -> None:
    check = cell_of(notebook, "check-bic")
    check["source"] = "pass"
    check["metadata"]["nbgrader"]["points"] = 100


def without_a_grade(notebook: Notebook) -> None:
    for name in ("check-bic", "check-log_gaussian"):
        mark = cell_of(notebook, name)["metadata"]["nbgrader"]
        mark |= {"grade": False, "solution": True, "locked": False}
    cell_of(notebook, "bic")["source"] = "def bic(*args):\n    return 0.0"


def with_an_answer_as_markdown(notebook: Notebook) -> None:
    cell = cell_of(notebook, "log_mixture")
    cell["cell_type"] = "markdown"
    del cell["outputs"], cell["execution_count"]


def without_tests_and_wrong(notebook: Notebook) -> None:
    cell_of(notebook, "bic")["source"] = "def bic(*args):\n    return 0.0"
    without("check-bic")(notebook)


def with_surrogates(notebook: Notebook) -> None:
    """Half of a character, which no file can hold."""
    cell_of(notebook, "bic")["source"] += "\n\nNOTE = '\ud800'"
    cell_of(notebook, "why")["source"] = "\udfff"


REPAIRED = {  # student: what happened to the solution, the score without what a person marks
    "all-right": (lambda notebook: None, FULL),
    "no-set-up": (without("imports"), FULL),
    "no-answer": (without("bic"), 5),
    "no-answer-no-test": (without("bic", "check-bic"), 5),
    "no-manual": (without("why"), FULL),
    "no-tests": (without("check-log_gaussian", "check-bic"), FULL),
    "no-tests-wrong": (without_tests_and_wrong, 5),
    "duplicated": (duplicated, FULL),
    "old-schema": (of_an_old_schema, FULL),
    "no-metadata": (without_metadata, FULL),
    "damaged-metadata": (with_damaged_metadata, FULL),
    "foreign-cell": (with_a_cell_of_another_assignment, FULL),
    "changed-locked": (with_changed_locked_cells, FULL),
    "grade-false": (without_a_grade, 5),
    "markdown-answer": (with_an_answer_as_markdown, FULL),
    "surrogates": (with_surrogates, FULL),
    "no-cells": (lambda notebook: notebook.update(cells=[]), 0),
}


def notebook_text(notebook: Notebook, **changes: Any) -> str:
    return json.dumps(notebook | changes)


REFUSED = {  # student: the text of the file, what the log and the feedback say about it
    "not-json": (lambda nb: notebook_text(nb)[:500], "is not JSON"),
    "not-utf8": (lambda nb: b"\xff\xfe\x00", "is not JSON"),
    "empty-file": (lambda nb: "", "is not JSON"),
    "not-a-notebook": (lambda nb: '{"a": 1}', "no notebook"),
    "format-3": (lambda nb: notebook_text(nb, nbformat=3), "notebook format 3; format 4"),
    "format-5": (lambda nb: notebook_text(nb, nbformat=5), "notebook format 5; format 4"),
    "other-unit": (
        lambda nb: notebook_text(nb, metadata={"course": {"unit": "00_other"}}, cells=[]),
        "belongs to no unit of this course",
    ),
}
MISNAMED = "misnamed"


@pytest.fixture(scope="module")
def graded(tmp_path_factory, small_course, solved) -> Path:
    """A course in which `nbgrader autograde` met all of these submissions at once."""
    course = tmp_path_factory.mktemp("bad") / "course"
    shutil.copytree(small_course, course)
    with nbgrader_in(course) as nbgrader:
        nbgrader("generate_assignment", UNIT)
        for student, content in submissions(solved).items():
            folder = course / "submitted" / student / UNIT
            folder.mkdir(parents=True)
            name = f"{UNIT} (1).ipynb" if student == MISNAMED else f"{UNIT}.ipynb"
            (folder / name).write_bytes(content)
        with pytest.raises(NbGraderError):  # nbgrader's exit code tells of the misnamed file
            nbgrader("autograde", UNIT)
        nbgrader("generate_feedback", UNIT)
        nbgrader("export")
    return course


def submissions(text: str) -> dict[str, bytes]:
    files = {MISNAMED: text.encode()}
    for student, (edit, _) in REPAIRED.items():
        notebook = json.loads(text)
        edit(notebook)
        files[student] = json.dumps(notebook).encode()
    for student, (write, _) in REFUSED.items():
        content = write(json.loads(text))
        files[student] = content if isinstance(content, bytes) else content.encode()
    return files


@pytest.fixture(scope="module")
def scores(graded) -> dict[str, float]:
    with (graded / "grades.csv").open() as file:
        return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}


@pytest.mark.parametrize("student", REPAIRED)
def test_what_can_be_repaired_is_graded(scores, student):
    assert scores[student] == REPAIRED[student][1]


@pytest.mark.parametrize("student", REFUSED)
def test_what_cannot_be_read_scores_nothing_and_the_log_names_the_file(graded, scores, student):
    assert scores[student] == 0
    path = str(graded / "submitted" / student / UNIT / f"{UNIT}.ipynb")
    lines = (graded / "log.txt").read_text().splitlines()
    (line,) = [line for line in lines if f"{path} scores nothing" in line]
    assert REFUSED[student][1] in line


@pytest.mark.parametrize("student", REFUSED)
def test_its_author_reads_why_in_the_feedback(graded, student):
    page = (graded / "feedback" / student / UNIT / f"{UNIT}.html").read_text()
    assert "could not be graded" in page
    assert REFUSED[student][1] in demo.plain_text(page)


def test_a_misnamed_file_is_named_with_what_to_do(graded, scores):
    assert scores[MISNAMED] == 0
    log = (graded / "log.txt").read_text()
    assert f"{UNIT} (1).ipynb is ignored; if it is the answer, rename it {UNIT}.ipynb" in log


def test_missing_cells_are_named(graded):
    log = (graded / "log.txt").read_text()
    where = f"no-answer-no-test/{UNIT}/{UNIT}.ipynb"
    assert f"{where} lacked cells, added as released: bic, check-bic" in log


def test_no_submission_is_changed_or_lost(graded, solved):
    for student, content in submissions(solved).items():
        (path,) = (graded / "submitted" / student / UNIT).iterdir()
        assert path.read_bytes() == content


def test_points_in_the_submission_count_for_nothing(graded):
    text = (graded / "autograded" / "changed-locked" / UNIT / f"{UNIT}.ipynb").read_text()
    check = cell_of(json.loads(text), "check-bic")
    assert check["metadata"]["nbgrader"]["points"] == 2
    assert "".join(check["source"]) == "check(bic)"


@pytest.mark.parametrize("student", REFUSED)
def test_the_verdict_beside_it_says_why(graded, student):
    verdict = json.loads((graded / "autograded" / student / UNIT / "verdict.json").read_text())
    assert REFUSED[student][1] in verdict["problem"]
    assert verdict["points"] == 0
