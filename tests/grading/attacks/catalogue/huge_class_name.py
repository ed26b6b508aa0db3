"""Raises an exception and returns an object whose classes have names of ten million characters."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    raise type("A" * 10_000_000, (Exception,), {})("B" * 10_000_000)
""",
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    return type("A" * 10_000_000, (), {})()
""",
}
