"""Raises an exception whose text takes for ever, in a chain of causes that is a circle."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "bic": """
class Slow(Exception):
    def __str__(self):
        while True:
            pass

def bic(log_likelihood, num_components, dim, num_points):
    first, second = Slow(), Slow()
    first.__cause__, second.__cause__ = second, first
    first.__context__, second.__context__ = second, first
    raise first
"""
}
