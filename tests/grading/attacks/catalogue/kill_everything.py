"""Kills all processes that it may signal; the harness has one outside that it may not."""

KIND = "process"
GAINS = "stop"
ATTEMPT = """
import os
import signal

def attempt():
    try:
        os.kill(CANARY_PID, signal.SIGKILL)
    except OSError:
        try:
            os.kill(-1, signal.SIGKILL)  # only now: whatever this reaches is not the host
        except OSError:
            pass
        return False
    return True
"""
