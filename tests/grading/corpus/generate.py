"""Broken notebooks by the thousand: submissions put through one to four random mutations.

Nothing of this is kept in files: a notebook is found again by its number and the seed, and its
name says what was done to it.
"""

import functools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# their decorators fill the registry
from tests.grading.corpus import answers, cells, fields, files, marks  # noqa: F401
from tests.grading.corpus.kinds import COSTLY, EDITS, REWRITES, dumped

ROOT = Path(__file__).parents[3]
UNIT = "01_mixture_models"
SOLUTION = ROOT / "solutions" / UNIT / f"{UNIT}.ipynb"
RELEASED = ROOT / "exercises" / UNIT / f"{UNIT}.ipynb"
ANSWERED = ("log_gaussian", "responsibilities", "bic")  # cheap to grade; the mutation matters
WRONG = "def bic(log_likelihood, num_components, dim, num_points):\n    return log_likelihood\n"
KINDS = (*EDITS, *REWRITES)
MORE_EDITS = tuple(name for name in EDITS if name not in COSTLY)
SHARES = (4, 4, 1)  # of the submissions below; a wrong answer takes long to explain
COUNTS, WEIGHTS = (0, 1, 2, 3), (5, 3, 2, 1)  # of further mutations: most have few


def mutated_notebooks(count: int = 1000, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Names and contents of `count` notebooks; each kind of mutation occurs in its turn."""
    for index in range(count):
        yield mutated_notebook(index, seed)


def mutated_notebook(index: int, seed: int = 0) -> tuple[str, bytes]:
    """One notebook of the corpus: its name, such as `0007-cell_split+ids_missing`, and its bytes.

    Args:
        index: Its number in the corpus, which also chooses the first mutation.
        seed: Of the corpus.
    """
    rng = random.Random(f"{seed}/{index}")
    kinds = mutations(index, rng)
    notebook = json.loads(rng.choices(submissions(), SHARES)[0])
    for kind in kinds:
        if kind in EDITS:
            EDITS[kind](notebook, rng)
    data = dumped(notebook)
    for kind in kinds:
        if kind in REWRITES:
            data = REWRITES[kind](data, rng)
    return f"{index:04}-{'+'.join(kinds)}", data


def mutations(index: int, rng: random.Random) -> list[str]:
    """Names of one to four mutations; what spoils the file comes last, when it is written."""
    kinds = [KINDS[index % len(KINDS)], *rng.choices(MORE_EDITS, k=rng.choices(COUNTS, WEIGHTS)[0])]
    return sorted(kinds, key=lambda kind: kind in REWRITES)


@functools.cache
def submissions() -> tuple[str, ...]:
    """What students hand in before it is spoilt: right answers, none, and a wrong one."""
    right = {name: source for name, source in _sources(SOLUTION).items() if name in ANSWERED}
    return _answered(right), _answered({}), _answered(right | {"bic": WRONG})


def _sources(path: Path) -> dict[str, Any]:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return {cell["id"]: cell["source"] for cell in notebook["cells"]}


def _answered(sources: dict[str, Any]) -> str:
    notebook = json.loads(RELEASED.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = sources.get(cell["id"], cell["source"])
    return json.dumps(notebook)
