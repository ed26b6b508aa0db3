"""Runs a student's code so that what it raises, prints or changes does not reach the caller."""

import contextlib
import io
import linecache
import traceback
import warnings
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import torch

from autograder.faults import AnswerError, NotAttempted, safe_text


class Nowhere(io.TextIOBase):
    """Takes what the student prints, of any length, and keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)


@contextlib.contextmanager
def kept_apart(seed: int) -> Iterator[None]:
    """Keep the student's prints, warnings and random state out of this process's own."""
    quiet = Nowhere()
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(quiet),
        contextlib.redirect_stderr(quiet),
        torch.random.fork_rng(devices=[]),
    ):
        warnings.simplefilter("ignore")
        torch.default_generator.manual_seed(seed)  # torch.manual_seed is slow: it notes its caller
        yield


class Guard:
    """Translates what the student's code raises; a class, which costs a call less than a generator.

    Args:
        target: The student's function, to name the line that went wrong.
        apart: Entered around the student's code.
    """

    def __init__(self, target: Callable[..., Any], apart: contextlib.AbstractContextManager[None]):
        self._target = target
        self._apart = apart

    def __enter__(self) -> None:
        self._apart.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._apart.__exit__(kind, error, trace)
        if error is None or isinstance(error, (AnswerError, KeyboardInterrupt)):
            return
        if isinstance(error, NotImplementedError) and not _is_torch_error(error):
            raise NotAttempted from None
        raise _raised(error, self._target) from error


def _is_torch_error(error: BaseException) -> bool:
    """Torch raises NotImplementedError too (an operation that a dtype lacks), with a message."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(error.args) and "raise NotImplementedError" not in (frames[-1].line or "")


def _raised(error: BaseException, target: Callable[..., Any]) -> AnswerError:
    return AnswerError("raised", type(error).__name__[:80], shown=_describe(error, target))


def _describe(error: BaseException, target: Callable[..., Any]) -> str:
    """The error's class and message, and the student's own line that led to it."""
    summary = f"your code raised {type(error).__name__[:80]}: {safe_text(error)}"
    code = getattr(target, "__code__", None)
    if code is None:
        return summary
    own = [
        number
        for frame, number in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == code.co_filename
    ]
    line = linecache.getline(code.co_filename, own[-1]).strip() if own else ""
    return f"{summary}\n  in the line: {line}" if line else summary
