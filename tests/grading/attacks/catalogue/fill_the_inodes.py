"""Makes so many empty files that nobody else can make one."""

KIND = "disk"
GAINS = "stop"
ATTEMPT = """
import os
import shutil

def attempt():
    os.mkdir("many")
    try:
        for number in range(50_000):
            open(f"many/{number}", "w").close()
    finally:
        shutil.rmtree("many", ignore_errors=True)
    return True
"""
