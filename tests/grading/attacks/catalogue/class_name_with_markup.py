"""Raises an exception and returns an object whose names are scripts."""

KIND = "channel"
GAINS = "page"
ANSWERS = {
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    raise type("<script>TELL_TALE</script>", (Exception,), {})("<img src=x onerror=TELL_TALE>")
""",
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    return type("<script>TELL_TALE</script>", (), {})()
""",
    "log_mixture": """
def log_mixture(x, logits, loc, log_scale):
    return "<svg onload=TELL_TALE>"
""",
}
