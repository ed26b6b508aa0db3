"""Ends its process at the moment when the grader lends it a reference."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    return torch.zeros(len(x), dtype=x.dtype)
""",
    "log_mixture": """
import gc
import os

for thing in gc.get_objects():
    if hasattr(type(thing), "lend"):
        type(thing).lend = lambda self, name: os._exit(0)

def log_mixture(x, logits, loc, log_scale):
    return torch.zeros(len(x), dtype=x.dtype)
""",
}
