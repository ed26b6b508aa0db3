"""Reaches the secret through /proc: the root and working folder of every process it sees."""

KIND = "disk"
GAINS = "secret"
ATTEMPT = """
import os

def attempt():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for way in ("root", "cwd/../../../../../../../.."):
            try:
                open(f"/proc/{pid}/{way}COURSE_FOLDER/secret.txt").read()
                return True
            except OSError:
                pass
    return False
"""
