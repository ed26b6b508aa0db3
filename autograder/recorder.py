"""Keeps what the checks asked and what the answer gave, for the diagnosis."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from autograder.candidate import Call, Candidate


class Recorder:
    """Passes requests on to a candidate and keeps every one, for the diagnosis."""

    def __init__(self, candidate: Candidate, calls: list[Call] | None = None):
        self._candidate = candidate
        self.calls: list[Call] = [] if calls is None else calls

    def call(self, *args: Any) -> Any:
        return self._record("call", args, {})

    def gradient(
        self, *args: Any, wrt: Sequence[int] = (0,), outer: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        return self._record("gradient", args, {"wrt": wrt, "outer": outer})

    def construct(self, *args: Any, **settings: Any) -> "ModuleRecorder":
        """The module's own requests join the list; its kept value is None, for it is not plain."""
        return ModuleRecorder(self._record("construct", args, settings), self.calls)

    def _record(self, verb: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        try:
            value = getattr(self._candidate, verb)(*args, **options)
        except Exception as error:
            self.calls.append(Call(verb, args, options, error=error))
            raise
        kept = None if verb == "construct" else value
        self.calls.append(Call(verb, args, options, value=kept))
        return value


class ModuleRecorder(Recorder):
    """The same for a module that was built: its arguments are kept as the verbs take them.

    A module's answers depend on its random start, so its mistakes are known by signs, not by
    replaying the requests on a wrong implementation.
    """

    def method(self, name: str, *args: Any) -> Any:
        return self._record("method", (name, *args), {})

    def parameters(self) -> dict[str, Tensor]:
        return self._record("parameters", (), {})

    def load(self, state: dict[str, Tensor]) -> None:
        self._record("load", (state,), {})

    def train(self, mode: bool) -> None:
        self._record("train", (mode,), {})

    def optimise(
        self, loss: str, batches: Sequence[tuple[Any, ...]], learning_rate: float
    ) -> list[float]:
        return self._record("optimise", (loss, batches, learning_rate), {})
