"""Returns NaN, which passes wherever equal_nan is on or a difference is tested with >."""

KIND = "comparison"
GAINS = "marks"
ANSWERS = {
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    return torch.full((len(x),), torch.nan, dtype=x.dtype)
""",
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    return float("nan")
""",
}
