"""Counts what the processor does for others."""

KIND = "outside"
GAINS = "secret"
ATTEMPT = """
import ctypes
import struct

def attempt():
    attributes = ctypes.create_string_buffer(struct.pack("IIQ", 1, 128, 1), 128)
    return ctypes.CDLL(None).syscall(298, attributes, 0, -1, -1, 0) >= 0
"""
