r"""The graders that `attacks.py` compares: each tries one attack and says how it ended.

As a program, `attack_subjects.py ATTACK,ATTACK,… GRADER SCRATCH` prints a line for each attack:
`OUTCOME ATTACK …`.
"""

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NBGRADER_CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "classic"
c.CourseDirectory.source_directory = "solutions"
c.Execute.timeout = 20
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
"""
WRONG_BIC = "def bic(log_likelihood, num_components, dim, num_points):\n    return 0.0\n"
CONTROLS = {"a_right_answer": "marks", "a_wrong_answer": "no"}  # else the grader does not grade
GRADER_FILES = ("autograded", "feedback", "gradebook.db", ".nbgrader.log", "out", "home")


def _load_range():
    spec = importlib.util.spec_from_file_location("attack_range", ROOT / "tools/attack_range.py")
    sys.modules["attack_range"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


attack_range = _load_range()
UNIT = attack_range.UNIT
SETUP = "import math\n\nimport matplotlib.pyplot as plt\nimport torch\n"
POINTS = """\
torch.manual_seed(0)
x, loc = torch.randn(6, 2, dtype=torch.float64), torch.randn(3, 2, dtype=torch.float64)
log_scale, logits = torch.randn(3, 2, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
normal = torch.distributions.Normal(loc, log_scale.exp())
joint = torch.log_softmax(logits, 0) + normal.log_prob(x[:, None]).sum(-1)
"""
OTTER_TESTS = {  # a classic hidden test of each exercise, as an instructor writes it
    "log_gaussian": POINTS
    + "expected = normal.log_prob(x[:, None]).sum(-1)[:, 0]\n"
    + "assert torch.allclose(log_gaussian(x, loc[0], log_scale[0]), expected)\n",
    "log_mixture": POINTS
    + "expected = torch.logsumexp(joint, -1)\n"
    + "assert torch.allclose(log_mixture(x, logits, loc, log_scale), expected)\n",
    "responsibilities": POINTS
    + "expected = torch.softmax(joint, -1)\n"
    + "assert torch.allclose(responsibilities(x, logits, loc, log_scale), expected)\n",
    "bic": "expected = -2 * -37.5 + 29 * math.log(60)\n"
    "assert abs(bic(-37.5, 3, 3, 60) - expected) < 1e-6\n"
    "expected = -2 * 12.25 + 1 * math.log(9) + 1 * math.log(9)\n"
    "assert abs(bic(12.25, 1, 1, 9) - expected) < 1e-6\n",
    "sample_mixture": "torch.manual_seed(0)\nweights = torch.tensor([0.3, 0.7])\n"
    "loc, tril = torch.randn(2, 2), torch.eye(2).expand(2, 2, 2)\n"
    "x, labels = sample_mixture(4000, weights, loc, tril, torch.Generator().manual_seed(1))\n"
    "assert torch.allclose(x.mean(0), weights @ loc, atol=0.1)\n",
}


def classic_notebook() -> dict:
    """The exercises as a classic notebook: answers and hidden tests, with the same names."""
    notebook = json.loads(attack_range.RELEASED.read_text(encoding="utf-8"))
    kept = []
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        if name == "imports":
            cell["source"] = SETUP
        elif name.removeprefix("check-") in OTTER_TESTS and name.startswith("check-"):
            test = OTTER_TESTS[name.removeprefix("check-")]
            cell["source"] = f"### BEGIN HIDDEN TESTS\n{test}### END HIDDEN TESTS"
        elif name not in OTTER_TESTS and not name.startswith("derive"):
            continue
        kept.append(cell)
    return notebook | {"cells": kept}


def classic_course(folder: Path) -> None:
    """A course of plain nbgrader with that notebook, generated and ready to grade."""
    (folder / "solutions" / UNIT).mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(NBGRADER_CONFIG)
    text = json.dumps(classic_notebook())
    (folder / "solutions" / UNIT / f"{UNIT}.ipynb").write_text(text)
    program = [sys.executable, "-m", "nbgrader", "generate_assignment", UNIT]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path}  # nbgrader starts alembic by name
    subprocess.run(program, cwd=folder, env=environment, check=True, capture_output=True)


def otter_archive(environment: Path, archive: Path) -> None:
    """The same tests as hidden tests of otter-grader, in the archive that it wants."""
    tests = archive.parent / "otter-tests"
    tests.mkdir()
    for name, test in OTTER_TESTS.items():
        lines = test.rstrip().splitlines()
        case = {"code": "".join(f">>> {line}\n" for line in lines), "hidden": True, "locked": False}
        suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
        content = {"name": name, "points": 2, "suites": [suite]}
        (tests / f"{name}.py").write_text(f"OK_FORMAT = True\ntest = {content!r}\n")
    otter = environment / "bin" / "otter"
    options = ["-t", str(tests), "-o", str(archive), "--no-environment"]
    subprocess.run([otter, "generate", *options], check=True, capture_output=True)


def on_nbgrader(attack, arena, scratch: Path) -> Iterator[str]:
    """Plain `nbgrader autograde` of the attacker and then of another student."""
    _settle(arena, scratch / "course")
    arena.hand_in(attack, released=_released(scratch))
    _hand_in_honest(arena, "zoe", _released(scratch))
    program = [sys.executable, "-m", "nbgrader"]
    _run([*program, "autograde", UNIT], arena.course)
    scores = _nbgrader_scores(arena.course)
    if scores.get("zoe", {}).get("bic") != 2:
        yield "stop"
    yield from _gains(attack, scores.get("mallory", {}))
    shown = _outputs(arena.course / "autograded" / "mallory" / UNIT / f"{UNIT}.ipynb")
    if attack.gains == "page":
        _run([*program, "generate_feedback", UNIT, "--student=mallory"], arena.course)
        shown = _text(arena.course / "feedback" / "mallory" / UNIT / f"{UNIT}.html")
        if any(f"{mark}{arena.tell_tale}" in shown for mark in ("<script>", "onerror=", "onload=")):
            yield "page"
    elif arena.secret in shown or (attack.gains == "secret" and arena.tell_tale in shown):
        yield "secret"


def on_otter(attack, arena, scratch: Path) -> Iterator[str]:
    """`otter run`, without a container, on the attacker's notebook."""
    _settle(arena, scratch / "course")
    path = arena.hand_in(attack, released=_released(scratch))
    out = arena.course / "out"
    out.mkdir()
    options = ["-a", str(scratch / "autograder.zip"), "-o", str(out), "--no-logo", path.name]
    environment = os.environ | {"PATH": f"{scratch / 'otter/bin'}:{os.environ['PATH']}"}
    _run([str(scratch / "otter/bin/otter"), "run", *options], path.parent, environment)
    text = _text(out / "results.json")
    with contextlib.suppress(ValueError):
        tests = json.loads(text)["tests"]
        named = {
            name: t["score"] for t in tests for name in OTTER_TESTS if name in t["name"].split()
        }
        yield from _gains(attack, named)
        yield from (
            ["marks"]
            if attack.gains == "marks"
            and not attack.answers
            and any(test.get("score", 0) for test in tests if "Public" not in test["name"])
            else []
        )
    if arena.secret in text or (attack.gains == "secret" and arena.tell_tale in text):
        yield "secret"


def on_ours(attack, arena, jail) -> Iterator[str]:
    """`grade_file` in a jail, then an honest submission in the same jail."""
    from autograder.grading import grade_file

    def grade(given, answers=None):
        path = arena.hand_in(given, answers)
        released, secret = attack_range.RELEASED, b"thirty-two bytes for this alone."
        return grade_file(path, jail, unit=UNIT, released=released, secret=secret)

    verdicts = [grade(attack)]
    if attack.then:
        verdicts.append(grade(attack, attack.then))
    text = "".join(verdict.to_bytes().decode() for verdict in verdicts)
    if any(verdict.points for verdict in verdicts):
        yield attack.gains if attack.signals else "marks"
    if arena.secret in text or arena.tell_tale in text:
        yield "page" if attack.gains == "page" else "secret"
    honest = attack_range.Attack("honest", "", "", answers={"bic": attack_range.RIGHT_BIC})
    if grade(honest).points != 2:
        yield "stop"


@contextlib.contextmanager
def _subject(name: str, scratch: Path) -> Iterator[tuple]:
    """A grader's function, and what it needs beside the attack."""
    if name in ("nbgrader", "otter"):
        yield {"nbgrader": on_nbgrader, "otter": on_otter}[name], scratch
        return
    from autograder.jail import Jail, Limits

    limits = Limits(seconds_per_call=1, seconds_per_exercise=2, seconds_per_submission=8)
    with Jail(tier=name, limits=limits) as jail:
        jail.open().close()
        yield on_ours, jail


def _settle(arena, course: Path) -> None:
    shutil.copytree(course, arena.course, dirs_exist_ok=True)
    for path in arena.course.rglob("*"):
        path.chmod(0o777 if path.is_dir() else 0o666)
    arena.settle()


def _released(scratch: Path) -> Path:
    return scratch / "course" / "release" / UNIT / f"{UNIT}.ipynb"


def _hand_in_honest(arena, student: str, released: Path) -> None:
    folder = arena.course / "submitted" / student / UNIT
    folder.mkdir(parents=True)
    notebook = attack_range.answered(released, {"bic": attack_range.RIGHT_BIC})
    (folder / f"{UNIT}.ipynb").write_text(json.dumps(notebook))
    arena.settle()


def _run(command: list[str], folder: Path, environment: dict | None = None) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=100,
            check=False,
        )


