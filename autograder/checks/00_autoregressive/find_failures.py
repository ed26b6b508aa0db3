"""`find_failures(normal, anomalies)`: where a low likelihood does not tell an anomaly."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from .causal_mask import read_mask


def reference(normal: Tensor, anomalies: Tensor) -> Tensor:
    return wins(normal, anomalies) > 0.5


def wins(normal: Tensor, anomalies: Tensor) -> Tensor:
    """Probability that an anomaly is more probable than a normal image, ties half; (A,)."""
    sign = (anomalies[:, :, None] - normal).sign()
    return 0.5 + 0.5 * sign.double().mean((1, 2))


FIND_FAILURES = Exercise(
    name="find_failures",
    unit="00_autoregressive",
    title="Where the likelihood is higher on the anomaly",
    points=2,
    difficulty=2,
    minutes=20,
    reference=reference,
    hints=(
        "**Principle.** The rule was: a low likelihood means an anomaly. It works if an anomaly "
        "is usually less probable than a normal image, and it fails, worse than a coin, if it is "
        "usually more probable. So compare pairs: one anomaly of a kind with one normal image, "
        "all pairs in turn, and count who has the larger log-likelihood. More than half for the "
        "anomaly means failure. Averages do not answer this. A few images with an extreme "
        "log-likelihood can move a mean to either side, while nearly all pairs are ordered the "
        "other way. A comparison of the two medians is not the same either.",
        "**Place.** `anomalies` has one line for each kind, (A, T), and `normal` has the N normal "
        "images. Give both an axis more, so that all pairs meet: `anomalies[:, :, None]` is (A, "
        "T, 1), and comparing it with `normal` gives (A, T, N). The mean over the last two axes "
        "of the comparison is the share of pairs in which the anomaly is more probable. A pair of "
        "equal values counts half for each side: add half the share of equal pairs. Then ask "
        "whether the share is larger than one half, for each kind by itself. The result is a "
        "tensor (A,) of truth values.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "higher = (anomalies[:, :, None] > normal).double()     # (A, T, N)\n"
        "equal = (anomalies[:, :, None] == ...).double()\n"
        "share = (higher + ... * equal).mean(dim=(1, 2))        # (A,)\n"
        "return share > ...\n"
        "```\n\n"
        "The gaps: the normal images, the weight of a tie, and the share of a coin. To test "
        "yourself: if a kind is the normal images with 0.1 added to each, the answer is True; "
        "with 0.1 subtracted it is False. You know this share from detection: one minus it is the "
        "area under the ROC curve of the score −log p.",
    ),
)


def _kinds(rng: np.random.Generator, num: int) -> tuple[Tensor, Tensor]:
    """Normal values in two heaps, at 0 (40 %) and at 5; kinds on which simple rules fail."""

    def heaps(*heaps: tuple[float, float]) -> np.ndarray:
        values = np.concatenate([np.full(round(num * share), at) for at, share in heaps])
        return values + rng.uniform(-0.2, 0.2, size=len(values))

    normal = heaps((0.0, 0.4), (5.0, 0.6))
    kinds = [
        heaps((-9.0, 1.0)),  # always less probable
        heaps((8.0, 1.0)),  # always more probable
        heaps((-2.0, 0.7), (60.0, 0.3)),  # less probable, with a large mean
        heaps((7.0, 0.7), (-70.0, 0.3)),  # more probable, with a small mean
        heaps((4.5, 0.55), (20.0, 0.45)),  # more probable, with a small median
        heaps((4.0, 0.55), (6.0, 0.1), (-3.0, 0.35)),  # less probable, nothing else is strange
        heaps((1.5, 0.6), (-9.0, 0.4)),  # less probable, between the two heaps
        heaps((7.0, 0.55), (-4.0, 0.45)),  # larger median; barely more probable (0.55)
    ]
    return torch.from_numpy(normal - 300), torch.from_numpy(np.stack(kinds) - 300)


def _expect(found: list[tuple[str, Tensor, Tensor, Tensor]]) -> None:
    for what, normal, anomalies, given in found:
        share = wins(normal, anomalies)
        wrong = ((given > 0) != (share > 0.5)).nonzero().flatten()
        kind = int(wrong[0]) if len(wrong) else 0
        expect.true(
            not len(wrong),
            f"find_failures {what} says {bool(given[kind])} for kind {kind}, of which an image is "
            f"more probable than a normal one in {100 * share[kind]:.4g} % of all pairs",
        )


def _ask(candidate: Candidate, normal: Tensor, anomalies: Tensor, what: str) -> tuple:
    value = candidate.call(normal, anomalies)
    given = read_mask(value, anomalies.shape[:1], f"the result of find_failures {what}")
    return what, normal, anomalies, given


@FIND_FAILURES.check
def compares_pairs(candidate: Candidate, rng: np.random.Generator) -> None:
    """Says True for the kinds that are more probable than normal images in most pairs."""
    found = []
    for num in (20, 40):
        normal, anomalies = _kinds(rng, num)
        normal = normal[torch.from_numpy(rng.permutation(num))]
        kinds = torch.from_numpy(rng.permutation(len(anomalies)))
        anomalies = anomalies[kinds][:, torch.from_numpy(rng.permutation(num))]
        found.append(_ask(candidate, normal, anomalies, f"for {num} images of each kind"))
    normal, anomalies = _kinds(rng, 20)
    normal, anomalies = normal.sort().values, anomalies.sort(1, descending=True).values
    found.append(_ask(candidate, normal, anomalies, "for sorted images"))
    # as many kinds as there are images, and other numbers of images
    normal = torch.from_numpy(rng.normal(size=30)) - 90
    shift = torch.from_numpy(rng.choice([-1.5, 1.5], size=9))
    shift[:2] = torch.tensor([1.5, -1.5])
    anomalies = torch.from_numpy(rng.normal(size=(9, 9)) * 0.3) + shift[:, None] - 90
    found.append(_ask(candidate, normal, anomalies, "for 9 kinds of 9 images"))
    _expect(found)


@FIND_FAILURES.check
def counts_ties_half(candidate: Candidate, rng: np.random.Generator) -> None:
    """Counts a pair of equal values half for each side."""
    normal = torch.full((20,), -50.0, dtype=torch.float64)
    more, less = normal.clone(), normal.clone()
    more[:7], more[7:9] = -48.0, -55.0  # 35 % higher, 10 % lower
    less[:2], less[2:9] = -40.0, -51.0
    order = torch.from_numpy(rng.permutation(2))
    anomalies = torch.stack((more, less))[order][:, torch.from_numpy(rng.permutation(20))]
    _expect([_ask(candidate, normal, anomalies, "with many ties")])


def _near_half(rng: np.random.Generator, num_normal: int, num: int) -> tuple[Tensor, Tensor]:
    """Kinds that win half of all pairs, one pair more or one less; the last by ties alone.

    Both numbers are powers of two, so that every way to take the mean is exact.
    """
    ordered = np.cumsum(rng.uniform(0.1, 1.0, size=num_normal)) - 80
    edges = np.concatenate(([ordered[0] - 1], ordered, [ordered[-1] + 1]))
    kinds = []
    for extra in (-1, 0, 1) * 3:
        below = rng.integers(num_normal + 1, size=num)  # how many normal ones each image exceeds
        while missing := num_normal * num // 2 + extra - int(below.sum()):
            place = rng.integers(num)
            below[place] = np.clip(below[place] + np.sign(missing), 0, num_normal)
        kinds.append(0.5 * (edges[below] + edges[below + 1]))
    half = ordered[rng.permutation(np.arange(num // 2) % (num_normal // 2))]
    mirrored = ordered[num_normal - 1 - np.searchsorted(ordered, half)]
    kinds.append(np.concatenate((half, mirrored)))
    anomalies = np.stack(kinds)[rng.permutation(len(kinds))][:, rng.permutation(num)]
    return torch.from_numpy(rng.permutation(ordered)), torch.from_numpy(anomalies)


@FIND_FAILURES.check
def knows_one_half(candidate: Candidate, rng: np.random.Generator) -> None:
    """Says False at a share of exactly one half and True just above it, whatever N and T are."""
    found = []
    for num_normal, num in ((16, 32), (32, 16)):
        normal, anomalies = _near_half(rng, num_normal, num)
        what = f"for {num_normal} normal images and {num} of each kind"
        found.append(_ask(candidate, normal, anomalies, what))
    _expect(found)
