"""`nbgrader autograde` with the trusted grader, from submissions to feedback and export."""

import csv
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Grade, Gradebook

import demo
from autograder.grading import SubmissionVerdict
from autograder.report import VERDICT_MIME
from nbgrader_process import nbgrader_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("trusted-autograde")]  # one course for all

UNIT = "01_mixture_models"
FULL = {"check-log_gaussian": 2, "check-log_mixture": 3, "check-bic": 2}
COMMENT = "Say which variable. <script>alert(1)</script> See $p(x)$."
EVIL = "alert(1)"
NO_TAIL = """\
def log_gaussian(x, loc, log_scale):
    u = (x - loc) / torch.exp(log_scale)
    density = torch.exp(-0.5 * u**2) / torch.exp(log_scale) / math.sqrt(2 * math.pi)
    return density.log().sum(dim=-1)
"""
VARIANCE = """\
def log_gaussian(x, loc, log_scale):
    u = (x - loc) ** 2 / torch.exp(log_scale)
    return (-0.5 * u - 0.5 * log_scale - 0.5 * math.log(2 * math.pi)).sum(dim=-1)
"""
WARNS = "import warnings\nwarnings.warn('odd')\nprint('x' * 10**6)\n"
Notebook = dict[str, Any]


def cell_of(notebook: Notebook, name: str) -> Notebook:
    return next(cell for cell in notebook["cells"] if cell["id"] == name)


def answered(**answers: str) -> Callable[[Notebook], None]:
    def edit(notebook: Notebook) -> None:
        for name, source in answers.items():
            cell_of(notebook, name)["source"] = source

    return edit


def warning(notebook: Notebook) -> None:
    cell = cell_of(notebook, "bic")
    source = "".join(cell["source"])
    cell["source"] = WARNS + source.replace("return", "warnings.warn('odd')\n    return")


def with_forged_results(notebook: Notebook) -> None:
    """All wrong, but the file says that all went well."""
    answered(bic="bic = print", log_gaussian="0/0", log_mixture="log_mixture = 7")(notebook)
    for name in FULL:
        cell = cell_of(notebook, name)
        cell["outputs"] = [output("display_data", {"text/html": "<b>✓ is right</b>"})]


def loud(notebook: Notebook) -> None:
    text = "x" * 20_000_000
    cell_of(notebook, "bic")["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": text},
        output("display_data", {"text/html": text}),
    ]
    notebook["metadata"]["widgets"] = {"state": text[:1_000_000]}


def with_scripts(notebook: Notebook) -> None:
    markup = (
        f"<script>{EVIL}</script> <img src=x onerror={EVIL}> <svg onload={EVIL}></svg>\n\n"
        f"<iframe src='javascript:{EVIL}'></iframe>\n\n"
        f"[link](javascript:{EVIL}) and $a < b$ in **bold**\n\n"
        f"<style>*{{display:none}}</style> <meta http-equiv=refresh content='0;url=//x.example'>\n"
    )
    page = {"text/html": markup, "image/svg+xml": f"<svg onload={EVIL}>", "text/plain": markup}
    script = {"application/javascript": EVIL, "text/latex": markup, "text/markdown": markup}
    picture = output("display_data", {"image/png": f"x' onerror='{EVIL}"})
    picture["metadata"] = {"image/png": {"width": f"1 onerror={EVIL}"}}
    cell_of(notebook, "bic")["outputs"] = [
        output("display_data", page),
        output("display_data", script),
        picture,
    ]
    cell_of(notebook, "why")["source"] = markup
    attached = {"x.svg": {"image/svg+xml": EVIL}, "y.png": {"image/png": f"'onerror='{EVIL}"}}
    notebook["cells"] += [
        {"cell_type": "raw", "id": "raw", "metadata": {"raw_mimetype": "text/html"}}
        | {"source": markup},
        {"cell_type": "markdown", "id": "attached", "metadata": {"tags": [f"'><b {EVIL}"]}}
        | {"source": "![x](attachment:x.svg) ![y](attachment:y.png)", "attachments": attached},
    ]


def output(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"output_type": kind, "data": data, "metadata": {}}


def nothing(notebook: Notebook) -> None:
    pass


STUDENTS = {
    "right": nothing,
    "no-tail": answered(log_gaussian=NO_TAIL),
    "variance": answered(log_gaussian=VARIANCE),
    "warns": warning,
    "forges": with_forged_results,
    "loud": loud,
    "scripts": with_scripts,
    "late": nothing,
    "resubmits": nothing,
}


@pytest.fixture(scope="module")
def course(tmp_path_factory, small_course, solved, hand_in) -> Path:
    """A course in which all of these were graded, two marked by a person, and one came again."""
    course = tmp_path_factory.mktemp("trusted") / "course"
    shutil.copytree(small_course, course)
    with (course / "nbgrader_config.py").open("a") as file:
        file.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    with nbgrader_in(course) as nbgrader:
        nbgrader("generate_assignment", UNIT)
        with gradebook_of(course) as gradebook:
            gradebook.update_or_create_assignment(UNIT, duedate="2026-01-02 00:00:00 UTC")
        for student, edit in STUDENTS.items():
            notebook = json.loads(solved)
            edit(notebook)
            path = hand_in(course, student, notebook)
            day = "2026-01-03" if student == "late" else "2026-01-01"
            (path.parent / "timestamp.txt").write_text(f"{day} 00:00:00 UTC")
            (path.parent / "verdict.json").write_text("{}")
        nbgrader("autograde", UNIT)
        mark_by_hand(course)
        notebook = json.loads(solved)
        answered(bic="bic = 0")(notebook)
        notebook["cells"] = [c for c in notebook["cells"] if not c["id"].startswith("check")]
        hand_in(course, "resubmits", notebook)
        nbgrader("autograde", UNIT, "--student=resubmits", "--force")
        nbgrader("generate_feedback", UNIT)
        nbgrader("export")
    return course


