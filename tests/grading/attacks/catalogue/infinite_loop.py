"""Never returns."""

KIND = "process"
GAINS = "stop"
ANSWERS = {
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    while True:
        pass
"""
}
