"""Hands in a notebook with 60 MB of outputs."""

import json

KIND = "notebook"
GAINS = "stop"


def edit(notebook: dict) -> str:
    output = {"output_type": "stream", "name": "stdout", "text": "FILL"}
    code = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    code["outputs"] = [output]
    return json.dumps(notebook).replace("FILL", "x" * (60 << 20))
