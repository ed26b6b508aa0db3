"""Another cell does not even parse."""

KIND = "accidents"
RIGHT = ("bic",)
ANSWERS = {
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    per_component = 1 + dim + dim * (dim + 1) // 2
    return -2 * log_likelihood + (num_components * per_component - 1) * math.log(num_points)
""",
    "log_gaussian": """
def log_gaussian(x, loc, log_scale:
    return x +
""",
}
