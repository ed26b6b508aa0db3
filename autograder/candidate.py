"""What a check may do with a student's code: call it, differentiate it, build it, ask it.

A check never holds a student's object. It sends plain values (numbers, strings, tensors, and
tuples, lists or dictionaries of them) and gets plain values back. `LocalCandidate` does this in the
same process, for `check()` in a notebook; a jailed grader answers the same verbs from another
process.
"""

import contextlib
import copy
import numbers
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from autograder.faults import FAULTS, AnswerError, safe_text
from autograder.guard import Guard, kept_apart
from autograder.smooth import is_about_slopes, smooth, with_slopes

MAX_QUESTION = 20_000  # numbers in one question: what is answered may take their square in memory
Apart = Callable[[int], contextlib.AbstractContextManager[None]]


@dataclass(frozen=True)
class Seed:
    """An argument that reaches the student's function as a seeded `torch.Generator`.

    Attributes:
        value: Its seed.
        used: Whether numbers were drawn from it before, as in a second call with one generator.
            An answer that seeds anew, from `generator.initial_seed()`, repeats the first call.
    """

    value: int
    used: bool = False


@dataclass
class Oracle:
    """A callable argument: the student's code asks, the check answers, counts and inspects.

    Attributes:
        function: Answers a question; gets and returns plain values.
        questions: Arguments of every call so far.
        differentiable: Whether the student's autograd goes through it; see `smooth_oracle`.
    """

    function: Callable[..., Any]
    questions: list[tuple[Any, ...]] = field(default_factory=list)
    differentiable: bool = False

    def answer(self, *args: Any) -> Any:
        question = tuple(to_plain(value, "an argument of the oracle") for value in args)
        refuse_long_question(question)
        if not (self.differentiable and is_about_slopes(question)):
            self.questions.append(question)
        return to_plain(self.function(*copy.deepcopy(question)), "the oracle's answer")


def smooth_oracle(function: Callable[..., Tensor]) -> Oracle:
    """An oracle that autograd goes through; `function` gives one tensor, by torch operations."""
    return Oracle(with_slopes(function), differentiable=True)


@dataclass(frozen=True)
class Call:
    """A request that a check made, and its outcome: a plain value or the error it ended in."""

    verb: str
    args: tuple[Any, ...]
    options: dict[str, Any]
    value: Any = None
    error: Exception | None = None

    @property
    def error_text(self) -> str:
        """All that is known about the error; empty without one."""
        return getattr(self.error, "text", str(self.error or ""))


class Candidate(Protocol):
    """The verbs of a student's function or class."""

    def call(self, *args: Any) -> Any:
        """Value of the function at these arguments."""

    def gradient(
        self, *args: Any, wrt: Sequence[int] = (0,), outer: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """Gradient of the sum of the function's value with respect to the arguments at `wrt`.

        With `outer`, of the sum of value times `outer`: rows of the Jacobian, for unit vectors.
        """

    def construct(self, *args: Any, **settings: Any) -> "ModuleCandidate":
        """An instance of the student's `nn.Module` class."""


class ModuleCandidate(Candidate, Protocol):
    """The verbs of a module that a student's class built; `call` is its `forward`."""

    def method(self, name: str, *args: Any) -> Any:
        """Value of another method."""

    def parameters(self) -> dict[str, Tensor]:
        """Copies of the parameters by name."""

    def load(self, state: dict[str, Tensor]) -> None:
        """Replace parameters and buffers."""

    def train(self, mode: bool) -> None:
        """Switch between training and evaluation."""

    def optimise(
        self, loss: str, batches: Sequence[tuple[Any, ...]], learning_rate: float
    ) -> list[float]:
        """Take a step of Adam for each batch on the method `loss`; returns the losses."""


def to_plain(value: Any, what: str = "your function's result") -> Any:
    """A copy of `value` made of plain values only; tensors are detached and on the CPU.

    Python's integers know no limit: those beyond 64 bits become floats.

    Raises:
        AnswerError: If `value` holds anything else.
    """
    if isinstance(value, Tensor):
        return torch.Tensor.detach(value).cpu().clone()
    if isinstance(value, (np.ndarray, np.generic)):
        if value.dtype.kind not in "biufc":
            shown = f"{what} is an array of {value.dtype}; return numbers"
            raise AnswerError("no_number", shown=shown)
        return torch.tensor(np.ascontiguousarray(value)).reshape(value.shape)
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, numbers.Integral):
        return _whole_number(int(value))
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, (tuple, list)):
        items = [to_plain(item, what) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, dict):
        return {str(key): to_plain(item, what) for key, item in value.items()}
    kind = type(value).__name__[:80]
    shown = f"{what} is a {kind}; return tensors or numbers, or a tuple of them"
    raise AnswerError("no_number", shown=shown)


class LongQuestion(ValueError):
    """A question to one of the grader's functions that holds too many numbers."""


def refuse_long_question(question: Any) -> None:
    """Raise LongQuestion if a question holds too many numbers."""
    if (size := count_numbers(question)) > MAX_QUESTION:
        raise LongQuestion(
            f"the function was asked about {size} numbers at once; ask about {MAX_QUESTION} at "
            "most, in several calls if need be"
        )


