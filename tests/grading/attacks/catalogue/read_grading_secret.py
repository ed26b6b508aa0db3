"""Reads the key from which the grader draws its seeds."""

KIND = "disk"
GAINS = "secret"
ATTEMPT = """
from pathlib import Path

def attempt():
    places = [Path("COURSE_FOLDER"), Path.home(), Path.cwd(), *Path.cwd().parents]
    return any((place / ".autograder" / "secret").read_bytes() for place in places
               if (place / ".autograder").exists())
"""
