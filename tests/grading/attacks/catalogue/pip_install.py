"""A cell installs a package and looks at the graphics card."""

KIND = "accidents"
RIGHT = ("bic",)
ANSWERS = {
    "bic": """
!pip install torch
!nvidia-smi
files = !ls
%pip install numpy
def bic(log_likelihood, num_components, dim, num_points):
    per_component = 1 + dim + dim * (dim + 1) // 2
    return -2 * log_likelihood + (num_components * per_component - 1) * math.log(num_points)
""",
}
