"""Hands in an nbgrader_config.py and an ipython_config.py beside the notebook."""

KIND = "disk"
GAINS = "others"
ANSWERS = {
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    return 0.0
"""
}
FILES = {
    "nbgrader_config.py": "open('ESCAPE_MARKER', 'w').close()\n",
    "ipython_config.py": "open('ESCAPE_MARKER', 'w').close()\n",
    ".ipython/profile_default/startup/z.py": "open('ESCAPE_MARKER', 'w').close()\n",
}
