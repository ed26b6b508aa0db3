"""Hands in the first half of the file."""

import json

KIND = "notebook"
GAINS = "stop"


def edit(notebook: dict) -> str:
    text = json.dumps(notebook)
    return text[: len(text) // 2]
