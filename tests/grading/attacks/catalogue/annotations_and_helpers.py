"""An answer comes with a helper, annotations, a class and a test of its own."""

KIND = "accidents"
RIGHT = ("bic",)
ANSWERS = {
    "bic": """
from dataclasses import dataclass

@dataclass
class Size:
    dim: int

    def count(self) -> int:
        return 1 + self.dim + self.dim * (self.dim + 1) // 2

def bic(log_likelihood: float, num_components: int, dim: int, num_points: int) -> float:
    count = num_components * Size(dim).count() - 1
    return -2 * log_likelihood + count * math.log(num_points)

assert abs(bic(-1130.264, 2, 2, 272) - 2322.19) < 0.01
""",
}
