"""Marks submissions in several processes; one that dies costs its own submission, not the run.

A worker has one submission at a time, so that it is known whose code ended it. The submission is
tried once more in a new process, then gets no points, and the reason. A worker reads from a pipe
that nobody else holds: when the grader is killed, the workers end by themselves.
"""

import contextlib
import multiprocessing
import signal
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from typing import Any

from autograder.batch import BatchError, Marked, Marker, Settings, Task
from autograder.jail import JailUnavailable

TRIES = 2
DIED = (
    "grading this notebook ended the grader's own process {tries} times (was memory used up?); "
    "your teacher can grade it again"
)
STUMBLED = "the grader itself failed on this notebook ({error}); your teacher should report that"


def mark_all(tasks: Sequence[Task], settings: Settings, jobs: int) -> Iterator[Marked]:
    """Mark submissions, in the order in which they are ready.

    Args:
        tasks: The submissions.
        settings: What they have in common.
        jobs: Number of processes; with one, this process does it all.

    Raises:
        BatchError: If there is no sandbox to run them in.
    """
    with Marker(settings) as marker:
        if jobs == 1 or len(tasks) < 2:
            for task in tasks:
                yield _result(_attempt(marker, task), task, marker)
        else:
            yield from _in_processes(tasks, settings, min(jobs, len(tasks)), marker)


def _in_processes(
    tasks: Sequence[Task], settings: Settings, jobs: int, marker: Marker
) -> Iterator[Marked]:
    context = multiprocessing.get_context("spawn")  # torch does not survive a fork
    waiting, tries = deque(tasks), Counter()
    workers = [_Worker(context, settings) for _ in range(jobs)]
    try:
        while True:
            for worker in workers:
                if worker.task is None and waiting:
                    worker.start(waiting.popleft())
            busy = {worker.connection: worker for worker in workers if worker.task is not None}
            if not busy:
                return
            for connection in wait(busy):
                worker = busy[connection]
                task, reply = worker.finish()
                if reply is None:
                    workers[workers.index(worker)] = _Worker(context, settings)
                    tries[task] += 1
                    if tries[task] < TRIES:
                        waiting.appendleft(task)
                        continue
                    reply = ("problem", DIED.format(tries=TRIES))
                yield _result(reply, task, marker)
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """One process, and the submission that it has."""

    def __init__(self, context: SpawnContext, settings: Settings):
        self.task: Task | None = None
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, settings), daemon=True)
        with _interrupts_held_back():  # inherited: Ctrl-C is for the parent alone
            self._process.start()
        theirs.close()

    def start(self, task: Task) -> None:
        self.task = task
        with contextlib.suppress(OSError):  # a dead worker shows when its reply is read
            self.connection.send(task)

    def finish(self) -> tuple[Task, tuple[str, Any] | None]:
        """The task and the reply to it; None if the process has died."""
        task, self.task = self.task, None
        try:
            return task, self.connection.recv()
        except (EOFError, OSError):
            self.stop()
            return task, None

    def stop(self) -> None:
        self.connection.close()
        self._process.kill()
        self._process.join()


def _serve(connection: Connection, settings: Settings) -> None:
    """The worker's whole life."""
    with contextlib.suppress(EOFError, OSError), Marker(settings) as marker:
        while True:
            task = connection.recv()
            connection.send(_attempt(marker, task))


def _attempt(marker: Marker, task: Task) -> tuple[str, Any]:
    """What became of a task: a mark, a problem of this submission, or the end of the run."""
    try:
        return "marked", marker.mark(task)
    except JailUnavailable as error:
        return "unavailable", str(error)
    except OSError as error:  # a full disk, a folder that cannot be written
        return "unavailable", f"{error.strerror}: {error.filename}" if error.filename else str(
            error
        )
    except Exception as error:  # our own mistake, and no reason to stop a class
        return "problem", STUMBLED.format(error=type(error).__name__)


def _result(reply: tuple[str, Any], task: Task, marker: Marker) -> Marked:
    kind, content = reply
    if kind == "problem":
        print(f"{task.path}: {content}", file=sys.stderr)
        kind, content = _attempt(marker, replace(task, problem=content))
    if kind != "marked":
        raise BatchError(content)
    return content


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
