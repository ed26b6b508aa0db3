"""Returns, raises and prints text that cannot be encoded."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    print("\\ud800" * 1000)
    return "\\udfff" * 1000
""",
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    raise type("\\ud800\\udfff", (Exception,), {})("\\udc80\\x00\\u202e")
""",
    "log_mixture": """
def log_mixture(x, logits, loc, log_scale):
    return {"\\ud800": 1.0, "\\x00": 2.0}
""",
}
