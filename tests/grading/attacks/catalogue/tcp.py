"""Sends what it knows to a server."""

KIND = "outside"
GAINS = "secret"
ATTEMPT = """
import socket

def attempt():
    with socket.create_connection(("127.0.0.1", LISTENER_PORT), timeout=1) as line:
        line.sendall(b"TELL_TALE")
    return True
"""
