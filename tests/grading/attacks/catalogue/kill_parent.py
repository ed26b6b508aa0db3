"""Kills its parent, its process group and its session."""

KIND = "process"
GAINS = "stop"
ATTEMPT = """
import os
import signal

def attempt():
    for target in (os.getppid(), CANARY_PID):
        if target > 1:
            try:
                os.kill(target, signal.SIGKILL)
                return True
            except OSError:
                pass
    return False
"""
