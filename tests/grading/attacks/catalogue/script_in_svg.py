"""Draws a picture that holds a script."""

KIND = "notebook"
GAINS = "page"
ANSWERS = {
    "bic": """
from IPython.display import SVG, display
name = "xmlns='http://www.w3.org/2000/svg'"
display(SVG(f"<svg {name} onload='TELL_TALE'><script>TELL_TALE</script></svg>"))

def bic(log_likelihood, num_components, dim, num_points):
    return 0.0
"""
}


def edit(notebook: dict) -> None:
    picture = "<svg xmlns='http://www.w3.org/2000/svg'><script>TELL_TALE</script></svg>"
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            data = {"image/svg+xml": picture, "text/latex": "\\href{javascript:TELL_TALE}{x}"}
            cell["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": data}]
