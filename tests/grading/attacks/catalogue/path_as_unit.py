"""Names a path as the unit that the notebook answers."""

KIND = "notebook"
GAINS = "secret"
ANSWERS = {
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    return 0.0
"""
}


def edit(notebook: dict) -> None:
    notebook["metadata"]["course"] = {"unit": "../../../../etc"}
    notebook["metadata"]["kernelspec"] = {"name": "../../evil", "display_name": "evil"}
    notebook["metadata"]["language_info"] = {"name": "bash", "codemirror_mode": {"name": "sh"}}
