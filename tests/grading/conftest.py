"""A small course: three exercises of the first unit, and one answer for a person to mark."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import build_notebooks

UNIT = "01_mixture_models"
SOURCES = Path(__file__).parent / "sources"
collect_ignore = ["sources"]

Notebook = dict[str, Any]
Hand = Callable[[Path, str, str | bytes | Notebook], Path]


@pytest.fixture(scope="session")
def small_course(tmp_path_factory) -> Path:
    """Built, with the course's own settings; tests copy it."""
    course = tmp_path_factory.mktemp("small") / "course"
    shutil.copytree(SOURCES, course / "sources")
    build_notebooks.build(course, Path("sources", "exercises", f"{UNIT}.py"), course)
    shutil.copy(build_notebooks.ROOT / "nbgrader_config.py", course)
    return course


@pytest.fixture(scope="session")
def solved(small_course) -> str:
    """The notebook with all the right answers, as JSON."""
    return (small_course / "solutions" / UNIT / f"{UNIT}.ipynb").read_text()


@pytest.fixture(scope="session")
def hand_in() -> Hand:
    """Put what a student hands in where `nbgrader autograde` looks for it."""

    def hand_in(course: Path, student: str, content: str | bytes | Notebook) -> Path:
        path = course / "submitted" / student / UNIT / f"{UNIT}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content) if isinstance(content, dict) else content
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return hand_in
