"""Makes a BPF map and loads a program into the kernel."""

KIND = "outside"
GAINS = "secret"
ATTEMPT = """
import ctypes
import struct

def attempt():
    libc = ctypes.CDLL(None)
    attributes = ctypes.create_string_buffer(struct.pack("IIII", 2, 4, 8, 1), 128)
    return libc.syscall(321, 0, attributes, 128) >= 0
"""
