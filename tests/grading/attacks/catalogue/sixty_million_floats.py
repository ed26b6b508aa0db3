"""Returns 60 million numbers."""

KIND = "process"
GAINS = "stop"
ANSWERS = {
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    return torch.zeros(60_000_000, dtype=torch.float64)
"""
}
