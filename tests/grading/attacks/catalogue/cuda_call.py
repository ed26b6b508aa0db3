"""A cell tries its answer on a graphics card that is not there."""

KIND = "accidents"
RIGHT = ("log_gaussian",)
ANSWERS = {
    "log_gaussian": """
device = "cuda" if torch.cuda.is_available() else "cpu"

def log_gaussian(x, loc, log_scale):
    z = (x - loc) / log_scale.exp()
    return (-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(-1)

log_gaussian(torch.zeros(1, 2).cuda(), torch.zeros(2).cuda(), torch.zeros(2).cuda())
""",
}
