"""Returns columns of millions of numbers, which become far more beside the expected row."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    return torch.zeros(4_000_000, 1, dtype=x.dtype)
""",
    "responsibilities": """
def responsibilities(x, logits, loc, log_scale):
    return torch.zeros(2_000_000, 1, 2, dtype=x.dtype)
""",
    "em_step": """
def em_step(x, weights, loc, covariance):
    long = torch.zeros(1_000_000, 1, dtype=x.dtype)
    return long, long, long
""",
}
