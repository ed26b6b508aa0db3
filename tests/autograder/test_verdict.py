"""The three outcomes, the diagnosis behind a wrong answer, and what the report shows."""

import dataclasses
import re

import pytest
import torch

from autograder.candidate import Call, LocalCandidate
from autograder.diagnosis import diagnose, explains
from autograder.exercise import Misconception
from autograder.faults import AnswerError
from autograder.mutation import Row, measure, passes
from autograder.report import VERDICT_MIME, Report
from autograder.verdict import NOT_ATTEMPTED, RIGHT, WRONG, examine


def verdict_of(exercise, function, seed=0):
    return examine(exercise, LocalCandidate(function), seed)


def untouched(x):
    raise NotImplementedError


def test_right(exercise):
    verdict = verdict_of(exercise, lambda x: x * 2)
    assert (verdict.outcome, verdict.points, verdict.diagnosis) == (RIGHT, 3, None)
    assert [finding.problem for finding in verdict.findings] == ["", ""]


def test_not_attempted(exercise):
    verdict = verdict_of(exercise, untouched)
    assert (verdict.outcome, verdict.points, verdict.findings) == (NOT_ATTEMPTED, 0, ())
    assert "raise NotImplementedError" in repr(Report(verdict))


def test_a_misconception_is_named(exercise):
    verdict = verdict_of(exercise, lambda x: x * x)
    assert (verdict.outcome, verdict.points) == (WRONG, 0)
    assert verdict.diagnosis.name == "squares"
    assert verdict.to_json()["misconception"] == "squares"


def test_one_failing_check_does_not_hide_the_others(exercise):
    verdict = verdict_of(exercise, lambda x: 3 * x)
    assert all(finding.problem for finding in verdict.findings)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: -2 * x, "wrong sign"),
        (lambda x: 2 * x + 1.5, r"same amount everywhere: \+1.5"),
        (lambda x: 10 * x, "5 times the right one"),
        (lambda x: torch.exp(2 * x), "exponential"),
        (lambda x: torch.log((2 * x).abs()), "logarithm"),
    ],
)
def test_other_differences_are_described(exercise, function, words):
    verdict = verdict_of(exercise, function)
    assert verdict.diagnosis.name is None
    assert re.search(words, verdict.diagnosis.message)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.where(x.abs().max() > 1, 6 * x, 2 * x),  # right for small arguments
        lambda x: 2 * x + (1.5 if x.abs().max() > 1 else 0),
        lambda x: torch.where(torch.arange(len(x)) == 0, 6 * x, 2 * x),
    ],
)
def test_a_difference_in_some_calls_only_is_not_described_as_one_everywhere(exercise, function):
    calls = [
        Call("call", (x,), {}, value=function(x))
        for x in (torch.linspace(0.1, 0.9, 5), torch.linspace(1.0, 3.0, 5))
    ]
    assert diagnose(exercise, calls) is None


def test_a_difference_below_the_tolerance_is_not_described(exercise):
    x = torch.linspace(0.1, 0.9, 5, dtype=torch.float64)
    for value in (2 * x + 1e-8, 2 * x * (1 + 1e-6)):
        assert diagnose(exercise, [Call("call", (x,), {}, value=value)]) is None


def test_a_transpose_is_described(exercise):
    square = dataclasses.replace(
        exercise, reference=lambda x: x[:, None] * torch.arange(5.0), checks=[exercise.checks[0]]
    )
    verdict = verdict_of(square, lambda x: (x[:, None] * torch.arange(5.0)).T)
    assert "transpose" in verdict.diagnosis.message


def test_an_error_in_the_answer_is_no_diagnosis(exercise):
    verdict = verdict_of(exercise, lambda x: x.absent)
    assert verdict.outcome == WRONG
    assert verdict.diagnosis is None
    assert "AttributeError" in verdict.findings[0].problem


def test_a_sign_names_a_mistake_without_its_implementation(exercise):
    @exercise.misconception("You gave back nothing.", sign=lambda calls: calls[0].value is None)
    def nothing(x):
        return None

    assert verdict_of(exercise, lambda x: None).diagnosis.name == "nothing"


def test_a_sign_that_stumbles_is_no_match(exercise):
    @exercise.misconception("Never.", sign=lambda calls: calls[0].value.absent)
    def never(x):
        return x

    assert verdict_of(exercise, lambda x: x * x).diagnosis.name == "squares"


