"""A class from its files to its marks: in one process or two, stopped and resumed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder import batch
from autograder.batch import BatchError, find_submissions
from autograder.workers import mark_all

from .conftest import ANSWERS, BOMB, SQUARED, UNIT, Course

pytestmark = pytest.mark.xdist_group("batch")
GRADE = """\
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell ignores Ctrl-C
from autograder import checks
checks.__path__.append(sys.argv.pop())
from autograder.cli import app
app()
"""


def marks(course: Course, jobs: int = 1, **changes) -> dict[str, batch.Marked]:
    _, tasks = find_submissions(course.submitted, UNIT)
    return {m.student: m for m in mark_all(tasks, course.settings(**changes), jobs)}


def class_of_four(course: Course) -> None:
    course.hand_in("ada", ANSWERS)
    course.hand_in("bo", SQUARED)
    course.hand_in("cy", {})
    course.hand_in("di", "no notebook at all")


def verdicts(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.json")}


class TestFinding:
    def test_finds_what_nbgrader_collected(self, course):
        class_of_four(course)
        (course.submitted / "eve").mkdir()  # collected for another assignment only
        unit, tasks = find_submissions(course.submitted, None)
        assert unit == UNIT
        assert [task.student for task in tasks] == ["ada", "bo", "cy", "di"]

    def test_finds_a_notebook_for_each_student(self, course, tmp_path):
        (tmp_path / "flat").mkdir()
        for name in ("bo", "ada"):
            (tmp_path / "flat" / f"{name}.ipynb").write_text("{}")
        _, tasks = find_submissions(tmp_path / "flat", UNIT)
        assert [(task.student, task.path.name) for task in tasks] == [
            ("ada", "ada.ipynb"),
            ("bo", "bo.ipynb"),
        ]

    def test_a_misnamed_notebook_is_named(self, course):
        path = course.hand_in("ada", ANSWERS)
        path.rename(path.with_name("final (2).ipynb"))
        _, (task,) = find_submissions(course.submitted, UNIT)
        assert "if final (2).ipynb is the answer, rename it 90_tiny.ipynb" in task.problem

    @pytest.mark.parametrize("what", ["file", "unit", "student"])
    def test_no_link_is_followed(self, course, tmp_path, what):
        path = course.hand_in("ada", ANSWERS)
        link = {"file": path, "unit": path.parent, "student": path.parent.parent}[what]
        link.rename(tmp_path / "solution")
        link.symlink_to(tmp_path / "solution")
        _, (task,) = find_submissions(course.submitted, UNIT)
        assert "is a link" in task.problem

    @pytest.mark.parametrize(
        ("unit", "content", "message"),
        [
            (UNIT, None, "there is no folder"),
            (UNIT, (), "holds no submissions of 90_tiny; expected FOLDER/STUDENT"),
            (None, (), "no submissions were found; expected FOLDER/STUDENT"),
            ("02_nothing", ("ada.ipynb",), "there is no unit called '02_nothing'; the units are"),
            (None, ("ada.ipynb",), "say which unit to grade: --unit 00_autoregressive or --unit"),
        ],
    )
    def test_says_what_is_missing(self, course, tmp_path, unit, content, message):
        folder = tmp_path / "folder"
        if content is not None:
            folder.mkdir()
            for name in content:
                (folder / name).write_text("{}")
        with pytest.raises(BatchError, match=message):
            find_submissions(folder, unit)


@pytest.mark.usefixtures("one_jail")
class TestMarking:
    def test_points_problems_mistakes_and_scores(self, course):
        class_of_four(course)
        found = marks(course)
        assert {student: m.points for student, m in found.items()} == {
            "ada": 2,
            "bo": 0,
            "cy": 0,
            "di": 0,
        }
        assert found["bo"].misconceptions == ("tiny_double: squares",)
        assert "is not JSON" in found["di"].problem
        assert found["ada"].scores == {"check-tiny_double": 2, "check-tiny_half": 0, "why": 0}
        assert found["ada"].unanswered == ("why",)
        assert found["cy"].unanswered == ("tiny_double", "tiny_half", "why")

    def test_a_written_answer_waits_for_a_person(self, course):
        course.hand_in("ada", {"why": "Because."})
        assert marks(course)["ada"].scores["why"] is None

    def test_the_marked_notebook_has_the_verdicts_and_the_released_cells(self, course):
        path = course.hand_in("ada", ANSWERS)
        notebook = json.loads(path.read_text())
        notebook["cells"][2]["source"] = "print('another check')"
        notebook["cells"][4]["metadata"]["nbgrader"]["points"] = 100
        notebook["cells"].append(notebook["cells"][1])
        path.write_text(json.dumps(notebook))
        path.with_name("timestamp.txt").write_text("2026-11-20 10:00:00 UTC")
        assert marks(course, autograded=course.root / "autograded")["ada"].points == 2
        folder = course.root / "autograded" / "ada" / UNIT
        cells = {cell["id"]: cell for cell in json.loads((folder / path.name).read_text())["cells"]}
        assert cells["check-tiny_double"]["source"] == "check(tiny_double)"
        assert cells["check-tiny_half"]["metadata"]["nbgrader"]["points"] == 3
        assert "is right" in str(cells["check-tiny_double"]["outputs"])
        assert cells["check-tiny_half"]["outputs"][-1]["output_type"] == "error"
        assert (folder / "timestamp.txt").is_file()
        assert json.loads((folder / "verdict.json").read_text())["points"] == 2

    def test_what_was_graded_is_not_graded_again(self, course, monkeypatch):
        class_of_four(course)
        before = marks(course)
        monkeypatch.setattr(batch, "grade", None)
        assert marks(course) == before

    @pytest.mark.parametrize("change", [{"secret": bytes(range(32))}, {"tier": "B"}])
    def test_a_verdict_of_other_conditions_does_not_count(self, course, change):
        course.hand_in("ada", ANSWERS)
        assert marks(course)["ada"].verdict != marks(course, **change)["ada"].verdict
        assert len(verdicts(course.root / "verdicts")) == 2

    @pytest.mark.parametrize("damage", [b"", b"[]", b'{"format": 1}'])
    def test_a_damaged_verdict_is_found_anew(self, course, damage):
        course.hand_in("ada", ANSWERS)
        before = marks(course)["ada"]
        content = before.verdict.read_bytes()
        before.verdict.write_bytes(damage)
        assert marks(course)["ada"] == before
        assert before.verdict.read_bytes() == content

    def test_an_error_of_the_grader_costs_one_submission(self, course, monkeypatch, capsys):
        course.hand_in("ada", ANSWERS)
        monkeypatch.setattr(batch, "grade", None)
        assert "the grader itself failed" in marks(course)["ada"].problem
        assert "TypeError" in capsys.readouterr().err
        monkeypatch.undo()
        assert marks(course)["ada"].points == 2  # nothing of it was kept


@pytest.mark.slow
class TestProcesses:
    def test_one_process_and_two_find_the_same_bytes(self, course):
        class_of_four(course)
        for jobs in (1, 2):
            marks(course, jobs, verdicts=course.root / str(jobs), autograded=course.root / "marked")
        one, two = (verdicts(course.root / name) for name in "12")
        assert len(one) == 4
        assert one == two

    def test_who_ends_a_process_is_tried_twice_and_alone(self, course):
        class_of_four(course)
        course.hand_in("bomb", BOMB)
        found = marks(course, 2)
        assert "ended the grader's own process 2 times" in found["bomb"].problem
        assert found["bomb"].points == 0
        assert {student: m.points for student, m in found.items() if m.points} == {"ada": 2}
        assert all(m.verdict.is_file() for s, m in found.items() if s != "bomb")

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
    def test_a_stopped_run_goes_on(self, course, banks, how):
        for number in range(12):
            course.hand_in(f"s{number:02}", ANSWERS | {"why": f"{number}"} | tagged(number))
        folder = course.root / ".autograder" / "verdicts"
        process = start(course, banks, SLOW="0.5")
        while len(verdicts(folder)) < 3:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(how)
        errors = process.communicate(timeout=60)[1]
        assert process.returncode == (1 if how == signal.SIGINT else -how)
        if how == signal.SIGINT:
            assert "run the same command again to go on" in errors
        kept = verdicts(folder)
        assert 3 <= len(kept) < 12
        assert_no_process_left(course)
        again = start(course, banks, SLOW="0")
        output, errors = again.communicate(timeout=120)
        assert again.returncode == 0, errors
        assert output.count("2 of 5") == 12
        after = verdicts(folder)
        assert len(after) == 12
        assert kept.items() <= after.items()


def tagged(number: int) -> dict[str, str]:
    """Answers that nobody else has."""
    return {"tiny_double": f"{ANSWERS['tiny_double']}  # by {number}"}


def start(course: Course, banks: Path, **environment: str) -> subprocess.Popen:
    command = [sys.executable, "-c", GRADE, "grade", str(course.submitted), "--unit", UNIT]
    options = ["--jobs", "2", "--course", str(course.root), str(banks)]
    return subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment | {"COURSE": str(course.root)},
    )


def environments() -> Iterator[bytes]:
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            yield path.read_bytes()


def assert_no_process_left(course: Course) -> None:
    """Workers notice that the grader is gone once they have finished what they had."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not any(str(course.root).encode() in environ for environ in environments()):
            return
        time.sleep(0.1)
    pytest.fail("processes of the stopped run live on")
