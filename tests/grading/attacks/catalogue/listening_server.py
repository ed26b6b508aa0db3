"""Opens a server of its own, over TCP and as an abstract Unix socket."""

KIND = "outside"
GAINS = "survive"
ATTEMPT = """
import socket

def attempt():
    opened = 0
    for family, address in (
        (socket.AF_INET, ("127.0.0.1", 0)),
        (socket.AF_UNIX, "\\0mallory"),
        (socket.AF_UNIX, "mallory.sock"),
    ):
        try:
            server = socket.socket(family)
            server.bind(address)
            server.listen()
            opened += 1
        except OSError:
            pass
    return opened > 0
"""
