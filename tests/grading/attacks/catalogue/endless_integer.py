"""Returns an integer of a million digits, which takes long to write and to read."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "bic": """
import sys

sys.set_int_max_str_digits(0)

def bic(log_likelihood, num_components, dim, num_points):
    return 1 << 3_000_000
"""
}
