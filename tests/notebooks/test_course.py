"""The committed notebooks are what the sources give, and the released ones give nothing away."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import build_notebooks
from autograder import registry
from autograder.report import VERDICT_MIME

ROOT = build_notebooks.ROOT
SOURCES = build_notebooks.find_sources(ROOT, [])
EXERCISES = [source for source in SOURCES if source.parent.name == "exercises"]
ANSWER = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL)

each_exercise = pytest.mark.parametrize("source", EXERCISES, ids=lambda source: source.stem)


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / path, as_version=nbformat.NO_CONVERT)


def solution_of(source: Path) -> nbformat.NotebookNode:
    return read(build_notebooks.outputs_of(source)[0])


def released_of(source: Path) -> nbformat.NotebookNode:
    return read(build_notebooks.outputs_of(source)[1])


@pytest.mark.parametrize(
    "source",
    [pytest.param(s, marks=[] if s in EXERCISES else [pytest.mark.slow]) for s in SOURCES],
    ids=str,
)
def test_committed_notebooks_are_up_to_date(source, tmp_path):
    build_notebooks.build(ROOT, source, tmp_path, checking=True)
    problems = build_notebooks.compare(ROOT, source, tmp_path)
    assert not problems, "\n".join(problems)


def test_every_committed_notebook_has_a_source():
    assert build_notebooks.find_strays(ROOT, SOURCES) == []


@pytest.mark.slow
@each_exercise
def test_a_solution_runs_from_top_to_bottom(source, tmp_path):
    notebook = solution_of(source)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": tmp_path}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    verdicts = [
        output.data[VERDICT_MIME] for output in outputs if VERDICT_MIME in output.get("data", {})
    ]
    assert len(verdicts) == len(registry.exercises(source.stem))
    assert {verdict["outcome"] for verdict in verdicts} == {"right"}


@pytest.mark.slow
@each_exercise
def test_an_unanswered_notebook_runs_from_top_to_bottom(source, tmp_path):
    resources = {"metadata": {"path": tmp_path}}
    NotebookClient(released_of(source), timeout=120, resources=resources).execute()


@each_exercise
def test_no_answer_is_released(source):
    released = {cell.id: cell for cell in released_of(source).cells}
    text = "\n".join(cell.source for cell in released.values())
    assert "SOLUTION" not in text
    for cell in solution_of(source).cells:
        mark = cell.metadata.get("nbgrader", {})
        if mark.get("solution"):
            answers = ANSWER.findall(cell.source) or [cell.source]
            assert all(answer.strip() not in text for answer in answers), cell.id
            stub = "raise NotImplementedError" if cell.cell_type == "code" else "YOUR ANSWER HERE"
            assert stub in released[cell.id].source, cell.id


@each_exercise
def test_released_notebooks_hold_no_outputs_and_no_foreign_metadata(source):
    notebook = released_of(source)
    assert set(notebook.metadata) == {"course", "kernelspec", "language_info"}
    for cell in notebook.cells:
        assert not cell.get("outputs"), cell.id
        assert set(cell.metadata) <= {"nbgrader", "deletable", "editable", "tags"}, cell.id


@each_exercise
def test_graded_cells_are_the_registrys_exercises_with_their_points(source):
    marks = [
        (cell, cell.metadata.nbgrader)
        for cell in solution_of(source).cells
        if "nbgrader" in cell.metadata and cell.cell_type == "code"
    ]
    checks = [(mark.grade_id, mark.points, cell.source) for cell, mark in marks if mark.grade]
    exercises = registry.exercises(source.stem)
    assert checks == [(f"check-{e.name}", e.points, f"check({e.name})") for e in exercises]
    answers = [mark.grade_id for _, mark in marks if mark.solution]
    assert answers == [exercise.name for exercise in exercises]
