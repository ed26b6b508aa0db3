"""From files to a verdict: whatever is handed in gets one, and the same one each time."""

import dataclasses
import json
import secrets
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder import grading, registry
from autograder.grading import digest_of, grade_file
from autograder.jail import Jail, JailUnavailable
from autograder.secret import load_secret, seed_of
from autograder.submission import Submission

pytestmark = pytest.mark.xdist_group("grading")

UNIT = "01_mixture_models"
RELEASED = Path(__file__).parents[2] / "exercises" / UNIT / f"{UNIT}.ipynb"
SECRET = bytes(range(32))
BIC = """
def bic(log_likelihood, num_components, dim, num_points):
    per_component = 1 + dim + dim * (dim + 1) // 2
    return -2 * log_likelihood + (num_components * per_component - 1) * math.log(num_points)
"""


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    try:
        jail = Jail()
    except JailUnavailable as reason:
        pytest.skip(str(reason))
    with jail:
        yield jail


def released() -> dict:
    return json.loads(RELEASED.read_text(encoding="utf-8"))


def with_bic(notebook: dict, source: str = BIC) -> dict:
    cell_of(notebook, "bic")["source"] = source
    return notebook


def cell_of(notebook: dict, name: str) -> dict:
    marks = [(cell["metadata"].get("nbgrader", {}), cell) for cell in notebook["cells"]]
    return next(cell for mark, cell in marks if mark.get("grade_id") == name)


def marked(notebook: dict, **changes) -> dict:
    cell_of(notebook, "imports")["metadata"]["nbgrader"] |= changes
    return notebook


def with_cell(notebook: dict, source: str, **mark) -> dict:
    notebook["cells"].insert(
        0,
        {
            "cell_type": "code",
            "id": "more",
            "metadata": {"nbgrader": mark} if mark else {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        },
    )
    return notebook


def without_imports(notebook: dict) -> dict:
    notebook["cells"].remove(cell_of(notebook, "imports"))
    return notebook


def spoilt_imports(notebook: dict) -> dict:
    cell_of(notebook, "imports")["source"] = "import os\nos._exit(0)"
    return notebook


KEEPS_ITS_POINTS = {
    "as it is": lambda nb: nb,
    "a grade id that is a number": lambda nb: marked(nb, grade_id=7),
    "a grade id that is a list": lambda nb: marked(nb, grade_id=["imports"]),
    "a grade id that is a dictionary": lambda nb: marked(nb, grade_id={"a": 1}),
    "a grade id of a megabyte": lambda nb: marked(nb, grade_id="n" * 2_000_000),
    "a grade id of half a letter": lambda nb: marked(nb, grade_id="\ud800"),
    "a mark that is a list": lambda nb: nb["cells"][0]["metadata"].update(nbgrader=[1]) or nb,
    "no set-up cell": without_imports,
    "another set-up cell": spoilt_imports,
    "a cell of its own that ends all": lambda nb: with_cell(nb, "import os\nos._exit(0)"),
    "a cell of its own with a name": lambda nb: with_cell(
        nb, "import os\nos._exit(0)", grade_id="own", solution=True, grade=False
    ),
    "a cell of half letters": lambda nb: with_cell(nb, "\udfff" * 9, grade_id="em_step"),
    "a cell of a megabyte": lambda nb: with_cell(nb, "#" * 2_000_000, grade_id="em_step"),
    "a cell of many emoji": lambda nb: with_cell(nb, "#" + "😀" * 150_000, grade_id="em_step"),
}


@pytest.mark.parametrize("case", KEEPS_ITS_POINTS)
def test_a_right_answer_keeps_its_points(case, jail, tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(KEEPS_ITS_POINTS[case](with_bic(released()))))
    verdict = grade_file(path, jail, unit=UNIT, released=RELEASED, secret=SECRET)
    assert verdict.to_bytes()
    assert verdict.problem == ""
    points = {found.exercise.name: found.points for found in verdict.exercises if found.points}
    assert points == {"bic": registry.find("bic").points}


CANNOT_BE_GRADED = {
    "no JSON": b"{",
    "nothing": b"",
    "no text": b"\xff\xfe\x00",
    "deep": b"[" * 200_000,
    "a number": b"1",
    "another format": b'{"nbformat": 3, "worksheets": []}',
    "no cells": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}',
    "another unit": b'{"nbformat": 4, "nbformat_minor": 5, "cells": [],'
    b' "metadata": {"course": {"unit": "02_other"}}}',
}


@pytest.mark.parametrize("case", CANNOT_BE_GRADED)
def test_what_cannot_be_graded_gets_a_verdict_that_says_why(case, jail, tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_bytes(CANNOT_BE_GRADED[case])
    verdict = grade_file(path, jail, unit=UNIT, released=RELEASED, secret=SECRET)
    assert "a.ipynb" in verdict.problem
    assert verdict.points == 0
    assert verdict.max_points > 0
    assert str(tmp_path) not in verdict.to_bytes().decode()


def test_no_file_and_a_folder_get_a_verdict(jail, tmp_path):
    for path in (tmp_path, tmp_path / "absent.ipynb"):
        verdict = grade_file(path, jail, unit=UNIT, secret=SECRET)
        assert verdict.problem
        assert verdict.points == 0


def submission_of(**cells: str) -> Submission:
    return Submission(Path("a.ipynb"), UNIT, {"imports": "import math", **cells}, ())


def test_one_character_gives_other_inputs():
    digest = digest_of(submission_of(bic=BIC))
    assert digest == digest_of(submission_of(bic=BIC))
    changed = [
        submission_of(bic=f"{BIC} "),
        submission_of(bic=BIC, log_gaussian=""),
        submission_of(bic2=BIC),
        dataclasses.replace(submission_of(bic=BIC), unit="02"),
    ]
    digests = {digest, *map(digest_of, changed)}
    assert len(digests) == 5
    seeds = {seed_of(SECRET, one, name) for one in digests for name in ("bic", "log_gaussian")}
    assert len(seeds) == 10
    assert seed_of(SECRET, digest, "bic") == seed_of(SECRET, digest, "bic")
    assert seed_of(SECRET[::-1], digest, "bic") not in seeds
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_the_secret_is_made_once_and_for_its_owner_only(tmp_path):
    secret = load_secret(tmp_path)
    assert len(secret) == 32
    assert load_secret(tmp_path) == secret
    assert load_secret(tmp_path / "other") != secret
    path = tmp_path / ".autograder" / "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"short", bytes(31)])
def test_a_secret_that_was_cut_short_is_refused(content, tmp_path):
    path = tmp_path / ".autograder" / "secret"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{len(content)} bytes; expected at least 32"):
        load_secret(tmp_path)


def test_a_secret_made_by_several_at_once_is_one(tmp_path, monkeypatch):
    draw = secrets.token_bytes
    monkeypatch.setattr(secrets, "token_bytes", lambda count: time.sleep(0.1) or draw(count))
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(load_secret(tmp_path))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_the_version_of_the_suite_is_that_of_its_code(monkeypatch, tmp_path):
    version = grading.suite_version.__wrapped__
    assert version() == version()
    read = Path.read_bytes
    for changed in ("log_gaussian_bank.py", "em.py", "grading.py", "wire.py"):
        monkeypatch.setattr(
            Path, "read_bytes", lambda p, c=changed: read(p) + (b"#" if p.name == c else b"")
        )
        assert version() != grading.suite_version()
    monkeypatch.undo()
    assert version() == grading.suite_version()
    assert {"torch", "numpy"} <= version().keys()
