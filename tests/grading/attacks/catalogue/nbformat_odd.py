"""Claims versions that do not exist."""

KIND = "notebook"
GAINS = "stop"


def edit(notebook: dict) -> None:
    notebook.update(nbformat=4.5, nbformat_minor=10**400)
