"""Two answers were written into the cell of the second."""

KIND = "accidents"
RIGHT = ("bic", "choose_num_components")
ANSWERS = {
    "choose_num_components": """
def bic(log_likelihood, num_components, dim, num_points):
    per_component = 1 + dim + dim * (dim + 1) // 2
    return -2 * log_likelihood + (num_components * per_component - 1) * math.log(num_points)


def choose_num_components(log_likelihoods, dim, num_points):
    scores = [bic(value, k, dim, num_points) for k, value in enumerate(log_likelihoods, 1)]
    return 1 + scores.index(min(scores))
""",
}
