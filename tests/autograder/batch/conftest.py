"""A unit of two exercises, and a course that has it: quick to grade, apart from the real units."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader import utils
from nbgrader.api import Gradebook

from autograder import batch, checks, registry
from autograder.batch import Settings
from autograder.jail import Jail, Limits, tiers

BIN = str(Path(sys.executable).parent)
os.environ["PATH"] = os.pathsep.join([BIN, os.environ["PATH"]])  # nbgrader starts alembic by name
UNIT = "90_tiny"
BANK = '''\
"""Two exercises; the number 666 kills whoever checks it, and SLOW makes it slow."""

import os
import signal
import time

import torch

from autograder import expect
from autograder.exercise import Exercise

COMMON = {"unit": "90_tiny", "title": "t", "difficulty": 1, "minutes": 1, "hints": ("", "", "")}
DOUBLE = Exercise(name="tiny_double", points=2, reference=lambda x: 2 * x, **COMMON)
HALF = Exercise(
    name="tiny_half", points=3, reference=lambda x: x / 2, needs=("tiny_double",), **COMMON
)
EXERCISES = (DOUBLE, HALF)


@DOUBLE.check
def equals_twice(candidate, rng):
    """Equals twice the argument."""
    time.sleep(float(os.environ.get("SLOW", "0")))
    x = torch.from_numpy(rng.normal(size=5))
    value = candidate.call(x)
    if isinstance(value, int) and value == 666:
        os.kill(os.getpid(), signal.SIGKILL)
    expect.close(value, 2 * x, "tiny_double")


@DOUBLE.misconception("You squared.")
def squares(x):
    return x**2


@HALF.check
def equals_half(candidate, rng):
    """Equals half of the argument."""
    x = torch.from_numpy(rng.normal(size=5))
    expect.close(candidate.call(x), x / 2, "tiny_half")
'''
SETUP = "import torch\n\nfrom autograder import check"
STUBS = {
    "tiny_double": "def tiny_double(x):\n    raise NotImplementedError",
    "tiny_half": "def tiny_half(x):\n    raise NotImplementedError",
    "why": "YOUR ANSWER HERE",
}
ANSWERS = {  # one is right, one is not
    "tiny_double": "def tiny_double(x):\n    return 2 * x",
    "tiny_half": "def tiny_half(x):\n    return tiny_double(x)",
}
SQUARED = {"tiny_double": "def tiny_double(x):\n    return x**2"}
BOMB = {"tiny_double": "def tiny_double(x):\n    return 666"}


def make_notebook(answers: dict[str, str] | None = None) -> dict[str, Any]:
    """The unit's notebook, with some answers."""
    source = STUBS | (answers or {})
    cells = [
        _marked(new_code_cell(SETUP), "set-up", locked=True),
        _marked(new_code_cell(source["tiny_double"]), "tiny_double", solution=True),
        _marked(new_code_cell("check(tiny_double)"), "check-tiny_double", locked=True, points=2),
        _marked(new_code_cell(source["tiny_half"]), "tiny_half", solution=True),
        _marked(new_code_cell("check(tiny_half)"), "check-tiny_half", locked=True, points=3),
        _marked(new_markdown_cell(source["why"]), "why", solution=True, points=4),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"course": {"unit": UNIT}, "kernelspec": kernel})


def _marked(
    cell: NotebookNode,
    name: str,
    *,
    locked: bool = False,
    solution: bool = False,
    points: int | None = None,
) -> NotebookNode:
    cell.id = name
    cell.metadata.nbgrader = NotebookNode(
        grade_id=name,
        grade=points is not None,
        locked=locked,
        solution=solution,
        task=False,
        schema_version=3,
        cell_type=cell.cell_type,
    )
    if points is not None:
        cell.metadata.nbgrader.points = points
    released = NotebookNode(cell, source=STUBS.get(name, cell.source))
    cell.metadata.nbgrader.checksum = utils.compute_checksum(released)
    return cell


@dataclass(frozen=True)
class Course:
    """A course folder with the released notebook, the gradebook, and what was handed in."""

    root: Path

    @property
    def db(self) -> str:
        return f"sqlite:///{self.root / 'gradebook.db'}"

    @property
    def submitted(self) -> Path:
        return self.root / "submitted"

    def hand_in(self, student: str, answers: dict[str, str] | str) -> Path:
        """Put a notebook with these answers, or any text, where nbgrader collects it."""
        path = self.submitted / student / UNIT / f"{UNIT}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = answers if isinstance(answers, str) else json.dumps(make_notebook(answers))
        path.write_text(text, encoding="utf-8")
        return path

    def settings(self, **changes: Any) -> Settings:
        given = {
            "unit": UNIT,
            "released": self.root / "exercises" / UNIT / f"{UNIT}.ipynb",
            "secret": bytes(32),
            "tier": "A",
            "limits": Limits(),
            "verdicts": self.root / "verdicts",
        }
        return Settings(**given | changes)


@pytest.fixture(scope="session")
def banks(tmp_path_factory) -> Iterator[Path]:
    """The unit, where the registry and worker processes find it."""
    folder = tmp_path_factory.mktemp("banks")
    (folder / UNIT).mkdir()
    (folder / UNIT / "__init__.py").write_text(BANK)
    checks.__path__.append(str(folder))
    yield folder
    checks.__path__.remove(str(folder))
    sys.modules.pop(f"autograder.checks.{UNIT}", None)
    registry.exercises.cache_clear()


NOT_HERE = "; ".join(tiers.missing_for("A"))


class KeptJail(Jail):
    """A jail takes seconds to start, so the tests of one process share it."""

    def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def jails() -> Iterator[dict[str, Jail]]:
    opened: dict[str, Jail] = {}
    yield opened
    for jail in opened.values():
        Jail.close(jail)


@pytest.fixture
def one_jail(jails, monkeypatch) -> None:
    def keep(tier: str, limits: Limits) -> Jail:
        return jails.setdefault(tier, KeptJail(tier, limits))

    monkeypatch.setattr(batch, "Jail", keep)


@pytest.fixture(scope="session")
def gradebook(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    add_assignment(f"sqlite:///{path}")
    return path


@pytest.fixture
def course(banks, gradebook, tmp_path) -> Course:
    if NOT_HERE:
        pytest.skip(NOT_HERE)
    shutil.copy(gradebook, tmp_path)
    released = tmp_path / "exercises" / UNIT / f"{UNIT}.ipynb"
    released.parent.mkdir(parents=True)
    released.write_text(json.dumps(make_notebook()))
    return Course(tmp_path)


def add_assignment(db: str) -> None:
    """What `nbgrader generate_assignment` leaves in the gradebook."""
    with Gradebook(db) as gradebook:
        gradebook.add_assignment(UNIT)
        gradebook.add_notebook(UNIT, UNIT)
        for cell in make_notebook().cells:
            mark = cell.metadata.nbgrader
            own = {"cell_type": cell.cell_type}
            gradebook.add_source_cell(
                mark.grade_id,
                UNIT,
                UNIT,
                source=cell.source,
                locked=mark.locked,
                checksum=mark.checksum,
                **own,
            )
            if mark.grade:
                gradebook.add_grade_cell(mark.grade_id, UNIT, UNIT, max_score=mark.points, **own)
            if mark.solution:
                gradebook.add_solution_cell(mark.grade_id, UNIT, UNIT)
