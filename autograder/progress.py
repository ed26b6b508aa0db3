"""What a student has tried so far, so that hints open step by step and predictions stay committed.

Kept as one JSON object a line in `.autograder/attempts.jsonl` beside the notebook. A folder that
cannot be written is no reason to refuse a check: the attempts then live as long as the kernel.
"""

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autograder.verdict import NOT_ATTEMPTED, Verdict

LOG = Path(".autograder") / "attempts.jsonl"


class Progress:
    """The log of one working folder."""

    def __init__(self, path: Path = LOG):
        self._path = path
        self._entries = _read(path)

    def record(self, verdict: Verdict) -> None:
        """Add one attempt; an unattempted exercise is no attempt."""
        if verdict.outcome != NOT_ATTEMPTED:
            self._append(verdict.to_json())

    def record_hint(self, exercise: str, level: int) -> None:
        """Add that a hint was read."""
        self._append({"exercise": exercise, "hint": level})

    def attempts(self, exercise: str) -> int:
        """How often this exercise was answered wrong or right so far."""
        return sum("outcome" in entry for entry in self._of(exercise))

    def first_prediction(self, exercise: str) -> float | None:
        """The number committed to first; later ones do not replace it."""
        predictions = (entry.get("prediction") for entry in self._of(exercise))
        return next((value for value in predictions if value is not None), None)

    def hints_read(self, exercise: str) -> int:
        """The highest hint level read so far, 0 if none."""
        return max((entry.get("hint", 0) for entry in self._of(exercise)), default=0)

    def _of(self, exercise: str) -> list[dict[str, Any]]:
        return [entry for entry in self._entries if entry.get("exercise") == exercise]

    def _append(self, entry: dict[str, Any]) -> None:
        entry["time"] = datetime.now(UTC).isoformat(timespec="seconds")
        self._entries.append(entry)
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(exist_ok=True)
            with self._path.open("a", encoding="utf-8") as log:
                log.write(json.dumps(entry) + "\n")


def _read(path: Path) -> list[dict[str, Any]]:
    """The entries of a log; lines that a crash or an editor spoilt are passed over."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    entries = []
    for line in lines:
        with contextlib.suppress(json.JSONDecodeError):
            entry = json.loads(line)
            if isinstance(entry, dict):
                entries.append(entry)
    return entries
