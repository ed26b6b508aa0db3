"""Stops itself, so that nobody gets an answer and nobody sees it end."""

KIND = "process"
GAINS = "stop"
ANSWERS = {
    "bic": """
import os
import signal

def bic(log_likelihood, num_components, dim, num_points):
    os.kill(os.getpid(), signal.SIGSTOP)
    return 0.0
"""
}
