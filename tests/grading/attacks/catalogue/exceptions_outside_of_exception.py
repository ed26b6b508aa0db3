"""Raises KeyboardInterrupt, GeneratorExit and a class of its own below BaseException."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    raise KeyboardInterrupt
""",
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    raise GeneratorExit
""",
    "log_mixture": """
class Own(BaseException):
    pass

def log_mixture(x, logits, loc, log_scale):
    raise BaseExceptionGroup("both", [Own(), SystemExit(0)])
""",
}
