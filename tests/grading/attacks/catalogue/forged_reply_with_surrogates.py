"""Speaks for the child: reports an error of its own whose text no file can hold."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "bic": """
import sys

def speak(body):
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()):
            nonce = getattr(value, "_nonce", None)
            if isinstance(nonce, str):
                wire = type(value).answer_next.__globals__["wire"]
                wire.send(3, nonce, body)
        frame = frame.f_back

speak({"value": {"kind": "\\ud800\\x00", "text": "\\udfff" * 500, "line": 1}})
while True:
    pass
"""
}
