"""Returns generators, dictionaries and lists that never end when they are read."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "bic": """
class Endless(list):
    def __iter__(self):
        while True:
            yield 0.0
    def __len__(self):
        return 4

def bic(log_likelihood, num_components, dim, num_points):
    return Endless()
""",
    "log_gaussian": """
class Keys(dict):
    def items(self):
        while True:
            yield "a", 0.0

def log_gaussian(x, loc, log_scale):
    return Keys(a=1.0)
""",
}
