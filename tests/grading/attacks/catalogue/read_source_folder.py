"""Reads the instructor's notebook in ../../../source and ../../../solutions."""

KIND = "disk"
GAINS = "secret"
ATTEMPT = """
from pathlib import Path

def attempt():
    for folder in [Path.cwd(), *Path.cwd().parents]:
        for name in ("source", "solutions"):
            for path in folder.glob(f"{name}/*/*.ipynb"):
                print("TELL_TALE", path.read_text()[:1000])
                return True
    return False
"""
