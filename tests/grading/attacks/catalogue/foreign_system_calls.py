"""Makes its calls as a 32-bit program would (int 0x80 and the x32 numbers), past the filter."""

KIND = "outside"
GAINS = "secret"
ATTEMPT = """
import ctypes
import mmap

def attempt():
    libc = ctypes.CDLL(None)
    if libc.syscall(0x40000000 + 41, 2, 1, 0) >= 0:
        return True
    code = bytes.fromhex("b814000000cd80c3")
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    import os
    return ctypes.CFUNCTYPE(ctypes.c_int)(address)() == os.getpid()
"""
