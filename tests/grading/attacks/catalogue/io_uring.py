"""Opens an io_uring, which does system calls that no filter sees."""

KIND = "outside"
GAINS = "secret"
ATTEMPT = """
import ctypes

def attempt():
    parameters = ctypes.create_string_buffer(120)
    return ctypes.CDLL(None).syscall(425, 8, parameters) >= 0
"""
