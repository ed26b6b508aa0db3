"""Puts zeros, surrogates and other odd characters into cells and names."""

KIND = "notebook"
GAINS = "stop"


def edit(notebook: dict) -> None:
    for cell in notebook["cells"]:
        cell["source"] += "\0\ud800\u202e\x1b[2J"
    notebook["cells"][1]["metadata"]["nbgrader"] = {"grade_id": "\0\ud800"}
