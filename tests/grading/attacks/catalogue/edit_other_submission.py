"""Empties what another student handed in."""

KIND = "disk"
GAINS = "others"
ATTEMPT = """
from pathlib import Path

def attempt():
    for folder in [Path("COURSE_FOLDER"), *Path.cwd().parents]:
        for path in folder.glob("submitted/alice/*/*.ipynb"):
            path.chmod(0o600) if path.owner() == "root" else None
            path.write_text("{}")
            return True
    return False
"""