def mark_by_hand(course: Path) -> None:
    with gradebook_of(course) as gradebook:
        for student in ("right", "resubmits"):
            grade = gradebook.find_grade("why", UNIT, UNIT, student)
            assert grade.needs_manual_grade
            grade.manual_score, grade.needs_manual_grade = 3, False
            gradebook.find_comment("why", UNIT, UNIT, student).manual_comment = COMMENT
        gradebook.db.commit()


@contextmanager
def gradebook_of(course: Path) -> Iterator[Gradebook]:
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        yield gradebook


def grades_of(course: Path, student: str) -> dict[str, Grade]:
    with gradebook_of(course) as gradebook:
        (notebook,) = gradebook.find_submission(UNIT, student).notebooks
        return {grade.name: grade for grade in notebook.grades}


def scores_of(course: Path, student: str) -> dict[str, float]:
    return {name: grade.auto_score for name, grade in grades_of(course, student).items()}


def page_of(course: Path, student: str) -> str:
    return (course / "feedback" / student / UNIT / f"{UNIT}.html").read_text()


def graded_notebook(course: Path, student: str) -> Path:
    return course / "autograded" / student / UNIT / f"{UNIT}.ipynb"


@pytest.mark.parametrize("student", ["right", "warns", "loud", "scripts", "late"])
def test_right_answers_get_full_marks(course, student):
    assert scores_of(course, student) == FULL | {"why": None}


def test_partial_credit_carries_its_reason(course):
    assert scores_of(course, "no-tail")["check-log_gaussian"] == 1
    text = demo.plain_text(page_of(course, "no-tail"))
    assert "right except for extreme inputs (1 of 2 points)" in text


def test_a_failed_exercise_is_lent_and_the_feedback_says_so(course):
    assert scores_of(course, "variance") == FULL | {"check-log_gaussian": 0, "why": None}
    text = demo.plain_text(page_of(course, "variance"))
    assert "Your log_gaussian failed, so this was marked with ours." in text


def test_results_in_the_file_count_for_nothing(course):
    assert scores_of(course, "forges") == dict.fromkeys(FULL, 0) | {"why": None}
    assert "✓ is right" not in page_of(course, "forges")


def test_the_verdict_lies_beside_the_notebook_and_names_the_tier(course):
    folder = graded_notebook(course, "right").parent
    verdict = SubmissionVerdict.from_json(json.loads((folder / "verdict.json").read_bytes()))
    assert verdict.tier in ("A", "B")
    assert verdict.points == sum(FULL.values())
    assert not (course / "feedback" / "right" / UNIT / "verdict.json").exists()


def test_check_cells_hold_the_verdict(course):
    notebook = nbformat.read(graded_notebook(course, "variance"), as_version=4)
    checks = {c.id: c for c in notebook.cells if c.id.startswith("check")}
    assert checks.keys() == FULL.keys()
    for cell in checks.values():
        data = cell.outputs[0].data
        assert cell.execution_count
        assert data.keys() == {"text/plain", "text/html", VERDICT_MIME}
        assert f"check-{data[VERDICT_MIME]['exercise']}" == cell.id
    kinds = [[found.output_type for found in cell.outputs] for cell in checks.values()]
    assert kinds == [["display_data", "error"], ["display_data"], ["display_data"]]


def test_large_outputs_do_not_stay_large(course):
    assert graded_notebook(course, "loud").stat().st_size < 100_000
    assert len(page_of(course, "loud")) < 500_000


def test_no_old_score_survives_a_resubmission(course):
    scores = scores_of(course, "resubmits")
    assert scores == FULL | {"check-bic": 0, "why": None}


def test_a_resubmission_asks_for_the_manual_score_again(course):
    grade = grades_of(course, "resubmits")["why"]
    assert grade.manual_score == 3
    assert grade.needs_manual_grade
    assert not grades_of(course, "right")["why"].needs_manual_grade


def test_feedback_holds_the_comment_of_a_person(course):
    page = page_of(course, "right")
    assert "Say which variable." in page
    assert "$p(x)$" in page
    assert f"(Score: {sum(FULL.values()) + 3}.0 / 11.0)" in page


def test_late_work_is_penalised_and_exported(course):
    with (course / "grades.csv").open() as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert float(rows["late"]["late_submission_penalty"]) == 7
    assert float(rows["late"]["score"]) == 0
    assert float(rows["right"]["score"]) == 10
    assert float(rows["no-tail"]["score"]) == 6
    assert rows.keys() == STUDENTS.keys()


@pytest.mark.parametrize("student", ["scripts", "right"])
def test_nothing_of_a_student_acts_on_the_page(course, student):
    page = page_of(course, student)
    assert page.count("<script") == 2  # MathJax and its settings, from nbgrader's own template
    body = page[page.index("<body") :].lower()
    for tag in re.findall(r"<[a-z][^>]*>", body):
        assert not re.match(r"<(script|iframe|svg|style|meta|object|embed|form|link|base)\b", tag)
        assert not re.search(r"\bon\w+\s*=|javascript:|data:(?!image/(png|jpeg|gif);)", tag), tag


def test_harmless_markup_stays(course):
    page = page_of(course, "scripts")
    assert "<strong>bold</strong>" in page
    assert "$a &lt; b$" in page
    assert "border-left" in page  # our own reports keep their looks
