"""What an exercise is: its checks, the mistakes to name, and the right answers to accept.

An exercise is defined once, in `autograder/checks/<unit>/`, and used three times: by `check()` in
the student's notebook, by pytest on a submission, and by nbgrader. Its misconceptions serve twice:
as mutants that the checks must reject, and as models that the diagnosis compares a wrong answer
with.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from autograder.candidate import Call, Candidate

CheckFunction = Callable[[Candidate, np.random.Generator], None]
Sign = Callable[[Sequence[Call]], bool]


@dataclass(frozen=True)
class Check:
    """One property that a right answer has, as a function that raises when it does not hold.

    An edge check looks at extreme inputs only: an answer that fails nothing else gets half the
    points. A check with points of its own is a threshold: reached or not, it earns them by itself,
    as long as all checks without points hold.
    """

    name: str
    statement: str
    function: CheckFunction
    is_edge: bool = False
    points: float = 0.0


@dataclass(frozen=True)
class Artifact:
    """A file of trained weights that a student hands in beside the notebook.

    Attributes:
        file: Its name. In a folder of notebooks that are called after their students, the student's
            name and a dot stand before it.
        model: The architecture that is graded, built without arguments. It lives in a module of its
            own that needs nothing but torch: the jail gets that module's text.
    """

    file: str
    model: type[nn.Module]


@dataclass(frozen=True)
class Misconception:
    """A wrong implementation, with the sentence that tells its author what went wrong.

    Attributes:
        name: Short identifier, used in class reports.
        message: What the student seems to believe and why it is wrong, in one to three sentences.
        implementation: The wrong answer itself, called as the student's function is.
        sign: How the mistake shows in the recorded calls. Without one, the implementation is run on
            the same arguments and must give what the student's function gave.
    """

    name: str
    message: str
    implementation: Callable[..., Any]
    sign: Sign | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Exercise:
    """One graded function of one unit.

    Attributes:
        name: Name of the student's function; unique in the whole course.
        unit: Unit it belongs to, such as `"01_mixture_models"`.
        title: What the student builds, in a few words.
        points: Points for a right answer.
        difficulty: From 1 (one line) to 5.
        minutes: Time that a student who read the lecture needs.
        hints: Three texts: the principle, the place, nearly the code.
        reference: A right answer; lent to later exercises and used to describe differences.
        needs: Names of the exercises whose functions the student is expected to use here.
        deterministic: Whether two right answers agree number for number on the same arguments.
        prediction: Whether the answer is a number to commit to before it is computed.
        artifact: What is graded in place of the function: a file of weights. The checks then meet
            the rebuilt model that holds them, and reference, misconceptions and variants are
            functions that return weights. The answer cell, which trains, is never run.
        follow_up: What to say beside the verdict of a right answer, if anything.
    """

    name: str
    unit: str
    title: str
    points: int
    difficulty: int
    minutes: int
    hints: tuple[str, str, str]
    reference: Callable[..., Any]
    needs: tuple[str, ...] = ()
    deterministic: bool = True
    prediction: bool = False
    artifact: Artifact | None = None
    follow_up: str = ""
    checks: list[Check] = field(default_factory=list)
    misconceptions: list[Misconception] = field(default_factory=list)
    variants: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def check(self, function: CheckFunction) -> CheckFunction:
        """Add a check; its docstring's first paragraph is the property, as students read it."""
        return self._add(function, is_edge=False)

    def edge_check(self, function: CheckFunction) -> CheckFunction:
        """Add a check of extreme inputs, which costs half the points when it alone fails."""
        return self._add(function, is_edge=True)

    def threshold(self, *, points: float) -> Callable[[CheckFunction], CheckFunction]:
        """Add a check that earns points by itself, for answers that can be better or worse."""
        return lambda function: self._add(function, is_edge=False, points=points)

    def _add(self, function: CheckFunction, *, is_edge: bool, points: float = 0.0) -> CheckFunction:
        paragraph = (function.__doc__ or "").strip().split("\n\n")[0]
        statement = " ".join(paragraph.split()).rstrip(".")
        if not statement:
            raise ValueError(
                f"the check {function.__name__} of {self.name} has no docstring; write the "
                f"property "
                "it proves in its first paragraph, because students read it"
            )
        self.checks.append(Check(function.__name__, statement, function, is_edge, points))
        return function

    def misconception(self, message: str, *, sign: Sign | None = None) -> Callable:
        """Mark a wrong implementation: a mutant to reject and a mistake to name."""

        def register(implementation: Callable[..., Any]) -> Callable[..., Any]:
            name = implementation.__name__
            if any(known.name == name for known in self.misconceptions):
                raise ValueError(f"{self.name} has two misconceptions called {name}; rename one")
            self.misconceptions.append(Misconception(name, message, implementation, sign))
            return implementation

        return register

    def variant(self, implementation: Callable[..., Any]) -> Callable[..., Any]:
        """Mark a right implementation that is written in another way; the checks must accept it."""
        if implementation.__name__ in self.variants:
            raise ValueError(f"{self.name} has two variants called {implementation.__name__}")
        self.variants[implementation.__name__] = implementation
        return implementation
