"""`choose_threshold(normal_scores, false_positive_rate)`: when to raise the alarm."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def threshold(normal_scores: Tensor, false_positive_rate: float) -> float:
    """The smallest score with at most the wanted share above it."""
    ordered = normal_scores.sort(descending=True).values
    allowed = int(false_positive_rate * len(ordered) + 1e-9)
    return ordered[allowed].item()


CHOOSE_THRESHOLD = Exercise(
    name="choose_threshold",
    unit="04_autoencoders",
    title="A threshold from normal data alone",
    points=2,
    difficulty=2,
    minutes=15,
    reference=threshold,
    follow_up="It never saw an anomaly, so what it detects later is an honest measurement.",
    hints=(
        "**Principle.** Nobody knows what tomorrow's defects look like, but there are plenty of "
        "normal parts. So the threshold is set by what can be known: how often a normal part may "
        "raise a false alarm. Take normal parts that the model was not trained on, and let at "
        "most the wanted share of them lie above the threshold. Among all such thresholds the "
        "smallest is best, since it catches most defects. No formula for the shape of the scores "
        "is needed: they are lopsided, so mean plus two standard deviations would be a guess. "
        "Counting is exact.",
        "**Place.** The alarm goes off where a score is **larger** than the threshold, so the "
        "threshold itself raises none. With N scores and the rate r at most k = ⌊r N⌋ scores may "
        "lie above. Sort the scores from large to small: the entry at place k, counted from 0, "
        "has k entries before it. So at most k are larger, and every smaller score has at least "
        "k + 1 above it. Ties change nothing in this argument. With r = 0 the entry is the "
        "largest score: no false alarm at all. `torch.quantile` interpolates between scores and "
        "is not what is asked for.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "ordered = normal_scores.sort(descending=...).values\n"
        "allowed = math.floor(... * len(normal_scores))\n"
        "return ordered[...].item()\n"
        "```\n\n"
        "The gaps are the direction, the rate, and how many may lie above. Check your answer by "
        "counting: `(normal_scores > t).double().mean()` must be at most the rate. The next "
        "smaller score must break the rule. If your threshold is one place too high, you took "
        "`allowed - 1`; if one too low, `allowed + 1`. If it lies between two scores, something "
        "interpolated. If nearly every part raises an alarm, you sorted the wrong way.",
    ),
)


def draw_scores(rng: np.random.Generator, count: int) -> Tensor:
    """Lopsided scores in no order, of both signs."""
    return torch.from_numpy(rng.gamma(2.0, 1.0, size=count) - 1.5)


def _expect_threshold(candidate: Candidate, scores: Tensor, rate: float, what: str) -> None:
    given = expect.number(candidate.call(scores, rate), "choose_threshold")
    expected = threshold(scores, rate)
    above = int((scores.double() > given).sum())
    is_near = abs(given - expected) <= 1e-5 * max(1.0, abs(expected))
    expect.true(
        given == expected or not is_near,
        f"for {what} your threshold is {given:.17g}, close to the score {expected:.17g}, but not "
        "equal to it; the threshold is one of the scores, exactly",
    )
    expect.true(
        given == expected,
        f"for {what} and the rate {rate:.4g} your threshold is {given:.6g}, with {above} of "
        f"{len(scores)} scores above it; expected {expected:.6g}, with "
        f"{int((scores > expected).sum())} above it",
    )


@CHOOSE_THRESHOLD.check
def smallest_score_that_keeps_the_rate(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the smallest of the scores with at most the wanted share of the scores above it."""
    for low, high, count, part in (
        (0.5, 0.9, 900, rng.uniform(0.3, 0.7)),
        (0.05, 0.1, 47, rng.uniform(0.05, 0.1)),
        (0.3, 0.4, 66, rng.uniform(0.85, 0.95)),
        (0.6, 0.8, 30, 0.95),
    ):
        count += int(rng.integers(10))
        rate = (int(rng.uniform(low, high) * count) + part) / count
        _expect_threshold(candidate, draw_scores(rng, count), rate, f"{count} scores")


@CHOOSE_THRESHOLD.check
def keeps_the_rate_where_it_is_a_whole_count(
    candidate: Candidate, rng: np.random.Generator
) -> None:
    """Uses the rate up where it allows a whole number of alarms: 8 of 64 for a rate of 1/8."""
    for count, allowed in ((64, 8), (32, int(rng.integers(1, 16)))):
        _expect_threshold(candidate, draw_scores(rng, count), allowed / count, f"{count} scores")


@CHOOSE_THRESHOLD.check
def equal_scores_count_each(candidate: Candidate, rng: np.random.Generator) -> None:
    """Keeps the rate where many scores are equal: each counts, and an equal one is no alarm."""
    for _ in range(3):
        scores, rate = draw_scores(rng, 50), (int(rng.integers(3, 25)) + 0.5) / 50
        scores = (2 * scores).round()
        scores[:20] = scores.median()  # so that the many low scores tie, and the few high do not
        _expect_threshold(candidate, scores, rate, "50 scores with many ties")


@CHOOSE_THRESHOLD.check
def rate_zero_allows_no_alarm(candidate: Candidate, rng: np.random.Generator) -> None:
    """For a rate of 0 it is the largest score, and for one below 1/N too."""
    scores = draw_scores(rng, 20)
    _expect_threshold(candidate, scores, 0.0, "20 scores")
    _expect_threshold(candidate, scores, 0.03, "20 scores")


@CHOOSE_THRESHOLD.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    _expect_threshold(candidate, draw_scores(rng, 41).float(), 4.5 / 41, "41 scores in float32")


@CHOOSE_THRESHOLD.edge_check
def one_score_is_enough(candidate: Candidate, rng: np.random.Generator) -> None:
    """A single score is the threshold, and so is the common value of equal scores."""
    value = draw_scores(rng, 1)
    _expect_threshold(candidate, value, 0.5, "a single score")
    _expect_threshold(candidate, value.repeat(9), 0.25, "nine equal scores")
