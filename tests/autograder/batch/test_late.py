"""Late submissions lose what the course's plugin says, as under `nbgrader autograde`."""

import datetime

import pytest
from nbgrader.api import Gradebook

from autograder.gradebook import write_scores
from autograder.late import assign_late_penalties

from .conftest import UNIT
from .test_gradebook import marked

DUE = datetime.datetime(2026, 1, 10, 12)
HALF = """\
from nbgrader.plugins import LateSubmissionPlugin

c = get_config()


class HalfAPointAnHour(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 0.5 * total_seconds_late / 3600


c.AssignLatePenalties.plugin_class = HalfAPointAnHour
"""
ZERO = 'c = get_config()\nc.LateSubmissionPlugin.penalty_method = "zero"\n'


@pytest.fixture
def graded(course):
    """Ada was early, Bo two hours late and Cy a week; all have 3.5 points."""
    with Gradebook(course.db) as gradebook:
        gradebook.update_or_create_assignment(UNIT, duedate=DUE)
    times = {"ada": "2026-01-10 11:59", "bo": "2026-01-10 14:00", "cy": "2026-01-17 12:00"}
    class_ = [marked(student, timestamp=f"{time}:00 UTC") for student, time in times.items()]
    write_scores(course.db, UNIT, class_)
    return course


def penalties(course) -> dict[str, float]:
    students = {"ada", "bo", "cy"}
    taken = assign_late_penalties(course.db, UNIT, students, course.root)
    with Gradebook(course.db) as gradebook:
        for student in students:
            submission = gradebook.find_submission(UNIT, student)
            assert submission.late_submission_penalty == taken.get(student, 0)
    return taken


def test_without_a_configuration_nothing_is_taken(graded):
    assert penalties(graded) == {}


def test_nbgraders_own_plugin(graded):
    (graded.root / "nbgrader_config.py").write_text(ZERO)
    assert penalties(graded) == {"bo": 3.5, "cy": 3.5}


def test_a_plugin_of_the_course_and_never_more_than_the_score(graded):
    (graded.root / "nbgrader_config.py").write_text(HALF)
    assert penalties(graded) == {"bo": 1.0, "cy": 3.5}


def test_a_penalty_is_set_anew_each_time(graded):
    config = graded.root / "nbgrader_config.py"
    config.write_text(ZERO)
    assert penalties(graded)
    config.unlink()
    assert penalties(graded) == {}


def test_who_was_not_graded_keeps_the_penalty(graded):
    (graded.root / "nbgrader_config.py").write_text(ZERO)
    assert assign_late_penalties(graded.db, UNIT, {"bo"}, graded.root) == {"bo": 3.5}
    with Gradebook(graded.db) as gradebook:
        assert gradebook.find_submission(UNIT, "cy").late_submission_penalty == 0
