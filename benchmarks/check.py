r"""How long a student waits for `check(f)`, beside `nbgrader validate` on the same notebook.

Every exercise is checked with its right answer and with one of its misconceptions, which adds a
diagnosis: in turns, in one process, after a round that is not counted. `nbgrader validate` is
what nbgrader offers to students: it runs the whole solution notebook in a fresh kernel.
`python benchmarks/check.py` writes results/check.json, and `python benchmarks/table.py` the table.
"""

import argparse
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from conditions import conditions, quartiles
from tqdm import tqdm

from autograder import check, registry
from autograder.exercise import Exercise

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "check.json"
BUDGET = 100.0  # milliseconds, for the median exercise


def seconds_of(exercise: Exercise, answer: Callable) -> float:
    r"""One `check` as a student calls it: draw inputs, run every property, log, render."""

    def student(*args):
        return answer(*args)

    student.__name__ = exercise.name
    with contextlib.redirect_stdout(io.StringIO()):
        begin = time.perf_counter()
        check(student)
        return time.perf_counter() - begin


def measure(exercise: Exercise, rounds: int) -> dict:
    wrong = exercise.misconceptions[len(exercise.misconceptions) // 2].implementation
    times: dict[str, list[float]] = {"right": [], "wrong": []}
    for turn in range(rounds + 1):
        for name, answer in (("right", exercise.reference), ("wrong", wrong)):
            seconds = seconds_of(exercise, answer)
            if turn:
                times[name].append(1e3 * seconds)
    return {"exercise": exercise.name} | {n: quartiles(v, 1) for n, v in times.items()}


def validate_seconds(unit: str) -> float:
    r"""`nbgrader validate` on the solution notebook."""
    notebook = ROOT / "solutions" / unit / f"{unit}.ipynb"
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "nbgrader", "validate", str(notebook)],
            cwd=folder,
            check=True,
            capture_output=True,
        )
        return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("unit", nargs="?", default="01_mixture_models")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)  # as the notebooks' small tensors want it
    result = {"title": "Waiting for check()", "unit": options.unit, "conditions": conditions()}
    result["rounds"] = options.rounds
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        exercises = tqdm(registry.exercises(options.unit), unit="exercise")
        result["rows"] = [measure(exercise, options.rounds) for exercise in exercises]
    for name in ("right", "wrong"):
        medians = [row[name]["median"] for row in result["rows"]]
        result[f"median_{name}_ms"] = round(statistics.median(medians), 1)
    result["budget_ms"] = BUDGET
    result["nbgrader_validate_ms"] = round(1e3 * validate_seconds(options.unit))
    RESULTS.write_text(json.dumps(result, indent=2, ensure_ascii=False) + os.linesep)


if __name__ == "__main__":
    main()
