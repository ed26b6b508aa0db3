"""Build the notebooks of the course from their percent sources: one way, never back.

sources/lectures/UNIT.py   ->  lectures/UNIT.ipynb          (executed, outputs normalised)
sources/exercises/UNIT.py  ->  solutions/UNIT/UNIT.ipynb    (nbgrader's source directory)
                           ->  exercises/UNIT/UNIT.ipynb    (nbgrader's release directory)

A lecture with a cell tagged "trained" trains networks, so that its numbers depend on the processor
and on the data at hand: a check runs it with COURSE_FAST=1 and compares cells and kinds of figures.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbgrader.converters import GenerateAssignment, NbGraderException
from nbgrader.coursedir import CourseDirectory
from tqdm import tqdm
from traitlets.config import PyFileConfigLoader

from notebook_diff import file_difference, is_trained
from outputs import normalised
from percent import BuildError, describe_cell, notebook_metadata, read_percent

ROOT = Path(__file__).resolve().parents[1]
ADVICE = "  Edit {}, never the notebook, and run: make notebooks"
CELL_TIMEOUT = 300  # seconds
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def find_sources(root: Path, units: list[str]) -> list[Path]:
    """The sources of the units named, or of all, relative to `root`; the quick ones first."""
    folders = ("sources/exercises", "sources/lectures")
    sources = [path for folder in folders for path in sorted(root.glob(f"{folder}/*.py"))]
    known = sorted({path.stem for path in sources})
    for unit in units:
        if unit not in known:
            raise BuildError(f"no unit {unit!r} under sources/; there is: {', '.join(known)}")
    return [path.relative_to(root) for path in sources if not units or path.stem in units]


def outputs_of(source: Path) -> list[Path]:
    """The notebooks that a source gives, relative to the root."""
    name = f"{source.stem}.ipynb"
    if source.parent.name == "lectures":
        return [Path("lectures", name)]
    return [Path(folder, source.stem, name) for folder in ("solutions", "exercises")]


def build(root: Path, source: Path, out: Path, *, checking: bool = False) -> None:
    """Write the notebooks that `root/source` gives under `out`; quicker ones if only to compare.

    Raises:
        BuildError: If the source is wrong or a lecture's cell fails.
    """
    notebook = read_percent(root, source)
    path = out / outputs_of(source)[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    if source.parent.name == "lectures":
        fast = checking and is_trained(notebook)
        execute(notebook, source, folder=root / path.parent.name, fast=fast)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    if source.parent.name == "exercises":
        release(out, source)


def release(course: Path, source: Path) -> None:
    """nbgrader's `generate_assignment` in `course`, with the course's settings but no gradebook."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    config.CourseDirectory.root = str(course)
    config.CourseDirectory.assignment_id = source.stem
    config.SaveCells.enabled = False
    config.GenerateAssignment.no_database = True
    try:
        GenerateAssignment(coursedir=CourseDirectory(config=config), config=config).start()
    except NbGraderException as error:
        raise BuildError(f"{source}: nbgrader cannot release it; its reason is above") from error


def execute(notebook: NotebookNode, source: Path, folder: Path, *, fast: bool) -> None:
    """Run a lecture in `folder`, in place; its outputs come out the same every time."""
    code_cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    running = 0

    def on_start(cell: NotebookNode, cell_index: int) -> None:
        nonlocal running
        running = cell_index
        progress.update(cell.cell_type == "code")

    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],
        on_cell_start=on_start,
        resources={"metadata": {"path": str(folder)}},
    )
    folder.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as profile,
        tqdm(total=len(code_cells), desc=source.stem, unit="cell", disable=None) as progress,
    ):
        try:
            client.execute(env=lecture_environment(profile, fast=fast))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            where = describe_cell(source, running + 1, notebook.cells[running])
            raise BuildError(f"{where} failed:\n{ANSI.sub('', str(error)).strip()}") from None
    notebook.metadata = notebook_metadata(source.stem)  # without widget states
    for count, cell in enumerate(code_cells, start=1):
        cell.execution_count = count
        cell.outputs = normalised(cell.outputs, count)


def lecture_environment(profile: str, *, fast: bool) -> dict[str, str]:
    """The environment of committed outputs: full sizes, two threads, no IPython profile."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2")
    environment = os.environ | threads | {"IPYTHONDIR": profile, "PYTHONHASHSEED": "0"}
    environment.pop("COURSE_FAST", None)
    return environment | ({"COURSE_FAST": "1"} if fast else {})


def compare(root: Path, source: Path, out: Path) -> list[str]:
    """What differs between the notebooks under `root` and those just built under `out`."""
    problems = []
    for path in outputs_of(source):
        found = file_difference(out / path, root / path, outputs_vary=path.parts[0] == "lectures")
        if found:
            problems.append(f"{path} is not what {source} gives: {found}\n{ADVICE.format(source)}")
    return problems


def find_strays(root: Path, sources: list[Path]) -> list[str]:
    """Generated notebooks that no source gives."""
    expected = {path for source in sources for path in outputs_of(source)}
    patterns = ("lectures/*.ipynb", "solutions/*/*", "exercises/*/*")
    found = {path.relative_to(root) for pattern in patterns for path in root.glob(pattern)}
    strays = sorted(path for path in found - expected if not path.name.startswith("."))
    return [f"{path} comes from no source under sources/.\n  Delete it." for path in strays]


def install(root: Path, source: Path, out: Path) -> list[str]:
    """Move the finished notebooks to their places; nothing can be wrong with them."""
    for path in outputs_of(source):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(out / path, root / path)
    return []


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("units", nargs="*", help="for example 01_mixture_models; default: all")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if stale")
    parser.add_argument("--root", type=Path, default=ROOT, help="the course's folder")
    options = parser.parse_args(arguments)
    sources, problems = [], []
    try:
        sources = find_sources(options.root, options.units)
    except BuildError as error:
        problems.append(str(error))
    for source in sources:
        with tempfile.TemporaryDirectory() as out:
            try:
                build(options.root, source, Path(out), checking=options.check)
                finish = compare if options.check else install
                problems += finish(options.root, source, Path(out))
            except BuildError as error:
                problems.append(str(error))
    if options.check and not options.units:
        problems += find_strays(options.root, sources)
    print(*problems, sep="\n", end="\n" * bool(problems), file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
