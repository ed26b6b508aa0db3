"""Where the trusted grader cannot work, nobody is graded; without our settings, nbgrader can."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.converters import NbGraderException
from nbgrader.coursedir import CourseDirectory

from autograder.jail import Jail, tiers
from autograder.nbgrader import execute
from nbgrader_process import nbgrader_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("fail-closed")]  # one course for all

UNIT = "01_mixture_models"
RUN = """\
from nbgrader.apps import NbGraderApp
{patch}
NbGraderApp.launch_instance({arguments})
"""
NO_SANDBOX = """\
from autograder.jail import tiers
missing = "bubblewrap is missing: install it", "the kernel has no Landlock"
tiers.facilities = lambda: tuple(tiers.Facility("x", "AB", text) for text in missing)
"""
BROKEN_GRADER = """\
from autograder.nbgrader import execute
grade = execute.grade
def sometimes(submission, *others):
    if "first" in str(submission.path):
        raise ZeroDivisionError("a defect of ours")
    return grade(submission, *others)
execute.grade = sometimes
"""
PLAIN = """\
c = get_config()
c.CourseDirectory.course_id = "plain"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
"""


@pytest.fixture(scope="module")
def released(tmp_path_factory, small_course, solved, hand_in) -> Path:
    """A course with two right submissions, not graded yet."""
    course = tmp_path_factory.mktemp("closed") / "course"
    shutil.copytree(small_course, course)
    with nbgrader_in(course) as nbgrader:
        nbgrader("generate_assignment", UNIT)
    for student in ("first", "second"):
        hand_in(course, student, solved)
    return course


@pytest.fixture
def course(tmp_path, released) -> Path:
    return shutil.copytree(released, tmp_path / "course")


def autograde(course: Path, patch: str = "", unit: str = UNIT) -> subprocess.CompletedProcess[str]:
    program = RUN.format(patch=patch, arguments=["autograde", unit])
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=course, capture_output=True, text=True, check=False)


def coursedir(course: Path, unit: str = UNIT) -> CourseDirectory:
    return CourseDirectory(root=str(course), assignment_id=unit)


def scores(course: Path) -> dict[str, float]:
    """By student, for the exercise `bic`, as far as anything was graded."""
    with sqlite3.connect(course / "gradebook.db") as database:
        return dict(
            database.execute(
                """
                SELECT submitted_assignment.student_id, grade.auto_score
                FROM grade
                JOIN base_cell ON base_cell.id = grade.cell_id
                JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
                JOIN submitted_assignment
                    ON submitted_assignment.id = submitted_notebook.assignment_id
                WHERE base_cell.name = 'check-bic'
                """
            )
        )


def test_without_a_sandbox_nobody_is_graded(course):
    result = autograde(course, NO_SANDBOX)
    assert result.returncode == 1
    assert "Nothing was graded, because student code is never run unconfined" in result.stderr
    assert "bubblewrap is missing: install it" in result.stderr
    assert scores(course) == {}
    assert not (course / "autograded").exists()


def test_a_sandbox_that_does_not_start_is_none(released, monkeypatch):
    monkeypatch.setattr(tiers, "python_program", lambda: "/bin/false")
    monkeypatch.setattr(execute, "shared_jail", Jail)
    with pytest.raises(NbGraderException, match="did not start"):
        execute.require_trusted_grading(coursedir(released))


def test_another_assignment_is_refused(released):
    with pytest.raises(NbGraderException, match="other is no unit of this course"):
        execute.require_trusted_grading(coursedir(released, "other"))


def test_checks_that_no_exercise_knows_are_refused(course):
    with sqlite3.connect(course / "gradebook.db") as database:
        database.execute("UPDATE base_cell SET name = 'check-x' WHERE name = 'check-bic'")
    with pytest.raises(NbGraderException, match=r"check cells without an exercise .*: check-x;"):
        execute.require_trusted_grading(coursedir(course))


def test_one_defect_of_ours_costs_only_its_submission(course):
    result = autograde(course, BROKEN_GRADER)
    assert result.returncode == 1
    assert "a defect of ours" in result.stderr
    assert scores(course) == {"first": None, "second": 2}
    assert not (course / "autograded" / "first" / UNIT).exists()


def test_formgraders_button_takes_the_same_way(course):
    patch = """
from nbgrader.apps import NbGraderAPI
app = NbGraderApp()
app.load_config_file()
result = NbGraderAPI(config=app.config).autograde("{unit}", "second")
raise SystemExit(result.get("error", result["log"]))
"""
    result = autograde(course, patch.format(unit=UNIT))
    assert "7 of " in result.stderr
    assert scores(course) == {"second": 2}


def test_plain_nbgrader_still_grades(course):
    (course / "nbgrader_config.py").write_text(PLAIN)
    shutil.rmtree(course / "submitted" / "first")
    result = autograde(course)
    assert result.returncode == 0, result.stderr
    assert scores(course) == {"second": 2}
