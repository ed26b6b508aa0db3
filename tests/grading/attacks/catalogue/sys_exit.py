"""Ends the process with exit code 0 before the tests run."""

KIND = "process"
GAINS = "marks"
ANSWERS = {
    "bic": """
import sys

def bic(log_likelihood, num_components, dim, num_points):
    sys.exit(0)
""",
    "log_gaussian": """
raise SystemExit(0)
""",
}
