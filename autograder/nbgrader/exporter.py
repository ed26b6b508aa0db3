"""Reads submissions for `nbgrader autograde`; an unreadable one stops nobody else's."""

from pathlib import Path
from typing import Any, TextIO

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook
from nbgrader.converters import Autograde, NbGraderException
from traitlets.log import get_logger

from autograder import registry
from autograder.nbgrader.execute import require_trusted_grading
from autograder.submission import SubmissionError, parse_notebook, read_submission

NOTICE = """\
**This submission could not be graded.** {problem}.

The cells below were added so that there is something to mark; none of them holds an answer."""


class SubmissionExporter(NotebookExporter):
    """Gives an unreadable or foreign submission the reason as its only cell, and logs it.

    `RepairCells` then adds the released cells, which score nothing: the student reads the reason
    in the feedback, and can hand in again. nbgrader makes one exporter before it touches the first
    submission; where the trusted grader cannot work, that is where everything ends.
    """

    def __init__(self, *args: Any, **settings: Any):
        super().__init__(*args, **settings)
        if isinstance(self.parent, Autograde):
            try:
                require_trusted_grading(self.parent.coursedir)
            except NbGraderException as reason:
                self.log.error("%s.", reason)
                raise

    def from_file(
        self, file_stream: TextIO, resources: Any = None, **options: Any
    ) -> tuple[str, Any]:
        path, assignment = Path(file_stream.name), resources["nbgrader"]["assignment"]
        try:
            notebook = read_gradable(path, assignment)
        except SubmissionError as error:
            self.log.error("%s scores nothing: %s.", path, error)
            resources["problem"] = str(error)
            notebook = new_notebook(
                cells=[new_markdown_cell(NOTICE.format(problem=error))],
                metadata={"course": {"unit": assignment}},  # nbgrader reads it a second time
            )
        return self.from_notebook_node(notebook, resources=resources, **options)


def report_misnamed(notebooks: list[str], **_: Any) -> None:
    """Log what to rename: nbgrader takes no notebook but the one named like its assignment.

    nbgrader calls this before it converts a submission.
    """
    for path in map(Path, notebooks):
        expected = f"{path.parent.name}.ipynb"
        if path.name != expected:
            get_logger().error("%s is ignored; if it is the answer, rename it %s", path, expected)


def read_gradable(path: Path, assignment: str) -> NotebookNode:
    """The notebook at `path`, if it is one of this assignment.

    Raises:
        SubmissionError: If it is no notebook of format 4, or belongs to another unit.
    """
    if assignment in registry.units():
        read_submission(path, assignment)
    return parse_notebook(path)
