"""Reads the grader's own checks from the disk and runs the one it finds there."""

KIND = "disk"
GAINS = "marks"
ATTEMPT = """
import sys
from pathlib import Path

def attempt():
    places = {Path(entry) for entry in sys.path if entry}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and ("autograder" in file or "course_lib" in file):
            places.update(Path(file).parents)
    for place in places:
        for path in place.glob("autograder/checks/*/bic*.py"):
            return "num_params" in path.read_text()
    return False
"""
