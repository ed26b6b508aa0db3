"""Asks for a kernel that nobody has."""

KIND = "notebook"
GAINS = "stop"


def edit(notebook: dict) -> None:
    notebook["metadata"]["kernelspec"] = {"name": "mallory", "display_name": "m", "language": "m"}
