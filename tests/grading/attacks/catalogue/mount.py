"""Mounts a file system, by the old call and by the new ones."""

KIND = "outside"
GAINS = "others"
ATTEMPT = """
import ctypes
import os

def attempt():
    libc = ctypes.CDLL(None)
    os.makedirs("mallory", exist_ok=True)
    if libc.mount(b"none", b"mallory", b"tmpfs", 0, None) == 0:
        libc.umount2(b"mallory", 2)
        return True
    return libc.syscall(430, b"tmpfs", 0) >= 0 or libc.syscall(428, -100, b"/", 1) >= 0
"""
