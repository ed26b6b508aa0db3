"""Starts a calculation in C that holds the interpreter's lock for hours."""

KIND = "process"
GAINS = "stop"
ANSWERS = {
    "bic": """
import re

def bic(log_likelihood, num_components, dim, num_points):
    return len(re.findall("(a+)+$", "a" * 60 + "b"))
"""
}
