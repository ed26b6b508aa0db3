"""Hands in a link to the folder of solutions beside the notebook and reads through it."""

from pathlib import Path

KIND = "disk"
GAINS = "secret"
ATTEMPT = """
def attempt():
    return bool(open("data/secret.txt").read())
"""


def prepare(folder: Path) -> None:
    (folder / "data").symlink_to(folder.parents[2])
