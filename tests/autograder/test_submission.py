"""Reading submitted notebooks, good and bad, and `pytest --submission`."""

import json
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.submission import SubmissionError, read_submission, run_submission

UNIT = "01_mixture_models"
RIGHT_ANSWER = """
import math, torch
def log_gaussian(x, loc, log_scale):
    return (-0.5 * ((x - loc) / log_scale.exp())**2 - log_scale - 0.5 * math.log(2 *
    math.pi)).sum(-1)
"""
WRONG_ANSWER = """
import math, torch
def bic(log_likelihood, num_components, dim, num_points):
    return 2 * log_likelihood
"""


def answer(name, source):
    mark = {
        "grade": False,
        "solution": True,
        "locked": False,
        "grade_id": name,
        "schema_version": 3,
        "task": False,
    }
    return new_code_cell(source, metadata={"nbgrader": mark})


def write(path, *cells, **metadata):
    notebook = new_notebook(cells=list(cells), metadata=metadata)
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "submitted.ipynb"


def test_a_submission_is_read(path):
    write(path, new_markdown_cell("hello"), answer("log_gaussian", "x = 1"), new_code_cell("y = 2"))
    submission = read_submission(path)
    assert submission.unit == UNIT
    assert submission.cells == {"log_gaussian": "x = 1"}
    assert "bic" in submission.missing
    assert "log_gaussian" not in submission.missing


def test_check_cells_are_not_run(path):
    mark = {"grade": True, "solution": False, "locked": True, "grade_id": "check-bic", "points": 2}
    write(
        path,
        answer("bic", "x = 1"),
        new_code_cell("1 / 0", metadata={"nbgrader": {**mark, "schema_version": 3, "task": False}}),
    )
    assert list(read_submission(path).cells) == ["bic"]


def test_the_unit_stands_in_the_metadata(path):
    write(path, new_code_cell("1"), course={"unit": UNIT})
    assert read_submission(path).unit == UNIT


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ('{"cells": [', "not JSON"),
        ("\x00\x00", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1, 2]", "no notebook"),
        ('{"a": 1}', "no notebook"),
        ('{"nbformat": "4", "cells": []}', "no notebook"),
        ('{"nbformat": 3, "worksheets": []}', "format 3"),
        ('{"nbformat": 5, "cells": []}', "format 5"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "no list of cells"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{}]}', "damaged"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [1]}', "damaged"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}', "no unit"),
    ],
)
def test_bad_files_are_explained(path, text, words):
    path.write_text(text)
    with pytest.raises(SubmissionError, match=words) as caught:
        read_submission(path)
    assert path.name in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(SubmissionError, match="there is no file"):
        read_submission(tmp_path / "absent.ipynb")


def test_a_huge_file(path, monkeypatch):
    write(path, answer("bic", ""))
    monkeypatch.setattr("autograder.submission.MAX_BYTES", 10)
    with pytest.raises(SubmissionError, match="Clear the outputs"):
        read_submission(path)


def test_a_file_that_cannot_be_read(path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied")

    write(path, answer("bic", ""))
    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(SubmissionError, match="Permission denied"):
        read_submission(path)


def test_too_many_cells(path):
    write(path, answer("bic", ""), *[new_markdown_cell() for _ in range(2000)])
    with pytest.raises(SubmissionError, match="2001 cells; at most 2000"):
        read_submission(path)


def spoilt(path, **changes):
    """The notebook with one right answer, its answer cell changed."""
    notebook = new_notebook(cells=[answer("bic", "x = 1")])
    notebook.cells[0].update(changes)
    path.write_text(json.dumps(notebook))
    return path


def nested(depth):
    return [nested(depth - 1)] if depth else []


@pytest.mark.parametrize(
    "changes",
    [
        {"outputs": None},
        {"outputs": [{"output_type": "error"}]},
        {"outputs": [{"output_type": "stream", "name": "stdout", "text": 7}] * 20_000},
        {"execution_count": "3"},
        {"id": ["bic"]},
        {"id": "bic\ud800"},
        {"source": ["x", " = ", "1"]},
        {"attachments": {"a.png": {"image/png": 7}}},
        {"prompt_number": 3},
    ],
    ids=lambda changes: " ".join(changes),
)
def test_what_no_grade_depends_on_spoils_nothing(path, changes):
    assert read_submission(spoilt(path, **changes)).cells == {"bic": "x = 1"}


def test_metadata_nested_deep_is_left_out(path):
    mark = {"grade_id": "bic", "grade": False}
    spoilt(path, metadata={"nbgrader": mark, "deep": nested(300)})
    assert read_submission(path).cells == {"bic": "x = 1"}


@pytest.mark.parametrize("grade_id", [7, None, ["bic"], {"a": 1}])
def test_a_grade_id_that_is_no_text(path, grade_id):
    mark = {"grade_id": grade_id, "grade": False}
    write(path, answer("bic", "x = 1"), new_code_cell("y = 2", metadata={"nbgrader": mark}))
    assert read_submission(path).cells == {"bic": "x = 1"}


@pytest.mark.parametrize("changes", [{"source": 7}, {"source": ["x", 7]}, {"cell_type": "sql"}])
def test_the_damaged_cell_is_named(path, changes):
    with pytest.raises(SubmissionError, match="damaged: its cell 1 "):
        read_submission(spoilt(path, **changes))


def test_lone_surrogates_can_be_written_again(path):
    submission = read_submission(spoilt(path, source="x = '\ud800🙂'"))
    assert submission.cells == {"bic": "x = '?🙂'"}


def test_a_file_name_of_any_bytes(tmp_path):
    with pytest.raises(SubmissionError) as caught:
        read_submission(tmp_path / "\udcff.ipynb")
    assert "there is no file" in str(caught.value)
    assert str(caught.value).encode()


def test_another_unit(path):
    write(path, answer("bic", ""))
    with pytest.raises(SubmissionError, match="but 02_monte_carlo was expected"):
        read_submission(path, "02_monte_carlo")


def test_one_failing_cell_does_not_stop_the_others(path):
    write(
        path,
        answer("log_gaussian", "def f(:"),
        answer("bic", "import sys; sys.exit(3)"),
        answer("log_mixture", "%matplotlib inline\n!pip install x\nlog_mixture?\nvalue = 7"),
    )
    namespace, errors = run_submission(read_submission(path))
    assert namespace["value"] == 7
    assert errors["log_gaussian"].startswith("SyntaxError")
    assert errors["bic"].startswith("SystemExit")


def run_pytest(*args, cwd):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rA", *args]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


def test_pytest_checks_a_submission(path):
    write(path, answer("log_gaussian", RIGHT_ANSWER), answer("bic", WRONG_ANSWER))
    result = run_pytest("--submission", path.name, cwd=path.parent)
    assert result.returncode == 1
    assert "PASSED submitted.ipynb::log_gaussian" in result.stdout
    assert "FAILED submitted.ipynb::bic" in result.stdout
    assert "bic is not right yet" in result.stdout
    assert "defines no function of this name" in result.stdout
    assert "Traceback" not in result.stdout


@pytest.mark.parametrize("content", ["not json", json.dumps({"nbformat": 3})])
def test_pytest_explains_a_bad_file(path, content):
    path.write_text(content)
    result = run_pytest("--submission", str(path), cwd=path.parent)
    assert result.returncode != 0
    assert "submitted.ipynb" in result.stdout
    assert "Traceback" not in result.stdout


def test_pytest_explains_a_missing_file(tmp_path):
    result = run_pytest("--submission", "absent.ipynb", cwd=tmp_path)
    assert result.returncode == 4
    assert "there is no file absent.ipynb" in result.stderr
