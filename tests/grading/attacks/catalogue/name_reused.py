"""A cell uses the names x, math and check for something else."""

KIND = "accidents"
RIGHT = ("bic", "log_gaussian")
ANSWERS = {
    "bic": """
import math

def bic(log_likelihood, num_components, dim, num_points):
    per_component = 1 + dim + dim * (dim + 1) // 2
    return -2 * log_likelihood + (num_components * per_component - 1) * math.log(num_points)

check = 3
x = bic(1.0, 1, 1, 10)
""",
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    z = (x - loc) / log_scale.exp()
    return (-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(-1)
""",
}
