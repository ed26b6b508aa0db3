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

# Broken submissions: say why in the feedback, repair what can be repaired, go on with the class.
c.Autograde.exporter_class = "autograder.nbgrader.exporter.SubmissionExporter"
c.Autograde.sanitize_preprocessors.prepend(["autograder.nbgrader.repair.RepairCells"])
c.Autograde.pre_convert_hook = "autograder.nbgrader.exporter.report_misnamed"
c.Execute.timeout = 120  # seconds for each cell
c.Execute.extra_arguments = ["--log-level=ERROR"]

# Without this, a warning or a progress bar on stderr turns a right answer into 0 points.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"(?s).*"
