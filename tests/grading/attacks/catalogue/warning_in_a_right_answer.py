"""A right answer warns and logs."""

KIND = "accidents"
RIGHT = ("bic",)
ANSWERS = {
    "bic": """
import logging
import warnings

def bic(log_likelihood, num_components, dim, num_points):
    warnings.warn("is this right?", stacklevel=2)
    logging.warning("really?")
    per_component = 1 + dim + dim * (dim + 1) // 2
    return -2 * log_likelihood + (num_components * per_component - 1) * math.log(num_points)
""",
}
