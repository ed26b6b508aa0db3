"""Verdicts on disk: written one by one as they are found, so that a stopped run can go on."""

import contextlib
import hashlib
import json
import os
from pathlib import Path

from autograder.grading import SubmissionVerdict

WHAT_COUNTS = ("unit", "digest", "suite", "key", "tier", "limits")


class VerdictCache:
    """One file for each verdict, named after all that it depends on.

    Students with the same answers share one, and a verdict of other checks, limits, tier or secret
    is never taken for this one.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path_of(self, verdict: SubmissionVerdict) -> Path:
        """Where the verdict on the same submission, found under the same conditions, lies."""
        parts = json.dumps([getattr(verdict, name) for name in WHAT_COUNTS], sort_keys=True)
        return self._folder / f"{hashlib.sha256(parts.encode()).hexdigest()[:32]}.json"

    def find(self, blank: SubmissionVerdict) -> SubmissionVerdict | None:
        """The verdict found before for what `blank` names, if there is one.

        A file that is damaged, or holds another verdict than its name says, is as good as none.
        """
        path = self.path_of(blank)
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            found = read_verdict(path)
            if self.path_of(found) == path:
                return found
        return None

    def save(self, verdict: SubmissionVerdict) -> None:
        """Write the verdict, whole or not at all."""
        write_whole(self.path_of(verdict), verdict.to_bytes())


def read_verdict(path: Path) -> SubmissionVerdict:
    """The verdict in a file.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it holds no verdict of this version.
        LookupError: If a part is missing, or an exercise exists no more.
    """
    return SubmissionVerdict.from_json(json.loads(path.read_bytes()))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a run after a crash, finds all of it or the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(path)
