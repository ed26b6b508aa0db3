"""Returns a tensor that holds one number and claims to be 10**12 long."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    return torch.zeros(1, dtype=x.dtype).expand(10**12)
"""
}
