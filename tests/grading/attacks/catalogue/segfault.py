"""Reads address zero."""

KIND = "process"
GAINS = "stop"
ANSWERS = {
    "bic": """
import ctypes

def bic(log_likelihood, num_components, dim, num_points):
    return ctypes.string_at(0)
"""
}
