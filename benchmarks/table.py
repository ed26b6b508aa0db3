r"""Put the tables of benchmarks/results/*.json into benchmarks/README.md, between its markers.

`python benchmarks/table.py` rewrites the file; with `--check` it only says whether it would.
"""

import argparse
import json
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
README = FOLDER / "README.md"


def gmm_section(result: dict) -> str:
    r"""The conditions and one table per problem."""
    return "\n\n".join([_conditions(result["conditions"]), *map(_problem, result["problems"])])


def check_section(result: dict) -> str:
    r"""The conditions, the medians over exercises, and one row per exercise."""
    summary = (
        f"Unit {result['unit']}, medians of {result['rounds']} rounds, quartiles in brackets. "
        f"The median exercise takes {result['median_right_ms']:g} ms when the answer is right and "
        f"{result['median_wrong_ms']:g} ms when it is wrong, of the {result['budget_ms']:g} ms "
        f"allowed; `nbgrader validate` on the notebook takes {result['nbgrader_validate_ms']} ms."
    )
    rows = [
        [f"`{row['exercise']}`", _spread(row["right"]), _spread(row["wrong"])]
        for row in result["rows"]
    ]
    table = _table(["exercise", "right answer (ms)", "wrong answer (ms)"], rows)
    return "\n\n".join([_conditions(result["conditions"]), summary, table])


def grading_section(result: dict) -> str:
    r"""The conditions, the jail by itself, and one table per workload."""
    jail = result["jail"]
    summary = (
        f"A confined process of tier {jail['tier']} is ready in {_spread(jail['ready_ms'])} ms "
        f"(goal: {jail['ready_goal_ms']:g}), and a call of a student's function takes "
        f"{_spread(jail['call_ms'])} ms (goal: {jail['call_goal_ms']:g}). Medians of "
        f"{result['rounds']} rounds, quartiles in brackets."
    )
    workloads = map(_workload, result["workloads"])
    return "\n\n".join([_conditions(result["conditions"]), summary, *workloads])


def _workload(workload: dict) -> str:
    title = f"**`{workload['unit']}`, {workload['exercises']} exercises.**"
    rows = [
        [
            row["command"],
            str(row["submissions"]),
            _spread(row["start_s"]),
            _spread(row["milliseconds_each"]),
            _spread(row["times_faster"]),
            "" if row["goal"] is None else f"≥ {row['goal']:g}",
        ]
        for row in workload["rows"]
    ]
    header = ["command", "submissions", "start (s)", "each (ms)", "times faster", "goal"]
    return title + "\n\n" + _table(header, rows)


def estimators_section(result: dict) -> str:
    r"""The conditions, one table per problem, and the memory."""
    rows = [
        [
            row["name"],
            f"{row['points']:,}".replace(",", " "),
            f"{row['draws']:,}".replace(",", " "),
            str(row["peak_mb"]),
            f"{row['seconds']:g}",
        ]
        for row in result["memory"]
    ]
    header = ["in a fresh process", "points", "draws each", "peak memory (MB)", "seconds"]
    memory = (
        f"**Memory.** The bound is {result['memory_bound_mb']} MB. The first row is what importing "
        "torch and the library takes."
    )
    problems = map(_estimator_problem, result["problems"])
    parts = [_conditions(result["conditions"]), *problems, memory, _table(header, rows)]
    return "\n\n".join(parts)


def _estimator_problem(problem: dict) -> str:
    title = f"**{problem['name']}.** Medians of {problem['rounds']} rounds, quartiles in brackets."
    rows = [
        [
            row["variant"],
            _spread(row["milliseconds"]),
            _spread(row["time_over_ours"]),
            "" if row["goal"] is None else f"≥ {row['goal']:g}",
            f"{row['distance']:.0e}",
        ]
        for row in problem["rows"]
    ]
    header = ["variant", "milliseconds", "time over ours", "goal", problem["distance"]]
    return title + "\n\n" + _table(header, rows)


SECTIONS = {
    "gmm": gmm_section,
    "check": check_section,
    "grading": grading_section,
    "estimators": estimators_section,
}


def _conditions(given: dict) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in given["versions"].items())
    return (
        f"Measured on {given['date']}: {given['cpu']} ({given['cpu_capability']}), "
        f"{given['cores']} cores, {given['threads']} threads, load average "
        f"{given['load_average_before']} before; Python {given['python']}, {versions}; data seed "
        f"{given['data_seed']}."
    )


def _problem(problem: dict) -> str:
    bound = problem["lower_bound_difference_to_sklearn"]
    notes = (
        f"**{problem['name']}.** Medians of {problem['rounds']} rounds, quartiles in brackets. "
        f"Our lower bound per point minus scikit-learn's at the same step: {bound:.0e}."
    )
    rows = [
        [
            row["variant"],
            _spread(row["milliseconds"]),
            _spread(row["time_over_ours"]),
            "" if row["goal"] is None else f"≥ {row['goal']:g}",
            f"{row['log_likelihood_minus_sklearns']:.0e}",
        ]
        for row in problem["rows"]
    ]
    distance = "log-likelihood per point minus scikit-learn's"
    header = ["variant", "milliseconds", "time over ours", "goal", distance]
    return notes + "\n\n" + _table(header, rows)


def _table(header: list[str], rows: list[list[str]]) -> str:
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule, *rows])


def _spread(quartiles: dict) -> str:
    names = ("median", "lower_quartile", "upper_quartile")
    median, low, high = (
        f"{value:.0f}" if value >= 100 else f"{value:.3g}" for value in map(quartiles.get, names)
    )
    return f"{median} ({low}–{high})"


def fill(text: str, name: str, content: str) -> str:
    r"""`text` with `content` between the markers of `name`."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    pattern = re.compile(f"{re.escape(begin)}.*{re.escape(end)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(
            f"{README.name} has no markers for results/{name}.json; expected a line {begin} and a "
            f"line {end}: add them where the table belongs"
        )
    return pattern.sub(lambda _: f"{begin}\n{content}\n{end}", text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail if out of date")
    options = parser.parse_args()
    before = after = README.read_text(encoding="utf-8")
    for name, section in SECTIONS.items():
        path = FOLDER / "results" / f"{name}.json"
        if path.exists():
            after = fill(after, name, section(json.loads(path.read_text(encoding="utf-8"))))
    if options.check:
        if after != before:
            print("benchmarks/README.md is out of date: run python benchmarks/table.py")
        return int(after != before)
    README.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
