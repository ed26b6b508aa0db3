"""Fails one exercise, so that the grader lends its reference, and asks that for too much."""

KIND = "process"
GAINS = "stop"
ANSWERS = {
    "em_step": """
def em_step(x, weights, loc, covariance):
    return weights, loc, covariance
""",
    "fit_without_collapse": """
def fit_without_collapse(x, weights, loc, covariance, num_steps):
    many = torch.linspace(0, 1, 11_000, dtype=torch.float64)
    equal = torch.full_like(many, 1 / len(many))
    em_step(many[:, None], equal, many[:, None], torch.ones_like(many)[:, None, None])
    return weights, loc, covariance
""",
}
