"""Sends signals to its process group, by pidfd, by sigqueue and by the thread's number."""

KIND = "process"
GAINS = "stop"
ATTEMPT = """
import ctypes
import os
import signal

def attempt():
    libc = ctypes.CDLL(None)
    reached = 0
    for target in {os.getppid(), CANARY_PID} - {0, 1}:
        for call in ((234, target, target, 9), (200, target, 9), (62, target, 9)):
            reached += libc.syscall(*call) == 0
        try:
            signal.pidfd_send_signal(os.pidfd_open(target), 9)
            reached += 1
        except (OSError, AttributeError):
            pass
    return reached > 0
"""
