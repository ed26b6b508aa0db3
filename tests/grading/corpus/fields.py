"""Mutations of the other fields of a notebook: ids, sources, outputs, versions, kernels."""

import random
from typing import Any

from tests.grading.corpus.kinds import (
    Notebook,
    cells,
    code_cells,
    costly,
    edit,
    some,
    text_of,
)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@edit
def ids_missing(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook), most=60):
        cell.pop("id", None)


@edit
def ids_repeated(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook), most=10):
        cell["id"] = "log_gaussian"


@edit
def ids_invalid(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook)):
        cell["id"] = rng.choice(["", "x" * 65, "two words", "ü", 7, None, ["bic"], "\ud800"])


@edit
def source_as_lines(notebook: Notebook, rng: random.Random) -> None:
    for cell in cells(notebook):
        cell["source"] = text_of(cell).splitlines(keepends=True)


@edit
def source_as_one_text(notebook: Notebook, rng: random.Random) -> None:
    for cell in cells(notebook):
        cell["source"] = text_of(cell)


@edit
def source_lines_without_ends(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook)):
        cell["source"] = text_of(cell).splitlines()


@edit
def source_list_with_other_things(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook)):
        cell["source"] = [text_of(cell), rng.choice([7, None, [], {}, ["x"]])]


@edit
def source_of_wrong_type(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook)):
        cell["source"] = rng.choice([7, 1.5, True, {}, {"text": "x"}])


@edit
def source_null(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook)):
        cell["source"] = None


@edit
def outputs_huge(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, code_cells(notebook), most=1):
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 3_000_000}]


@edit
def outputs_many(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, code_cells(notebook), most=1):
        line = {"output_type": "stream", "name": "stdout", "text": "step\n"}
        cell["outputs"] = [dict(line) for _ in range(3000)]


@edit
def outputs_malformed(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, code_cells(notebook)):
        cell["outputs"] = rng.choice([None, {}, "text", 7, [7], ["text"], [None], [{}], [[]]])


@edit
def output_type_unknown(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, code_cells(notebook)):
        cell["outputs"] = [{"output_type": rng.choice(["pyout", "update", "", 7, None, []])}]


@edit
def error_output_without_keys(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, code_cells(notebook)):
        cell["outputs"] = [{"output_type": "error", rng.choice(["ename", "evalue"]): "x"}]


@edit
def stream_output_as_list(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, code_cells(notebook)):
        text = rng.choice([["a\n", "b\n"], [1, 2], [None], [["a"]], {}])
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}]


@edit
def display_output_odd(notebook: Notebook, rng: random.Random) -> None:
    data = [
        {"text/html": "<script>alert(1)</script>"},
        {"image/png": "no base64"},
        {"application/json": nested(20)},
        {"text/plain": 7},
        {"x": None},
        [],
        "text",
    ]
    for cell in some(rng, code_cells(notebook)):
        output = {"output_type": "display_data", "metadata": {}, "data": rng.choice(data)}
        cell["outputs"] = [output]


@edit
def outputs_on_markdown(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, [c for c in cells(notebook) if c.get("cell_type") == "markdown"]):
        cell["outputs"] = []


@edit
def execution_count_of_wrong_type(notebook: Notebook, rng: random.Random) -> None:
    for cell in code_cells(notebook):
        cell["execution_count"] = rng.choice(["3", "*", -1, 1.5, [], {}, True, 10**30])


@edit
def attachments_odd(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook)):
        attachment = [{"image/png": "AA=="}, {"image/png": ["AA", "=="]}, [], None, "text", 7]
        cell["attachments"] = rng.choice([{"a.png": rng.choice(attachment)}, [], None])


@edit
def notebook_metadata_odd(notebook: Notebook, rng: random.Random) -> None:
    notebook["metadata"] = rng.choice([{}, [], None, "text", 7, {"title": 7, "authors": {}}])


@edit
def notebook_metadata_missing(notebook: Notebook, rng: random.Random) -> None:
    notebook.pop("metadata", None)


@edit
def metadata_nested_deep(notebook: Notebook, rng: random.Random) -> None:
    depth = rng.choice([60, 200, 300, 450])
    place = rng.choice([notebook, *cells(notebook)])
    place["metadata"] = {"deep": nested(depth)}


@edit
def outputs_nested_deep(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, code_cells(notebook), most=1):
        data = {"application/json": nested(rng.choice([60, 200, 300, 450]))}
        cell["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": data}]


@edit
def kernel_of_another_language(notebook: Notebook, rng: random.Random) -> None:
    name = rng.choice(["ir", "julia-1.10", "xcpp17", "no-such-kernel"])
    spec = {"display_name": name, "language": name, "name": name}
    notebook["metadata"] = {"kernelspec": spec, "language_info": {"name": name}}


@edit
def kernel_missing(notebook: Notebook, rng: random.Random) -> None:
    if isinstance(notebook.get("metadata"), dict):
        notebook["metadata"].pop("kernelspec", None)


@edit
def kernel_of_wrong_type(notebook: Notebook, rng: random.Random) -> None:
    if isinstance(notebook.get("metadata"), dict):
        notebook["metadata"]["kernelspec"] = rng.choice([[], None, "python3", {"name": 7}, {}])


@edit
def language_info_missing(notebook: Notebook, rng: random.Random) -> None:
    if isinstance(notebook.get("metadata"), dict):
        notebook["metadata"].pop("language_info", None)


@edit
def language_info_odd(notebook: Notebook, rng: random.Random) -> None:
    if isinstance(notebook.get("metadata"), dict):
        notebook["metadata"]["language_info"] = rng.choice([{}, [], None, {"name": None}, "python"])


@edit
def nbformat_other(notebook: Notebook, rng: random.Random) -> None:
    notebook["nbformat"] = rng.choice([1, 2, 3, 5, 99, -4, 0])


@edit
def nbformat_of_wrong_type(notebook: Notebook, rng: random.Random) -> None:
    notebook["nbformat"] = rng.choice(["4", 4.0, None, [4], {}, True])


@edit
def nbformat_missing(notebook: Notebook, rng: random.Random) -> None:
    notebook.pop("nbformat", None)


@edit
def notebook_of_format_3(notebook: Notebook, rng: random.Random) -> None:
    old = [
        {"cell_type": "code", "input": text_of(cell), "language": "python", "outputs": []}
        for cell in cells(notebook)
    ]
    notebook.clear()
    notebook.update(metadata={}, nbformat=3, nbformat_minor=0, worksheets=[{"cells": old}])


@edit
def nbformat_minor_other(notebook: Notebook, rng: random.Random) -> None:
    notebook["nbformat_minor"] = rng.choice([0, 2, 4, 6, 99, 10**20])


@edit
def nbformat_minor_odd(notebook: Notebook, rng: random.Random) -> None:
    notebook["nbformat_minor"] = rng.choice(["5", 5.5, None, -1, [], True])


@edit
def nbformat_minor_missing(notebook: Notebook, rng: random.Random) -> None:
    notebook.pop("nbformat_minor", None)


@edit
def top_level_keys_unknown(notebook: Notebook, rng: random.Random) -> None:
    notebook[rng.choice(["worksheets", "signature", "x"])] = rng.choice([[], None, "text"])


@edit
def numbers_not_finite(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook)):
        value = rng.choice([float("nan"), float("inf"), -float("inf")])
        cell["metadata"] = {"slideshow": value, "nbgrader": value}


@costly
@edit
def twenty_thousand_outputs(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, code_cells(notebook), most=1):
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": 7}] * 20_000