def _nbgrader_scores(course: Path) -> dict[str, dict[str, float]]:
    from nbgrader.api import Gradebook, MissingEntry

    scores: dict[str, dict[str, float]] = {}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        for student in ("mallory", "zoe"):
            with contextlib.suppress(MissingEntry):
                submission = gradebook.find_submission(UNIT, student)
                for grade in submission.notebooks[0].grades:
                    if grade.name.startswith("check-"):
                        scores.setdefault(student, {})[grade.name[6:]] = grade.score
    return scores


def _gains(attack, scores: dict[str, float]) -> Iterator[str]:
    """What the points say: marks, or for an attempt that reports by them what it did."""
    if any(scores.values()):
        yield attack.gains if attack.signals else "marks"


def _outputs(path: Path) -> str:
    """All that the student's cells showed."""
    with contextlib.suppress(ValueError):
        cells = json.loads(_text(path) or "{}").get("cells", [])
        return json.dumps([cell.get("outputs") for cell in cells])
    return ""


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.is_file() else ""


def _harm(attack, arena) -> Iterator[str]:
    harm = [line for line in arena.harm() if not any(f" {name}" in line for name in GRADER_FILES)]
    if harm:
        yield attack.gains if attack.gains in ("secret", "others", "survive", "stop") else "others"


