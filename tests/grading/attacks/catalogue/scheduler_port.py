"""Connects to the scheduler of the cluster and asks it to run a function."""

KIND = "outside"
GAINS = "others"
ATTEMPT = """
import os
import socket

def attempt():
    addresses = [("127.0.0.1", LISTENER_PORT), ("127.0.0.1", 8786), ("localhost", 8787)]
    scheduler = os.environ.get("DASK_SCHEDULER_ADDRESS", "")
    if ":" in scheduler:
        host, _, port = scheduler.rpartition(":")
        addresses.append((host.removeprefix("tcp://"), int(port)))
    for address in addresses:
        try:
            with socket.create_connection(address, timeout=0.5) as line:
                line.sendall(b"\\1\\0\\0\\0\\0\\0\\0\\0")
            return True
        except OSError:
            pass
    return False
"""
