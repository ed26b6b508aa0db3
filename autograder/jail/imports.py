"""What graded code may import of the course: data and figures, not what holds its answers."""

import contextlib
import importlib.abc
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

OPEN = ("course_lib.data", "course_lib.plots")
REASON = (
    "{name} cannot be imported while your notebook is graded: it holds answers. "
    "Answer with your own functions; of course_lib, {open} can be used"
)


class ClosedImports(importlib.abc.MetaPathFinder):
    """Refuses the course's own modules, with the reason, before any other finder is asked."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> None:
        top = fullname.partition(".")[0]
        if top in ("course_lib", "autograder", "solutions"):
            raise _refusal(fullname)


def close_imports() -> None:
    """From now on this process imports nothing that holds answers.

    `autograder` becomes a stand-in whose `check`, `hint` and `when_answered` do nothing: set-up
    cells import them. What was imported before stays usable, but only `OPEN` stays in reach.
    """
    for name in list(sys.modules):
        if name.partition(".")[0] == "autograder":
            del sys.modules[name]
    sys.modules["autograder"] = _stand_in()
    sys.meta_path.insert(0, ClosedImports())


def _stand_in() -> ModuleType:
    module = ModuleType("autograder", "A stand-in while a notebook is graded.")
    module.check = module.hint = lambda answer: None
    module.when_answered = _when_answered
    module.__path__ = []  # so that its modules are looked for, and refused with the reason
    module.__getattr__ = _refuse_attribute
    return module


def _refuse_attribute(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise _refusal(f"autograder.{name}")


def _refusal(name: str) -> ImportError:
    return ImportError(REASON.format(name=name, open=" and ".join(OPEN)), name=name)


@contextlib.contextmanager
def _when_answered(answer: Any) -> Iterator[None]:
    with contextlib.suppress(NotImplementedError):
        yield
