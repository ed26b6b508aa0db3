r"""What each attack of the catalogue does to plain nbgrader, to otter-grader and to this grader.

`python benchmarks/attacks.py` writes results/attacks.json, also after a run that was cut short: it
goes on where it stopped. `--table` puts the table into docs/security.md. The graders that do not
protect themselves run inside bubblewrap, on a scratch copy of a course. Plain nbgrader gets a
classic notebook with hidden tests in its cells and none of this repository's settings; otter-grader
is installed into an environment of its own, which is thrown away, and gets the same tests as files.
"""

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from attack_subjects import CONTROLS, OTTER_TESTS, attack_range, classic_course, otter_archive
from table import fill

from autograder.jail.tiers import find_bubblewrap, missing_for

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "attacks.json"
SECURITY = ROOT / "docs" / "security.md"
SUBJECTS = {
    "nbgrader": "plain nbgrader",
    "otter": "otter-grader",
    "A": "ours, tier A",
    "B": "ours, tier B",
}
UNPROTECTED = ("nbgrader", "otter")
SECONDS = 150  # for one attack on one grader; what takes longer has stopped it
MEMORY_GB = 12
MEANING = {
    "no": "nothing",
    "marks": "marks it has not earned",
    "secret": "tells what is hidden",
    "others": "harms the work of others",
    "stop": "stops the grader",
    "survive": "outlives its grading",
    "page": "runs in the feedback page",
}


def measure(names: list[str], subjects: list[str]) -> None:
    r"""Run what is not in the results yet, and write them after every attack."""
    result = _load()
    attacks = [a for a in attack_range.attacks() if a.kind != "accidents"]
    result["conditions"] = _conditions(result.get("conditions", {}))
    for attack in attacks:
        row = result["rows"].setdefault(attack.name, {})
        row |= {"kind": attack.kind, "title": attack.title, "gains": attack.gains}
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
        for subject in subjects:
            wanted = [
                attack.name
                for attack in attacks
                if (attack.name in names if names else subject not in result["rows"][attack.name])
            ]
            if not wanted or not _prepare(subject, Path(folder), result["conditions"]):
                continue
            controls = dict(_try(list(CONTROLS), subject, Path(folder)))
            if controls != CONTROLS:
                raise SystemExit(f"{SUBJECTS[subject]} does not grade honest work: {controls}")
            # the protected graders share a jail; each of the others starts anew, in a sandbox
            at_once = 1 if subject in UNPROTECTED else len(wanted)
            for first in range(0, len(wanted), at_once):
                for name, outcome in _try(wanted[first : first + at_once], subject, Path(folder)):
                    result["rows"][name][subject] = outcome
                    print(f"{name:45} {subject:9} {outcome}", flush=True)
                RESULTS.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


def _load() -> dict:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {"rows": {}}


def _prepare(subject: str, scratch: Path, conditions: dict) -> bool:
    r"""Make what a grader needs; False, with the reason in the conditions, if that fails."""
    if subject in UNPROTECTED and not (scratch / "course").exists():
        classic_course(scratch / "course")
    if subject == "otter":
        try:
            conditions["versions"]["otter-grader"] = _install_otter(scratch / "otter")
            otter_archive(scratch / "otter", scratch / "autograder.zip")
        except (subprocess.CalledProcessError, OSError) as error:
            conditions["otter-grader"] = f"could not be installed: {error}"
            return False
    elif subject not in UNPROTECTED and (missing := missing_for(subject)):
        conditions[f"tier {subject}"] = "; ".join(missing)
        return False
    return True


def _install_otter(folder: Path) -> str:
    r"""A virtual environment with the current otter-grader, which finds torch in ours."""
    venv.create(folder, with_pip=True, symlinks=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "otter-grader"], check=True)
    paths = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    )
    ours = next(p for p in sys.path if p.endswith("site-packages"))
    Path(paths.stdout.strip(), "zz_shared.pth").write_text(ours)
    version = "from importlib.metadata import version; print(version('otter-grader'))"
    shown = subprocess.run([python, "-c", version], check=True, capture_output=True, text=True)
    return shown.stdout.strip()


