"""Lets another program open the connection."""

KIND = "outside"
GAINS = "secret"
ATTEMPT = """
import subprocess
import sys

def attempt():
    code = "import socket; socket.create_connection(('127.0.0.1', LISTENER_PORT), 1)"
    return subprocess.run([sys.executable, "-c", code], timeout=5).returncode == 0
"""