def test_a_check_that_stumbles_over_an_answer_fails_it(exercise):
    @exercise.check
    def needs_a_length(candidate, rng):
        """Has a length."""
        len(candidate.call(1.0))

    verdict = verdict_of(exercise, lambda x: 2 * x)
    assert verdict.outcome == WRONG
    assert "could not read your answer" in verdict.findings[-1].problem


def test_the_same_seed_gives_the_same_inputs(exercise):
    def noisy(x):
        return x * 0 + 1

    first, again = (verdict_of(exercise, noisy, seed=5).findings[0].problem for _ in range(2))
    other = verdict_of(exercise, noisy, seed=6).findings[0].problem
    assert first == again != other


def test_fresh_seeds_without_one(exercise):
    seeds = {examine(exercise, LocalCandidate(lambda x: 2 * x)).seed for _ in range(5)}
    assert len(seeds) == 5


def test_html_is_escaped(exercise):
    def evil(x):
        raise ValueError("<script>alert(1)</script>")

    html = Report(verdict_of(exercise, evil)).to_html()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_the_report_speaks_every_language(exercise):
    report = Report(verdict_of(exercise, lambda x: x * x), "try again")
    bundle = report._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", VERDICT_MIME}
    for text in (bundle["text/plain"], bundle["text/html"]):
        for part in ("double", "You squared.", "Equals twice the argument", "try again"):
            assert part in text


def test_long_reports_are_folded(exercise):
    for _ in range(3):
        exercise.check(exercise.checks[0].function)
    text = repr(Report(verdict_of(exercise, lambda x: 3 * x)))
    assert text.count("✗ Equals twice the argument") == 4
    assert text.count("expected") == 2


def test_the_same_problem_is_told_once(exercise):
    text = repr(Report(verdict_of(exercise, lambda x: x.absent)))
    assert text.count("AttributeError") == 1


def test_a_constant_difference_must_hold_in_every_call(exercise):
    @exercise.check
    def again(candidate, rng):
        """Holds for another length."""
        candidate.call(torch.ones(9))

    verdict = verdict_of(exercise, lambda x: 2 * x + len(x))
    assert verdict.diagnosis is None


def test_a_check_without_a_property_is_refused(exercise):
    def silent(candidate, rng):
        pass

    with pytest.raises(ValueError, match="no docstring"):
        exercise.check(silent)


def test_names_in_a_bank_are_unique(exercise):
    def squares(x):
        return x

    with pytest.raises(ValueError, match="two misconceptions called squares"):
        exercise.misconception("Again.")(squares)
    exercise.variant(squares)
    with pytest.raises(ValueError, match="two variants called squares"):
        exercise.variant(squares)


def test_a_good_bank_passes(exercise):
    row = measure(exercise)
    assert (row.mutants, row.killed, row.named) == (2, 2, 2)
    assert (row.variants, row.rejected) == (2, 0)
    assert passes([row])


def test_a_surviving_mutant_is_reported(exercise):
    exercise.misconception("None at all.")(lambda x: 2 * x)
    row = measure(exercise)
    assert row.killed == 2
    assert "survives" in row.problems[0]
    assert not passes([row])


def test_a_rejected_variant_is_reported(exercise):
    @exercise.variant
    def wrong(x):
        return x

    row = measure(exercise)
    assert row.rejected == 1
    assert "variant wrong is rejected" in row.problems[0]
    assert not passes([row])


def test_a_misnamed_mutant_is_reported(exercise):
    exercise.misconception("A twin.")(lambda x: x * x)
    row = measure(exercise)
    assert (row.killed, row.named) == (3, 2)
    assert "diagnosed as squares" in row.problems[0]


@pytest.mark.parametrize(("named", "enough"), [(99, True), (98, False)])
def test_ninety_nine_in_a_hundred_must_be_named(named, enough):
    assert passes([Row("u", "e", 100, 5, killed=100, named=named)]) is enough


def test_a_changed_argument_is_not_taken_for_another_error():
    """The finding says what happened; a mistake that raises at the same place is another one."""

    def raises(x):
        if x.sum() > 1:
            raise ValueError
        return x

    low, high = torch.zeros(2), torch.ones(2)
    calls = [
        Call("call", (low,), {}, value=low),
        Call("call", (high,), {}, error=AnswerError("changed_argument", 1)),
    ]
    mistake = Misconception("raises", "You raise.", raises)
    assert not explains(mistake, calls)
    calls[1] = Call("call", (high,), {}, error=AnswerError("raised", "ValueError"))
    assert explains(mistake, calls)