def _try(names: list[str], subject: str, scratch: Path) -> Iterator[tuple[str, str]]:
    r"""Some attacks on one grader, in a process of its own; how each ended."""
    program = str(Path(__file__).parent / "attack_subjects.py")
    command = [sys.executable, program, ",".join(names), subject, str(scratch)]
    if subject in UNPROTECTED:
        command = [*_outer_sandbox(scratch), *command]
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "SECRET_TOKEN": "a secret of the environment",
    }
    with tempfile.TemporaryFile("w+") as output:
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                ["prlimit", f"--as={MEMORY_GB << 30}", *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS * len(names),
                check=False,
            )
        output.seek(0)
        lines = [line.split() for line in output if line.startswith("OUTCOME ")]
    found = {line[1]: line[2] for line in lines if len(line) == 3 and line[2] in MEANING}
    yield from ((name, found.get(name, "stop")) for name in names)


def _outer_sandbox(scratch: Path) -> list[str]:
    r"""bubblewrap around a grader that does not protect itself: a copy of nothing is harmed."""
    emptied = [path for path in ("/tmp", "/var/tmp", Path.home() / ".local") if Path(path).exists()]
    return [
        *(find_bubblewrap(), "--unshare-all", "--die-with-parent", "--new-session"),
        *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
        *(word for path in emptied for word in ("--tmpfs", str(path))),
        *("--ro-bind", str(scratch), str(scratch)),
        *("--dir", "/tmp/home", "--setenv", "HOME", "/tmp/home", "--chdir", "/tmp/home"),
    ]


def _conditions(before: dict) -> dict:
    versions = before.get("versions", {}) | {
        name: importlib.metadata.version(name) for name in ("nbgrader", "torch")
    }
    return before | {
        "date": time.strftime("%Y-%m-%d"),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "user": "root" if os.getuid() == 0 else "an ordinary user",
        "versions": versions,
        "seconds": SECONDS,
        "memory_gb": MEMORY_GB,
        "classic_tests": sorted(OTTER_TESTS),
    }


def section(result: dict) -> str:
    r"""The conditions, the sums and one row for each attack."""
    rows, given = result["rows"], result["conditions"]
    versions = ", ".join(f"{name} {version}" for name, version in given["versions"].items())
    lines = [
        f"Measured on {given['date']} as {given['user']}: Linux {given['kernel']}, Python "
        f"{given['python']}, {versions}. nbgrader and otter-grader ran within bubblewrap.",
        *(
            f"{name}: {given[name]}."
            for name in ("otter-grader", "tier A", "tier B")
            if name in given
        ),
        "",
        "| gains | " + " | ".join(SUBJECTS.values()) + " |",
        "|---|" + "---:|" * len(SUBJECTS),
    ]
    counts = {s: Counter(row[s] for row in rows.values() if s in row) for s in SUBJECTS}
    for outcome, meaning in MEANING.items():
        cells = [str(counts[s][outcome]) if counts[s] else "–" for s in SUBJECTS]
        lines.append(f"| {meaning} | " + " | ".join(cells) + " |")
    lines += ["", "| attack | what it tries | " + " | ".join(SUBJECTS.values()) + " |"]
    lines.append("|---" * (2 + len(SUBJECTS)) + "|")
    for name, row in sorted(rows.items(), key=lambda item: (item[1]["kind"], item[0])):
        cells = [row.get(s, "–") for s in SUBJECTS]
        shown = ["no" if cell == "no" else cell if cell == "–" else f"**{cell}**" for cell in cells]
        lines.append(f"| `{name}` | {row['title']} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="attacks to run again; without any, all new ones")
    parser.add_argument("--subject", action="append", choices=SUBJECTS, help="only this grader")
    parser.add_argument("--table", action="store_true", help="write docs/security.md and stop")
    options = parser.parse_args()
    if options.table:
        text = SECURITY.read_text(encoding="utf-8")
        SECURITY.write_text(fill(text, "attacks", section(_load())), encoding="utf-8")
        return 0
    with contextlib.suppress(KeyboardInterrupt):
        measure(options.names, options.subject or list(SUBJECTS))
    return 0


if __name__ == "__main__":
    sys.exit(main())
