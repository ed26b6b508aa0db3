"""What the grader knows never gets into the process of a student: its memory is searched."""

import contextlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from autograder import expect, grading, registry
from autograder.exercise import Exercise
from autograder.submission import Submission
from autograder.verdict import RIGHT, WRONG, examine

ROOT = Path(__file__).parents[2]
UNIT = "01_mixture_models"
SECRET = os.urandom(32)
PIECE = 16 << 20
STUDENT = """
kept = []
def sentinel(x):
    kept.append((x, x + 1))
    return x
def log_gaussian(x, loc, log_scale):
    kept.append((x, loc, log_scale))
    return x.sum(-1) * 0
"""


def bytes_of(values) -> bytes:
    """Eight doubles as they lie in memory."""
    return struct.pack("=8d", *np.asarray(values, dtype=np.float64).reshape(-1)[:8])


def memory_of(pid: int, *, all_of_it: bool) -> Iterator[bytes]:
    """What can be read of a process's memory, in pieces that overlap."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            area, rights, *_ = line.split()
            begin, end = (int(place, 16) for place in area.split("-"))
            if "r" not in rights or not (all_of_it or "w" in rights):
                continue
            for place in range(begin, end, PIECE):
                try:
                    memory.seek(place)
                    yield memory.read(min(PIECE + 4096, end - place))
                except (OSError, OverflowError):  # the kernel's own pages
                    break


def found(jail, patterns: dict[str, bytes], *, all_of_it: bool = False) -> dict[str, int]:
    """In how many of the jail's processes each pattern occurs."""
    processes = psutil.Process(jail._process.pid).children(recursive=True)
    hits = dict.fromkeys(patterns, 0)
    for process in {*processes, psutil.Process(jail._process.pid)}:
        missing = dict(patterns)
        # a process of the session before may be ending; the student's own is known by its input
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for piece in memory_of(process.pid, all_of_it=all_of_it):
                for name in [name for name, pattern in missing.items() if pattern in piece]:
                    hits[name] += 1
                    del missing[name]
    return hits


def a_line_of(path: str) -> bytes:
    """The longest line of a file that is written in plain letters: none like it is elsewhere."""
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    return max((line.strip() for line in lines if line.isascii()), key=len).encode()


@pytest.fixture(autouse=True)
def readable(jail):
    """Skips where this user may not look into the memory of its own children."""
    try:
        with jail.open():
            found(jail, {})
    except PermissionError:
        pytest.skip("this user may not read the memory of the processes in the jail")


class Scan:
    """An exercise whose reference can be recognised, and what was found while it was graded."""

    def __init__(self, jail):
        self.hits = {}
        self.exercise = Exercise(
            name="sentinel",
            unit=UNIT,
            title="",
            points=1,
            difficulty=1,
            minutes=1,
            hints=("", "", ""),
            reference=lambda x: x,
        )

        @self.exercise.check
        def equals_what_only_the_grader_knows(candidate, rng):
            """Equals what only the grader knows."""
            x, reference = (np.random.default_rng().normal(size=8) for _ in range(2))
            value = candidate.call(torch.from_numpy(x))
            patterns = {
                "the input": bytes_of(x),
                "computed from the input": bytes_of(x + 1),
                "the student's own text": b"kept.append((x, loc, log_scale))",
                "the reference": bytes_of(reference),
                "a library of answers": a_line_of("course_lib/mixture/em.py"),
                "a check": a_line_of(f"autograder/checks/{UNIT}/log_gaussian.py"),
                "a bank": a_line_of(f"autograder/checks/{UNIT}/log_gaussian_bank.py"),
                "the grader": a_line_of("autograder/grading.py"),
                "the secret": SECRET,
            }
            self.hits = found(jail, patterns, all_of_it=True)
            expect.close(value, torch.from_numpy(reference), "sentinel")


CONTROLS = {"the input", "computed from the input", "the student's own text"}


def test_a_reference_is_nowhere_in_the_memory_of_the_jail(jail, monkeypatch):
    scan = Scan(jail)
    monkeypatch.setattr(registry, "exercises", lambda unit: (scan.exercise,))
    cells = {"set-up": "import torch\nfrom autograder import check", "sentinel": STUDENT}
    submission = Submission(Path("a.ipynb"), UNIT, cells, ())
    (verdict,) = grading.grade(submission, jail, SECRET).exercises
    assert verdict.outcome == WRONG
    assert {name for name, count in scan.hits.items() if count} == CONTROLS
    assert scan.hits["the input"] == 1


def test_the_references_of_an_exercise_of_the_course_are_nowhere(jail):
    exercise = registry.find("log_gaussian")
    calls = []

    class Watching:
        """Passes requests on, and keeps what was asked and what the right answer is."""

        def __init__(self, candidate):
            self._candidate = candidate

        def call(self, *args):
            calls.append((args, exercise.reference(*args)))
            return self._candidate.call(*args)

        def gradient(self, *args, wrt=(0,)):
            return self._candidate.gradient(*args, wrt=wrt)

    with jail.open() as session:
        assert session.execute("cell", f"import torch\n{STUDENT}") is None
        verdict = examine(exercise, Watching(session.candidate("log_gaussian")), seed=1)
        assert verdict.outcome == WRONG
        long = [(a, v) for a, v in calls if v.dtype == torch.float64 and v.numel() >= 7]
        inputs = {f"input {i}": a[0].numpy().tobytes()[:64] for i, (a, _) in enumerate(long)}
        answers = {f"answer {i}": v.numpy().tobytes()[:48] for i, (_, v) in enumerate(long)}
        hits = found(jail, inputs | answers)
    assert len(inputs) >= 2
    assert all(hits[name] for name in inputs)
    assert not any(hits[name] for name in answers)


def test_a_right_answer_is_found_by_the_search(jail):
    r"""The search finds a value that the student's own code computed: so it would find ours."""
    source = """
import math, torch
kept = []
def log_gaussian(x, loc, log_scale):
    z = (x - loc) / log_scale.exp()
    kept.append((-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(-1))
    return kept[-1]
"""
    exercise = registry.find("log_gaussian")
    with jail.open() as session:
        assert session.execute("cell", source) is None
        candidate = session.candidate("log_gaussian")
        assert examine(exercise, candidate, seed=1).outcome == RIGHT
        x = torch.from_numpy(np.random.default_rng().normal(size=(8, 2)))
        value = candidate.call(x, x[0], x[1])
        assert found(jail, {"value": bytes_of(value)}) == {"value": 1}
