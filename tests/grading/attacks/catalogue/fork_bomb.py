"""Forks as often as it can (at most 200 times here)."""

KIND = "process"
GAINS = "stop"
ATTEMPT = """
import os
import time

def attempt():
    children = 0
    for _ in range(200):
        pid = os.fork()
        if pid == 0:
            time.sleep(20)
            os._exit(0)
        children += 1
    return children == 200
"""
