"""Opens a file by its inode number, past every folder above it."""

KIND = "outside"
GAINS = "secret"
ATTEMPT = """
import ctypes
import os
import struct

def attempt():
    libc = ctypes.CDLL(None)
    root = os.open("/", os.O_RDONLY)
    handle = ctypes.create_string_buffer(struct.pack("IiQ", 8, 1, 2), 64)
    return libc.syscall(304, root, handle, 0) >= 0
"""
