"""Looks for secrets in the environment, its own and the one at the process's start."""

KIND = "outside"
GAINS = "secret"
ATTEMPT = """
import ctypes
import os

def attempt():
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_char_p
    try:
        start = open("/proc/self/environ", "rb").read()
    except OSError:
        start = b""
    print("TELL_TALE", dict(os.environ))
    known = "SECRET_TOKEN" in os.environ or bool(libc.getenv(b"SECRET_TOKEN"))
    return known or b"SECRET_TOKEN" in start
"""
