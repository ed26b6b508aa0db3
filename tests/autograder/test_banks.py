"""The checks of the course: every mistake rejected and named, every right answer accepted."""

import json
import re

import pytest
from typer.testing import CliRunner

from autograder import registry
from autograder.cli import app
from autograder.mutation import measure, passes

EXERCISES = [exercise for unit in registry.units() for exercise in registry.exercises(unit)]
by_name = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)


@by_name
def test_bank(exercise):
    row = measure(exercise)
    assert not row.problems
    assert passes([row])


@by_name
def test_bank_is_large_enough(exercise):
    assert len(exercise.misconceptions) >= 6
    assert len(exercise.variants) >= 4


@by_name
def test_hints_have_three_levels_of_readable_length(exercise):
    assert len(exercise.hints) == 3
    for text in exercise.hints:
        assert 80 <= len(text.split()) <= 160


@by_name
def test_facts_are_complete(exercise):
    assert exercise.unit in registry.units()
    assert 1 <= exercise.difficulty <= 5
    assert exercise.minutes > 0
    assert exercise.points > 0
    known = {other.name for other in registry.exercises(exercise.unit)}
    assert set(exercise.needs) <= known - {exercise.name}


@by_name
def test_messages_do_not_repeat(exercise):
    messages = [misconception.message for misconception in exercise.misconceptions]
    assert len(set(messages)) == len(messages)
    assert all(re.search(r"[.!?]$", message) for message in messages)


@by_name
def test_properties_are_whole_sentences(exercise):
    for check in exercise.checks:
        assert re.fullmatch(r"[A-Z].*[\w)]", check.statement)
        assert '"' not in check.statement


def test_names_are_unique_in_the_course():
    names = [exercise.name for exercise in EXERCISES]
    assert len(set(names)) == len(names)


def test_an_unknown_unit_is_explained():
    with pytest.raises(registry.UnknownExerciseError, match="the units are 00_autoregressive"):
        registry.exercises("99_absent")


def test_the_report_as_json():
    result = CliRunner().invoke(
        app, ["mutation-report", "01_mixture_models", "--json", "--seeds", "1"]
    )
    assert result.exit_code == 0
    rows = json.loads(result.stdout)
    keys = {"unit", "exercise", "mutants", "killed", "named", "variants", "rejected"}
    assert all(set(row) == keys for row in rows)
    assert [row["exercise"] for row in rows] == [
        e.name for e in registry.exercises("01_mixture_models")
    ]


def test_the_report_refuses_an_unknown_unit():
    result = CliRunner().invoke(app, ["mutation-report", "99_absent"])
    assert result.exit_code == 2
    assert "there is no unit called" in result.output
