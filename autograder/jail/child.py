"""Serves requests inside the jail: run a cell, call, differentiate, build, train.

This is the far side of the border. Whatever it says comes from a process that the student's code
shares, so nothing here protects the grader; it only makes honest code behave as in a notebook.
"""

import builtins
import contextlib
import linecache
import random
import sys
import warnings
from typing import Any

import numpy as np
import torch

from autograder.candidate import LocalCandidate, LocalModule, Oracle
from autograder.cells import make_namespace, to_python
from autograder.faults import AnswerError, NotAttempted, safe_text
from autograder.guard import Nowhere
from autograder.jail import tensors, wire
from autograder.jail.lent import lent_function

READY, FAILED = "ready", "failed"


def serve(fd: int) -> None:
    """Answer requests until the grader hangs up."""
    random.seed(0)  # only here: Python itself seeds it anew at a fork
    wire.send(fd, READY, None)
    server = Server(fd)
    with contextlib.suppress(wire.Closed):
        while True:
            server.answer_next()


class Server:
    """The verbs, on one namespace."""

    def __init__(self, fd: int):
        self._fd = fd
        self._nonce = ""
        self._namespace = make_namespace()
        self._functions: dict[str, LocalCandidate] = {}
        self._modules: list[LocalModule] = []

    def answer_next(self) -> None:
        self._nonce, request = wire.receive(self._fd)
        reply = self._answer(request)
        try:
            wire.send(self._fd, self._nonce, reply)
        except wire.Closed:
            raise
        except Exception as error:
            code = "unusual" if isinstance(error, tensors.Unsupported) else "too_large"
            fault = {"fault": code, "detail": "", "text": _sendable(safe_text(error))}
            wire.send(self._fd, self._nonce, fault)

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"value": getattr(self, request.pop("verb"))(**request)}
        except NotAttempted:
            return {"fault": "not_attempted", "detail": "", "text": ""}
        except AnswerError as error:
            return {"fault": error.code, "detail": error.detail, "text": _sendable(error.text)}
        except BaseException as error:
            kind = type(error).__name__[:80]
            return {"fault": "raised", "detail": kind, "text": _sendable(safe_text(error))}

    def ask(self, question: dict[str, Any]) -> Any:
        """Ask the grader, in the middle of one of its own requests."""
        wire.send(self._fd, self._nonce, {"question": question})
        _, answer = wire.receive(self._fd)
        if "refused" in answer:
            raise ValueError(answer["refused"])
        return answer["value"]

    def execute(self, name: str, source: str) -> dict[str, Any] | None:
        """Run a cell; returns its error as class, message and line, or None."""
        self._functions.clear()
        code = to_python(source)
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        try:
            exec(compile(code, name, "exec"), self._namespace)  # noqa: S102 - what a jail is for
        except BaseException as error:
            return {
                "kind": _sendable(type(error).__name__[:80]),
                "text": _sendable(safe_text(error)),
                "line": _line_of(error, name),
            }
        return None

    def call(self, target: str | int, args: tuple[Any, ...]) -> Any:
        return self._target(target).call(*self._arguments(args))

    def gradient(
        self,
        target: str | int,
        args: tuple[Any, ...],
        wrt: tuple[int, ...],
        outer: torch.Tensor | None,
    ) -> tuple[Any, ...]:
        return self._target(target).gradient(*self._arguments(args), wrt=wrt, outer=outer)

    def construct(self, target: str, args: tuple[Any, ...], settings: dict[str, Any]) -> int:
        module = self._target(target).construct(*self._arguments(args), **settings)
        self._modules.append(module)
        return len(self._modules) - 1

    def method(self, target: int, name: str, args: tuple[Any, ...]) -> Any:
        return self._modules[target].method(name, *self._arguments(args))

    def parameters(self, target: int) -> dict[str, Any]:
        return self._modules[target].parameters()

    def load(self, target: int, state: dict[str, Any]) -> None:
        self._modules[target].load(state)

    def train(self, target: int, mode: bool) -> None:
        self._modules[target].train(mode)

    def optimise(
        self, target: int, loss: str, batches: list[tuple[Any, ...]], learning_rate: float
    ) -> list[float]:
        return self._modules[target].optimise(loss, batches, learning_rate)

    def lend(self, name: str) -> None:
        """Put a function of that name into the namespace that the grader answers."""
        self._functions.pop(name, None)
        self._namespace[name] = lent_function(name, self.ask)

    def _target(self, target: str | int) -> LocalCandidate:
        if isinstance(target, int):
            return self._modules[target]
        if target not in self._functions:
            function = self._namespace.get(target)
            if not callable(function):
                raise AnswerError("missing", shown=f"there is no function called {target}")
            self._functions[target] = LocalCandidate(function, _reseeded)
        return self._functions[target]

    def _arguments(self, args: tuple[Any, ...]) -> list[Any]:
        return [self._oracle(a) if isinstance(a, wire.OracleReference) else a for a in args]

    def _oracle(self, reference: wire.OracleReference) -> Oracle:
        def ask(*args: Any) -> Any:
            return self.ask({"oracle": reference.number, "args": args})

        return Oracle(ask, differentiable=reference.differentiable)


def prepare() -> None:
    """No person at the keyboard, nobody who reads what is printed, and always the same chance.

    Called before the fork, so that it is done once.
    """
    sys.stdout = sys.stderr = Nowhere()
    warnings.simplefilter("ignore")
    builtins.input = _no_input
    builtins.exit = builtins.quit = sys.exit
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - the student's own code may draw from it


def _reseeded(seed: int) -> contextlib.AbstractContextManager[None]:
    """Nothing else is kept apart here: the whole process is the student's."""
    torch.default_generator.manual_seed(seed)
    return contextlib.nullcontext()


def _no_input(*_: Any) -> str:
    raise RuntimeError("input() waits for a person, and nobody is there while a notebook is graded")


def _sendable(text: str) -> str:
    return text[:500].encode("utf-8", "replace").decode()


def _line_of(error: BaseException, name: str) -> int:
    """The cell's line where it went wrong; 0 if unknown."""
    if isinstance(error, SyntaxError):
        return error.lineno or 0
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == name:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
