"""Runs an exercise's checks on a candidate and sums up what they found."""

import secrets
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from autograder import registry
from autograder.candidate import Candidate
from autograder.diagnosis import Diagnosis, diagnose
from autograder.exercise import Check, Exercise
from autograder.expect import Failure
from autograder.faults import AnswerError, NotAttempted
from autograder.recorder import ModuleRecorder, Recorder

RIGHT, WRONG, NOT_ATTEMPTED = "right", "wrong", "not attempted"


@dataclass(frozen=True)
class Finding:
    """What one check found: the property it proves, and what went wrong (empty if nothing)."""

    statement: str
    problem: str = ""
    is_edge: bool = False
    points: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """Outcome of one exercise.

    Attributes:
        exercise: The exercise.
        outcome: `"right"`, `"wrong"` or `"not attempted"`.
        findings: One for each check that ran.
        diagnosis: The mistake that explains a wrong answer, as far as one was found.
        seed: Reproduces the inputs: `examine(exercise, candidate, seed)`.
        prediction: The number that the student committed to, where the exercise asks for one.
        lent: Names of the earlier exercises whose references the grader lent, because the
            student's own answers to them failed.
    """

    exercise: Exercise
    outcome: str
    findings: tuple[Finding, ...]
    diagnosis: Diagnosis | None
    seed: int
    prediction: float | None = None
    lent: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """All for a right answer, half for one that is right except at the edges.

        Where checks are thresholds: the points of those that are reached, if nothing else fails.
        """
        if self.outcome == RIGHT:
            return self.exercise.points
        if any(finding.points for finding in self.findings):
            failed = any(f.problem and not f.points for f in self.findings)
            return 0 if failed else sum(f.points for f in self.findings if not f.problem)
        return self.exercise.points / 2 if self.is_nearly_right else 0

    @property
    def is_nearly_right(self) -> bool:
        """Whether only checks of extreme inputs fail."""
        failed = [finding for finding in self.findings if finding.problem]
        return self.outcome == WRONG and bool(failed) and all(f.is_edge for f in failed)

    def to_json(self) -> dict[str, Any]:
        """Plain data for reports: what happened, and which misconception explains it."""
        return {
            "exercise": self.exercise.name,
            "unit": self.exercise.unit,
            "outcome": self.outcome,
            "points": self.points,
            "max_points": self.exercise.points,
            "findings": [asdict(finding) for finding in self.findings],
            "misconception": self.diagnosis.name if self.diagnosis else None,
            "message": self.diagnosis.message if self.diagnosis else None,
            "seed": self.seed,
            "prediction": self.prediction,
            "lent": list(self.lent),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Verdict":
        """The verdict that `to_json` wrote, if its exercise still exists."""
        message, name = data["message"], data["misconception"]
        return cls(
            exercise=registry.find(data["exercise"]),
            outcome=data["outcome"],
            findings=tuple(Finding(**finding) for finding in data["findings"]),
            diagnosis=Diagnosis(message, name) if message else None,
            seed=data["seed"],
            prediction=data["prediction"],
            lent=tuple(data["lent"]),
        )


def examine(exercise: Exercise, candidate: Candidate, seed: int | None = None) -> Verdict:
    """Run every check of an exercise on a candidate, then look for the mistake behind a failure.

    Args:
        exercise: What to check.
        candidate: The student's answer.
        seed: Seed of the inputs; fresh from the operating system without one.
    """
    seed = secrets.randbits(32) if seed is None else seed
    recorder = (ModuleRecorder if exercise.artifact else Recorder)(candidate)
    findings = []
    for position, check in enumerate(exercise.checks):
        try:
            findings.append(_run(check, recorder, np.random.default_rng([seed, position])))
        except NotAttempted:
            return Verdict(exercise, NOT_ATTEMPTED, (), None, seed)
    failed = any(finding.problem for finding in findings)
    diagnosis = diagnose(exercise, recorder.calls) if failed else None
    prediction = None
    if exercise.prediction and not failed:
        prediction = float(recorder.calls[-1].value)
    outcome = WRONG if failed else RIGHT
    return Verdict(exercise, outcome, tuple(findings), diagnosis, seed, prediction)


def _run(check: Check, candidate: Candidate, rng: np.random.Generator) -> Finding:
    try:
        check.function(candidate, rng)
    except (Failure, AnswerError) as error:
        problem = str(error)
    except NotAttempted:
        raise
    except Exception as error:  # an answer so odd that the check itself stumbles is still an answer
        problem = f"the check could not read your answer ({type(error).__name__})"
    else:
        problem = ""
    return Finding(check.statement, problem, check.is_edge, check.points)
