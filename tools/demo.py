"""A whole round with nbgrader, in a course of its own: release, three students, grades, feedback.

One student hands in the model answers, one the notebook as it came, one makes three classic
mistakes. Ends with exit code 1 if the grades or the feedback are not what they must be.
"""

import argparse
import csv
import json
import re
import shutil
import sys
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from autograder import registry
from autograder.report import VERDICT_MIME
from nbgrader_process import Command, NbGraderError, nbgrader_in

ROOT = Path(__file__).resolve().parents[1]
UNIT = "01_mixture_models"
PERFECT, UNTOUCHED, MISTAKEN = STUDENTS = ("perfect", "untouched", "mistaken")
MISTAKES = {  # exercise: (misconception in its bank, a student's answer that shows it)
    "log_gaussian": (
        "log_scale_as_log_variance",
        """\
def log_gaussian(x, loc, log_scale):
    squares = (x - loc) ** 2 / torch.exp(log_scale)
    return -0.5 * (squares + log_scale + math.log(2 * math.pi)).sum(dim=1)
""",
    ),
    "em_step": (
        "old_means_in_covariance",
        """\
def em_step(x, weights, loc, covariance):
    gaussians = torch.distributions.MultivariateNormal(loc, covariance)
    resp = torch.softmax(weights.log() + gaussians.log_prob(x[:, None, :]), dim=1)
    counts = resp.sum(dim=0)
    diff = x[:, None, :] - loc
    spread = torch.einsum("nk,nki,nkj->kij", resp, diff, diff) / counts[:, None, None]
    return counts / len(x), resp.T @ x / counts[:, None], spread
""",
    ),
    "bic": (
        "all_weights_counted",
        """\
def bic(log_likelihood, num_components, dim, num_points):
    per_component = 1 + dim + dim * (dim + 1) // 2
    return -2 * log_likelihood + num_components * per_component * math.log(num_points)
""",
    ),
}


class DemoError(Exception):
    """The demo cannot start; the message says what to do."""


@dataclass
class Result:
    """What the round trip gave one student.

    Attributes:
        scores: Points for each exercise, by the computer.
        misconceptions: The mistake that was found in an exercise, by its name in the bank.
        feedback: The page that the student gets.
        exported: Sum of points in nbgrader's own export.
        tier: Sandbox tier that the answers ran in.
    """

    feedback: Path
    exported: float
    tier: str
    scores: dict[str, float] = field(default_factory=dict)
    misconceptions: dict[str, str] = field(default_factory=dict)


def play(course: Path, say: Progress) -> dict[str, Result]:
    """The round trip in the folder `course`, which is made anew."""
    make_course(course)
    with nbgrader_in(course) as nbgrader:
        steps = [
            ("Generating the assignment", lambda: nbgrader("generate_assignment", UNIT)),
            ("Releasing it", lambda: nbgrader("release_assignment", UNIT)),
            *(
                (f"“{name}” hands in", partial(hand_in, course, name, nbgrader))
                for name in STUDENTS
            ),
            ("Collecting", lambda: nbgrader("collect", UNIT)),
            ("Autograding", lambda: nbgrader("autograde", UNIT)),
            ("Writing feedback", lambda: nbgrader("generate_feedback", UNIT)),
            ("Returning feedback", lambda: nbgrader("release_feedback", UNIT)),
            ("Exporting grades", lambda: nbgrader("export")),
        ]
        task = say.add_task("", total=len(steps))
        for title, step in steps:
            say.update(task, description=title)
            step()
            say.advance(task)
    return {student: read_result(course, student) for student in STUDENTS}


def make_course(course: Path) -> None:
    """A folder with what an instructor starts from; nothing in this checkout is touched."""
    if course.exists() and any(course.iterdir()) and not (course / "nbgrader_config.py").exists():
        raise DemoError(f"{course} holds other files; name another folder with --folder")
    shutil.rmtree(course, ignore_errors=True)
    shutil.copytree(ROOT / "solutions" / UNIT, course / "solutions" / UNIT)
    shutil.copy(ROOT / "nbgrader_config.py", course)


def hand_in(course: Path, student: str, nbgrader: Command) -> None:
    """Fetch the notebook, answer it as this student does, submit it."""
    home = f"--Exchange.assignment_dir=students/{student}"
    (course / "students" / student).mkdir(parents=True)
    nbgrader("fetch_assignment", UNIT, home)
    path = course / "students" / student / UNIT / f"{UNIT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    answer(notebook, answers_of(student))
    nbformat.write(notebook, path)
    nbgrader("submit", UNIT, home, f"--student={student}")


