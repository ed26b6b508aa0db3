"""Leaves a daemon that outlives grading and writes a file two seconds later."""

KIND = "process"
GAINS = "survive"
ATTEMPT = """
import os
import time

def attempt():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for fd in range(64):
                try:
                    os.close(fd)
                except OSError:
                    pass
            time.sleep(2)
            try:
                open("ESCAPE_MARKER", "w").close()
            finally:
                time.sleep(10)
                os._exit(0)
        os._exit(0)
    return True
"""
