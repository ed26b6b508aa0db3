"""Tests the checks: every misconception must be rejected and named, every variant accepted."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from autograder import registry
from autograder.artifact import local_candidate
from autograder.exercise import Exercise, Misconception
from autograder.verdict import RIGHT, examine

NAMED_SHARE = 0.99


@dataclass
class Row:
    """Counts for one exercise, and what went wrong in words."""

    unit: str
    exercise: str
    mutants: int
    variants: int
    killed: int = 0
    named: int = 0
    rejected: int = 0
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, str | int]:
        keys = ("unit", "exercise", "mutants", "killed", "named", "variants", "rejected")
        return {key: asdict(self)[key] for key in keys}


def measure(exercise: Exercise, seeds: Iterable[int] = range(3)) -> Row:
    """Run the bank of one exercise.

    A mutant counts as killed if the checks reject it on every seed, and as named if the diagnosis
    finds it every time. A variant counts as rejected if any seed rejects it.
    """
    seeds = list(seeds)
    variants = {"reference": exercise.reference, **exercise.variants}
    row = Row(exercise.unit, exercise.name, len(exercise.misconceptions), len(variants))
    for misconception in exercise.misconceptions:
        _count_mutant(row, exercise, misconception, seeds)
    for name, implementation in variants.items():
        for seed in seeds:
            verdict = examine(exercise, local_candidate(exercise, implementation), seed)
            if verdict.outcome != RIGHT:
                row.rejected += 1
                problems = "; ".join(f.problem for f in verdict.findings if f.problem)
                row.problems.append(f"variant {name} is rejected (seed {seed}): {problems}")
                break
    return row


def passes(rows: Iterable[Row]) -> bool:
    """All mutants killed, at least 99 % of them named, no variant rejected."""
    rows = list(rows)
    mutants = sum(row.mutants for row in rows)
    return (
        all(row.killed == row.mutants and row.rejected == 0 for row in rows)
        and sum(row.named for row in rows) >= NAMED_SHARE * mutants
    )


def exercises_of(unit: str | None) -> list[Exercise]:
    """The exercises of one unit, or of all."""
    chosen = [unit] if unit else registry.units()
    return [exercise for name in chosen for exercise in registry.exercises(name)]


def _count_mutant(
    row: Row, exercise: Exercise, misconception: Misconception, seeds: list[int]
) -> None:
    candidate = local_candidate(exercise, misconception.implementation)
    verdicts = [examine(exercise, candidate, seed) for seed in seeds]
    survived = [verdict.seed for verdict in verdicts if verdict.outcome == RIGHT]
    found = [verdict.diagnosis.name if verdict.diagnosis else None for verdict in verdicts]
    row.killed += not survived
    row.named += found == [misconception.name] * len(seeds)
    if survived:
        row.problems.append(f"misconception {misconception.name} survives (seeds {survived})")
    elif set(found) != {misconception.name}:
        others = ", ".join(sorted({str(name) for name in found}))
        row.problems.append(f"misconception {misconception.name} is diagnosed as {others}")
