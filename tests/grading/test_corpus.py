"""A thousand broken notebooks: each gets a verdict, none stops the class."""

import collections
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.preprocessors import ComputeChecksums

from autograder import registry
from autograder.batch import Released, read_released
from autograder.grading import SubmissionVerdict, grade_file
from autograder.jail import Jail, JailUnavailable, Limits
from autograder.nbgrader.exporter import SubmissionExporter
from autograder.nbgrader.repair import repair
from autograder.nbgrader.sanitise import sanitised
from autograder.submission import SubmissionError, read_submission
from tests.grading.corpus.generate import (
    KINDS,
    RELEASED,
    UNIT,
    mutated_notebook,
    mutated_notebooks,
    mutations,
)

COUNT, SHARDS = 1000, 8
MAX_POINTS = sum(exercise.points for exercise in registry.exercises(UNIT))
SECRET = bytes(32)

shards = pytest.mark.parametrize(
    "shard", [pytest.param(i, marks=pytest.mark.xdist_group(f"corpus-{i}")) for i in range(SHARDS)]
)


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    try:
        jail = Jail(limits=Limits(seconds_per_call=4.0, seconds_per_submission=30.0))
    except JailUnavailable as reason:
        pytest.skip(str(reason))
    with jail:
        yield jail


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Released:
    """The released notebook as nbgrader's gradebook has it."""
    path = tmp_path_factory.mktemp("released") / RELEASED.name
    nb = nbformat.read(RELEASED, as_version=4)
    nbformat.write(ComputeChecksums().preprocess(nb, {})[0], path)
    return read_released(path)


@pytest.mark.slow
@shards
def test_each_gets_a_verdict(shard: int, jail: Jail, tmp_path: Path):
    def judge(path: Path) -> Iterator[str]:
        verdict = grade_file(path, jail, unit=UNIT, released=RELEASED, secret=SECRET)
        return faults_of(verdict, path)

    assert complaints(shard, tmp_path, judge) == []


@pytest.mark.slow
@shards
def test_nbgrader_gets_a_notebook_with_each_released_cell_once(
    shard: int, released: Released, tmp_path: Path
):
    def judge(path: Path) -> Iterator[str]:
        resources = {"nbgrader": {"assignment": UNIT}}
        text, _ = SubmissionExporter().from_filename(str(path), resources=resources)
        nb = nbformat.reads(text.encode(), as_version=4)
        repair(nb, released)
        nb = sanitised(nb)
        MetadataValidator().validate_nb(nb)
        nbformat.validate(nb)
        nbformat.writes(nb).encode()
        marks = [cell.metadata.nbgrader for cell in nb.cells if "nbgrader" in cell.metadata]
        found = collections.Counter(mark.grade_id for mark in marks)
        if found != dict.fromkeys((cell.name for cell in released.source_cells), 1):
            yield f"holds the released cells {found}"

    assert complaints(shard, tmp_path, judge) == []


def test_the_corpus_is_varied(tmp_path: Path):
    names = {kind for i in range(COUNT) for kind in mutations(i, random.Random(i))}
    assert names == set(KINDS)
    assert len(names) >= 150
    sample = range(0, COUNT, 5)
    readable = sum(is_readable(written(i, tmp_path)[1]) for i in sample) / len(sample)
    assert 0.3 < readable < 0.8


def test_the_corpus_is_the_same_each_time():
    notebooks = list(mutated_notebooks(count=20, seed=3))
    assert notebooks == [mutated_notebook(index, seed=3) for index in range(20)]
    assert notebooks != list(mutated_notebooks(count=20, seed=4))


def complaints(shard: int, folder: Path, judge: Callable[[Path], Iterator[str]]) -> list[str]:
    """What is wrong with any notebook of a shard, each with its name; nothing stops at the first.

    Args:
        judge: Yields what is wrong with the notebook at a path.
    """
    found = []
    for index in range(shard, COUNT, SHARDS):
        name, path = written(index, folder)
        try:
            found += [f"{name}: {fault}" for fault in judge(path)]
        except Exception as error:  # the very thing that must not happen
            found.append(f"{name}: {type(error).__name__}: {str(error)[:200]}")
    return found


def faults_of(verdict: SubmissionVerdict, path: Path) -> Iterator[str]:
    """What no verdict may be, whatever was handed in."""
    if not isinstance(verdict, SubmissionVerdict):
        yield f"got {verdict!r} for a verdict"
    if SubmissionVerdict.from_json(json.loads(verdict.to_bytes())) != verdict:
        yield "its verdict changes on the way through JSON"
    if verdict.max_points != MAX_POINTS:
        yield f"is marked out of {verdict.max_points} points, not {MAX_POINTS}"
    for part in verdict.exercises:
        if not 0 <= part.points <= part.exercise.points:
            yield f"gets {part.points} of {part.exercise.points} points for {part.exercise.name}"
    if bool(verdict.problem) == is_readable(path):
        yield f"can be read: {is_readable(path)}, and its problem is {verdict.problem!r}"
    if verdict.problem and verdict.points:
        yield f"cannot be read, and gets {verdict.points} points"


def is_readable(path: Path) -> bool:
    try:
        read_submission(path, UNIT)
    except SubmissionError:
        return False
    return True


def written(index: int, folder: Path) -> tuple[str, Path]:
    """A notebook of the corpus as a file; its name, and where it lies."""
    name, data = mutated_notebook(index)
    path = folder / f"{UNIT}.ipynb"
    path.write_bytes(data)
    return name, path