def count_numbers(value: Any) -> int:
    """How many numbers a plain value holds; what holds none counts as one."""
    if isinstance(value, Tensor):
        return max(1, value.numel())
    if isinstance(value, (list, tuple)):
        return max(1, sum(map(count_numbers, value)))
    if isinstance(value, dict):
        return max(1, sum(map(count_numbers, value.values())))
    return 1


def _whole_number(value: int) -> int | float:
    """An integer of more digits than a tensor can hold becomes a float, which may be infinite."""
    if -(2**63) <= value < 2**63:
        return value
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def to_student(value: Any) -> Any:
    """What the student's code receives for a check's argument: its own copy."""
    if isinstance(value, Seed):
        generator = torch.Generator().manual_seed(value.value)
        if value.used:
            torch.rand(1000, generator=generator)
        return generator
    if isinstance(value, Oracle):
        return smooth(value.answer) if value.differentiable else value.answer
    if isinstance(value, Tensor):
        return value.clone()
    return copy.deepcopy(value)


def same_plain(left: Any, right: Any) -> bool:
    """Whether two plain values are identical, NaN counted as equal to NaN."""
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        if left.shape != right.shape or left.dtype != right.dtype:
            return False
        return torch.equal(left, right) or _same_with_nan(left, right)
    if isinstance(left, (tuple, list)) and isinstance(right, (tuple, list)):
        return len(left) == len(right) and all(map(same_plain, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_plain(left[k], right[k]) for k in left)
    return type(left) is type(right) and (left == right or left != left)


class LocalCandidate:
    """A student's function or class in this very process: for self-checks, not for hostile code."""

    def __init__(self, target: Callable[..., Any], apart: Apart | None = None):
        self._target = target
        self._apart = apart or kept_apart
        self._count = 0

    def call(self, *args: Any) -> Any:
        given = [to_student(value) for value in args]
        with self._guarded():
            result = self._target(*given)
        _refuse_changed_arguments(args, given)
        return to_plain(result)

    def gradient(
        self, *args: Any, wrt: Sequence[int] = (0,), outer: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        given = [to_student(value) for value in args]
        leaves = [given[index].requires_grad_() for index in wrt]
        with self._guarded(), torch.enable_grad():
            result = self._target(*given)
            if not isinstance(result, Tensor) or not result.requires_grad:
                raise AnswerError("no_gradient")
            total = result.sum() if outer is None else (result * outer).sum()
            gradients = torch.autograd.grad(total, leaves, allow_unused=True)
        return tuple(
            torch.zeros_like(leaf) if gradient is None else to_plain(gradient)
            for leaf, gradient in zip(leaves, gradients, strict=True)
        )

    def construct(self, *args: Any, **settings: Any) -> "LocalModule":
        with self._guarded():
            module = self._target(*map(to_student, args), **copy.deepcopy(settings))
        if not isinstance(module, torch.nn.Module):
            shown = f"your class built a {type(module).__name__[:80]}; make it an nn.Module"
            raise AnswerError("no_module", shown=shown)
        return LocalModule(module, self._apart)

    def _guarded(self) -> contextlib.AbstractContextManager[None]:
        # another state of torch's own generator for each request: an answer that draws from it
        # instead of the generator it was given must show
        self._count += 1
        return Guard(self._target, self._apart(self._count))


class LocalModule(LocalCandidate):
    """An instance of a student's `nn.Module` in this process."""

    def __init__(self, module: torch.nn.Module, apart: Apart | None = None):
        super().__init__(module, apart)
        self._module = module

    def method(self, name: str, *args: Any) -> Any:
        bound = getattr(self._module, name, None)
        if not callable(bound):
            raise AnswerError("no_method", shown=f"your class has no method called {name}")
        candidate = LocalCandidate(bound, self._apart)
        self._count = candidate._count = self._count + 1  # chance goes on from request to request
        return candidate.call(*args)

    def parameters(self) -> dict[str, Tensor]:
        return {name: to_plain(value) for name, value in self._module.named_parameters()}

    def load(self, state: dict[str, Tensor]) -> None:
        try:
            self._module.load_state_dict(state)
        except RuntimeError as error:
            shown = f"{FAULTS['weights_do_not_fit']}: {safe_text(error)}"
            raise AnswerError("weights_do_not_fit", shown=shown) from None

    def train(self, mode: bool) -> None:
        self._module.train(mode)

    def optimise(
        self, loss: str, batches: Sequence[tuple[Any, ...]], learning_rate: float
    ) -> list[float]:
        optimiser = torch.optim.Adam(self._module.parameters(), lr=learning_rate)
        losses = []
        for batch in batches:
            given = [to_student(value) for value in batch]
            with self._guarded(), torch.enable_grad():
                optimiser.zero_grad()
                value = getattr(self._module, loss)(*given)
                if not isinstance(value, Tensor) or not value.requires_grad:
                    raise AnswerError("no_gradient")
                value.backward()
                optimiser.step()
            losses.append(value.item())
        return losses


def _refuse_changed_arguments(sent: Sequence[Any], given: Sequence[Any]) -> None:
    for position, (before, after) in enumerate(zip(sent, given, strict=True), start=1):
        if isinstance(before, (Seed, Oracle)):
            continue
        if not same_plain(before, after):
            raise AnswerError("changed_argument", position)


def _same_with_nan(left: Tensor, right: Tensor) -> bool:
    return bool(((left == right) | ((left != left) & (right != right))).all())
