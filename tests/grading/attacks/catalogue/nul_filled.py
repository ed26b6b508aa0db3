"""Hands in a file of zeros, as a full disk leaves it."""

KIND = "notebook"
GAINS = "stop"


def edit(notebook: dict) -> bytes:
    return b"\0" * 100_000
