"""The scores of a class in nbgrader's gradebook, as nbgrader itself would have written them."""

import pytest
from nbgrader.api import Gradebook

from autograder.batch import Marked
from autograder.gradebook import GradebookError, require_assignment, write_scores

UNIT = "90_tiny"


def marked(student: str, **changes) -> Marked:
    given = {
        "student": student,
        "points": 2.5,
        "max_points": 5,
        "problem": "",
        "misconceptions": (),
        "scores": {"check-tiny_double": 2.0, "check-tiny_half": 1.5, "why": None},
        "unanswered": (),
        "timestamp": "",
        "verdict": None,
    }
    return Marked(**given | changes)


def grades_of(db: str, student: str) -> dict[str, tuple]:
    with Gradebook(db) as gradebook:
        notebook = gradebook.find_submission_notebook(UNIT, UNIT, student)
        return {g.name: (g.auto_score, g.needs_manual_grade, g.score) for g in notebook.grades}


def comments_of(db: str, student: str) -> dict[str, str | None]:
    with Gradebook(db) as gradebook:
        notebook = gradebook.find_submission_notebook(UNIT, UNIT, student)
        return {comment.name: comment.auto_comment for comment in notebook.comments}


def test_makes_students_submissions_and_scores(course):
    write_scores(course.db, UNIT, [marked("ada", unanswered=("why",)), marked("bo")])
    assert grades_of(course.db, "bo") == {
        "check-tiny_double": (2.0, False, 2.0),
        "check-tiny_half": (1.5, False, 1.5),
        "why": (None, True, 0.0),
    }
    assert comments_of(course.db, "ada")["why"] == "No response."
    with Gradebook(course.db) as gradebook:
        assert [student.id for student in gradebook.students] == ["ada", "bo"]
        assert gradebook.find_submission(UNIT, "ada").score == 3.5
        assert gradebook.find_assignment(UNIT).num_submissions == 2


def test_a_second_run_replaces_what_the_computer_gave(course):
    write_scores(course.db, UNIT, [marked("ada", unanswered=("why",))])
    write_scores(course.db, UNIT, [marked("ada", scores={"check-tiny_double": 0.0})])
    assert grades_of(course.db, "ada") == {
        "check-tiny_double": (0.0, False, 0.0),
        "check-tiny_half": (None, True, 0.0),  # not graded any more: a person must look
        "why": (None, True, 0.0),
    }
    assert comments_of(course.db, "ada")["why"] is None


def test_what_a_person_gave_stays(course):
    write_scores(course.db, UNIT, [marked("ada")])
    with Gradebook(course.db) as gradebook:
        grade = gradebook.find_grade("check-tiny_half", UNIT, UNIT, "ada")
        grade.manual_score, grade.extra_credit = 3.0, 0.5
        gradebook.find_comment("why", UNIT, UNIT, "ada").manual_comment = "Good."
        gradebook.db.commit()
    write_scores(course.db, UNIT, [marked("ada")])
    assert grades_of(course.db, "ada")["check-tiny_half"] == (1.5, True, 3.5)
    with Gradebook(course.db) as gradebook:
        assert gradebook.find_comment("why", UNIT, UNIT, "ada").comment == "Good."


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own way of adding
def test_joins_submissions_that_nbgrader_made(course):
    with Gradebook(course.db) as gradebook:
        gradebook.add_student("ada", first_name="Ada")
        gradebook.add_submission(UNIT, "ada")
    write_scores(course.db, UNIT, [marked("ada", timestamp="2026-11-20 10:00:00 UTC")])
    with Gradebook(course.db) as gradebook:
        assert gradebook.find_student("ada").first_name == "Ada"
        submission = gradebook.find_submission(UNIT, "ada")
        assert (submission.score, submission.timestamp.hour) == (3.5, 10)
        assert len(submission.notebooks) == 1


def test_two_students_are_not_mixed_up(course):
    other = marked("bo", scores={"check-tiny_double": 0.0, "check-tiny_half": 0.0, "why": 0.0})
    write_scores(course.db, UNIT, [marked("ada"), other])
    assert grades_of(course.db, "ada")["check-tiny_double"][0] == 2.0
    assert grades_of(course.db, "bo")["check-tiny_double"][0] == 0.0


def test_a_missing_gradebook_is_not_made(course):
    missing = course.root / "other.db"
    with pytest.raises(GradebookError, match=r"generate_assignment 90_tiny"):
        require_assignment(f"sqlite:///{missing}", UNIT)
    assert not missing.exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "is no address of a gradebook"),
        ("sqlite:///{}/text.db", "cannot be used .*not a database"),
    ],
)
def test_says_what_is_wrong_with_a_gradebook(course, url, message):
    (course.root / "text.db").write_text("no database, but a text that is long enough " * 99)
    with pytest.raises(GradebookError, match=message):
        require_assignment(url.format(course.root), UNIT)


def test_an_assignment_must_have_been_generated(course):
    with pytest.raises(GradebookError, match=r"no assignment 01_other: run `nbgrader generate"):
        require_assignment(course.db, "01_other")
