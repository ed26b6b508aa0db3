"""Connects to the abstract Unix socket of a service, which no file permission protects."""

KIND = "outside"
GAINS = "secret"
ATTEMPT = """
import socket

def attempt():
    with socket.socket(socket.AF_UNIX) as line:
        line.connect("\\0TELL_TALE")
    return True
"""
