"""Grading needs no special rights: an ordinary user gets the best tier that there is."""

import os
import subprocess
import sys

import pytest

from autograder.jail import jail as jail_module
from autograder.jail import tiers

USER = 12345
BECOME = f"""
import os, sys
os.setgroups([])
os.setresgid({USER}, {USER}, {USER})
os.setresuid({USER}, {USER}, {USER})
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
GRADE = """
import os
from pathlib import Path
from autograder.grading import grade
from autograder.jail import Jail
from autograder.submission import Submission

cells = {
    "set-up": "import math",
    "bic": '''
def bic(log_likelihood, num_components, dim, num_points):
    per_component = 1 + dim + dim * (dim + 1) // 2
    return -2 * log_likelihood + (num_components * per_component - 1) * math.log(num_points)
''',
}
submission = Submission(Path("a.ipynb"), "01_mixture_models", cells, ())
for tier in "AB":
    with Jail(tier=tier) as jail:
        print(os.getuid(), tier, grade(submission, jail, bytes(32)).points)
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can"),
    pytest.mark.skipif(
        bool(tiers.hidden_folders()) and tiers.find_bubblewrap() is None,
        reason="the interpreter lies where only root may enter, and bubblewrap is missing",
    ),
]


@pytest.fixture
def run(tmp_path):
    """Runs Python as an ordinary user, for whom the installation is readable."""
    os.chown(tmp_path, USER, USER)
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment = kept | {"HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}

    def run(*arguments):
        command = [*jail_module._shown_to_nobody(), sys.executable, "-c", BECOME, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return run


def test_the_doctor_finds_what_root_finds(run):
    result = run("-m", "autograder", "doctor")
    assert f"tier: {tiers.best_tier()}" in result.stdout, result.stderr
    assert result.returncode == (tiers.best_tier() == "C")


@pytest.mark.skipif(bool(tiers.missing_for("A")), reason="; ".join(tiers.missing_for("A")))
def test_an_ordinary_user_grades_in_tiers_a_and_b(run):
    result = run("-c", GRADE)
    assert result.stdout.split() == f"{USER} A 2 {USER} B 2".split(), result.stderr
