"""Announces a megabyte, sends ten bytes and waits."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "bic": """
import os
import struct
import time

def bic(log_likelihood, num_components, dim, num_points):
    for fd in range(3, 64):
        try:
            os.write(fd, struct.pack("<II", 1 << 20, 1 << 20) + b'{"nonce": ')
        except OSError:
            pass
    time.sleep(30)
    return 0.0
"""
}
