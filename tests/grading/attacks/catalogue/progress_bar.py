"""A right answer shows a progress bar."""

KIND = "accidents"
RIGHT = ("bic",)
ANSWERS = {
    "bic": """
from tqdm.auto import tqdm

def bic(log_likelihood, num_components, dim, num_points):
    for _ in tqdm(range(3)):
        pass
    per_component = 1 + dim + dim * (dim + 1) // 2
    return -2 * log_likelihood + (num_components * per_component - 1) * math.log(num_points)
""",
}
