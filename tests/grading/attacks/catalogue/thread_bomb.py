"""Starts as many threads as it can (at most 2 000 here)."""

KIND = "process"
GAINS = "stop"
ATTEMPT = """
import threading
import time

def attempt():
    threading.stack_size(64 << 10)
    for _ in range(2000):
        threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
    return True
"""
