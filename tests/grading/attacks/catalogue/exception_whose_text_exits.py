"""Raises an exception whose __str__, __repr__ and class ends the process that shows it."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "bic": """
import os

class Bomb(Exception):
    def __str__(self):
        os._exit(0)
    __repr__ = __str__
    __class__ = property(__str__)
    args = property(__str__)

def bic(log_likelihood, num_components, dim, num_points):
    raise Bomb
"""
}
