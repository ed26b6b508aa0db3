"""The grader's side of one run of student code: execute cells, then ask for values.

A `Session` is one forked, confined process. Its `candidate` and what that constructs answer the
verbs that checks use. Every request has a deadline and a nonce and gets exactly one reply;
anything else ends the process, and all later requests fail with the reason.
"""

import builtins
import copy
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from autograder.candidate import LongQuestion, Oracle, count_numbers, refuse_long_question, to_plain
from autograder.faults import FAULTS, AnswerError, NotAttempted
from autograder.jail import wire
from autograder.jail.lent import answer_lent
from autograder.jail.limits import Limits
from autograder.jail.proxy import JailedCandidate
from autograder.jail.text import clean, label

ENDINGS = {
    "time": "your code took longer than {} seconds",
    "exercise_time": "the calls of your function took longer than {} seconds together",
    "submission_time": "the cells and calls of this notebook took longer than {} seconds together",
    "ended": "your code ended its process: it exited, crashed, or used more than {} MB of memory",
    "protocol": "your code wrote to the grader's own channel, which ends the run",
    "too_much": "the results of your function have more than {} numbers together",
    "questions": "your code asked a function that it was given more than {} times",
}
OTHER_FAULTS = {
    "missing": "there is no function of this name in your notebook",
    "too_large": "your function's result has too many numbers, or parts that are nested too deep",
    "unusual": "your function's result holds numbers of a kind that cannot be read (complex128, "
    "sparse, quantised, …); return float64, float32 or integers",
}
MAX_CELL = 200_000  # bytes
MAX_NUMBERS = 5_000_000  # in all that is received for an exercise
KNOWN_ERRORS = frozenset(
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
) | {"LinAlgError", "OutOfMemoryError"}


@dataclass(frozen=True)
class CellError:
    """How a cell failed; `kind` and `text` are the student's, so escape them."""

    kind: str
    text: str
    line: int

    def __str__(self) -> str:
        place = f" (line {self.line} of the cell)" if self.line else ""
        return f"{self.kind}: {self.text}{place}" if self.text else f"{self.kind}{place}"


@dataclass
class _Clock:
    """Deadlines, as times of `time.monotonic`."""

    limits: Limits
    submission: float
    exercise: float = field(default=0.0)

    def deadline(self) -> float:
        now = time.monotonic()
        return min(now + self.limits.seconds_per_call, self.exercise, self.submission)

    def start_exercise(self) -> None:
        self.exercise = time.monotonic() + self.limits.seconds_per_exercise

    def which(self) -> tuple[str, float]:
        now = time.monotonic()
        if now >= self.submission:
            return "submission_time", self.limits.seconds_per_submission
        if now >= self.exercise:
            return "exercise_time", self.limits.seconds_per_exercise
        return "time", self.limits.seconds_per_call


