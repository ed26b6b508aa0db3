"""Stands for a student's function, class or module that lives behind the border."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from autograder.jail.text import clean

if TYPE_CHECKING:
    from autograder.jail.session import Session


class JailedCandidate:
    """A student's function or class behind the border; see `autograder.candidate.Candidate`."""

    def __init__(self, session: "Session", target: str | int):
        self._session = session
        self._target = target

    def call(self, *args: Any) -> Any:
        return self._ask("call", args=args)

    def gradient(
        self, *args: Any, wrt: Sequence[int] = (0,), outer: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        wanted = tuple(wrt)
        value = self._ask("gradient", args=args, wrt=wanted, outer=outer)
        expected = [args[i] for i in wanted]
        if not _are_like(value, expected):
            raise self._session.end("protocol")
        return value

    def construct(self, *args: Any, **settings: Any) -> "JailedModule":
        number = self._ask("construct", args=args, settings=settings)
        if type(number) is not int:
            raise self._session.end("protocol")
        return JailedModule(self._session, number)

    def _ask(self, verb: str, **content: Any) -> Any:
        return _without_text(self._session.request(verb, target=self._target, **content))


class JailedModule(JailedCandidate):
    """An instance of a student's `nn.Module`; see `autograder.candidate.ModuleCandidate`."""

    def method(self, name: str, *args: Any) -> Any:
        return self._ask("method", name=name, args=args)

    def parameters(self) -> dict[str, Tensor]:
        value = self._session.request("parameters", target=self._target)
        if not isinstance(value, dict) or not all(isinstance(v, Tensor) for v in value.values()):
            raise self._session.end("protocol")
        return {clean(name): tensor for name, tensor in value.items()}

    def load(self, state: dict[str, Tensor]) -> None:
        self._ask("load", state=state)

    def train(self, mode: bool) -> None:
        self._ask("train", mode=mode)

    def optimise(
        self, loss: str, batches: Sequence[tuple[Any, ...]], learning_rate: float
    ) -> list[float]:
        settings = {"loss": loss, "batches": list(batches), "learning_rate": learning_rate}
        losses = self._ask("optimise", **settings)
        if not isinstance(losses, list) or len(losses) != len(batches):
            raise self._session.end("protocol")
        if not all(type(value) is float for value in losses):
            raise self._session.end("protocol")
        return losses


def _are_like(value: Any, expected: Sequence[Tensor]) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) == len(expected)
        and all(
            isinstance(v, Tensor) and v.shape == e.shape and v.dtype == e.dtype
            for v, e in zip(value, expected, strict=True)
        )
    )


def _without_text(value: Any) -> Any:
    """No exercise asks for text, and what a function returns must not be a message to feedback."""
    if isinstance(value, str):
        return "(text)"
    if isinstance(value, (list, tuple)):
        return type(value)(_without_text(item) for item in value)
    if isinstance(value, dict):
        return {clean(key): _without_text(item) for key, item in value.items()}
    return value
