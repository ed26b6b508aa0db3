"""Opens a userfaultfd, with which kernel races are won."""

KIND = "outside"
GAINS = "secret"
ATTEMPT = """
import ctypes

def attempt():
    libc = ctypes.CDLL(None)
    return libc.syscall(323, 0) >= 0 or libc.syscall(323, 1) >= 0
"""
