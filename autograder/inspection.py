"""`autograder verdict`, `replay`, `doctor`: what was found, if it is found again, and where.

What a verdict says of the student's own is escaped: a cell's error message is the student's text.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.batch import BatchError, Marker, Settings, Task
from autograder.cache import read_verdict
from autograder.grading import SubmissionVerdict, suite_version
from autograder.jail import Jail, JailUnavailable, Limits, tiers
from autograder.report import MARKS
from autograder.secret import load_secret
from autograder.verdict import Verdict

COLOURS = {"right": "green", "wrong": "red", "not attempted": "bright_black"}
MEANING = {
    "A": "own namespaces (bubblewrap), Landlock, seccomp and limits",
    "B": "Landlock, seccomp and limits",
    "C": "limits only, which confine nobody: grading refuses it",
}
ROUNDS = 20
IDENTITY = "def identity(x):\n    return x\n"


def explain(file: Path) -> int:
    """Print a verdict in words; returns the exit code."""
    verdict = _read(file)
    if verdict is None:
        return 1
    console = Console()
    conditions = Table.grid(padding=(0, 2))
    for name, value in _conditions(verdict).items():
        conditions.add_row(name, Text(value))
    console.print(conditions)
    for found in verdict.exercises:
        console.print(_explanation(found))
    return 0


def _conditions(verdict: SubmissionVerdict) -> dict[str, str]:
    suite = ", ".join(f"{name} {version}" for name, version in verdict.suite.items())
    limits = ", ".join(f"{name} {value:g}" for name, value in verdict.limits.items())
    problem = {"problem": verdict.problem} if verdict.problem else {}
    return {
        "unit": verdict.unit,
        "points": f"{verdict.points:g} of {verdict.max_points}",
        **problem,
        "submission": f"{verdict.digest} (SHA-256 of what was graded)",
        "tier": f"{verdict.tier}: {MEANING[verdict.tier]}",
        "limits": limits,
        "suite": suite,
        "secret": f"{verdict.key} (names it; it draws the inputs)",
    }


def _explanation(found: Verdict) -> Text:
    """One exercise: what was looked at, what failed, which mistake that is, and what was lent."""
    exercise = found.exercise
    points = f"{found.points:g} of {exercise.points} points"
    text = Text(f"\n{MARKS[found.outcome]} {exercise.name}: {found.outcome}, {points}\n")
    text.stylize(f"bold {COLOURS[found.outcome]}")
    if found.diagnosis:
        name = f" ({found.diagnosis.name})" if found.diagnosis.name else ""
        text.append(f"  mistake{name}: {found.diagnosis.message}\n")
    for finding in found.findings:
        edge = " (extreme inputs)" if finding.is_edge else ""
        text.append(f"  {'✗' if finding.problem else '✓'} {finding.statement}{edge}\n")
        text.append("".join(f"      {line}\n" for line in finding.problem.splitlines()))
    if found.lent:
        text.append(f"  lent by the grader: {', '.join(found.lent)} (the student's own failed)\n")
    text.append(f"  seed of the inputs: {found.seed}")
    return text


def replay(
    file: Path, submission: Path, course: Path, released: Path, *, allow_unconfined: bool = False
) -> int:
    """Grade again and compare; returns 0 if every byte is the same."""
    before = _read(file)
    if before is None:
        return 1
    try:
        after, notes = _grade_again(before, submission, course, released, allow_unconfined)
    except (BatchError, JailUnavailable) as error:
        return _fail(f"{error}.")
    if file.read_bytes() == after.to_bytes():
        print("identical")
        return 0
    _say("The verdicts differ.")
    for line in [*notes, *_differences(before, after)]:
        _say(f"  {line}")
    return 1


def _grade_again(
    before: SubmissionVerdict, submission: Path, course: Path, released: Path, unconfined: bool
) -> tuple[SubmissionVerdict, list[str]]:
    """The new verdict, and why it could not but differ, if so."""
    if not (course / ".autograder" / "secret").is_file():
        raise BatchError(f"{course} holds no secret; name the course's folder with --course")
    if before.tier == "C" and not unconfined:
        raise BatchError(
            "the verdict was found without a sandbox (tier C); to run the student's code as you "
            "again, add --allow-unconfined"
        )
    notes, tier = [], before.tier
    try:
        Jail(tier)
    except JailUnavailable as error:
        tier = Jail().tier
        notes.append(f"graded in tier {tier} this time: {error}")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            unit=before.unit,
            released=released / before.unit / f"{before.unit}.ipynb",
            secret=load_secret(course),
            tier=tier,
            limits=Limits(**before.limits),
            verdicts=Path(folder),
        )
        with Marker(settings) as marker:
            marked = marker.mark(Task("", submission))
        after = read_verdict(marked.verdict)
    if before.suite != suite_version():
        notes.append(f"the checks or libraries are others: {before.suite}, now {suite_version()}")
    if before.key != after.key:
        notes.append(f"the secret is another ({before.key}, now {after.key}), so are the inputs")
    if before.digest != after.digest:
        notes.append(f"the submission is another ({before.digest[:16]}, now {after.digest[:16]})")
    return after, notes


def _differences(before: SubmissionVerdict, after: SubmissionVerdict) -> list[str]:
    """What is graded differently, in one line each."""
    lines = [
        f"{name}: {old}, now {new}"
        for name in ("points", "problem", "limits")
        if (old := getattr(before, name)) != (new := getattr(after, name))
    ]
    newer = {found.exercise.name: found.to_json() for found in after.exercises}
    for found in before.exercises:
        old, new = found.to_json(), newer.pop(found.exercise.name, None)
        if new is None:
            lines.append(f"{found.exercise.name}: is no exercise of the unit any more")
            continue
        parts = [name for name in old if name != "seed" and old[name] != new[name]]
        lines += [f"{found.exercise.name}: {n}: {old[n]!r}, now {new[n]!r}" for n in parts]
    return lines + [f"{name}: is a new exercise" for name in newer]


def doctor() -> int:
    """Print what this machine offers; returns 0 if student code can be confined."""
    tier = tiers.best_tier()
    _say(f"tier: {tier}")
    _say(f"  {MEANING[tier]}")
    for facility in tiers.facilities():
        _say(f"{'✗' if facility.missing else '✓'} {facility.name}: {facility.missing or 'yes'}")
    better = {"C": "B", "B": "A"}.get(tier)
    if better:
        _say(f"missing for tier {better}: {'; '.join(tiers.missing_for(better)) or 'nothing'}")
    if tier == "C":
        return 1
    try:
        with Jail(tier) as jail:
            _measure(jail)
    except (JailUnavailable, OSError) as error:
        return _fail(f"✗ The jail does not start: {error}")
    return 0


def _measure(jail: Jail) -> None:
    """Start it, and time what grading waits for."""
    start = _seconds(lambda: jail.open().close())
    _say(f"✓ the jail starts: {start:.1f} s, once for each process that grades")
    ready, calls = time_jail(jail, ROUNDS, ROUNDS)
    _say(f"✓ a confined process is ready in {1e3 * statistics.median(ready):.1f} ms")
    _say(f"✓ a call of a student's function takes {1e3 * statistics.median(calls):.2f} ms")


def time_jail(jail: Jail, sessions: int, calls: int) -> tuple[list[float], list[float]]:
    """Seconds until a confined process is ready, and for a call of a student's function."""
    ready = []
    for _ in range(sessions):
        begin = time.perf_counter()
        with jail.open():
            ready.append(time.perf_counter() - begin)
    with jail.open() as session:
        session.execute("identity", IDENTITY)
        candidate, x = session.candidate("identity"), torch.zeros(10)
        return ready, [_seconds(lambda: candidate.call(x)) for _ in range(calls)]


def _seconds(action: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def _read(file: Path) -> SubmissionVerdict | None:
    try:
        return read_verdict(file)
    except OSError as error:
        _fail(f"{file} cannot be read: {error.strerror}.")
    except LookupError as error:
        _fail(f"{file} does not fit this version of the course: {error}.")
    except (ValueError, TypeError) as error:
        _fail(f"{file} is no verdict: {error}.")
    return None


def _say(text: str) -> None:
    Console(soft_wrap=True).print(text, markup=False, highlight=False)


def _fail(text: str) -> int:
    Console(stderr=True, soft_wrap=True).print(text, style="red", markup=False)
    return 1
