"""Uses nearly all the time of every single call, and there are many calls."""

KIND = "process"
GAINS = "stop"
ANSWERS = {
    "bic": """
import time

def bic(log_likelihood, num_components, dim, num_points):
    time.sleep(0.9)
    return 0.0
"""
}
