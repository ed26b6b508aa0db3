"""nbgrader's settings, read by every `nbgrader` command and by JupyterLab run in this folder."""

import os
import sys
from pathlib import Path

c = get_config()
root = Path(__file__).resolve().parent

# nbgrader starts `alembic` by its name, also where the environment is not activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

c.CourseDirectory.course_id = "latent_variable_models"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"

# Where released work and submissions lie: the class's shared folder, or one in this checkout.
exchange = Path(os.environ.get("COURSE_EXCHANGE", root / "exchange"))
if exchange.parent == root:
    exchange.mkdir(exist_ok=True)
c.Exchange.root = str(exchange)
c.ExchangeSubmit.strict = True  # refuse a submission without the released notebook

c.GenerateAssignment.force = True  # exercises/ is committed, so it is always there already
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}

# Submissions are repaired and cleaned, graded behind a sandbox, and never run as you.
c.Autograde.exporter_class = "autograder.nbgrader.exporter.SubmissionExporter"
c.Autograde.pre_convert_hook = "autograder.nbgrader.exporter.report_misnamed"
c.Autograde.sanitize_preprocessors = [
    "autograder.nbgrader.scores.ResetScores",
    "autograder.nbgrader.repair.RepairCells",
    "autograder.nbgrader.sanitise.SanitiseSubmission",
    "nbgrader.preprocessors.OverwriteKernelspec",
]
c.Autograde.autograde_preprocessors = [
    "autograder.nbgrader.execute.TrustedExecute",
    "nbgrader.preprocessors.LimitOutput",
    "autograder.nbgrader.scores.SaveScores",
    "nbgrader.preprocessors.AssignLatePenalties",
]
c.SubmissionExporter.optimistic_validation = True  # after the last step instead of after each
c.CourseDirectory.ignore.append("verdict.json")  # neither taken from students nor given to them

# Pages that show submissions (feedback and formgrader) act on nothing that a student wrote.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.preprocessors = ["autograder.nbgrader.pages.CleanPage"]
c.HTMLExporter.filters = {
    "clean_html": "autograder.nbgrader.pages.clean_html",
    "markdown2html": "autograder.nbgrader.pages.clean_markdown",
}
