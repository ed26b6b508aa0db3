"""`anomaly_scores(log_prob, normal)`: how untypical a likelihood is, on both sides."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

NORMAL = 600  # so that the two kinds of standard deviation differ by less than a thousandth


def reference(log_prob: Tensor, normal: Tensor) -> Tensor:
    return (log_prob - normal.mean()).abs() / normal.std()


ANOMALY_SCORES = Exercise(
    name="anomaly_scores",
    unit="00_autoregressive",
    title="A score for both sides",
    points=2,
    difficulty=2,
    minutes=15,
    reference=reference,
    hints=(
        "**Principle.** A low likelihood is only one way to be strange. Normal images do not have "
        "the highest likelihood there is, they have a typical one: with many pixels, the sum of "
        "their log-probabilities hardly varies from image to image. An image that is much too "
        "probable is as suspicious as one that is much too improbable. So measure how far a "
        "log-likelihood is from that of normal images, in either direction. The natural yardstick "
        "is how much normal images differ from one another, their standard deviation. Then a "
        "score of one is ordinary, and a score of ten is not, in every unit.",
        "**Place.** Three steps: the mean of `normal`, a single number; the standard deviation of "
        "`normal`, another one; then for each entry of `log_prob` the distance from the mean "
        "divided by the standard deviation. A distance is never negative: take the absolute "
        "value. Mean and standard deviation come from the normal images alone. The images to be "
        "judged may hold many anomalies, or be a single one; their own mean says nothing about "
        "what is normal. Whether you divide by N or by N − 1 inside the standard deviation does "
        "not matter here. The result has one score for each image that is judged, (T,).",
        "**Nearly the code.**\n\n"
        "```python\n"
        "centre = normal....()\n"
        "spread = normal....()\n"
        "return (log_prob - ...).abs() / ...\n"
        "```\n\n"
        "The gaps are the mean, the standard deviation, and these two again. To test yourself, "
        "judge the normal images themselves: the mean of the squares of their scores must be "
        "about one. Then add 1000 to both arguments, or multiply both by 1.44 to turn nats into "
        "bits. The scores must stay as they are, because being strange does not depend on the "
        "unit. Last, judge one image alone: if you get zero or NaN, you used the mean of what is "
        "judged.",
    ),
)


def _normal(rng: np.random.Generator) -> Tensor:
    spread = rng.gamma(4.0, 6.0, size=NORMAL)
    return torch.from_numpy(-rng.uniform(100, 300) - spread)


def _expect(candidate: Candidate, log_prob: Tensor, normal: Tensor, what: str) -> Tensor:
    centre = float(normal.double().mean())
    spread = float((normal.double() - centre).square().mean().sqrt())
    right = (log_prob.double() - centre).abs() / spread
    value = candidate.call(log_prob, normal)
    return expect.close(value, right, f"the score {what}", rtol=3e-3, atol=1e-3)


@ANOMALY_SCORES.check
def flags_both_sides(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the distance from the mean of the normal images, in their standard deviations."""
    normal = _normal(rng)
    centre, spread = normal.mean(), normal.std()
    steps = torch.from_numpy(rng.permutation([-8.0, -3, -0.5, 0.4, 2.5, 9, 20, -1.2]))
    _expect(candidate, centre + spread * steps, normal, "of images on both sides")
    one = centre + spread * float(rng.uniform(4, 6))
    _expect(candidate, one[None], normal, "of a single image that is too probable")
    _expect(candidate, normal[:50], normal, "of normal images")


@ANOMALY_SCORES.check
def does_not_depend_on_the_unit(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays the same in bits, with a constant added, and in single precision."""
    normal = _normal(rng)
    log_prob = normal[:6] + torch.from_numpy(rng.normal(size=6) * 60)
    first = _expect(candidate, log_prob, normal, "in nats")
    bits = _expect(candidate, 1.4427 * log_prob, 1.4427 * normal, "in bits")
    shifted = _expect(candidate, log_prob + 400, normal + 400, "with 400 added to all")
    _expect(candidate, log_prob.float(), normal.float(), "in float32")
    expect.close(bits, first, "the score in bits, against that in nats")
    expect.close(shifted, first, "the score with 400 added, against that without")
