"""A cell sets the seed, the default type and print options for itself."""

KIND = "accidents"
RIGHT = ("log_gaussian", "bic")
ANSWERS = {
    "log_gaussian": """
torch.manual_seed(1)
torch.set_default_dtype(torch.float64)
torch.set_printoptions(precision=3)
torch.set_num_threads(2)

def log_gaussian(x, loc, log_scale):
    z = (x - loc) / log_scale.exp()
    return (-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(-1)
""",
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    per_component = 1 + dim + dim * (dim + 1) // 2
    return -2 * log_likelihood + (num_components * per_component - 1) * math.log(num_points)
""",
}
