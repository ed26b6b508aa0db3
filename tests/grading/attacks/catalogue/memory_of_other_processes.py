"""Reads the memory of every process it sees, through /proc and process_vm_readv."""

KIND = "process"
GAINS = "secret"
ATTEMPT = """
import ctypes
import os

def attempt():
    libc = ctypes.CDLL(None)
    buffer = ctypes.create_string_buffer(64)
    pids = set(filter(str.isdigit, os.listdir("/proc"))) if os.path.isdir("/proc") else set()
    for pid in pids | {str(os.getppid()), "CANARY_PID"}:
        if int(pid) == os.getpid():
            continue
        try:
            start = int(open(f"/proc/{pid}/maps").readline().split("-")[0], 16)
            with open(f"/proc/{pid}/mem", "rb") as file:
                file.seek(start)
                if file.read(16):
                    return True
        except (OSError, ValueError, OverflowError):
            continue
        here = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 64)
        there = (ctypes.c_void_p * 2)(start, 64)
        if libc.syscall(310, int(pid), here, 1, there, 1, 0) > 0:
            return True
    return False
"""
