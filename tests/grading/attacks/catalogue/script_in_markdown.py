"""Writes a script, a link and an attachment with code into its answers in words."""

KIND = "notebook"
GAINS = "page"


def edit(notebook: dict) -> None:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] += (
                "\n<script>TELL_TALE</script>\n<img src=x onerror=TELL_TALE>\n"
                "[click](javascript:TELL_TALE)\n<iframe srcdoc='<script>TELL_TALE</script>'>\n"
                "<base href=//mallory.example><style>@import 'TELL_TALE'</style>\n"
            )
