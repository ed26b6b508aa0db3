"""Writes to the descriptors 1 and 2 directly, past whatever caught print."""

KIND = "process"
GAINS = "stop"
ANSWERS = {
    "bic": """
import os

def bic(log_likelihood, num_components, dim, num_points):
    for _ in range(300):
        for fd in (1, 2):
            try:
                os.write(fd, b"TELL_TALE\\n" * 100_000)
            except OSError:
                pass
    return 0.0
"""
}
