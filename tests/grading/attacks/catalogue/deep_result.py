"""Returns lists nested 200 000 deep, and one that contains itself."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    deep = []
    for _ in range(200_000):
        deep = [deep]
    return deep
""",
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    own = []
    own.append(own)
    return own
""",
}
