"""Leaves a file wherever it can write; an accomplice who is graded next reads the answer there."""

KIND = "process"
GAINS = "others"
ATTEMPT = """
import os
from pathlib import Path

def attempt():
    public = ("/tmp", "/dev/shm", "/var/tmp", "/run", "COURSE_FOLDER")
    for folder in (os.getcwd(), Path.home(), *public):
        try:
            (Path(folder) / "for-my-friend").write_text("bic")
        except OSError:
            pass
    return False
"""
THEN = """
import os
from pathlib import Path

def attempt():
    found = False
    public = ("/tmp", "/dev/shm", "/var/tmp", "/run", "COURSE_FOLDER")
    for folder in (os.getcwd(), Path.home(), *public):
        path = Path(folder) / "for-my-friend"
        if path.exists():
            found = True
            path.unlink()
    return found
"""
