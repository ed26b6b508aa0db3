"""After `autograder grade`, nbgrader's own commands go on from there."""

import csv
import shutil

import pytest
from typer.testing import CliRunner

import build_notebooks
from autograder.cli import app
from nbgrader_process import nbgrader_in

from .conftest import ANSWERS, SQUARED, UNIT


@pytest.mark.slow
@pytest.mark.xdist_group("batch")
@pytest.mark.usefixtures("one_jail")
def test_feedback_and_export_follow(course):
    shutil.copy(build_notebooks.ROOT / "nbgrader_config.py", course.root)
    course.hand_in("ada", ANSWERS | {"why": "Because."})
    course.hand_in("bo", SQUARED)
    course.hand_in("cy", "nonsense")
    arguments = ["grade", str(course.submitted), "--course", str(course.root), "--jobs", "1"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    with nbgrader_in(course.root) as nbgrader:
        nbgrader("generate_feedback", UNIT)
        nbgrader("export")
    pages = {
        student: (course.root / "feedback" / student / UNIT / f"{UNIT}.html").read_text()
        for student in ("ada", "bo", "cy")
    }
    assert "tiny_double is right" in pages["ada"]
    assert "Because." in pages["ada"]
    assert "You squared." in pages["bo"]
    assert "could not be graded" in pages["cy"]
    assert not list(course.root.glob("feedback/*/*/verdict.json"))  # it has the inputs' seeds
    with (course.root / "grades.csv").open() as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert scores == {"ada": 2, "bo": 0, "cy": 0}
