"""Runs a notebook's cells without Jupyter: IPython's syntax, and stand-ins for its shell."""

from collections.abc import Callable
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager


def to_python(source: str) -> str:
    """A cell without IPython's own syntax: magics become calls of `get_ipython()`."""
    try:
        return TransformerManager().transform_cell(source)
    except (SyntaxError, ValueError, RecursionError):
        return source  # compiling it will say what is wrong


def make_namespace() -> dict[str, Any]:
    """What cells find before the first one runs: no shell, no display."""
    namespace: dict[str, Any] = {"__name__": "__main__", "display": _nothing}
    namespace["get_ipython"] = lambda: NoShell(namespace)
    return namespace


class NoShell:
    """Stands in for IPython's shell: the magics in `WRAPPING` run what they are given.

    All others, shell commands and help do nothing.
    """

    WRAPPING = ("capture", "prun", "time", "timeit")

    def __init__(self, namespace: dict[str, Any]):
        self._namespace = namespace

    def run_line_magic(self, name: str, line: str, *_: Any, **__: Any) -> None:
        if name in self.WRAPPING:
            exec(line, self._namespace)  # noqa: S102 - the student's own code

    def run_cell_magic(self, name: str, line: str, cell: str) -> None:
        if name in self.WRAPPING:
            exec(cell, self._namespace)  # noqa: S102 - the student's own code

    def __getattr__(self, name: str) -> Callable[..., None]:
        return _nothing


def _nothing(*_: Any, **__: Any) -> None:
    return None
