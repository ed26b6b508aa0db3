"""Becomes root, or the user that it was before."""

KIND = "outside"
GAINS = "others"
ATTEMPT = """
import ctypes
import os

def attempt():
    libc = ctypes.CDLL(None)
    for become in (os.setuid, os.setgid):
        for number in (0, 1000):
            try:
                become(number)
                return True
            except OSError:
                pass
    return libc.syscall(117, 0, 0, 0) == 0 or libc.syscall(126, 0, 0) == 0
"""
