"""Speaks for the child: says of a cell what can only be said of a function."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "bic": """
import sys

frame = sys._getframe()
while frame and not hasattr(frame.f_locals.get("self"), "_nonce"):
    frame = frame.f_back
if frame:
    server = frame.f_locals["self"]
    wire = type(server).answer_next.__globals__["wire"]
    wire.send(3, server._nonce, {"fault": "not_attempted", "detail": "", "text": ""})
while True:
    pass
"""
}
