"""No attack of the catalogue gains anything, in any tier; no honest mistake loses marks."""

import contextlib
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from attack_range import RELEASED, RIGHT_BIC, UNIT, Attack, Range, attacks
from autograder import registry
from autograder.grading import SubmissionVerdict, grade_file
from autograder.jail import Jail
from autograder.report import Report

pytestmark = pytest.mark.slow

CATALOGUE = attacks()
ATTACKS = [attack for attack in CATALOGUE if attack.kind != "accidents"]
ACCIDENTS = [attack for attack in CATALOGUE if attack.kind == "accidents"]
HONEST = Attack("honest", "A right answer.", "accidents", answers={"bic": RIGHT_BIC})
FULL = {exercise.name: exercise.points for exercise in registry.exercises(UNIT)}
SECRET = b"a secret of thirty-two bytes....."[:32]
MARGIN = 3.0  # seconds that the grader itself may add to a submission's limit
MEMORY = 400  # MB that one submission may cost the grader itself
RESUBMISSIONS = 3


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_gains_nothing(attack: Attack, jail: Jail, arena: Range):
    arena.reset()
    before, memory = len(processes()), peak_memory()
    verdicts = list(graded(attack, jail, arena))
    assert marks(verdicts) == {}
    assert peak_memory() - memory < MEMORY
    assert leaks(verdicts, arena) == []
    assert survivors(before) == []
    assert arena.harm() == []
    assert points_of(grade(arena.hand_in(HONEST), jail)) == {"bic": FULL["bic"]}


@pytest.mark.parametrize("attack", ACCIDENTS, ids=lambda attack: attack.name)
def test_keeps_the_marks_of_what_is_right(attack: Attack, jail: Jail, arena: Range):
    arena.reset()
    before = len(processes())
    points = points_of(grade(arena.hand_in(attack), jail))
    assert {name: points.get(name) for name in attack.right} == {
        name: FULL[name] for name in attack.right
    }
    assert points.keys() <= attack.answers.keys() | set(attack.right)
    assert survivors(before) == []


def test_the_catalogue_covers_every_kind():
    kinds = [attack.kind for attack in CATALOGUE]
    assert len(ATTACKS) >= 70
    assert min(map(kinds.count, kinds)) >= 10


def graded(attack: Attack, jail: Jail, arena: Range) -> Iterator[SubmissionVerdict]:
    """Verdicts of the submission, its resubmissions and an accomplice's."""
    verdict = grade(arena.hand_in(attack), jail)
    yield verdict
    for _ in range(RESUBMISSIONS if attack.resubmit else 0):
        answers = attack.resubmit(feedback(verdict))
        verdict = grade(arena.hand_in(attack, answers), jail)
        yield verdict
    if attack.then:
        yield grade(arena.hand_in(HONEST, attack.then), jail)


def grade(path: Path, jail: Jail) -> SubmissionVerdict:
    limit = jail.limits.seconds_per_submission + MARGIN
    with within(2 * limit):
        begin = time.monotonic()
        verdict = grade_file(path, jail, unit=UNIT, released=RELEASED, secret=SECRET)
        assert time.monotonic() - begin <= limit
    return verdict


def points_of(verdict: SubmissionVerdict) -> dict[str, float]:
    """Points by exercise, without those that have none."""
    assert verdict.points == sum(found.points for found in verdict.exercises)
    return {found.exercise.name: found.points for found in verdict.exercises if found.points}


def marks(verdicts: list[SubmissionVerdict]) -> dict[str, float]:
    return {name: points for v in verdicts for name, points in points_of(v).items()}


def leaks(verdicts: list[SubmissionVerdict], arena: Range) -> list[str]:
    """Words in what the student will read that only the student or nobody can have put there."""
    text, html = "\n".join(map(feedback, verdicts)), "".join(map(page, verdicts))
    found = [word for word in (arena.secret, arena.tell_tale) if word in text + html]
    return found + [mark for mark in ("<script", "<img", "<svg", "\x1b") if mark in html]


def feedback(verdict: SubmissionVerdict) -> str:
    """All that a student reads of a verdict, as text."""
    reports = [repr(Report(found)) for found in verdict.exercises]
    return "\n".join([verdict.to_bytes().decode(), verdict.problem, *reports])


def page(verdict: SubmissionVerdict) -> str:
    """What a browser shows of it."""
    return "".join(Report(found).to_html() for found in verdict.exercises)


def peak_memory() -> float:
    """The most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def processes() -> list[psutil.Process]:
    """This process's descendants that are alive."""
    alive = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process)
    return alive


def survivors(before: int, patience: float = 2.0) -> list[psutil.Process]:
    """Processes beyond the number of before; the dying are given a moment."""
    deadline = time.monotonic() + patience
    while len(alive := processes()) > before:
        if time.monotonic() > deadline:
            return alive
        time.sleep(0.02)
    return []


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail instead of hanging for ever."""

    def fail(*_: object) -> None:
        raise TimeoutError(f"the grader still runs after {seconds:g} seconds")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