def answers_of(student: str) -> dict[str, str]:
    """The source of each answer cell that the student fills in, by grade id."""
    if student == UNTOUCHED:
        return {}
    solution = nbformat.read(ROOT / "solutions" / UNIT / f"{UNIT}.ipynb", as_version=4)
    answers = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in solution.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    if student == MISTAKEN:
        answers |= {exercise: source for exercise, (_, source) in MISTAKES.items()}
    return answers


def answer(notebook: NotebookNode, answers: dict[str, str]) -> None:
    for cell in notebook.cells:
        cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)


def read_result(course: Path, student: str) -> Result:
    """What the gradebook, the autograded notebook and the export say about a student."""
    with (course / "grades.csv").open(encoding="utf-8") as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    graded = course / "autograded" / student / UNIT
    tier = json.loads((graded / "verdict.json").read_bytes())["tier"]
    feedback = course / "feedback" / student / UNIT / f"{UNIT}.html"
    result = Result(feedback, exported[student], tier)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        (notebook,) = gradebook.find_submission(UNIT, student).notebooks
        for grade in notebook.grades:
            if grade.name.startswith("check-"):
                result.scores[grade.name.removeprefix("check-")] = grade.auto_score
    for cell in nbformat.read(graded / f"{UNIT}.ipynb", as_version=4).cells:
        for output in cell.get("outputs", []):
            verdict = output.get("data", {}).get(VERDICT_MIME, {})
            if verdict.get("misconception"):
                result.misconceptions[verdict["exercise"]] = verdict["misconception"]
    return result


def problems(results: dict[str, Result]) -> list[str]:
    """What is not as it must be: marks, misconceptions named, feedback."""
    full = {exercise.name: exercise.points for exercise in registry.exercises(UNIT)}
    expected = {
        PERFECT: full,
        UNTOUCHED: dict.fromkeys(full, 0),
        MISTAKEN: full | dict.fromkeys(MISTAKES, 0),
    }
    found = []
    for student, result in results.items():
        if result.scores != expected[student]:
            found.append(f"{student}: scores {result.scores}, not {expected[student]}")
        if result.exported != sum(expected[student].values()):
            found.append(f"{student}: export says {result.exported:g} points in all")
        named = {name: bank for name, (bank, _) in MISTAKES.items()} if student == MISTAKEN else {}
        if result.misconceptions != named:
            found.append(f"{student}: misconceptions {result.misconceptions}, not {named}")
        text = plain_text(result.feedback.read_text(encoding="utf-8"))
        found += [
            f"{student}: the feedback does not say “{message_of(exercise, name)}”"
            for exercise, name in named.items()
            if plain_text(message_of(exercise, name)) not in text
        ]
    return found


def message_of(exercise: str, misconception: str) -> str:
    """The sentence that the bank holds for a misconception."""
    bank = registry.find(exercise).misconceptions
    return next(wrong.message for wrong in bank if wrong.name == misconception)


def plain_text(html: str) -> str:
    """Words only: without tags, entities, backticks and line breaks."""
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).replace("`", "").split())


def show(console: Console, results: dict[str, Result]) -> None:
    """The class report: points, and the mistakes by name."""
    exercises = registry.exercises(UNIT)
    grades = Table("exercise", "points", *STUDENTS, title=f"Grades of {UNIT}", show_footer=True)
    for exercise in exercises:
        row = [f"{results[student].scores[exercise.name]:g}" for student in STUDENTS]
        grades.add_row(exercise.name, str(exercise.points), *row)
    sums = [sum(exercise.points for exercise in exercises)]
    sums += [sum(results[student].scores.values()) for student in STUDENTS]
    grades.columns[0].footer = "all, by the computer"
    for column, total in zip(grades.columns[1:], sums, strict=True):
        column.justify, column.footer = "right", f"{total:g}"
    console.print(grades)
    mistakes = Table("student", "exercise", "misconception", "what the feedback says")
    for student, result in results.items():
        for exercise, name in result.misconceptions.items():
            mistakes.add_row(student, exercise, name, message_of(exercise, name))
    mistakes.columns[2].overflow = "fold"
    console.print(mistakes)
    console.print(f"Student code ran in a sandbox of tier {results[PERFECT].tier}.")
    for student in STUDENTS:
        console.print(f"Feedback for {student}: {results[student].feedback}", soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "demo", help="made anew each time")
    folder = parser.parse_args(arguments).folder.resolve()
    console = Console()
    columns = (SpinnerColumn(), TextColumn("{task.description} …"), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console) as progress:
            results = play(folder, progress)
    except (DemoError, NbGraderError) as error:
        console.print(error, style="red", markup=False)
        return 1
    show(console, results)
    wrong = problems(results)
    for line in wrong:
        console.print(line, style="red", markup=False)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