class Session:
    """One process with student code. Use it as a context manager.

    Attributes:
        used: Names of the lent functions that the student's code called.
    """

    def __init__(
        self,
        connection: socket.socket,
        kill: Callable[[], None],
        limits: Limits,
        submission_deadline: float,
    ):
        self._connection = connection
        self._kill = kill
        self._limits = limits
        self._clock = _Clock(limits, submission_deadline)
        self._ending: tuple[str, Any] | None = None
        self._oracles: list[Oracle] = []
        self._lent: dict[str, Callable[..., Any]] = {}
        self._questions = 0
        self.used: set[str] = set()
        self.start_exercise()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_over(self) -> bool:
        """Whether the process is gone, so that every further request fails."""
        return self._ending is not None

    def start_exercise(self) -> None:
        """Begin an exercise: its time and its questions count from now."""
        self._clock.start_exercise()
        self._questions = 0
        self._numbers = 0
        self._oracles.clear()

    def execute(self, name: str, source: str) -> CellError | None:
        """Run a cell; returns how it failed, if it did.

        Raises:
            AnswerError: If the process did not survive it.
        """
        length = len(source.encode("utf-8", "backslashreplace"))
        if length > MAX_CELL:
            text = f"the cell has {length} bytes; at most {MAX_CELL} are run"
            return CellError("Too long", text, 0)
        try:
            error = self.request("execute", name=label(name), source=source)
        except NotAttempted:
            raise self.end("protocol") from None
        if error is None:
            return None
        if not isinstance(error, dict) or error.keys() != {"kind", "text", "line"}:
            raise self.end("protocol")
        line = error["line"]
        in_cell = type(line) is int and 0 <= line <= source.count("\n") + 1
        return CellError(clean(error["kind"])[:80], clean(error["text"]), line if in_cell else 0)

    def candidate(self, name: str) -> JailedCandidate:
        """The student's function or class of that name."""
        return JailedCandidate(self, name)

    def lend(self, name: str, function: Callable[..., Any]) -> None:
        """Replace a function of the student's by one that the grader answers."""
        self._lent[name] = function
        try:
            self.request("lend", name=name)
        except NotAttempted:
            raise self.end("protocol") from None

    def request(self, verb: str, **content: Any) -> Any:
        """One request and its reply, with the questions in between.

        Raises:
            AnswerError: If the student's code fails, or its process has ended.
            NotAttempted: If the function raises NotImplementedError.
        """
        if self._ending:
            raise self._end_error()
        nonce = secrets.token_hex(8)
        try:
            frame = wire.pack(nonce, self._with_references({"verb": verb} | content))
        except wire.WireError as error:
            raise AnswerError(
                "unsendable", shown=f"your code cannot be given this: {error}"
            ) from None
        try:
            reply = self._exchange(nonce, frame)
        except wire.TooLate:
            raise self.end(*self._clock.which()) from None
        except wire.Closed:
            raise self.end("ended", self._limits.memory_mb) from None
        except wire.WireError:
            raise self.end("protocol") from None
        return self._value_of(reply)

    def end(self, reason: str, detail: Any = "") -> AnswerError:
        """Kill the process; returns the error that says why."""
        if self._ending is None:
            self._ending = (reason, detail)
            self._kill()
        return self._end_error()

    def close(self) -> None:
        """Kill the process and hang up."""
        if self._connection.fileno() >= 0:
            self.end("closed")
            self._connection.close()

    def _exchange(self, nonce: str, frame: bytes) -> dict[str, Any]:
        fd, deadline = self._connection.fileno(), self._clock.deadline()
        if wire.has_input(fd):  # nobody asked: the process has died, or forges replies
            wire.receive(fd, deadline)
            raise wire.WireError("a frame that nobody asked for")
        wire.write(fd, frame, deadline)
        while True:
            reply_nonce, reply = wire.receive(fd, deadline)
            self._count(reply)
            if reply_nonce != nonce or not isinstance(reply, dict):
                raise wire.WireError("a reply to something else")
            if reply.keys() != {"question"}:
                return reply
            wire.send(fd, nonce, self._answer(reply["question"]), deadline)

    def _value_of(self, reply: dict[str, Any]) -> Any:
        if reply.keys() == {"value"}:
            return reply["value"]
        if reply.keys() != {"fault", "detail", "text"}:
            raise self.end("protocol")
        code, text = reply["fault"], clean(reply["text"])
        if type(code) is not str:
            raise self.end("protocol")
        if code == "not_attempted":
            raise NotAttempted
        if code in OTHER_FAULTS:
            raise AnswerError(code, shown=OTHER_FAULTS[code], text=text)
        if code not in FAULTS:
            raise self.end("protocol")
        raise AnswerError(code, _safe_detail(reply["detail"]), text=text)

    def _with_references(self, request: dict[str, Any]) -> dict[str, Any]:
        args = request.get("args")
        if args is None or not any(isinstance(value, Oracle) for value in args):
            return request
        first = len(self._oracles)
        self._oracles += [value for value in args if isinstance(value, Oracle)]
        numbers = iter(range(first, len(self._oracles)))
        return request | {
            "args": tuple(
                wire.OracleReference(next(numbers), value.differentiable)
                if isinstance(value, Oracle)
                else value
                for value in args
            )
        }

    def _answer(self, question: Any) -> dict[str, Any]:
        self._questions += 1
        if self._questions > self._limits.questions:
            raise self.end("questions", self._limits.questions)
        if not isinstance(question, dict) or not isinstance(question.get("args"), tuple):
            raise wire.WireError("a question without arguments")
        try:
            return {"value": self._reply_to(question)}
        except wire.WireError:
            raise
        except LongQuestion as error:
            return {"refused": str(error)}
        except Exception as error:  # odd arguments: the student's code gets an error, not ours
            return {"refused": f"the function could not be asked this ({type(error).__name__})"}

    def _reply_to(self, question: dict[str, Any]) -> Any:
        args = question["args"]
        if question.keys() == {"oracle", "args"}:
            number = question["oracle"]
            if type(number) is not int or not 0 <= number < len(self._oracles):
                raise wire.WireError("an unknown oracle")
            return self._oracles[number].answer(*args)
        name = question.get("lent", question.get("pullback"))
        if not isinstance(name, str) or name not in self._lent:
            raise wire.WireError("nothing of this name was lent")
        refuse_long_question(question)
        self.used.add(name)
        return to_plain(answer_lent(self._lent[name], copy.deepcopy(question)))

    def _count(self, reply: Any) -> None:
        """What is received is kept for the diagnosis; together it must fit the grader's memory."""
        self._numbers += count_numbers(reply)
        if self._numbers > MAX_NUMBERS:
            raise self.end("too_much", MAX_NUMBERS)

    def _end_error(self) -> AnswerError:
        reason, detail = self._ending
        shown = ENDINGS.get(reason, "the run is over")
        detail = f"{detail:g}" if isinstance(detail, (int, float)) else detail
        return AnswerError(reason, shown=shown.format(detail))


def _safe_detail(detail: Any) -> str | int:
    """The exception's class if it is a known one, or the argument's number."""
    if type(detail) is int and 0 < detail < 20:
        return detail
    if detail == "":
        return ""
    known = type(detail) is str and detail in KNOWN_ERRORS
    return detail if known else "an error of its own kind"
