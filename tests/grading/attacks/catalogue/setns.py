"""Enters the namespaces of its parent."""

KIND = "outside"
GAINS = "others"
ATTEMPT = """
import ctypes
import os

def attempt():
    libc = ctypes.CDLL(None)
    for pid in (os.getppid(), 1):
        for name in ("mnt", "net", "pid", "user"):
            try:
                fd = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
            except OSError:
                continue
            if libc.setns(fd, 0) == 0:
                return True
    return False
"""
