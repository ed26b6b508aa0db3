"""Hands in a link to a secret file in the place of the notebook, to read it in the feedback."""

from pathlib import Path

KIND = "disk"
GAINS = "secret"


def prepare(folder: Path) -> None:
    notebook = folder / "01_mixture_models.ipynb"
    notebook.unlink()
    notebook.symlink_to(folder.parents[2] / "secret.txt")
