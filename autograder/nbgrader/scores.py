"""Scores in the gradebook: none survives from an earlier submission, all are written at once."""

from typing import Any

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor


class ResetScores(NbGraderPreprocessor):
    """First sanitiser of `nbgrader autograde`: forget what an earlier submission scored.

    If grading fails from here on, the gradebook shows that a person must look, not an old score.
    What a person gave stays; nbgrader asks for it to be confirmed.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        names = resources["nbgrader"]
        with Gradebook(names["db_url"]) as gradebook:
            submitted = gradebook.find_submission_notebook(
                names["notebook"], names["assignment"], names["student"]
            )
            for grade in submitted.grades:
                grade.auto_score = None
                grade.needs_manual_grade = True
            for comment in submitted.comments:
                comment.auto_comment = None
            gradebook.db.commit()
        return nb, resources


class SaveScores(NbGraderPreprocessor):
    """Does what nbgrader's SaveAutoGrades does, in one transaction instead of one for each cell."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        names = resources["nbgrader"]
        with Gradebook(names["db_url"]) as gradebook:
            submitted = gradebook.find_submission_notebook(
                names["notebook"], names["assignment"], names["student"]
            )
            grades = {grade.name: grade for grade in submitted.grades}
            comments = {comment.name: comment for comment in submitted.comments}
            for cell in nb.cells:
                if utils.is_grade(cell):
                    self._save_grade(grades[cell.metadata.nbgrader.grade_id], cell)
                if utils.is_solution(cell) or utils.is_task(cell):
                    _save_comment(comments[cell.metadata.nbgrader.grade_id], cell)
            gradebook.db.commit()
        return nb, resources

    def _save_grade(self, grade: Any, cell: NotebookNode) -> None:
        grade.auto_score, _ = utils.determine_grade(cell, self.log)
        has_manual_score = grade.manual_score is not None
        grade.needs_manual_grade = has_manual_score or grade.auto_score is None


def _save_comment(comment: Any, cell: NotebookNode) -> None:
    is_released = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
    comment.auto_comment = "No response." if is_released and not utils.is_task(cell) else None
