"""The commands around grading, as an instructor types them."""

import json
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from typer.testing import CliRunner, Result

from autograder.cli import app
from autograder.jail import tiers

from .conftest import ANSWERS, SQUARED, UNIT, Course

pytestmark = [pytest.mark.xdist_group("batch"), pytest.mark.usefixtures("one_jail")]
MISSING = "bubblewrap is missing: install it with `apt-get install bubblewrap`"


def autograder(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200"})


def grade(course: Course, *options: object) -> Result:
    return autograder("grade", course.submitted, "--jobs", 1, "--course", course.root, *options)


@pytest.fixture
def without_sandbox(monkeypatch) -> None:
    facility = tiers.Facility("bubblewrap", "AB", MISSING)
    monkeypatch.setattr(tiers, "facilities", lambda: (facility,))


def replay(file: Path, submission: Path, course: Course) -> Result:
    return autograder("replay", file, "--submission", submission, "--course", course.root)


class TestGrade:
    def test_grades_a_class_into_the_gradebook(self, course):
        course.hand_in("ada", ANSWERS)
        course.hand_in("bo", SQUARED)
        course.hand_in("cy", "nonsense")
        result = grade(course)
        assert result.exit_code == 0, result.output
        assert "tier: A" in result.stderr
        for line in ("2 of 5", "0 of 5", "is not JSON", "squares"):
            assert line in result.stdout
        with Gradebook(course.db) as gradebook:
            assert gradebook.find_submission(UNIT, "ada").score == 2
            assert gradebook.find_submission(UNIT, "cy").score == 0
        assert (course.root / "autograded" / "cy" / UNIT / f"{UNIT}.ipynb").is_file()
        assert (course.root / ".autograder" / "secret").stat().st_mode & 0o077 == 0

    def test_without_a_gradebook_nothing_is_written_to_it(self, course):
        course.hand_in("ada", ANSWERS)
        assert grade(course, "--no-gradebook").exit_code == 0
        assert not (course.root / "autograded").exists()
        with Gradebook(course.db) as gradebook:
            assert gradebook.students == []

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--unit", "02_nothing"), "there is no unit called '02_nothing'"),
            (("--released", "nowhere"), "the released notebook is missing or damaged"),
            (("--db", "sqlite:///nowhere.db"), "there is no gradebook at sqlite:///nowhere.db"),
            (("--tier", "Z"), "the tier is 'Z'; expected A or B"),
            (("--tier", "C"), "add --allow-unconfined"),
        ],
    )
    def test_says_what_is_wrong_and_grades_nobody(self, course, options, message):
        course.hand_in("ada", ANSWERS)
        result = grade(course, *options)
        assert result.exit_code == 1
        assert message in result.stderr
        assert not list((course.root).glob(".autograder/verdicts/*"))

    @pytest.mark.usefixtures("without_sandbox")
    def test_refuses_without_a_sandbox(self, course):
        course.hand_in("ada", ANSWERS)
        result = grade(course)
        assert result.exit_code == 1
        assert MISSING in result.stderr
        assert not (course.root / ".autograder").exists()

    @pytest.mark.usefixtures("without_sandbox")
    def test_grades_unconfined_only_when_told_to(self, course):
        course.hand_in("ada", ANSWERS)
        result = grade(course, "--allow-unconfined", "--no-gradebook")
        assert result.exit_code == 0, result.output
        assert "tier: C" in result.stderr
        assert "runs as you" in result.stderr


class TestVerdict:
    @pytest.fixture
    def graded(self, course) -> tuple[Course, Path, Path]:
        """A course, a submission, and the verdict on it."""
        submission = course.hand_in("bo", SQUARED | {"tiny_half": ANSWERS["tiny_half"]})
        assert grade(course).exit_code == 0
        return course, submission, course.root / "autograded" / "bo" / UNIT / "verdict.json"

    def test_explains(self, graded):
        result = autograder("verdict", graded[2])
        assert result.exit_code == 0
        for part in ("A: own namespaces", "0 of 5", "(squares): You squared.", "lent by the"):
            assert part in result.stdout

    @pytest.mark.parametrize(
        ("content", "message"),
        [(None, "cannot be read"), ("nonsense", "is no verdict"), ("{}", "no verdict of this")],
    )
    def test_says_what_is_no_verdict(self, tmp_path, content, message):
        file = tmp_path / "verdict.json"
        if content is not None:
            file.write_text(content)
        result = autograder("verdict", file)
        assert result.exit_code == 1
        assert message in result.stderr

    def test_replays_to_the_same_bytes(self, graded):
        course, submission, file = graded
        result = replay(file, submission, course)
        assert (result.exit_code, result.stdout) == (0, "identical\n")

    def test_says_what_differs(self, graded):
        course, submission, file = graded
        verdict = json.loads(file.read_text())
        verdict["suite"]["checks"] = "0" * 16
        verdict["exercises"][0]["outcome"] = "right"
        file.write_text(json.dumps(verdict))
        result = replay(file, submission, course)
        assert result.exit_code == 1
        assert "the checks or libraries are others" in result.stdout
        assert "tiny_double: outcome: 'right', now 'wrong'" in result.stdout

    def test_says_that_submission_and_secret_are_others(self, graded):
        course, submission, file = graded
        (course.root / ".autograder" / "secret").write_bytes(bytes(32))
        submission.write_text(submission.read_text().replace("x**2", "x**3"))
        result = replay(file, submission, course)
        assert result.exit_code == 1
        assert "the secret is another" in result.stdout
        assert "the submission is another" in result.stdout

    def test_replays_nothing_unconfined_by_itself(self, graded):
        course, submission, file = graded
        file.write_text(file.read_text().replace('"tier": "A"', '"tier": "C"'))
        result = replay(file, submission, course)
        assert result.exit_code == 1
        assert "add --allow-unconfined" in result.stderr


class TestDoctor:
    def test_names_the_tier_and_tries_it(self):
        result = autograder("doctor")
        assert result.exit_code == 0
        assert result.stdout.splitlines()[0] == "tier: A"
        assert "a confined process is ready in" in result.stdout

    @pytest.mark.usefixtures("without_sandbox")
    def test_says_what_is_missing(self):
        result = autograder("doctor")
        assert result.exit_code == 1
        assert result.stdout.splitlines()[0] == "tier: C"
        assert MISSING in result.stdout
