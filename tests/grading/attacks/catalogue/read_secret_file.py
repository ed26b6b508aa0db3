"""Reads a file that it knows the absolute path of, by open, os.open and a memory map."""

KIND = "disk"
GAINS = "secret"
ATTEMPT = """
import mmap
import os

def attempt():
    path = "COURSE_FOLDER/secret.txt"
    for read in (
        lambda: open(path).read(),
        lambda: os.read(os.open(path, os.O_RDONLY), 100).decode(),
        lambda: mmap.mmap(os.open(path, os.O_RDONLY), 0, prot=mmap.PROT_READ)[:].decode(),
        lambda: torch.from_file(path, size=8, dtype=torch.uint8).tolist(),
    ):
        try:
            print("TELL_TALE", read())
        except (OSError, RuntimeError):
            continue
        return True
    return False
"""
