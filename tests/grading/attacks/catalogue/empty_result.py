"""Returns no numbers at all: every element of nothing is right."""

KIND = "comparison"
GAINS = "marks"
ANSWERS = {
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    return torch.zeros(0, dtype=x.dtype)
""",
    "responsibilities": """
def responsibilities(x, logits, loc, log_scale):
    return torch.zeros(0, len(logits), dtype=x.dtype)
""",
}
