"""Hands in a notebook whose metadata is nested just deep enough for the parser, not for others."""

import json

KIND = "notebook"
GAINS = "stop"


def edit(notebook: dict) -> str:
    deep = '{"a":' * 900 + "1" + "}" * 900
    return json.dumps(notebook | {"metadata": {"course": "DEEP"}}).replace('"DEEP"', deep)
