"""Makes every released cell of a submission what it was, before nbgrader looks at it."""

from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Gradebook, Notebook, SourceCell
from nbgrader.preprocessors import NbGraderPreprocessor


class RepairCells(NbGraderPreprocessor):
    """First sanitiser of `nbgrader autograde`.

    Students delete, copy, split and convert cells, and other programs drop or change their
    metadata; at some of that nbgrader stops, for the whole class. Here each released cell ends up
    in the notebook exactly once, with the metadata that the gradebook has: of copies the last one
    counts, a missing cell comes back as it was released, a locked one gets its text back, and no
    other cell keeps metadata. So nothing is left to do for nbgrader's DeduplicateIds,
    OverwriteCells and CheckCellMetadata, which would take longer than everything else here.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        names = resources["nbgrader"]
        with Gradebook(names["db_url"]) as gradebook:
            released = gradebook.find_notebook(names["notebook"], names["assignment"])
            missing = repair(nb, released)
        if missing:
            where = f"{names['student']}/{names['assignment']}/{names['notebook']}.ipynb"
            self.log.warning("%s lacked cells, added as released: %s", where, ", ".join(missing))
        return nb, resources


def repair(nb: NotebookNode, released: Notebook) -> list[str]:
    """Repair a notebook in place; returns the grade ids of the cells that it lacked."""
    metadata = released_metadata(released)
    places = _places_of_last(nb, metadata)
    missing = [name for name in metadata if name not in places]
    cells = [(place, nb.cells[place]) for place in range(len(nb.cells))]
    after = -1 if places else len(nb.cells)  # a missing cell follows the one released before it
    for source in released.source_cells:
        after = places.get(source.name, after)
        if source.name in places:
            cells[after] = (after, _as_type(nb.cells[after], source.cell_type))
            cells[after][1].metadata["nbgrader"] = metadata[source.name]
            if source.locked:
                cells[after][1].source = source.source
        else:
            cells.append((after, _released_cell(source, metadata[source.name])))
    nb.cells = [cell for _, cell in sorted(cells, key=lambda item: item[0])]
    return missing


def released_metadata(released: Notebook) -> dict[str, NotebookNode]:
    """nbgrader's metadata of every released cell by its grade id, in the notebook's order."""
    points = {cell.name: cell.max_score for cell in released.grade_cells}
    answers = {cell.name for cell in released.solution_cells}
    return {
        cell.name: NotebookNode(
            grade_id=cell.name,
            grade=cell.name in points,
            solution=cell.name in answers,
            locked=cell.locked,
            task=False,
            schema_version=3,
            cell_type=cell.cell_type,
            checksum=cell.checksum,
            **({"points": points[cell.name]} if cell.name in points else {}),
        )
        for cell in released.source_cells
    }


def _places_of_last(nb: NotebookNode, known: dict[str, NotebookNode]) -> dict[str, int]:
    """Where the last copy of each released cell stands; all cells lose their metadata."""
    by_id, by_metadata = {}, {}
    for place, cell in enumerate(nb.cells):
        mark = cell.metadata.pop("nbgrader", None)
        name = mark.get("grade_id") if isinstance(mark, dict) else None
        if isinstance(name, str) and name in known:
            by_metadata[name] = place
        elif cell.get("id") in known:  # the build makes the grade id the cell's id, too
            by_id[cell.id] = place
    return by_id | by_metadata


def _as_type(cell: NotebookNode, cell_type: str) -> NotebookNode:
    if cell.cell_type == cell_type:
        return cell
    make = new_code_cell if cell_type == "code" else new_markdown_cell
    return make(cell.source, id=cell.get("id", "converted"), metadata=cell.metadata)


def _released_cell(source: SourceCell, metadata: NotebookNode) -> NotebookNode:
    make = new_code_cell if source.cell_type == "code" else new_markdown_cell
    return make(source.source, id=source.name, metadata={"nbgrader": metadata})
