"""Fills every folder that it can write to."""

KIND = "disk"
GAINS = "stop"
ATTEMPT = """
import os
import tempfile

def attempt():
    block, written = b"x" * (8 << 20), 0
    for folder in (os.getcwd(), os.path.expanduser("~"), "/tmp", "/dev/shm", "/var/tmp"):
        names = []
        try:
            for number in range(16):
                names.append(os.path.join(folder, f"mallory-{os.getpid()}-{number}"))
                with open(names[-1], "wb", buffering=0) as file:
                    written += file.write(block)
        except OSError:
            pass
        for name in names:
            try:
                os.remove(name)
            except OSError:
                pass
    return written > 200 << 20
"""
