"""Mutations of the list of cells: what editing a notebook by hand does to it."""

import copy
import random
import uuid

from tests.grading.corpus.kinds import (
    Cell,
    Notebook,
    answers,
    cells,
    code_cells,
    costly,
    edit,
    some,
    text_of,
)

OUTPUTS = ("outputs", "execution_count")


def fresh_id(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def as_type(cell: Cell, cell_type: str) -> None:
    """Convert like JupyterLab: without outputs, unless it becomes code."""
    cell["cell_type"] = cell_type
    for name in OUTPUTS:
        cell.pop(name, None)
    if cell_type == "code":
        cell.update(outputs=[], execution_count=None)


@edit
def cells_deleted(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook), most=20):
        notebook["cells"].remove(cell)


@edit
def answer_deleted(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, answers(notebook), most=1):
        notebook["cells"].remove(cell)


@edit
def all_code_deleted(notebook: Notebook, rng: random.Random) -> None:
    notebook["cells"] = [cell for cell in cells(notebook) if cell.get("cell_type") != "code"]


@edit
def all_cells_deleted(notebook: Notebook, rng: random.Random) -> None:
    notebook["cells"] = []


@edit
def cells_duplicated(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook), most=5):
        place = rng.randint(0, len(notebook["cells"]))
        notebook["cells"].insert(place, copy.deepcopy(cell) | {"id": fresh_id(rng)})


@edit
def notebook_pasted_twice(notebook: Notebook, rng: random.Random) -> None:
    notebook["cells"] = cells(notebook) + copy.deepcopy(cells(notebook))


@edit
def cells_shuffled(notebook: Notebook, rng: random.Random) -> None:
    rng.shuffle(cells(notebook))


@edit
def cells_reversed(notebook: Notebook, rng: random.Random) -> None:
    cells(notebook).reverse()


@edit
def cell_split(notebook: Notebook, rng: random.Random) -> None:
    """The first part keeps the metadata, as when one presses Ctrl+Shift+-."""
    for cell in some(rng, code_cells(notebook)):
        text = text_of(cell)
        place = rng.randint(0, len(text))
        cell["source"] = text[:place]
        second = {"cell_type": "code", "id": fresh_id(rng), "metadata": {}, "source": text[place:]}
        index = next(i for i, other in enumerate(notebook["cells"]) if other is cell)
        notebook["cells"].insert(index + 1, second | {"outputs": [], "execution_count": None})


@edit
def cells_merged(notebook: Notebook, rng: random.Random) -> None:
    found = cells(notebook)
    if len(found) > 1:
        place = rng.randrange(len(found) - 1)
        found[place]["source"] = text_of(found[place]) + "\n" + text_of(found.pop(place + 1))


@edit
def all_cells_merged(notebook: Notebook, rng: random.Random) -> None:
    if found := code_cells(notebook):
        found[-1]["source"] = "\n".join(text_of(cell) for cell in found)
        notebook["cells"] = [found[-1]]


@edit
def code_becomes_markdown(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, code_cells(notebook)):
        as_type(cell, "markdown")


@edit
def markdown_becomes_code(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, [c for c in cells(notebook) if c.get("cell_type") == "markdown"]):
        as_type(cell, "code")


@edit
def cells_become_raw(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook)):
        as_type(cell, "raw")


@edit
def code_turned_markdown_with_outputs(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, code_cells(notebook)):
        cell["cell_type"] = "markdown"


@edit
def cell_type_unknown(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook)):
        cell["cell_type"] = rng.choice(["heading", "sql", "", 7, None, ["code"]])


@edit
def cell_without_keys(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook)):
        cell.pop(rng.choice(["cell_type", "metadata", "source", "outputs"]), None)


@edit
def cell_with_unknown_keys(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook)):
        cell[rng.choice(["input", "language", "level", "prompt_number"])] = rng.choice([1, "x"])


@edit
def cells_are_no_list(notebook: Notebook, rng: random.Random) -> None:
    notebook["cells"] = rng.choice([None, {}, "cells", 7, {"0": cells(notebook)}])


@costly
@edit
def twenty_thousand_cells(notebook: Notebook, rng: random.Random) -> None:
    empty = {"cell_type": "markdown", "metadata": {}, "source": "x"}
    notebook["cells"] = cells(notebook) + [empty | {"id": f"m{i}"} for i in range(20_000)]


@edit
def thousand_empty_cells(notebook: Notebook, rng: random.Random) -> None:
    empty = {"cell_type": "code", "metadata": {}, "source": ""}
    empty |= {"outputs": [], "execution_count": None}
    notebook["cells"] = cells(notebook) + [empty | {"id": f"e{i}"} for i in range(1000)]
