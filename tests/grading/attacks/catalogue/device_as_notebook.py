"""Hands in a pipe in the place of the notebook, so that whoever opens it waits for ever."""

import os
from pathlib import Path

KIND = "disk"
GAINS = "stop"


def prepare(folder: Path) -> None:
    notebook = folder / "01_mixture_models.ipynb"
    notebook.unlink()
    os.mkfifo(notebook)
