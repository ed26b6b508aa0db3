"""Weights that are handed in: found beside the notebook, evaluated, and worth what they reach."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
import safetensors.torch
import torch
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from autograder import checks, registry
from autograder.artifact import fingerprint, path_beside
from autograder.batch import Marker, Settings, Task, find_submissions
from autograder.grading import grade_file
from autograder.jail import Jail, JailUnavailable, Limits
from autograder.mutation import measure
from autograder.nbgrader import execute
from autograder.notebook import check
from autograder.report import Report
from autograder.submission import read_submission, run_submission
from autograder.verdict import NOT_ATTEMPTED, RIGHT, WRONG
from autograder.weights import MAX_BYTES

pytestmark = pytest.mark.xdist_group("artifact")

UNIT = "91_line"
SECRET = bytes(range(32))
MODEL = '''\
"""A line."""

import torch
from torch import nn


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(1, 1)

    def forward(self, x):
        return self.net(x)
'''
BANK = '''\
"""The line y = 2 x + 1, to be learnt: one point for the slope, two for a small error."""

import torch

from autograder import expect
from autograder.exercise import Artifact, Exercise

from ._line import Line

COMMON = {"unit": "91_line", "title": "t", "difficulty": 1, "minutes": 1, "hints": ("", "", "")}


def weights(slope=2.0, shift=1.0):
    return {"net.weight": torch.tensor([[slope]]), "net.bias": torch.tensor([shift])}


LINE = Exercise(
    name="line", points=3, reference=weights, artifact=Artifact("line.safetensors", Line), **COMMON
)
TWICE = Exercise(name="twice", points=1, reference=lambda x: 2 * x, **COMMON)
EXERCISES = (TWICE, LINE)


@TWICE.check
def is_twice(candidate, rng):
    """Is twice the argument."""
    x = torch.from_numpy(rng.normal(size=3))
    expect.close(candidate.call(x), 2 * x, "twice")


@LINE.check
def rises(candidate, rng):
    """Rises."""
    low, high = candidate.call(torch.tensor([[0.0], [1.0]]))
    expect.true(high > low, "the line falls")


@LINE.threshold(points=1)
def has_the_slope(candidate, rng):
    """Has the slope 2."""
    low, high = candidate.call(torch.tensor([[0.0], [1.0]]))
    expect.close(high - low, torch.tensor([2.0]), "the slope")


@LINE.threshold(points=2)
def is_near(candidate, rng):
    """Is near the line."""
    x = torch.from_numpy(rng.normal(size=(20, 1))).float()
    expect.close(candidate.call(x), 2 * x + 1, "the line")


@LINE.misconception("Your line falls.", sign=lambda calls: calls[0].value[1] < calls[0].value[0])
def falls():
    return weights(-2.0)


@LINE.misconception("Your line starts at 0.", sign=lambda calls: calls[0].value[0] == 0)
def through_zero():
    return weights(2.0, 0.0)


@LINE.variant
def in_double():
    return {name: value.double() for name, value in weights().items()}
'''
SETUP = "import torch\nfrom autograder import check"
TWICE = "def twice(x):\n    return 2 * x"
STUB = "def line():\n    raise NotImplementedError"
TRAINS = "raise SystemExit('the cell that trains was run')\ndef line():\n    return 1"


def state(slope: float = 2.0, shift: float = 1.0) -> dict[str, torch.Tensor]:
    return {"net.weight": torch.tensor([[slope]]), "net.bias": torch.tensor([shift])}


def make_notebook(answer: str = TRAINS) -> NotebookNode:
    cells = [
        _marked("set-up", SETUP, locked=True),
        _marked("twice", TWICE, solution=True),
        _marked("check-twice", "check(twice)", locked=True, grade=True, points=1),
        _marked("line", answer, solution=True),
        _marked("check-line", "check(line)", locked=True, grade=True, points=3),
    ]
    return new_notebook(cells=cells, metadata={"course": {"unit": UNIT}})


def _marked(name: str, source: str, **mark: object) -> NotebookNode:
    cell = new_code_cell(source, id=name)
    blank = {"locked": False, "solution": False, "grade": False, "task": False}
    schema = {"schema_version": 3, "cell_type": "code"}
    cell.metadata.nbgrader = NotebookNode(blank | schema | mark | {"grade_id": name})
    return cell


@pytest.fixture(scope="module", autouse=True)
def bank(tmp_path_factory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("banks")
    (folder / UNIT).mkdir()
    (folder / UNIT / "__init__.py").write_text(BANK)
    (folder / UNIT / "_line.py").write_text(MODEL)
    checks.__path__.append(str(folder))
    yield
    checks.__path__.remove(str(folder))
    for name in ("", "._line"):
        sys.modules.pop(f"autograder.checks.{UNIT}{name}", None)
    registry.exercises.cache_clear()


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    try:
        jail = Jail()
    except JailUnavailable as reason:
        pytest.skip(str(reason))
    with jail:
        yield jail


@pytest.fixture
def notebook(tmp_path) -> Path:
    """A submission as nbgrader collects it, still without weights."""
    path = tmp_path / "ada" / UNIT / f"{UNIT}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(make_notebook(), path)
    return path


@pytest.fixture
def verdict_of(jail):
    def verdict_of(path):
        verdict = grade_file(path, jail, secret=SECRET)
        twice, line = verdict.exercises
        assert (twice.outcome, twice.points) == (RIGHT, 1)
        return line

    return verdict_of


def save(notebook: Path, weights: dict[str, torch.Tensor]) -> Path:
    path = path_beside(notebook, registry.find("line"))
    safetensors.torch.save_file(weights, path)
    return path


def test_good_weights_earn_all_points_and_the_training_cell_is_not_run(notebook, verdict_of):
    save(notebook, state())
    found = verdict_of(notebook)
    assert (found.outcome, found.points) == (RIGHT, 3)


@pytest.mark.parametrize(
    ("weights", "points", "mistake"),
    [(state(2.0, 0.0), 1, "through_zero"), (state(-2.0), 0, "falls"), (state(1.5), 0, None)],
)
def test_each_threshold_earns_its_own_points(weights, points, mistake, notebook, verdict_of):
    save(notebook, weights)
    found = verdict_of(notebook)
    assert (found.outcome, found.points) == (WRONG, points)
    assert (found.diagnosis.name if found.diagnosis else None) == mistake
    assert found.to_json()["points"] == points
    assert ("reaches 1 of 3 points" in repr(Report(found))) == (points == 1)


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)


def linked(path: Path) -> None:
    target = path.with_name("other.safetensors")
    safetensors.torch.save_file(state(), target)
    path.symlink_to(target)


def holding(**weights: torch.Tensor):
    named = {name.replace("__", "."): value.clone() for name, value in weights.items()}
    return lambda path: safetensors.torch.save_file(named, path)


ONE = torch.ones(1)
REFUSED = {
    "missing": (lambda path: None, "there is no file line.safetensors beside the notebook"),
    "empty": (lambda path: path.write_bytes(b""), "no safetensors file"),
    "a pickle": (lambda path: torch.save(state(), path), "not with torch.save"),
    "a folder": (lambda path: path.mkdir(), "something else of that name"),
    "a link": (linked, "is a link"),
    "huge": (huge, "30 MB fit"),
    "a tensor short": (holding(net__bias=ONE), "lacks net.weight"),
    "a tensor too many": (holding(net__bias=ONE, net__weight=ONE[None], more=ONE), "unknown more"),
    "another shape": (
        holding(net__bias=ONE, net__weight=torch.ones(2, 1)),
        "net.weight in line.safetensors has the shape (2, 1); expected (1, 1)",
    ),
    "not finite": (holding(net__bias=ONE / 0, net__weight=ONE[None]), "NaN or infinite"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_used_says_why(case, notebook, verdict_of, capsys, monkeypatch):
    make, reason = REFUSED[case]
    make(path_beside(notebook, registry.find("line")))
    found = verdict_of(notebook)
    assert (found.outcome, found.points) == (WRONG, 0)
    assert reason in found.findings[0].problem
    monkeypatch.chdir(notebook.parent)
    check(line)
    shown = capsys.readouterr().out
    if case == "missing":  # which a notebook cannot tell from not attempted
        reason = "There is no file `line.safetensors` yet"
        assert "not attempted yet" in shown
    assert reason in shown


def line():
    raise NotImplementedError


def test_check_in_a_notebook_looks_into_its_folder(notebook, capsys, monkeypatch):
    monkeypatch.chdir(notebook.parent)
    save(notebook, state())
    check(line)
    assert "line is right (3 points)" in capsys.readouterr().out


def test_neither_file_nor_answer_is_not_an_attempt(notebook, verdict_of):
    nbformat.write(make_notebook(STUB), notebook)
    assert verdict_of(notebook).outcome == NOT_ATTEMPTED
    save(notebook, state())  # trained elsewhere: the file counts
    assert verdict_of(notebook).points == 3


def test_what_a_student_patches_does_not_touch_the_evaluation(notebook, verdict_of):
    patch = "import torch\ntorch.nn.Linear.forward = lambda self, x: 2 * x + 1\n"
    cells = make_notebook()
    cells.cells[1].source = patch + TWICE
    nbformat.write(cells, notebook)
    save(notebook, state(0.0))
    assert verdict_of(notebook).points == 0


def test_new_weights_are_a_new_submission(notebook, jail):
    digests = set()
    for weights in (None, state(1.0), state()):
        if weights:
            save(notebook, weights)
        digests.add(grade_file(notebook, jail, secret=SECRET).digest)
    assert len(digests) == 3
    again = [grade_file(notebook, jail, secret=SECRET).to_bytes() for _ in range(2)]
    assert again[0] == again[1]


def test_notebooks_of_several_students_in_one_folder_have_weights_of_their_own(tmp_path):
    exercise = registry.find("line")
    for student in ("ada", "ben"):
        nbformat.write(make_notebook(), tmp_path / f"{student}.ipynb")
    save(tmp_path / "ada.ipynb", state())
    assert (tmp_path / "ada.line.safetensors").is_file()
    assert path_beside(tmp_path / "ben.ipynb", exercise).name == "ben.line.safetensors"
    assert fingerprint(tmp_path / "ben.ipynb", UNIT) == {"line": "none"}
    assert [task.student for task in find_submissions(tmp_path, UNIT)[1]] == ["ada", "ben"]


def test_a_class_is_graded_from_its_files_and_again_after_new_weights(notebook, jail, tmp_path):
    released = tmp_path / "released.ipynb"
    nbformat.write(make_notebook(STUB), released)
    settings = Settings(
        unit=UNIT,
        released=released,
        secret=SECRET,
        tier=jail.tier,
        limits=Limits(),
        verdicts=tmp_path / "verdicts",
        autograded=tmp_path / "autograded",
    )
    with Marker(settings) as marker:
        points = []
        for weights in (state(2.0, 0.0), state(), state()):
            save(notebook, weights)
            points.append(marker.mark(Task("ada", notebook)).points)
    assert points == [2, 4, 4]
    assert len(list((tmp_path / "verdicts").iterdir())) == 2  # the third came from the cache
    marked = json.loads((tmp_path / "autograded" / "ada" / UNIT / f"{UNIT}.ipynb").read_text())
    assert "line is right" in json.dumps(marked)


def test_nbgraders_step_reads_the_weights_that_were_submitted(notebook, jail, monkeypatch):
    monkeypatch.setattr(execute, "shared_jail", lambda: jail)
    save(notebook, state(2.0, 0.0))
    cells = make_notebook()
    verdict = execute.verdict_on(cells, UNIT, notebook, SECRET)
    execute.show(cells, verdict)
    last = cells.cells[-1].outputs[-1]
    assert (last.output_type, last.data["text/plain"]) == ("execute_result", "1")


def test_a_bank_of_weights_is_measured_as_any_other():
    row = measure(registry.find("line"))
    assert (row.killed, row.named, row.rejected, row.problems) == (2, 2, 0, [])


def test_the_training_cell_is_left_out_of_a_self_check(notebook):
    namespace, errors = run_submission(read_submission(notebook))
    assert errors == {}
    assert namespace["twice"](2) == 4
    assert "line" not in namespace
