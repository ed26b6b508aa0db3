"""Asks the C library for an address, which reads files and talks to a name server by itself."""

KIND = "outside"
GAINS = "secret"
ATTEMPT = """
import socket

def attempt():
    return bool(socket.getaddrinfo("localhost", LISTENER_PORT))
"""
