"""Hands in a link to what another student handed in."""

from pathlib import Path

KIND = "disk"
GAINS = "marks"


def prepare(folder: Path) -> None:
    notebook = folder / "01_mixture_models.ipynb"
    notebook.unlink()
    notebook.symlink_to("../../alice/01_mixture_models/01_mixture_models.ipynb")
