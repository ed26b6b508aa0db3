"""nbgrader's commands in one process of their own, because it takes seconds to start one."""

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

LOG = "log.txt"
SHOWN = 25  # last lines of the log in an error


class NbGraderError(Exception):
    """A command that failed; the message shows nbgrader's last lines."""


class Command(Protocol):
    """`nbgrader("collect", "01_mixture_models")` does what it does in a terminal."""

    def __call__(self, *arguments: str) -> None: ...


@contextmanager
def nbgrader_in(course: Path) -> Iterator[Command]:
    """Run nbgrader's commands in the folder `course`; what they print goes to its log.txt."""
    context = get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=_enter, initargs=(course,)) as process:

        def nbgrader(*arguments: str) -> None:
            if process.submit(_run, arguments).result() != 0:
                last = (course / LOG).read_text(encoding="utf-8").splitlines()[-SHOWN:]
                raise NbGraderError("\n".join([f"nbgrader {' '.join(arguments)} failed:", *last]))

        yield nbgrader


def _enter(course: Path) -> None:
    """In the new process: the course's folder, nobody's own settings, output to the log."""
    os.chdir(course)
    os.environ["JUPYTER_DATA_DIR"] = str(course / ".jupyter")
    os.environ.pop("COURSE_EXCHANGE", None)
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())


def _run(arguments: tuple[str, ...]) -> int:
    from nbgrader.apps import NbGraderApp

    try:
        NbGraderApp.launch_instance(list(arguments))
    except SystemExit as stop:
        return 0 if stop.code is None else int(stop.code)
    finally:
        NbGraderApp.clear_instance()
    return 0
