"""Prints the hidden inputs."""

KIND = "inputs"
GAINS = "secret"
ANSWERS = {
    "bic": """
import logging
import sys

def bic(*hidden):
    print("TELL_TALE", hidden)
    print("TELL_TALE", hidden, file=sys.stderr)
    logging.error("TELL_TALE %s", hidden)
    return 0.0
"""
}
