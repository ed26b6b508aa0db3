"""A tiny course: the unit 01_toy, with one exercise source and one lecture source."""

import shutil
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent / "sources"
collect_ignore = ["sources"]


@pytest.fixture
def course(tmp_path) -> Path:
    """Sources of the exercise alone, which build quickly; nothing is built."""
    shutil.copytree(SOURCES / "exercises", tmp_path / "sources" / "exercises")
    return tmp_path


@pytest.fixture
def lecture(tmp_path) -> Path:
    """Sources of the lecture alone; nothing is built."""
    shutil.copytree(SOURCES / "lectures", tmp_path / "sources" / "lectures")
    return tmp_path
