"""A cell saves a figure and reads it back."""

KIND = "accidents"
RIGHT = ("bic",)
ANSWERS = {
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    per_component = 1 + dim + dim * (dim + 1) // 2
    return -2 * log_likelihood + (num_components * per_component - 1) * math.log(num_points)

plt.plot([1, 2])
plt.savefig("figure.png")
assert plt.imread("figure.png").ndim == 3
""",
}
