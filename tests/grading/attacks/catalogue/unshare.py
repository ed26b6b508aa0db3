"""Becomes root in a user namespace of its own, from where more kernel code can be reached."""

KIND = "outside"
GAINS = "others"
ATTEMPT = """
import ctypes

def attempt():
    libc = ctypes.CDLL(None)
    for flags in (0x10000000, 0x10020000, 0x40000000, 0x20000):
        if libc.unshare(flags) == 0:
            return True
    return libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0) > 0
"""
