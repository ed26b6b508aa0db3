"""Speaks for the child: replies that have the right nonce and the wrong content."""

KIND = "channel"
GAINS = "stop"
BODIES = {
    "log_gaussian": '{"fault": ["raised"], "detail": "", "text": ""}',
    "log_mixture": '{"fault": "raised", "detail": {"a": 1}, "text": ["b"]}',
    "responsibilities": '{"fault": "raised", "detail": "\\ud800", "text": "\\ud800"}',
    "predict_second_component": '{"value": "\\ud800"}',
    "em_step": '{"value": ({"\\ud800": 1.0}, {}, True)}',
    "sample_mixture": '{"question": {"oracle": True, "args": ()}}',
    "bic": '{"value": 10**4000}',
    "choose_num_components": '{"question": {"lent": "bic", "args": (1, "x", None)}}',
    "conditional_waiting": '{"value": ((), [], {})}',
    "predict_return_time": '{"value": {"ok": True, "points": 1}}',
}
SPEAK = """
def {name}(*args):
    import sys
    frame = sys._getframe()
    while frame and not hasattr(frame.f_locals.get("self"), "_nonce"):
        frame = frame.f_back
    server = frame.f_locals["self"]
    wire = type(server).answer_next.__globals__["wire"]
    wire.send(3, server._nonce, {body})
    while True:
        pass
"""
ANSWERS = {name: SPEAK.format(name=name, body=body) for name, body in BODIES.items()}
