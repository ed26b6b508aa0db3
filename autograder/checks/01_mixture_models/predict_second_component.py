"""`predict_second_component()`: what will a second component gain? A commitment, no answer."""

import math

import numpy as np
import torch

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

NUM_ERUPTIONS = 272
TRUTH = (-1130.26396 + 1289.79675) / NUM_ERUPTIONS  # nats for each eruption
HIGHEST = 5.0

PREDICT_SECOND_COMPONENT = Exercise(
    name="predict_second_component",
    unit="01_mixture_models",
    title="Predict the gain of a second component",
    points=1,
    difficulty=1,
    minutes=3,
    reference=lambda: TRUTH,
    prediction=True,
    hints=(
        "**Principle.** A log-likelihood for each point is an average surprise, in nats. A better "
        "model is less surprised, and the gain of one nat means that a typical point became e ≈ "
        "2.7 times more probable. A model with a second component contains the old one, because "
        "both components may be the same Gaussian. So the best fit with two can never be worse "
        "than the best fit with one. That settles the sign of your prediction. For its size, ask "
        "how much narrower the place has become where the model expects the next eruption to be: "
        "half as much area at the same weight is a gain of log 2 ≈ 0.69 nats.",
        "**Place.** Picture the two groups in the scatter plot. The single Gaussian must stretch "
        "one long ellipse over both of them, with its centre where hardly any eruption lies. Two "
        "ellipses fit the groups tightly. Compare the areas: how much smaller are the two "
        "together than the single one? Take the logarithm of that ratio. Then subtract something, "
        "because the model must also say which group an eruption belongs to: with groups of about "
        "one third and two thirds that costs up to 0.65 nats. What is left is the order of "
        "magnitude. The answer is per eruption, so it is not a number in the hundreds.",
        "**Nearly the answer.** The area of an ellipse is proportional to the square root of the "
        "determinant of its covariance. Estimate by eye: the long ellipse has standard deviations "
        "of about 1.1 minutes and 13.6 minutes with a correlation of 0.9, so the root is close to "
        "1.14 × 13.6 × 0.43, about 6.7. Each small one has about 0.35 minutes and 6 minutes with "
        "a correlation near 0.3, so about 2. The ratio is a bit over three, and its logarithm a "
        "bit over one nat. Now subtract the cost of naming the group, about 0.65 nats, and write "
        "`return` with the number that remains.",
    ),
    follow_up=(
        "Committed. The truth: "
        f"(−1130.26 + 1289.80) / 272 = {TRUTH:.4f} nats for each eruption; B2 lets you see it."
    ),
)


@PREDICT_SECOND_COMPONENT.check
def is_a_possible_gain(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is one number of nats for each eruption, and a gain that is possible."""
    gain = expect.number(candidate.call(), "your prediction")
    expect.true(
        gain >= 0, f"your prediction is {gain:g}; a second component cannot lose likelihood"
    )
    expect.true(
        gain <= HIGHEST,
        f"your prediction is {gain:g} nats for each eruption; that would make the average eruption "
        f"more than {math.exp(HIGHEST):.0f} times as probable: check the unit",
    )


def _predicted(low: float, high: float):
    """The sign of a prediction between two bounds."""
    return lambda calls: (
        not isinstance(calls[0].value, (bool, str)) and low <= float(calls[0].value) <= high
    )


@PREDICT_SECOND_COMPONENT.misconception(
    "Your function gives nothing back. End it with `return` and your number.",
    sign=lambda calls: calls[0].error is None and calls[0].value is None,
)
def nothing_returned():
    print(0.6)


@PREDICT_SECOND_COMPONENT.misconception(
    "You returned a text. Return the number alone, without quotation marks and without a unit.",
    sign=lambda calls: isinstance(calls[0].value, str),
)
def a_text():
    return "0.6 nats"


@PREDICT_SECOND_COMPONENT.misconception(
    "You returned a tuple, a list or several numbers. Return a single number.",
    sign=lambda calls: (
        isinstance(calls[0].value, (tuple, list))
        or (isinstance(calls[0].value, torch.Tensor) and calls[0].value.numel() != 1)
    ),
)
def several_numbers():
    return 0.5, 0.7


@PREDICT_SECOND_COMPONENT.misconception(
    "True or False is no number of nats.",
    sign=lambda calls: (
        isinstance(calls[0].value, bool)
        or (isinstance(calls[0].value, torch.Tensor) and calls[0].value.dtype == torch.bool)
    ),
)
def a_truth_value():
    return True


@PREDICT_SECOND_COMPONENT.misconception(
    "That is no finite number, so it is no prediction. Any guess between 0 and 5 earns the point.",
    sign=lambda calls: not math.isfinite(float(calls[0].value)),
)
def not_a_number():
    return float("nan")


@PREDICT_SECOND_COMPONENT.misconception(
    "You gave a log-likelihood itself. The question is how much it grows for each eruption.",
    sign=lambda calls: (
        any(abs(float(calls[0].value) - v) < 60 for v in (-1289.8, -1130.3))
        or any(abs(float(calls[0].value) - v / NUM_ERUPTIONS) < 0.15 for v in (-1289.8, -1130.3))
    ),
)
def log_likelihood_itself():
    return -1130.26


@PREDICT_SECOND_COMPONENT.misconception(
    "A gain cannot be negative: the mixture contains the single Gaussian, so its best fit is at "
    "least as good.",
    sign=_predicted(-math.inf, -1e-300),
)
def negative_gain():
    return -0.6


@PREDICT_SECOND_COMPONENT.misconception(
    "That looks like a gain over all eruptions. Divide by their number, 272.",
    sign=_predicted(30.0, 1360.0),
)
def total_gain():
    return 159.53


@PREDICT_SECOND_COMPONENT.variant
def a_wrong_guess_is_a_commitment():
    return 2.5


@PREDICT_SECOND_COMPONENT.variant
def a_whole_number():
    return 1


@PREDICT_SECOND_COMPONENT.variant
def no_gain_at_all():
    return 0.0


@PREDICT_SECOND_COMPONENT.variant
def a_numpy_number():
    return np.float32(0.4)


@PREDICT_SECOND_COMPONENT.variant
def a_tensor_of_one():
    return torch.tensor([0.6])


@PREDICT_SECOND_COMPONENT.variant
def computed_from_areas():
    return math.log(6.7 / 2) - 0.65
