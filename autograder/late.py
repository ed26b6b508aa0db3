"""Penalties for late submissions, as `nbgrader autograde` gives them.

What a late submission loses is decided by nbgrader's own step and by the plugin that the course's
`nbgrader_config.py` names; nbgrader's default takes nothing away.
"""

from collections.abc import Collection
from pathlib import Path

from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook
from nbgrader.preprocessors import AssignLatePenalties
from traitlets.config import Config, PyFileConfigLoader

CONFIG = "nbgrader_config.py"


def assign_late_penalties(
    url: str, unit: str, students: Collection[str], course: Path
) -> dict[str, float]:
    """Set the penalty of each of these students anew; returns those that lose points.

    Args:
        url: The gradebook, in which the scores are written already.
        unit: Name of the assignment.
        students: Whose submissions were graded.
        course: Folder with `nbgrader_config.py`.
    """
    step = AssignLatePenalties(config=_config(course))
    names = {"notebook": unit, "assignment": unit, "db_url": url}
    for student in _late_or_penalised(url, unit, students):
        step.preprocess(new_notebook(), {"nbgrader": names | {"student": student}})
    with Gradebook(url) as gradebook:
        submissions = gradebook.assignment_submissions(unit)
        penalties = {s.student_id: s.late_submission_penalty for s in submissions}
    return {student: lost for student, lost in penalties.items() if lost and student in students}


def _late_or_penalised(url: str, unit: str, students: Collection[str]) -> list[str]:
    """Whom nbgrader's step changes; it opens the gradebook for each, so the others are left out."""
    with Gradebook(url) as gradebook:
        return [
            submission.student_id
            for submission in gradebook.assignment_submissions(unit)
            if submission.student_id in students
            and (submission.total_seconds_late > 0 or submission.late_submission_penalty)
        ]


def _config(course: Path) -> Config:
    if not (course / CONFIG).is_file():
        return Config()
    return PyFileConfigLoader(CONFIG, path=str(course.resolve())).load_config()
