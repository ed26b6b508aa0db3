"""Returns a million small tensors."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    return [torch.zeros(())] * 1_000_000
"""
}
