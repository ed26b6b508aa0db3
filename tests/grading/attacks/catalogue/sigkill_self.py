"""Kills itself when it is imported."""

KIND = "process"
GAINS = "stop"
ANSWERS = {
    "bic": """
import os
import signal
os.kill(os.getpid(), signal.SIGKILL)
"""
}
