r"""Grading a class: plain nbgrader, nbgrader with our preprocessors, and `autograder grade`.

The same honest submissions, each different so that nothing can be looked up, are graded by three
commands that take turns within a round. A command is timed as a whole, gradebook included, once on
two submissions and once on many: the difference is what a submission costs, the rest is its start.
Every run's gradebook must hold full marks. The goals are for ten exercises of four calls each,
where grading is the work; in unit 01 the answers compute for half a second, whoever grades them.
`python benchmarks/grading.py` writes results/grading.json; `python benchmarks/table.py` makes the
table.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grading_course
import torch
from conditions import conditions, quartiles
from grading_course import SYNTHETIC, Course
from tqdm import tqdm

from autograder.inspection import time_jail
from autograder.jail import Jail

RESULTS = Path(__file__).parent / "results" / "grading.json"
PACKAGES = ("torch", "numpy", "nbgrader", "nbconvert", "sqlalchemy")
GOALS = {"nbgrader": 10.0, "batch": 50.0}
READY_GOAL, CALL_GOAL = 15.0, 0.2  # milliseconds
FEW = 2
BATCH = "autograder grade --jobs 2"


@dataclass(frozen=True)
class Command:
    r"""One way to grade a class.

    `kind` names the course's configuration and the ratio; `arguments` follow `python`.
    """

    name: str
    kind: str
    arguments: Callable[[Course], list[str]]


COMMANDS = (
    Command(
        "nbgrader autograde, plain", "plain", lambda c: ["-m", "nbgrader", "autograde", c.unit]
    ),
    Command(
        "nbgrader autograde, ours", "nbgrader", lambda c: ["-m", "nbgrader", "autograde", c.unit]
    ),
    Command(
        BATCH,
        "batch",
        lambda c: ["grade.py", "grade", "submitted", "--unit", c.unit, "--jobs", "2"],
    ),
)


def seconds_of(command: Command, template: Course, students: list[str]) -> float:
    r"""Grade these students in a fresh copy of the course; everybody must get full marks."""
    with tempfile.TemporaryDirectory() as folder:
        course = template.copy(Path(folder, "course"), students)
        begin = time.perf_counter()
        result = subprocess.run(
            [sys.executable, *command.arguments(course)],
            cwd=course.root,
            env=course.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - begin
        scores = course.scores()
        if result.returncode or scores != dict.fromkeys(students, course.max_points):
            raise RuntimeError(f"{command.name}: {scores}\n{result.stderr[-3000:]}")
        return seconds


def measure(unit: str, counts: dict[str, int], rounds: int) -> dict:
    r"""Every command on a unit's submissions, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        templates = grading_course.make(Path(folder), unit, max(counts.values()))
        students = templates["plain"].students
        times: dict[str, list[tuple[float, float]]] = {c.kind: [] for c in COMMANDS}
        for _ in tqdm(range(rounds), desc=unit, unit="round"):
            for command in COMMANDS:
                pair = [
                    seconds_of(command, templates[command.kind], students[:count])
                    for count in (FEW, counts[command.kind])
                ]
                each = (pair[1] - pair[0]) / (counts[command.kind] - FEW)
                times[command.kind].append((pair[0] - FEW * each, each))
        course = templates["plain"]
        about = {"unit": unit, "exercises": course.num_exercises, "max_points": course.max_points}
    goals = GOALS if unit == SYNTHETIC else {}
    return about | {"rows": [_row(command, times, counts, goals) for command in COMMANDS]}


def _row(
    command: Command, times: dict[str, list[tuple[float, float]]], counts: dict, goals: dict
) -> dict:
    plain = [each for _, each in times["plain"]]
    own = [each for _, each in times[command.kind]]
    ratios = [slow / fast for slow, fast in zip(plain, own, strict=True)]
    return {
        "command": command.name,
        "kind": command.kind,
        "submissions": counts[command.kind],
        "start_s": quartiles([start for start, _ in times[command.kind]], 2),
        "milliseconds_each": quartiles([1e3 * each for each in own], 1),
        "times_faster": quartiles(ratios, 1),
        "goal": goals.get(command.kind),
    }


def measure_jail(sessions: int, calls: int) -> dict:
    r"""Milliseconds until a confined process is ready, and for a call of a student's function."""
    with Jail() as jail:
        jail.open().close()
        times = time_jail(jail, sessions, calls)
        tier = jail.tier
    ready, called = ([1e3 * seconds for seconds in part] for part in times)
    return {
        "tier": tier,
        "ready_ms": quartiles(ready, 2),
        "ready_goal_ms": READY_GOAL,
        "call_ms": quartiles(called, 3),
        "call_goal_ms": CALL_GOAL,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plain", type=int, default=8, help="submissions for plain nbgrader")
    parser.add_argument("--nbgrader", type=int, default=32, help="for nbgrader with ours")
    parser.add_argument("--batch", type=int, default=150, help="for autograder grade")
    parser.add_argument("--unit", action="append", help="only this unit")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    result = {"title": "Grading a class", "conditions": conditions(PACKAGES)}
    result |= {"rounds": options.rounds, "jail": measure_jail(60, 500)}
    counts = {"plain": options.plain, "nbgrader": options.nbgrader, "batch": options.batch}
    real = {kind: max(FEW + 2, count // 3) for kind, count in counts.items()}  # takes far longer
    wanted = options.unit or [SYNTHETIC, "01_mixture_models"]
    result["workloads"] = [
        measure(unit, counts if unit == SYNTHETIC else real, options.rounds) for unit in wanted
    ]
    for row in result["workloads"][0]["rows"][1:]:
        result[f"ratio_{row['kind']}"] = row["times_faster"]["median"]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    print(f"ratio_nbgrader {result['ratio_nbgrader']:g}, ratio_batch {result['ratio_batch']:g}")


if __name__ == "__main__":
    main()
