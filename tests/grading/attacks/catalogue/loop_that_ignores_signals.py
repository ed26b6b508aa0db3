"""Never returns, ignores every signal that it can and swallows every exception."""

KIND = "process"
GAINS = "stop"
ANSWERS = {
    "bic": """
import signal

for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass

def bic(log_likelihood, num_components, dim, num_points):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
"""
}
