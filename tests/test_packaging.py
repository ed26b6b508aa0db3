"""The files that say what to install agree; the Makefile stays a list of lines."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
CONDA_NAMES = {"pytorch": "torch"}  # where conda-forge's name differs from pip's


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


@pytest.fixture(scope="module")
def environment() -> dict:
    return yaml.safe_load((ROOT / "environment.yml").read_text())


def requirements(project: dict, *extras: str) -> list[Requirement]:
    listed = [project["dependencies"], *(project["optional-dependencies"][name] for name in extras)]
    return [Requirement(line) for group in listed for line in group]


def test_constraints_pin_every_dependency(project, pins):
    for requirement in requirements(project, *project["optional-dependencies"]):
        version = pins.get(canonicalize_name(requirement.name))
        assert version, f"constraints.txt does not pin {requirement.name}"
        assert requirement.specifier.contains(version), f"{requirement}, but pinned to {version}"


def test_constraints_are_sorted_canonical_and_public(pins):
    assert list(pins) == sorted(canonicalize_name(name) for name in pins)
    local = {name: version for name, version in pins.items() if "+" in version}
    assert not local, f"versions of one machine's builds: {local}"


def test_environment_lists_what_pip_would_install(project, pins, environment):
    *conda, last = environment["dependencies"]
    listed = dict(line.split("=") for line in conda if re.fullmatch(r"[\w.-]+=[^=]+", line))
    listed = {CONDA_NAMES.get(name, name): version for name, version in listed.items()}
    listed |= dict(line.split("==") for line in last["pip"] if "==" in line)
    names = [requirement.name for requirement in requirements(project, "dev")]
    assert listed == {name: pins[name] for name in names}


def test_environment_installs_the_course_on_the_same_python(project, environment):
    assert f"python{project['requires-python']}" in environment["dependencies"]
    assert environment["dependencies"][-1]["pip"][-1] == "--editable ."


def test_versions_agree(project):
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]


@pytest.mark.parametrize("target", ["lab", "demo", "test", "notebooks", "lint"])
def test_a_make_target_is_one_line_that_sets_up_first(target):
    lines = (ROOT / "Makefile").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"{target}:")]
    assert re.fullmatch(rf"{target}: \$\(READY\) ; .+[^\\]", line)
    following = lines[lines.index(line) + 1]
    assert not following.startswith("\t"), "a second line of recipe"


def test_what_is_installed_is_what_is_pinned(project, pins):
    names = [requirement.name for requirement in requirements(project, "dev")]
    installed = {name: version(name).split("+")[0] for name in names}
    assert installed == {name: pins[name] for name in names}, "run: make"
