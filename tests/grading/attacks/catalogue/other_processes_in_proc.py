"""Reads the command lines and environments of other processes."""

KIND = "process"
GAINS = "secret"
ATTEMPT = """
import os

def attempt():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == os.getpid():
            continue
        for name in ("environ", "cmdline"):
            try:
                text = open(f"/proc/{pid}/{name}", "rb").read()
            except OSError:
                continue
            if b"SECRET_TOKEN" in text or b"pytest" in text or b"nbgrader" in text:
                return True
    return False
"""
