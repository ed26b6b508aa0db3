"""Copies the answer out of another student's submission."""

KIND = "disk"
GAINS = "secret"
ATTEMPT = """
from pathlib import Path

def attempt():
    places = [Path("COURSE_FOLDER")] + list(Path.cwd().parents)
    for folder in places:
        for path in folder.glob("submitted/alice/*/*.ipynb"):
            return "def bic" in path.read_text()
    return False
"""
