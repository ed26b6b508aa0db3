"""Copies test and answer cells with their ids, at which nbgrader stops for the whole class."""

import copy

KIND = "notebook"
GAINS = "stop"
ANSWERS = {
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    return 0.0
"""
}


def edit(notebook: dict) -> None:
    marked = [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader")]
    notebook["cells"] += copy.deepcopy(marked)
