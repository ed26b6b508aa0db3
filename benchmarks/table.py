r"""Put the tables of benchmarks/results/*.json into benchmarks/README.md, between its markers.

`python benchmarks/table.py` rewrites the file; with `--check` it only says whether it would.
"""

import argparse
import json
import re
import sys
from pathlib import Path

from markdown_text import conditions_line as _conditions
from markdown_text import spread as _spread
from markdown_text import table as _table
from pixelcnn_tables import pixelcnn_section
from vae_tables import beta_vae_section, nll_section, vae_section
from vq_tables import vq_section

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


def autoencoders_section(result: dict) -> str:
    r"""What was measured, each part under its own conditions."""
    parts = {
        "reconstruction": _reconstruction,
        "anomaly": _anomaly,
        "epoch": _epoch,
        "rendering": _rendering,
    }
    texts = [
        f"{text(result[name])}\n\n{_conditions(result[name]['conditions'])}"
        for name, text in parts.items()
        if name in result
    ]
    return "\n\n".join(texts)


def _reconstruction(part: dict) -> str:
    title = (
        f"**Reconstruction.** Mean squared error per pixel of the 10 000 test images, after "
        f"{part['epochs']:g} epochs in batches of {part['batch']}; the mean image has "
        f"{part['mean_image_error']:g}."
    )
    noise = part["denoising"]["noise"]
    denoising = (
        f"**Denoising.** The same error, when noise of standard deviation {noise:g} was added."
    )
    header = ["variant", "error", "goal", "error over PCA's", "seconds"]
    tables = [
        _table(
            header,
            [
                [
                    row["variant"],
                    f"{row['error']:.5f}",
                    "" if row["goal"] is None else f"≤ {row['goal']:g}",
                    "" if row["over_pca"] is None else f"{row['over_pca']:.2f}",
                    "" if row["seconds"] is None else f"{row['seconds']:g}",
                ]
                for row in rows
            ],
        )
        for rows in (part["rows"], part["denoising"]["rows"])
    ]
    return "\n\n".join([title, tables[0], denoising, tables[1]])


def _anomaly(part: dict) -> str:
    title = (
        f"**Anomaly detection.** Area under the ROC curve, times 100; the column names the normal "
        f"class. Networks 784-256-128-16, {part['epochs']:g} epochs; number of seeds: "
        f"{part['seeds']}, spread: their largest standard deviation in any class. The last columns "
        "compare with an earlier measurement by other code and one seed: its mean, and the largest "
        "difference in any class."
    )
    rows = [
        [
            row["method"],
            *(f"{area:.1f}" for area in row["areas"]),
            f"**{row['mean']:.1f}**",
            _or_blank(row["largest_spread"]),
            f"{row['reference_mean']:.1f}",
            _or_blank(row["largest_difference"]),
        ]
        for row in part["rows"]
    ]
    header = ["method", *part["classes"], "mean", "spread", "earlier", "largest difference"]
    return title + "\n\n" + _table(header, rows)


def _or_blank(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _epoch(part: dict) -> str:
    title = (
        f"**One epoch.** 784-512-256-32 and back, batches of {part['batch']}, {part['images']} "
        f"images; milliseconds per batch. Medians of {part['rounds']} rounds, quartiles in "
        "brackets."
    )
    rows = [
        [
            row["variant"],
            _spread(row["milliseconds"]),
            _spread(row["time_over_ours"]),
            f"{row['error']:.4f}",
        ]
        for row in part["rows"]
    ]
    header = ["variant", "milliseconds", "time over ours", "training error afterwards"]
    return title + "\n\n" + _table(header, rows)


def _rendering(part: dict) -> str:
    title = (
        f"**Rendering.** Seconds for {part['count']} images or signals. Medians of "
        f"{part['rounds']} rounds, quartiles in brackets."
    )
    rows = [
        [f"`{row['set']}`", _spread(row["seconds"]), f"≤ {row['goal']:g}"] for row in part["rows"]
    ]
    return title + "\n\n" + _table(["set", "seconds", "goal"], rows)


SECTIONS = {
    "gmm": gmm_section,
    "check": check_section,
    "grading": grading_section,
    "estimators": estimators_section,
    "vae": vae_section,
    "nll": nll_section,
    "beta_vae": beta_vae_section,
    "autoencoders": autoencoders_section,
    "vq": vq_section,
    "pixelcnn": pixelcnn_section,
}


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
