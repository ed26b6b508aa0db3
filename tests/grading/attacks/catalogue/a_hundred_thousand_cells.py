"""Hands in a notebook with very many small cells that carry names."""

KIND = "notebook"
GAINS = "stop"


def edit(notebook: dict) -> None:
    notebook["cells"] += [
        {
            "cell_type": "markdown",
            "id": f"m{number}",
            "source": "",
            "metadata": {
                "nbgrader": {
                    "grade_id": f"m{number}",
                    "grade": False,
                    "solution": False,
                    "locked": False,
                    "schema_version": 3,
                    "task": False,
                }
            },
        }
        for number in range(20_000)
    ]
