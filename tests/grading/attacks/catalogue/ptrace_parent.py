"""Attaches to the process that forked it, as a debugger."""

KIND = "process"
GAINS = "secret"
ATTEMPT = """
import ctypes
import os

def attempt():
    libc = ctypes.CDLL(None)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    for target in {os.getppid(), CANARY_PID} - {0, 1}:
        for request in (16, 0x4206):
            if libc.ptrace(request, target, None, None) == 0:
                libc.ptrace(17, target, None, None)
                return True
    return False
"""
