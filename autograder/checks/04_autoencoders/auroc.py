"""`auroc(normal_scores, anomaly_scores)`: how well a score tells anomalies from normal data."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def area(normal_scores: Tensor, anomaly_scores: Tensor) -> float:
    """Share of pairs in which the anomaly scores higher, ties counted half."""
    ordered = normal_scores.sort().values
    below = torch.searchsorted(ordered, anomaly_scores.contiguous(), right=False)
    not_above = torch.searchsorted(ordered, anomaly_scores.contiguous(), right=True)
    return 0.5 * (below + not_above).double().mean().item() / len(ordered)


AUROC = Exercise(
    name="auroc",
    unit="04_autoencoders",
    title="The area under the ROC curve",
    points=3,
    difficulty=2,
    minutes=20,
    reference=area,
    follow_up="No threshold was chosen: the area judges the order of the scores, and only that.",
    hints=(
        "**Principle.** Sweep the threshold from high to low and draw the share of detected "
        "anomalies over the share of false alarms: that is the ROC curve. The area under it has a "
        "meaning of its own. It is the probability that an anomaly, drawn at random, has a higher "
        "score than a normal image, drawn at random. An equal score decides nothing and counts "
        "half. So the area sees the order of the scores only: squaring positive scores, or "
        "measuring them in other units, changes nothing. One half is guessing. Below one half the "
        "score is worse than guessing, and that must show.",
        "**Place.** Compare every anomaly with every normal image: a[:, None] has the shape (A, "
        "1), and against (N,) it broadcasts to (A, N). Count the pairs with a larger score for "
        "the anomaly as one, those with equal scores as one half, and divide by the number of "
        "pairs. The two sets have different sizes, so nothing is paired by its place. For a few "
        "thousand scores each, this matrix is small enough. Test yourself: if both sets are the "
        "same tensor the area is exactly 0.5, and swapping the two arguments gives one minus the "
        "area.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "higher = anomaly_scores[:, None] > ...               # (A, N)\n"
        "equal = anomaly_scores[:, None] == ...\n"
        "return (higher.double() + ... * equal.double()).mean().item()\n"
        "```\n\n"
        "The gaps are the normal scores, twice, and the worth of a tie. If you get one minus the "
        "right number, you compared the other way round. If you are right without ties and wrong "
        "with them, a tie counts as nothing or as a whole. If your curve comes from sorting all "
        "scores together, equal scores must be passed in a single step, by a slanted line. Keep "
        "float64: scores may differ in the tenth digit only.",
    ),
)

Pair = tuple[Tensor, Tensor]


def draw_pair(rng: np.random.Generator, num_normal: int, num_anomalies: int) -> Pair:
    """Overlapping scores of both signs."""
    normal = rng.gamma(2.0, 1.0, size=num_normal) - 2
    anomalies = rng.gamma(3.0, 1.2, size=num_anomalies) - 2
    return torch.from_numpy(normal), torch.from_numpy(anomalies)


def _ask(candidate: Candidate, normal: Tensor, anomalies: Tensor) -> float:
    return expect.number(candidate.call(normal, anomalies), "auroc")


def _expect_area(candidate: Candidate, pair: Pair, what: str) -> None:
    given, expected = _ask(candidate, *pair), area(*pair)
    expect.true(
        abs(given - expected) < 1e-6,
        f"auroc for {what} is {given:.6f}; expected {expected:.6f}, the share of pairs in which "
        "the anomaly scores higher",
    )


@AUROC.check
def is_the_share_of_ordered_pairs(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the probability that an anomaly scores higher than a normal image."""
    for num_normal, num_anomalies in ((23, 11), (9, 31), (1, 5)):
        pair = draw_pair(rng, num_normal, num_anomalies)
        _expect_area(candidate, pair, f"{num_normal} normal and {num_anomalies} anomalous scores")


@AUROC.check
def ties_count_half(candidate: Candidate, rng: np.random.Generator) -> None:
    """Counts a tie half: for whole-numbered scores, and one half where all scores are equal."""
    pair = tuple((1.5 * scores).round() for scores in draw_pair(rng, 30, 17))
    _expect_area(candidate, pair, "scores with many ties")
    same = torch.full((6,), 2.0, dtype=torch.float64)
    _expect_area(candidate, (same, same[:4]), "equal scores")


@AUROC.check
def swapping_gives_the_rest(candidate: Candidate, rng: np.random.Generator) -> None:
    """Swapping normal and anomalous gives one minus the area, also where that is below one half."""
    normal, anomalies = draw_pair(rng, 14, 19)
    normal[:3] = anomalies[:3]
    total = _ask(candidate, normal, anomalies) + _ask(candidate, anomalies, normal)
    expect.true(
        abs(total - 1) < 1e-6,
        f"the area and the area of the swapped sets add up to {total:.6f}; expected 1",
    )


@AUROC.check
def only_the_order_counts(candidate: Candidate, rng: np.random.Generator) -> None:
    """Does not change when all scores go through a rising function."""
    normal, anomalies = draw_pair(rng, 20, 12)
    plain = _ask(candidate, normal, anomalies)
    for name, rising in (("3 exp(t) − 5", lambda t: 3 * t.exp() - 5), ("t³", lambda t: t**3)):
        bent = _ask(candidate, rising(normal), rising(anomalies))
        expect.true(
            abs(bent - plain) < 1e-6,
            f"auroc is {plain:.6f}, and {bent:.6f} when every score t becomes {name}; a rising "
            "function keeps the order",
        )


@AUROC.check
def is_one_for_a_clean_separation(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is 1 if every anomaly scores higher, and 0 if every one scores lower."""
    normal, anomalies = draw_pair(rng, 12, 7)
    _expect_area(candidate, (normal, anomalies + 40), "anomalies that all score higher")
    _expect_area(candidate, (normal, anomalies - 40), "anomalies that all score lower")


@AUROC.edge_check
def stays_exact_for_close_scores(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays exact where scores differ in the tenth digit, or in size by many powers of ten."""
    normal, anomalies = draw_pair(rng, 15, 10)
    for step, name in ((1e-6, "millionth"), (1e-9, "billionth")):
        close = tuple(1.0 + step * scores for scores in (normal, anomalies))
        _expect_area(candidate, close, f"scores that differ by a {name}")
    wide = tuple((8 * scores).exp() for scores in (normal, anomalies))
    _expect_area(candidate, wide, "scores between 1e-7 and 1e30")


@AUROC.edge_check
def handles_two_thousand_scores(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays exact for two thousand scores with ties."""
    normal, anomalies = draw_pair(rng, 2000, 300)
    pair = (100 * normal).round() / 100, (100 * anomalies).round() / 100
    _expect_area(candidate, pair, "2000 normal and 300 anomalous scores")
