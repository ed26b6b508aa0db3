"""A right answer prints everything that it sees."""

KIND = "accidents"
RIGHT = ("log_gaussian",)
ANSWERS = {
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    print(x, loc, log_scale)
    print("x" * 100_000)
    z = (x - loc) / log_scale.exp()
    return (-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(-1)
""",
}
