"""Writes points that are no numbers of points."""

KIND = "notebook"
GAINS = "stop"
ANSWERS = {
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    return 0.0
"""
}


def edit(notebook: dict) -> None:
    odd = [-100, 1e999, "many", None, [1], {"points": 2}]
    for number, cell in enumerate(notebook["cells"]):
        if mark := cell["metadata"].get("nbgrader"):
            mark["points"] = odd[number % len(odd)]
