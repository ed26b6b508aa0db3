"""Puts code into cells that only hold text, and into attachments."""

KIND = "notebook"
GAINS = "marks"


def edit(notebook: dict) -> None:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = "check = lambda answer: None"
            cell["metadata"]["nbgrader"] = {
                "grade_id": "imports",
                "grade": False,
                "solution": True,
                "locked": False,
                "schema_version": 3,
                "task": False,
            }
