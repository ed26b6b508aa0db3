"""Another cell uses a package that is not installed."""

KIND = "accidents"
RIGHT = ("bic",)
ANSWERS = {
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    per_component = 1 + dim + dim * (dim + 1) // 2
    return -2 * log_likelihood + (num_components * per_component - 1) * math.log(num_points)
""",
    "log_gaussian": """
import pandas_of_the_future

def log_gaussian(x, loc, log_scale):
    z = (x - loc) / log_scale.exp()
    return (-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(-1)
""",
}
