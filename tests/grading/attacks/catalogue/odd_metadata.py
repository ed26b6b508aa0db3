"""Puts numbers, lists and paths where nbgrader keeps a cell's name and a notebook its unit."""

KIND = "notebook"
GAINS = "stop"


def edit(notebook: dict) -> None:
    odd = [None, 7, ["bic"], {"a": 1}, "../../../etc/passwd", "x" * 100_000, "<b>", True]
    for number, cell in enumerate(notebook["cells"]):
        if mark := cell["metadata"].get("nbgrader"):
            mark["grade_id"] = odd[number % len(odd)]
            mark["schema_version"] = odd[(number + 1) % len(odd)]
    notebook["metadata"]["course"] = {"unit": ["01_mixture_models"]}
