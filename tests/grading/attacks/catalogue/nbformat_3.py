"""Hands in the notebook in the format of 2013."""

KIND = "notebook"
GAINS = "stop"


def edit(notebook: dict) -> None:
    cells = notebook.pop("cells")
    for cell in cells:
        cell["input"] = cell.pop("source")
        cell["language"] = "python"
    notebook["worksheets"] = [{"cells": cells, "metadata": {}}]
    notebook.update(nbformat=3, nbformat_minor=0)
