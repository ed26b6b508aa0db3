"""Leaves a System V segment, a message queue and a key for an accomplice."""

KIND = "process"
GAINS = "others"
ATTEMPT = """
import ctypes

def attempt():
    libc = ctypes.CDLL(None)
    libc.syscall(29, 0x6D616C6C, 4096, 0o1666)
    libc.syscall(68, 0x6D616C6C, 0o1666)
    libc.syscall(240, b"mallory", 0o102, 0o666, None)
    return False
"""
THEN = """
import ctypes

def attempt():
    libc = ctypes.CDLL(None)
    shared = libc.syscall(29, 0x6D616C6C, 4096, 0o666)
    queue = libc.syscall(68, 0x6D616C6C, 0o666)
    named = libc.syscall(240, b"mallory", 0, 0, None)
    if shared >= 0:
        libc.syscall(31, shared, 0, None)
    if queue >= 0:
        libc.syscall(71, queue, 0, None)
    libc.syscall(241, b"mallory")
    return max(shared, queue, named) >= 0
"""
