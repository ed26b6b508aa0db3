r"""docs/data.md: its code runs, its pictures are there, and it names every set."""

import re
from pathlib import Path

from course_lib import data

PAGE = Path(__file__).resolve().parents[3] / "docs" / "data.md"


def test_code_runs(nothing_installed):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), {})


def test_pictures_are_there_and_small():
    pictures = re.findall(r"!\[(.+?)\]\((.+?)\)", PAGE.read_text())
    named = {PAGE.parent / path for _, path in pictures}
    assert named == set((PAGE.parent / "data").iterdir())
    assert all(path.stat().st_size < 200_000 for path in named)


def test_every_loader_is_named():
    text = PAGE.read_text()
    loaders = [name for name in data.__all__ if name.islower()]
    assert all(f"{name}(" in text for name in loaders), loaders
