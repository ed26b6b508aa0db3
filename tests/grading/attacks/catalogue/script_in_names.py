"""Writes scripts into metadata that a page may show: titles, tags, ids and kernel names."""

KIND = "notebook"
GAINS = "page"


def edit(notebook: dict) -> None:
    script = "</title></style><script>TELL_TALE</script>"
    notebook["metadata"].update(
        title=script,
        authors=[{"name": script}],
        kernelspec={"name": "python3", "display_name": script, "language": script},
    )
    for cell in notebook["cells"]:
        cell["metadata"].update(tags=[script], name=script)
