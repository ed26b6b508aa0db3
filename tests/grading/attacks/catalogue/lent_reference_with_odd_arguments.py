"""Fails one exercise and gives the lent reference a list, whose product with a number is long."""

KIND = "process"
GAINS = "stop"
ANSWERS = {
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    return 0.0
""",
    "choose_num_components": """
def choose_num_components(log_likelihoods, dim, num_points):
    for odd in ([0], "0", (0,)):
        try:
            bic(0.0, odd, 20_000, num_points)
        except Exception:
            pass
        try:
            bic(odd, 30_000_000, 30, num_points)
        except Exception:
            pass
    return 0
""",
}
