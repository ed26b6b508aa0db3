"""Calls the function of the course library that does the same."""

KIND = "inputs"
GAINS = "marks"
ANSWERS = {
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    from course_lib.mixture import bic as ready
    return ready(log_likelihood, num_components, dim, num_points)
""",
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    return mixture.log_gaussian(x, loc, log_scale)
""",
    "log_mixture": """
def log_mixture(x, logits, loc, log_scale):
    params = mixture.MixtureParams(logits.softmax(0), loc, (2 * log_scale).exp())
    return mixture.log_prob(x, params)
""",
}
