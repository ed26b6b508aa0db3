"""Is right in the first calls and wrong afterwards: the public checks come first."""

KIND = "inputs"
GAINS = "marks"
ANSWERS = {
    "bic": """
calls = []

def bic(log_likelihood, num_components, dim, num_points):
    calls.append(1)
    if len(calls) > 4:
        return 0.0
    per_component = 1 + dim + dim * (dim + 1) // 2
    return -2 * log_likelihood + (num_components * per_component - 1) * math.log(num_points)
"""
}
