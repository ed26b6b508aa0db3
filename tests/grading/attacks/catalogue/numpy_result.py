"""A right answer is computed with numpy and comes back as a numpy number."""

KIND = "accidents"
RIGHT = ("bic",)
ANSWERS = {
    "bic": """
import numpy as np

def bic(log_likelihood, num_components, dim, num_points):
    per_component = 1 + dim + dim * (dim + 1) // 2
    count = np.int64(num_components * per_component - 1)
    return np.float64(-2 * log_likelihood + count * np.log(num_points))
""",
}
