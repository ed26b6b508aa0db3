"""Forks by the raw system calls fork, vfork, clone and clone3."""

KIND = "process"
GAINS = "survive"
ATTEMPT = """
import ctypes
import time

def attempt():
    libc = ctypes.CDLL(None)
    sizes = (ctypes.c_uint64 * 11)()
    sizes[4] = 17
    for call in ((57,), (56, 17, 0, 0, 0, 0), (435, ctypes.byref(sizes), 88)):
        pid = libc.syscall(*call)
        if pid == 0:
            libc.syscall(35, (ctypes.c_int64 * 2)(20, 0), 0)
            libc.syscall(60, 0)
        if pid > 0:
            return True
    return False
"""
