"""Text that crosses the border from the student's side."""

from typing import Any


def label(name: Any) -> str:
    """A cell's name as the jail sees it; students can change what it is."""
    return str(name)[:80].encode("ascii", "replace").decode()


def clean(text: Any) -> str:
    """Text of the student's that can be written to any file; not to be shown as it is."""
    if type(text) is not str:
        return ""
    shown = (c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text[:500])
    return "".join(shown).encode("utf-8", "backslashreplace").decode()
