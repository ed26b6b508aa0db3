"""How much a student's code may use."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on one submission; what goes beyond them ends the process.

    Attributes:
        seconds_per_call: For one request, such as a call of the student's function or one cell.
        seconds_per_exercise: For all requests of an exercise's checks.
        seconds_per_submission: For everything.
        memory_mb: Beyond what the libraries take.
        disk_mb: For files in its working folder, which is memory.
        questions: That a function given as an argument answers, for one exercise.
    """

    seconds_per_call: float = 10.0
    seconds_per_exercise: float = 30.0
    seconds_per_submission: float = 120.0
    memory_mb: int = 1024
    disk_mb: int = 32
    questions: int = 100_000

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not value > 0:
                raise ValueError(f"{name} is {value}; expected a positive number")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
