"""Makes a program in memory and runs it in its own place."""

KIND = "outside"
GAINS = "others"
ATTEMPT = """
import os

def attempt():
    try:
        fd = os.memfd_create("program")
        os.write(fd, b"#!/bin/sh\\necho > ESCAPE_MARKER\\n")
        os.execve(fd, ["program"], {})
    except OSError:
        os.execv("/bin/sh", ["sh", "-c", "echo > ESCAPE_MARKER"])
    return False
"""
