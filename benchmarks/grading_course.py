r"""Courses to measure grading on: one unit, released with nbgrader, and honest submissions."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook

ROOT = Path(__file__).resolve().parents[1]
SYNTHETIC = "90_synthetic"
EXERCISES, CALLS = 10, 4
REGISTER = """\
from autograder import checks

if {banks!r} not in checks.__path__:
    checks.__path__.append({banks!r})
"""
ANSWER = """\
def {name}(x):
    ### BEGIN SOLUTION
    return {number} * x + 1
    ### END SOLUTION"""
GRADE = REGISTER + "\nif __name__ == '__main__':\n    from autograder.cli import app\n\n    app()\n"
PLAIN_CONFIG = """\
c = get_config()
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
c.Execute.timeout = 120
c.IgnorePattern.enabled = True  # else a warning on stderr costs all points
c.IgnorePattern.pattern = r"(?s).*"
"""
BANK_HEAD = '''\
"""Ten exercises with four calls each, as cheap as checks can be."""

import torch

from autograder import expect
from autograder.exercise import Exercise

EXERCISES = []
COMMON = {{"unit": "{unit}", "title": "t", "difficulty": 1, "minutes": 1, "hints": ("", "", "")}}


def make(number):
    exercise = Exercise(
        name=f"scale_{{number}}", points=1, reference=lambda x: number * x + 1, **COMMON
    )

    @exercise.check
    def equals_reference(candidate, rng):
        """Equals the reference."""
        for _ in range({calls}):
            x = torch.from_numpy(rng.normal(size=(8, 3)))
            expect.close(candidate.call(x), number * x + 1, exercise.name)

    return exercise


EXERCISES = tuple(make(number) for number in range(1, {exercises} + 1))
'''


@dataclass(frozen=True)
class Course:
    r"""A course folder, and the students whose work lies ready in `work`."""

    root: Path
    work: Path
    unit: str
    num_exercises: int
    max_points: float

    @property
    def students(self) -> list[str]:
        return sorted(path.name for path in self.work.iterdir())

    def copy(self, root: Path, students: list[str]) -> "Course":
        r"""A fresh course in which these students have handed in."""
        shutil.copytree(self.root, root)
        for student in students:
            shutil.copytree(self.work / student, root / "submitted" / student)
        return replace(self, root=root)

    def environment(self) -> dict[str, str]:
        r"""Nobody's own settings; kernels know the units that this course adds."""
        own = {
            "IPYTHONDIR": str(self.work.parent / "ipython"),
            "JUPYTER_CONFIG_DIR": str(self.work.parent),
        }
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return os.environ | own | threads | {"PATH": path}

    def scores(self) -> dict[str, float]:
        r"""Points by the computer of every student in the gradebook."""
        with Gradebook(f"sqlite:///{self.root / 'gradebook.db'}") as gradebook:
            return {
                submission.student.id: sum(
                    grade.auto_score or 0
                    for notebook in submission.notebooks
                    for grade in notebook.grades
                )
                for submission in gradebook.assignment_submissions(self.unit)
            }


def make(folder: Path, unit: str, num_students: int) -> dict[str, Course]:
    r"""A course for each kind of grading, all with the same submissions."""
    solution = _synthetic_solution() if unit == SYNTHETIC else _solution(unit)
    banks = folder / "banks"
    (banks / SYNTHETIC).mkdir(parents=True)
    text = BANK_HEAD.format(unit=SYNTHETIC, calls=CALLS, exercises=EXERCISES)
    (banks / SYNTHETIC / "__init__.py").write_text(text)
    startup = folder / "ipython" / "profile_default" / "startup" / "banks.py"
    startup.parent.mkdir(parents=True)
    startup.write_text(REGISTER.format(banks=str(banks)))
    for number in range(num_students):
        _hand_in(folder / "work" / f"s{number:04}" / unit / f"{unit}.ipynb", solution, number)
    checks = [c for c in solution.cells if c.cell_type == "code" and _mark(c).get("grade")]
    points = float(sum(_mark(cell)["points"] for cell in checks))
    ours = REGISTER.format(banks=str(banks)) + (ROOT / "nbgrader_config.py").read_text()
    courses = {}
    for kind, config in {"plain": PLAIN_CONFIG, "nbgrader": ours, "batch": ours}.items():
        course = Course(folder / kind, folder / "work", unit, len(checks), points)
        _release(course, solution, config)
        (course.root / "grade.py").write_text(GRADE.format(banks=str(banks)))
        courses[kind] = course
    return courses


def _release(course: Course, solution: NotebookNode, config: str) -> None:
    path = course.root / "solutions" / course.unit / f"{course.unit}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(solution, path)
    (course.root / "nbgrader_config.py").write_text(config)
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", course.unit],
        cwd=course.root,
        env=course.environment(),
        check=True,
        capture_output=True,
    )


def _hand_in(path: Path, solution: NotebookNode, number: int) -> None:
    r"""The right answers, with a comment of this student's own in each."""
    notebook = json.loads(nbformat.writes(solution))
    for cell in notebook["cells"]:
        mark = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "code" and mark.get("solution"):
            cell["source"] = "".join(cell["source"]) + f"\n# student {number}"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(notebook))


def _solution(unit: str) -> NotebookNode:
    return nbformat.read(ROOT / "solutions" / unit / f"{unit}.ipynb", as_version=4)


def _synthetic_solution() -> NotebookNode:
    cells = [_cell("import torch\n\nfrom autograder import check", "imports", locked=True)]
    for number in range(1, EXERCISES + 1):
        name = f"scale_{number}"
        source = ANSWER.format(name=name, number=number)
        cells.append(_cell(source, name, solution=True))
        cells.append(_cell(f"check({name})", f"check-{name}", locked=True, points=1))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"course": {"unit": SYNTHETIC}, "kernelspec": kernel})


def _cell(source: str, name: str, **marks: bool | int) -> NotebookNode:
    given = {"grade": "points" in marks, "locked": False, "solution": False, "task": False}
    mark = given | {"grade_id": name, "schema_version": 3} | marks
    return new_code_cell(source, id=name, metadata={"nbgrader": mark})


def _mark(cell: NotebookNode) -> dict:
    return cell.metadata.get("nbgrader", {})
