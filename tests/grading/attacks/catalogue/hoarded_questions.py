"""Fails one exercise and asks the lent reference for large results, again and again."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    return torch.zeros(len(x), dtype=x.dtype)
""",
    "log_mixture": """
def log_mixture(x, logits, loc, log_scale):
    many = torch.zeros(3_000_000, 1, dtype=x.dtype)
    while True:
        log_gaussian(many, many[0], many[0])
""",
}
