"""`make demo` for the whole unit: release, three students, grades, feedback that names mistakes."""

import dataclasses

import pytest
from rich.console import Console
from rich.progress import Progress

import demo
from autograder import registry

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("round-trip")]  # one course for all

FULL = {exercise.name: exercise.points for exercise in registry.exercises(demo.UNIT)}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return tmp_path_factory.mktemp("demo") / "course"


@pytest.fixture(scope="module")
def results(course) -> dict[str, demo.Result]:
    return demo.play(course, Progress(disable=True))


def test_the_solution_gets_every_point_that_a_computer_gives(results):
    assert results[demo.PERFECT].scores == FULL
    assert results[demo.PERFECT].misconceptions == {}


def test_the_untouched_notebook_gets_none(results):
    assert results[demo.UNTOUCHED].scores == dict.fromkeys(FULL, 0)


def test_three_mistakes_cost_just_their_exercises_and_are_named(results):
    result = results[demo.MISTAKEN]
    lost = {name for name, points in FULL.items() if result.scores[name] != points}
    assert lost == set(demo.MISTAKES)
    assert result.misconceptions == {name: bank for name, (bank, _) in demo.MISTAKES.items()}


def test_student_code_ran_in_a_sandbox(results, capsys):
    assert {result.tier for result in results.values()} <= {"A", "B"}
    demo.show(Console(width=200), results)
    assert "ran in a sandbox of tier" in capsys.readouterr().out


def test_the_demo_finds_nothing_to_complain_about(results):
    assert demo.problems(results) == []


def test_the_demo_would_notice_wrong_grades_and_silent_feedback(results):
    perfect, untouched, mistaken = (results[name] for name in demo.STUDENTS)
    swapped = {demo.PERFECT: untouched, demo.UNTOUCHED: perfect, demo.MISTAKEN: mistaken}
    assert len(demo.problems(swapped)) == 4
    silent = dataclasses.replace(mistaken, feedback=perfect.feedback)
    assert len(demo.problems({demo.MISTAKEN: silent})) == len(demo.MISTAKES)


def test_the_table_shows_grades_mistakes_and_where_feedback_lies(results, capsys):
    demo.show(Console(width=200), results)
    shown = capsys.readouterr().out
    for text in (*FULL, *demo.STUDENTS, *(bank for bank, _ in demo.MISTAKES.values())):
        assert text in shown
    assert str(results[demo.PERFECT].feedback) in shown


def test_the_demo_does_not_delete_a_folder_of_somebody_else(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(demo.DemoError, match="holds other files"):
        demo.make_course(tmp_path)
    assert (tmp_path / "thesis.tex").exists()
