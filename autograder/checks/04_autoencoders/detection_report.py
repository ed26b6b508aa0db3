"""`detection_report(normal_scores, test_scores, is_anomaly, false_positive_rate)`.

The threshold comes from normal scores that were set aside; the test set is for measuring only.
"""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from .choose_threshold import draw_scores, threshold

Report = tuple[float, float, float]
NAMES = "the threshold", "the share of false alarms", "the share of detected anomalies"


def report(
    normal_scores: Tensor, test_scores: Tensor, is_anomaly: Tensor, false_positive_rate: float
) -> Report:
    level = threshold(normal_scores, false_positive_rate)
    alarm = (test_scores > level).double()
    return level, alarm[~is_anomaly].mean().item(), alarm[is_anomaly].mean().item()


DETECTION_REPORT = Exercise(
    name="detection_report",
    unit="04_autoencoders",
    title="An honest report",
    points=2,
    difficulty=2,
    minutes=15,
    reference=report,
    needs=("choose_threshold",),
    follow_up="The measured share of false alarms is not the wanted one, and should not be.",
    hints=(
        "**Principle.** A threshold is part of the detector, as its weights are. So it is chosen "
        "before the test, from data that the test does not contain. Here that is a set of normal "
        "scores. The test set then plays the part of tomorrow: it says what the detector is worth "
        "and may not change it. If you choose the threshold so that the test looks good, the "
        "number that you report has seen the answers. With an honest threshold the share of false "
        "alarms in the test scatters around the wanted rate; it would be suspicious if it were "
        "always exact.",
        "**Place.** Call your `choose_threshold` with `normal_scores` and the wanted rate. Neither "
        "`test_scores` nor `is_anomaly` may go into it. An alarm is a test score that is larger "
        "than the threshold. Now split the alarms by what the parts really are: among the normal "
        "test parts, `~is_anomaly`, they are false; among the anomalies they are detections. Each "
        "share has its own denominator, the number of normal test parts and the number of "
        "anomalies. Return the threshold and the two shares, in this order.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "threshold = choose_threshold(..., false_positive_rate)\n"
        "alarm = (test_scores > ...).double()\n"
        "return threshold, alarm[...].mean(), alarm[...].mean()\n"
        "```\n\n"
        "The gaps are the scores that were set aside, the threshold, the normal test parts and "
        "the anomalies. If your share of false alarms equals the wanted rate almost exactly every "
        "time, the threshold was fitted to the test set. If it is far too small, you divided by "
        "the size of the whole test set. If your share of detections is small although all "
        "anomalies score high, you may have computed what share of the alarms is right, which is "
        "precision.",
    ),
)


def draw_test(rng: np.random.Generator, normal: int, anomalies: int) -> tuple[Tensor, Tensor]:
    """Scores in mixed order, some of them tied, and which are anomalies."""
    scores = torch.cat((draw_scores(rng, normal), draw_scores(rng, anomalies) + 1.7))
    order = torch.from_numpy(rng.permutation(normal + anomalies))
    return scores[order], (torch.arange(normal + anomalies) >= normal)[order]


def draw_rate(rng: np.random.Generator, count: int, low: float, high: float) -> float:
    return (int(rng.uniform(low, high) * count) + rng.uniform(0.8, 0.95)) / count


def _expect_report(
    candidate: Candidate, given: tuple[Tensor, Tensor, Tensor, float], what: str
) -> Report:
    value = expect.items(candidate.call(*given), 3, "the result of detection_report")
    numbers = tuple(map(expect.number, value, NAMES))
    for number, right, name in zip(numbers, report(*given), NAMES, strict=True):
        expect.true(
            abs(number - right) <= 1e-5 * max(1.0, abs(right)),
            f"{name} for {what} is {number:.6g}; expected {right:.6g}",
        )
    return numbers


@DETECTION_REPORT.check
def threshold_does_not_see_the_test_set(candidate: Candidate, rng: np.random.Generator) -> None:
    """The threshold stays the same, whatever the test scores and their labels are."""
    normal, rate = draw_scores(rng, 60), draw_rate(rng, 60, 0.1, 0.3)
    given = []
    for shift in (0.0, 0.9):
        scores, is_anomaly = draw_test(rng, 31, 14)
        value = candidate.call(normal, scores + shift, is_anomaly, rate)
        part = expect.items(value, 3, "the result of detection_report")[0]
        given.append(expect.number(part, NAMES[0]))
    expect.true(
        abs(given[0] - given[1]) <= 1e-5,
        f"the threshold moves from {given[0]:.4g} to {given[1]:.4g} when the test set changes; it "
        "must come from the normal scores alone",
    )


@DETECTION_REPORT.check
def reports_what_the_test_set_shows(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the right threshold, and the shares of alarms among normal and anomalous parts."""
    for count, normal, anomalies in ((50, 37, 12), (80, 9, 40)):
        arguments = (
            draw_scores(rng, count),
            *draw_test(rng, normal, anomalies),
            draw_rate(rng, count, 0.15, 0.4),
        )
        _expect_report(candidate, arguments, f"{normal} normal and {anomalies} anomalous parts")
    scores, is_anomaly = draw_test(rng, 20, 10)
    scores[is_anomaly.nonzero()[0]] = scores.min() - 1.0  # an anomaly below every threshold
    allowed = int(rng.integers(8, 24))
    arguments = draw_scores(rng, 32), scores, is_anomaly, allowed / 32
    _expect_report(candidate, arguments, "a rate that gives a whole number of alarms")
    scores, is_anomaly = draw_test(rng, 20, 10)
    scores = torch.where(is_anomaly, scores + 20.0, scores)  # all above every threshold
    arguments = draw_scores(rng, 40), scores, is_anomaly, draw_rate(rng, 40, 0.15, 0.4)
    _expect_report(candidate, arguments, "anomalies that all stand out")


@DETECTION_REPORT.check
def a_score_at_the_threshold_is_no_alarm(candidate: Candidate, rng: np.random.Generator) -> None:
    """Counts scores above the threshold as alarms, and those equal to it not."""
    normal = draw_scores(rng, 40).round()
    scores, is_anomaly = draw_test(rng, 25, 15)
    scores = scores.round()
    rate = draw_rate(rng, 40, 0.2, 0.4)
    level = threshold(normal, rate)
    normal_places, anomalous = (~is_anomaly).nonzero()[:3], is_anomaly.nonzero()[:3]
    scores[normal_places] = scores[anomalous] = level
    _expect_report(candidate, (normal, scores, is_anomaly, rate), "scores with ties")


@DETECTION_REPORT.check
def works_for_a_rate_of_zero(candidate: Candidate, rng: np.random.Generator) -> None:
    """For a rate of 0 the threshold is the largest normal score, and the test may exceed it."""
    normal, (scores, is_anomaly) = draw_scores(rng, 12), draw_test(rng, 30, 10)
    scores[(~is_anomaly).nonzero()[0]] = normal.max() + 0.5
    _expect_report(candidate, (normal, scores, is_anomaly, 0.0), "a rate of 0")


@DETECTION_REPORT.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    scores, is_anomaly = draw_test(rng, 22, 11)
    arguments = draw_scores(rng, 33).float(), scores.float(), is_anomaly, 4.5 / 33
    _expect_report(candidate, arguments, "float32")
