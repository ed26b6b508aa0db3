"""Magics of the debugger and of the clock were left in."""

KIND = "accidents"
RIGHT = ("bic",)
ANSWERS = {
    "bic": """
%matplotlib inline
%debug
def bic(log_likelihood, num_components, dim, num_points):
    per_component = 1 + dim + dim * (dim + 1) // 2
    return -2 * log_likelihood + (num_components * per_component - 1) * math.log(num_points)

%timeit bic(1.0, 2, 2, 10)
%pdb on
bic?
""",
}
