"""An answer draws a figure and shows it, at the top level and in the function."""

KIND = "accidents"
RIGHT = ("log_gaussian",)
ANSWERS = {
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    plt.plot([1, 2])
    plt.show()
    z = (x - loc) / log_scale.exp()
    return (-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(-1)

plt.plot([0, 1])
plt.show()
""",
}
