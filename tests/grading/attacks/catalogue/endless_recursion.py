"""Recurses without end, in Python and in C."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "bic": """
import sys

sys.setrecursionlimit(10**9)

def bic(log_likelihood, num_components, dim, num_points):
    return bic(log_likelihood, num_components, dim, num_points)
""",
    "log_gaussian": """
import functools

def log_gaussian(x, loc, log_scale):
    thing = len
    for _ in range(500_000):
        thing = functools.partial(thing)
        nested = [thing]
    deep = []
    for _ in range(500_000):
        deep = [deep]
    return repr(deep)
""",
}
