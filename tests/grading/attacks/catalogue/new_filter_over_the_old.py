"""Sets no_new_privs, seccomp and Landlock again, to replace the rules by weaker ones."""

KIND = "outside"
GAINS = "others"
ATTEMPT = """
import ctypes

def attempt():
    libc = ctypes.CDLL(None)
    libc.prctl(22, 0, 0, 0, 0)
    libc.prctl(38, 0, 0, 0, 0)
    libc.prctl(4, 1, 0, 0, 0)
    libc.syscall(446, -1, 0)
    return libc.syscall(41, 2, 1, 0) >= 0
"""