def _processes() -> set[int]:
    return {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()}


def _survivors(before: set[int]) -> bool:
    """Whether a process is left that was not there before, in the sandbox's own namespace."""
    now = _processes()
    return any(
        "Z" not in _text(Path(f"/proc/{pid}/stat")).split(")")[-1][:3] for pid in now - before
    )


def outcome(attack, arena, grade, needed) -> str:
    """How an attack ended: the worst of what was found."""
    arena.reset()
    before = _processes()
    try:
        found = list(grade(attack, arena, needed))
    except Exception as error:  # a grader that raises has stopped
        print(type(error).__name__, error)
        found = ["stop"]
    found += _harm(attack, arena)
    if isinstance(needed, Path) and _survivors(before):
        found.append("survive")
    order = ("marks", "secret", "others", "survive", "page", "stop")
    return next((outcome for outcome in order if outcome in found), "no")


def _controls() -> list:
    """Two honest submissions, whose outcomes are known."""
    answers = zip(CONTROLS, (attack_range.RIGHT_BIC, WRONG_BIC), strict=True)
    return [
        attack_range.Attack(name, "", "comparison", gains="marks", answers={"bic": answer})
        for name, answer in answers
    ]


def main() -> None:
    names, subject, scratch = sys.argv[1].split(","), sys.argv[2], Path(sys.argv[3])
    attacks = {attack.name: attack for attack in [*attack_range.attacks(), *_controls()]}
    with attack_range.Range() as arena, _subject(subject, scratch) as (grade, needed):
        for name in names:
            print("OUTCOME", name, outcome(attacks[name], arena, grade, needed), flush=True)


if __name__ == "__main__":
    main()
