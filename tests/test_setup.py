"""The set-up says what is missing, and never looks finished when it is not."""

import ast
import importlib.util
import sys
from pathlib import Path

import pytest

import setup


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    """A course folder in which nothing is really installed."""
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(setup, "READY", tmp_path / ".venv" / "ready")
    monkeypatch.setattr(setup, "make_environment", (tmp_path / ".venv").mkdir)
    monkeypatch.setattr(setup, "install", lambda: None)
    return tmp_path


def test_parses_with_the_oldest_python_3():
    ast.parse(Path(setup.__file__).read_text(), feature_version=(3, 6))


def test_an_old_python_is_refused_with_its_version(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    monkeypatch.setattr(setup, "VERSION", "3.9.18")
    assert setup.main() == 1
    message = capsys.readouterr().err
    assert "3.11" in message
    assert "3.9.18" in message
    assert "make PYTHON=" in message


def test_a_python_without_ensurepip_names_the_package_to_install(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(setup, "VERSION", "3.12.4")
    assert setup.main() == 1
    assert "apt install python3.12-venv" in capsys.readouterr().err


def test_the_second_run_installs_nothing(checkout, monkeypatch):
    assert setup.main() == 0
    monkeypatch.setattr(setup, "install", lambda: pytest.fail("installed again"))
    assert setup.main() == 0


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_changed_requirement_installs_again(checkout, monkeypatch, name):
    installed = []
    monkeypatch.setattr(setup, "make_environment", lambda: setup.VENV.mkdir(exist_ok=True))
    monkeypatch.setattr(setup, "install", lambda: installed.append(name))
    setup.main()
    (checkout / name).write_text("other")
    setup.main()
    assert len(installed) == 2


@pytest.mark.parametrize("stop", [KeyboardInterrupt, setup.SetupError, OSError])
def test_an_interrupted_update_does_not_look_finished(checkout, monkeypatch, stop):
    def interrupted():
        raise stop

    setup.main()
    (checkout / "constraints.txt").write_text("other")
    monkeypatch.setattr(setup, "make_environment", lambda: None)
    monkeypatch.setattr(setup, "install", interrupted)
    if stop is OSError:
        with pytest.raises(OSError):  # noqa: PT011 any unforeseen error
            setup.main()
    else:
        assert setup.main() != 0
    assert not setup.READY.exists()


@pytest.mark.parametrize(
    ("log", "advice"),
    [
        ("... NewConnectionError(...)\nERROR: No matching distribution found for torch", "network"),
        ("ERROR: No matching distribution found for torch==2.13.0", "no build of torch"),
        ("    The user requested (constraint) torch==2.13.0", "no build of torch"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: something else", "pip.log"),
    ],
)
def test_a_failed_installation_says_what_to_do(log, advice):
    assert advice in setup.explain(log)
