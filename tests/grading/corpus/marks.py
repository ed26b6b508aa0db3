"""Mutations of nbgrader's metadata: what other programs, copying and cheating do to it."""

import copy
import random
from typing import Any

from tests.grading.corpus.cells import fresh_id
from tests.grading.corpus.kinds import (
    Notebook,
    answers,
    cells,
    code_cells,
    edit,
    marked,
    metadata_of,
    some,
)

WRONG_TYPES = ([], {}, "solution", "", 0, 7, None, True, [{"grade_id": "bic"}], float("nan"))


def set_marks(notebook: Notebook, rng: random.Random, **changes: Any) -> None:
    for cell in some(rng, marked(notebook), most=6):
        cell["metadata"]["nbgrader"].update(changes)


@edit
def all_metadata_dropped(notebook: Notebook, rng: random.Random) -> None:
    for cell in cells(notebook):
        cell["metadata"] = {}


@edit
def some_metadata_dropped(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook), most=20):
        cell["metadata"] = {}


@edit
def metadata_and_ids_dropped(notebook: Notebook, rng: random.Random) -> None:
    for cell in cells(notebook):
        cell["metadata"] = {}
        cell["id"] = fresh_id(rng)


@edit
def metadata_copied_to_another_cell(notebook: Notebook, rng: random.Random) -> None:
    found = marked(notebook)
    for cell in some(rng, cells(notebook)):
        if found:
            cell["metadata"] = copy.deepcopy(rng.choice(found)["metadata"])


@edit
def metadata_swapped(notebook: Notebook, rng: random.Random) -> None:
    found = marked(notebook)
    if len(found) > 1:
        one, other = rng.sample(found, 2)
        one["metadata"], other["metadata"] = other["metadata"], one["metadata"]


@edit
def metadata_of_wrong_type(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook)):
        cell["metadata"] = rng.choice([[], "metadata", None, 7, [["nbgrader", {}]]])


@edit
def mark_of_wrong_type(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, marked(notebook), most=6):
        cell["metadata"]["nbgrader"] = rng.choice(WRONG_TYPES)


@edit
def mark_empty_everywhere(notebook: Notebook, rng: random.Random) -> None:
    for cell in marked(notebook):
        cell["metadata"]["nbgrader"] = {}


@edit
def mark_on_every_cell(notebook: Notebook, rng: random.Random) -> None:
    for cell in cells(notebook):
        if isinstance(cell.get("metadata"), dict):
            cell["metadata"].setdefault("nbgrader", {"grade_id": f"cell-{rng.random()}"})


@edit
def mark_fields_of_wrong_type(notebook: Notebook, rng: random.Random) -> None:
    names = ("grade", "solution", "locked", "task", "schema_version", "points", "checksum")
    set_marks(notebook, rng, **{rng.choice(names): rng.choice(WRONG_TYPES) for _ in range(3)})


@edit
def mark_fields_dropped(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, marked(notebook), most=6):
        mark = cell["metadata"]["nbgrader"]
        for name in some(rng, list(mark)):
            del mark[name]


@edit
def mark_fields_unknown(notebook: Notebook, rng: random.Random) -> None:
    set_marks(notebook, rng, remove=True, score=100, manual_score=1e9, __proto__={}, cell_type=[])


@edit
def points_negative(notebook: Notebook, rng: random.Random) -> None:
    set_marks(notebook, rng, points=-5)


@edit
def points_huge(notebook: Notebook, rng: random.Random) -> None:
    set_marks(notebook, rng, points=rng.choice([1e9, 10**400, float("inf"), float("nan")]))


@edit
def points_of_wrong_type(notebook: Notebook, rng: random.Random) -> None:
    set_marks(notebook, rng, points=rng.choice(["100", None, [4], {}, True]))


@edit
def schema_version_other(notebook: Notebook, rng: random.Random) -> None:
    version = rng.choice([0, 1, 2, 99, -1, "3", 3.5])
    for cell in marked(notebook):
        cell["metadata"]["nbgrader"]["schema_version"] = version


@edit
def grade_id_unknown(notebook: Notebook, rng: random.Random) -> None:
    set_marks(notebook, rng, grade_id=rng.choice(["cell-1234", "", "check-nothing", "a/../b"]))


@edit
def grade_id_of_wrong_type(notebook: Notebook, rng: random.Random) -> None:
    set_marks(notebook, rng, grade_id=rng.choice([7, 1.5, True, None, ["bic"], {"name": "bic"}]))


@edit
def grade_id_odd_text(notebook: Notebook, rng: random.Random) -> None:
    odd = [
        "bic\x00",
        "bic\n",
        "\ud800",
        "b" * 100_000,
        "../../secret",
        "<b>bic</b>",
        "%s{0}",
        "bïç",
    ]
    set_marks(notebook, rng, grade_id=rng.choice(odd))


@edit
def grade_ids_all_the_same(notebook: Notebook, rng: random.Random) -> None:
    for cell in marked(notebook):
        cell["metadata"]["nbgrader"]["grade_id"] = "log_gaussian"


@edit
def grade_ids_swapped(notebook: Notebook, rng: random.Random) -> None:
    found = [cell["metadata"]["nbgrader"] for cell in answers(notebook) if cell in marked(notebook)]
    names = [mark.get("grade_id") for mark in found]
    rng.shuffle(names)
    for mark, name in zip(found, names, strict=True):
        mark["grade_id"] = name


@edit
def answers_claim_to_be_checks(notebook: Notebook, rng: random.Random) -> None:
    for cell in answers(notebook):
        if isinstance(mark := metadata_of(cell).get("nbgrader"), dict):
            mark.update(grade=True, locked=True, solution=False, points=10)


@edit
def checks_claim_to_be_answers(notebook: Notebook, rng: random.Random) -> None:
    for cell in code_cells(notebook):
        if isinstance(mark := metadata_of(cell).get("nbgrader"), dict):
            mark.update(grade=False, solution=True, locked=False)


@edit
def everything_a_task(notebook: Notebook, rng: random.Random) -> None:
    for cell in marked(notebook):
        cell["metadata"]["nbgrader"].update(task=True, points=3)


@edit
def locked_cells_rewritten(notebook: Notebook, rng: random.Random) -> None:
    for cell in marked(notebook):
        if cell["metadata"]["nbgrader"].get("locked"):
            cell["source"] = rng.choice(["pass", "check = print", "raise SystemExit", ""])


@edit
def cell_metadata_of_other_programs(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, cells(notebook), most=20):
        if isinstance(cell.get("metadata"), dict):
            cell["metadata"].update(
                colab={"base_uri": "https://localhost"},
                tags=rng.choice([["a"], ["a", "a"], "a", []]),
                collapsed=rng.choice([True, "yes"]),
                trusted=True,
            )


@edit
def course_metadata_garbled(notebook: Notebook, rng: random.Random) -> None:
    if isinstance(notebook.get("metadata"), dict):
        units = ["02_monte_carlo", "", 7, None, ["01_mixture_models"], {}, "\ud800", "../x"]
        course = rng.choice([*({"unit": unit} for unit in units), [], "course", None, 7])
        notebook["metadata"]["course"] = course
