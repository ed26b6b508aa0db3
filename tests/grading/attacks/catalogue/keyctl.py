"""Reads and writes the kernel's key rings, which other processes of the user share."""

KIND = "outside"
GAINS = "secret"
ATTEMPT = """
import ctypes

def attempt():
    libc = ctypes.CDLL(None)
    ring = libc.syscall(250, 0, -4, 1)
    key = libc.syscall(248, b"user", b"mallory", b"secret", 6, -3)
    return ring > 0 or key > 0
"""
