"""Prints a thousand million characters."""

KIND = "process"
GAINS = "stop"
ANSWERS = {
    "bic": """
for _ in range(1000):
    print("x" * 1_000_000)

def bic(log_likelihood, num_components, dim, num_points):
    print("y" * 1_000_000)
    return 0.0
"""
}
