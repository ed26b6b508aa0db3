"""Ends, but leaves a child that keeps every descriptor open, so that the grader waits for more."""

KIND = "process"
GAINS = "stop"
ANSWERS = {
    "bic": """
import os
import time

def bic(log_likelihood, num_components, dim, num_points):
    try:
        if os.fork() == 0:
            time.sleep(20)
    finally:
        os._exit(0)
"""
}
