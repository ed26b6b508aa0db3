"""The build: what it writes, the same every time, and --check, which finds any drift."""

from pathlib import Path

import nbformat
import pytest

import build_notebooks

EXERCISE = Path("sources/exercises/01_toy.py")
LECTURE = Path("sources/lectures/01_toy.py")
SOLUTION, RELEASED = build_notebooks.outputs_of(EXERCISE)
(EXECUTED,) = build_notebooks.outputs_of(LECTURE)


def run(course: Path, *arguments: str) -> int:
    return build_notebooks.main(["--root", str(course), *arguments])


def read(path: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    return notebook


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def built(course) -> Path:
    assert run(course) == 0
    return course


def test_the_released_notebook_holds_stubs_and_no_answers(built):
    text = (built / RELEASED).read_text()
    for secret in ("SOLUTION", "x + x", "x / 2", "Because of addition", "jupytext"):
        assert secret not in text
    cells = {cell.id: cell for cell in read(built / RELEASED).cells}
    assert cells["double"].source.endswith('"""Twice x."""\n    raise NotImplementedError')
    assert cells["why"].source == "YOUR ANSWER HERE"
    assert not cells["check-double"].metadata.editable
    assert cells["check-double"].metadata.nbgrader.points == 2


def test_the_solution_keeps_answers_ids_and_has_no_outputs(built):
    notebook = read(built / SOLUTION)
    assert [cell.id for cell in notebook.cells][1:3] == ["imports", "double"]
    assert "x + x" in notebook.cells[2].source
    assert all(not cell.get("outputs") for cell in notebook.cells)
    assert read(built / RELEASED).metadata == notebook.metadata


def test_only_the_notebooks_are_written(built):
    files = {path.relative_to(built) for path in built.rglob("*") if path.is_file()}
    assert files == {EXERCISE, SOLUTION, RELEASED}


def test_deleting_and_rebuilding_gives_identical_bytes(built):
    before = [(built / path).read_bytes() for path in (SOLUTION, RELEASED)]
    for path in (SOLUTION, RELEASED):
        (built / path).unlink()
    run(built)
    assert [(built / path).read_bytes() for path in (SOLUTION, RELEASED)] == before


def test_check_accepts_what_was_just_built_and_changes_nothing(built, capsys):
    times = [(built / path).stat().st_mtime_ns for path in (SOLUTION, RELEASED)]
    assert run(built, "--check") == 0
    assert capsys.readouterr().err == ""
    assert [(built / path).stat().st_mtime_ns for path in (SOLUTION, RELEASED)] == times


@pytest.mark.parametrize(
    ("drift", "found"),
    [
        (lambda c: edit(c / EXERCISE, "Twice x", "Double x"), f"{SOLUTION} is not what"),
        (lambda c: edit(c / EXERCISE, "points=2", "points=5"), "check-double"),
        (lambda c: edit(c / RELEASED, "# Toy", "# Changed"), "'# Changed' should be '# Toy'"),
        (lambda c: edit(c / RELEASED, '"points": 2', '"points": 3'), "check-double), metadata"),
        (lambda c: edit(c / SOLUTION, '"unit": "01_toy"', '"unit": "x"'), "metadata: "),
        (lambda c: (c / RELEASED).unlink(), f"{RELEASED} is not what {EXERCISE} gives: it is miss"),
        (lambda c: (c / SOLUTION).write_text("{"), "it is no notebook"),
        (lambda c: edit(c / SOLUTION, " ]\n", " ]\n\n"), "other bytes"),
        (lambda c: edit(c / EXERCISE, "# # Toy", "# # Toy\n\n# %%\n1"), "should be"),
    ],
)
def test_check_finds_each_kind_of_drift_and_says_what_to_edit(built, capsys, drift, found):
    drift(built)
    assert run(built, "--check") == 1
    message = capsys.readouterr().err
    assert found in message
    assert f"Edit {EXERCISE}, never the notebook, and run: make notebooks" in message


@pytest.mark.parametrize(
    "stray", ["lectures/02_old.ipynb", "solutions/01_toy/notes.py", "exercises/02_old/02_old.ipynb"]
)
def test_check_finds_files_that_come_from_no_source(built, capsys, stray):
    (built / stray).parent.mkdir(parents=True, exist_ok=True)
    (built / stray).write_text("")
    assert run(built, "--check") == 1
    assert f"{stray} comes from no source" in capsys.readouterr().err


def test_one_unit_can_be_built_alone(built, capsys):
    other = built / "sources/exercises/02_other.py"
    other.write_text("# %%\n1\n")
    assert run(built, "01_toy") == 0
    assert not (built / "solutions/02_other").exists()
    assert run(built, "03_none") == 1
    assert "no unit '03_none' under sources/; there is: 01_toy, 02_other" in capsys.readouterr().err


def test_a_wrong_source_leaves_the_old_notebooks_and_does_not_stop_the_others(built, capsys):
    before = (built / SOLUTION).read_bytes()
    (built / "sources/exercises/02_other.py").write_text("# %%\n1\n")
    edit(built / EXERCISE, " points=2", "")
    assert run(built) == 1
    assert f"{EXERCISE}, cell 4" in capsys.readouterr().err
    assert (built / SOLUTION).read_bytes() == before
    assert (built / "exercises/02_other/02_other.ipynb").is_file()


def test_a_lecture_is_executed_normalised_and_checked(lecture, capsys, monkeypatch):
    monkeypatch.setenv("COURSE_FAST", "1")
    assert run(lecture) == 0
    notebook = read(lecture / EXECUTED)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3, 4]
    assert [output.text for output in code[0].outputs] == ["full <object object at 0x0>\n"]
    assert [[*output.data] for output in code[1].outputs] == [["image/png", "text/plain"]]
    assert code[2].outputs[0].traceback == ["ZeroDivisionError: division by zero"]
    assert code[3].outputs[0].data["text/plain"] == "0.6666666666666666"
    assert set(notebook.metadata) == {"course", "kernelspec", "language_info"}
    assert all(set(cell.metadata) <= {"tags"} for cell in notebook.cells)

    edit(lecture / EXECUTED, "0.6666666666666666", "0.6667")  # another processor
    assert run(lecture, "--check") == 0
    edit(lecture / EXECUTED, "0.6667", "0.6767")
    assert run(lecture, "--check") == 1
    message = capsys.readouterr().err
    assert "text/plain output" in message
    assert f"Edit {LECTURE}, never the notebook" in message


def test_a_failing_cell_is_shown_and_the_old_lecture_stays(lecture, capsys):
    (lecture / EXECUTED).parent.mkdir()
    (lecture / EXECUTED).write_text("old")
    edit(lecture / LECTURE, "2 / 3", "undefined_name + 1")
    assert run(lecture) == 1
    message = capsys.readouterr().err
    assert f"{LECTURE}, cell 5 ('undefined_name + 1') failed" in message
    assert "NameError: name 'undefined_name' is not defined" in message
    assert (lecture / EXECUTED).read_text() == "old"


def test_a_lecture_that_trains_networks_is_checked_fast_and_without_its_numbers(lecture, capsys):
    edit(lecture / LECTURE, "# %%\n", '# %% tags=["trained"]\n')
    assert run(lecture) == 0
    assert "full" in read(lecture / EXECUTED).cells[1].outputs[0].text
    edit(lecture / EXECUTED, "0.6666666666666666", "0.7")  # other data, another processor
    assert run(lecture, "--check") == 0
    edit(lecture / EXECUTED, "image/png", "image/jpeg")
    assert run(lecture, "--check") == 1
    assert "image/png" in capsys.readouterr().err
