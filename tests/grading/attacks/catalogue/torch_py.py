"""Hands in a torch.py beside the notebook, which is imported instead of torch."""

KIND = "disk"
GAINS = "marks"
ANSWERS = {
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    return torch.zeros(len(x), dtype=x.dtype)
"""
}
FILES = {
    "torch.py": """
import importlib.util
import sys

here = sys.path
sys.path = [entry for entry in sys.path if "packages" in entry or "lib/python" in entry]
del sys.modules["torch"]
import torch
sys.path = here
torch.allclose = lambda *args, **kwargs: True
torch.isclose = lambda a, b, **kwargs: torch.ones_like(a, dtype=torch.bool)
sys.modules["torch"] = torch
"""
}
