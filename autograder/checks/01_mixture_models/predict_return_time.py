"""`predict_return_time()`: when would you come back? A commitment, not an answer."""

import math

import numpy as np
import torch

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

TRUTH = (
    47.119  # minutes: the 10 % quantile of the waiting time after 2 minutes, in the best mixture
)
EARLIEST, LATEST = 20.0, 120.0

PREDICT_RETURN_TIME = Exercise(
    name="predict_return_time",
    unit="01_mixture_models",
    title="Predict the best time to return",
    points=1,
    difficulty=1,
    minutes=3,
    reference=lambda: TRUTH,
    prediction=True,
    hints=(
        "**Principle.** Two errors are possible, and they do not cost the same. If you come too "
        "early you wait a little; if you come too late you have missed what you came for. When "
        "both errors cost the same, the best time has as many waiting times below it as above. "
        "When lateness costs more, you move to the safe side. How far you move depends on two "
        "things: on the ratio of the two costs, and on how uncertain the waiting time is. If "
        "geysers were clocks, you would come exactly on time whatever the costs. So the answer is "
        "the mean waiting time, minus something that grows with the spread.",
        "**Place.** Look at the eruptions of about two minutes in the scatter plot. Their waiting "
        "times lie around 54 minutes. How far do they spread? Most are within 10 or 11 minutes of "
        "that value, so the standard deviation is about five and a half minutes. Now decide how "
        "many standard deviations you want to be on the safe side. With a cost ratio of nine to "
        "one you can afford to wait in nine visits out of ten in order not to be late in the "
        "tenth. Which waiting time is exceeded in nine cases out of ten? Your answer is in "
        "minutes, and it lies below the mean.",
        "**Nearly the answer.** Let t be the time of your return. A minute more saves you a minute "
        "of waiting whenever the geyser has not erupted yet, and costs nine whenever it has. At "
        "the best t the two balance: the probability of being late, times nine, equals the "
        "probability of being early, times one. So the probability of being late is one tenth. "
        "For a Gaussian that point lies 1.28 standard deviations below the mean. The mean is 54 "
        "minutes and the standard deviation about five and a half. Compute the difference in your "
        "head and write `return` with the number of minutes.",
    ),
    follow_up=(f"Committed. The best mixture says {TRUTH:.1f} minutes. D3 shows why."),
)


@PREDICT_RETURN_TIME.check
def is_a_possible_time(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is one number of minutes, within the waiting times that ever occurred and a little more."""
    time = expect.number(candidate.call(), "your prediction")
    expect.true(
        EARLIEST <= time <= LATEST,
        f"your prediction is {time:g} minutes; the waiting times on record lie between 43 and 96 "
        f"minutes, so a number between {EARLIEST:.0f} and {LATEST:.0f} is expected",
    )


def _predicted(low: float, high: float):
    """The sign of a prediction between two bounds."""
    return lambda calls: (
        not isinstance(calls[0].value, (bool, str)) and low <= float(calls[0].value) <= high
    )


@PREDICT_RETURN_TIME.misconception(
    "Your function gives nothing back. End it with `return` and your number.",
    sign=lambda calls: calls[0].error is None and calls[0].value is None,
)
def nothing_returned():
    print(47)


@PREDICT_RETURN_TIME.misconception(
    "You returned a text. Return the number of minutes alone, without quotation marks.",
    sign=lambda calls: isinstance(calls[0].value, str),
)
def a_text():
    return "0:47"


@PREDICT_RETURN_TIME.misconception(
    "You returned a tuple, a list or several numbers. Return a single number.",
    sign=lambda calls: (
        isinstance(calls[0].value, (tuple, list))
        or (isinstance(calls[0].value, torch.Tensor) and calls[0].value.numel() != 1)
    ),
)
def an_interval():
    return [45.0, 50.0]


@PREDICT_RETURN_TIME.misconception(
    "That is no finite number, so it is no prediction. Commit to a number of minutes.",
    sign=lambda calls: not math.isfinite(float(calls[0].value)),
)
def not_a_number():
    return float("inf")


@PREDICT_RETURN_TIME.misconception(
    "That would be before the eruption ended. Give the minutes from the eruption to your return.",
    sign=_predicted(-1e6, -1e-300),
)
def negative_time():
    return -7.1


@PREDICT_RETURN_TIME.misconception(
    "That looks like hours. The answer is in minutes.", sign=_predicted(0.3, 1.9)
)
def in_hours():
    return 0.78


@PREDICT_RETURN_TIME.misconception(
    "That looks like seconds. The answer is in minutes.", sign=_predicted(1200.0, 7200.0)
)
def in_seconds():
    return 2820.0


@PREDICT_RETURN_TIME.misconception(
    "That is too short for the time from the eruption to your return. Did you give the minutes by "
    "which you come before the mean?",
    sign=_predicted(2.0, 19.99),
)
def minutes_before_the_mean():
    return 7.1


@PREDICT_RETURN_TIME.variant
def a_wrong_guess_is_a_commitment():
    return 61.5


@PREDICT_RETURN_TIME.variant
def a_whole_number():
    return 47


@PREDICT_RETURN_TIME.variant
def the_mean():
    return np.float64(54.25)


@PREDICT_RETURN_TIME.variant
def a_tensor():
    return torch.tensor(47.0)


@PREDICT_RETURN_TIME.variant
def computed_from_a_gaussian():
    return 54.25 - 1.2816 * 5.56
