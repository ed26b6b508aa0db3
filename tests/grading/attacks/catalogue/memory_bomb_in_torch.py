"""Takes 8 GB through torch and through an anonymous map, and touches all of it."""

KIND = "process"
GAINS = "stop"
ATTEMPT = """
import mmap

def attempt():
    for take in (
        lambda: torch.ones(2**30, dtype=torch.float64),
        lambda: mmap.mmap(-1, 8 << 30),
    ):
        try:
            take()[0]
            return True
        except (MemoryError, RuntimeError, OSError, ValueError):
            pass
    return False
"""
