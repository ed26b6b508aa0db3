"""`predict_black_image()`: how much more probable than normal images is one that never occurs?"""

import math

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from autograder.prediction import add_forms_of_a_number, add_mistakes_of_form, predicted

DIM, SHARE = 784, 0.1
STEP = math.log((1 - SHARE) / SHARE)  # what a pixel that is 1 costs more than one that is 0
TRUTH = DIM * SHARE * STEP
LARGEST = DIM * STEP  # between the all-black and the all-white image

PREDICT_BLACK_IMAGE = Exercise(
    name="predict_black_image",
    unit="00_autoregressive",
    title="Predict what the model thinks of a black image",
    points=1,
    difficulty=1,
    minutes=3,
    reference=lambda: TRUTH,
    prediction=True,
    hints=(
        "**Principle.** Every pixel is a coin of its own, so log p of an image is a sum over "
        "pixels. A black pixel adds log 0.9 to it, a white one log 0.1. Since 0.9 is the larger "
        "of the two, a pixel that is black is always the better guess, and the image in which all "
        "pixels are black is the most probable of all images. A normal image has about a tenth of "
        "its pixels white, so it pays for each of these the difference of the two logarithms. Yet "
        "among normal images nobody will ever meet a black one: there is one of it, and there are "
        "very many of the others.",
        "**Place.** You need three numbers. How many pixels of an average normal image are white? "
        "A tenth of 784. How much less does a white pixel add to log p than a black one? That is "
        "log 0.9 minus log 0.1, the logarithm of nine, a little more than two. Multiply the two "
        "and you have the difference between the black image and the average normal one, because "
        "all other pixels add the same to both. The sign: it is positive if the black image is "
        "the more probable one. You need not be exact; the point is given for the commitment, to "
        "any number that is possible.",
        "**Nearly the answer.** About seventy-eight pixels of a normal image are white, and each "
        "of them costs about 2.2 nats more than a black pixel would. Multiply these two numbers "
        "and return the result with a plus sign. For comparison: normal images differ among "
        "themselves by a standard deviation of the square root of 784 times 0.1 times 0.9, which "
        "is 8.4 white pixels, times 2.2 nats, or about 18 nats. So in these units the black image "
        "is between nine and ten standard deviations away from the normal ones, on the side of a "
        "likelihood that is too high.",
    ),
    follow_up=(
        f"Committed. The black image is more probable by {TRUTH:.1f} nats, a factor of about "
        f"10^{TRUTH / math.log(10):.0f}; normal images differ by about "
        f"{math.sqrt(DIM * SHARE * (1 - SHARE)) * STEP:.0f} nats among themselves."
    ),
)


@PREDICT_BLACK_IMAGE.check
def is_a_possible_difference(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is one number of nats that two images can differ by."""
    guess = expect.number(candidate.call(), "your prediction")
    expect.true(
        abs(guess) <= LARGEST + 1,
        f"your prediction is {guess:g} nats; no two images differ by more than {LARGEST:.0f} here",
    )


add_mistakes_of_form(PREDICT_BLACK_IMAGE, 100, "nats")


@PREDICT_BLACK_IMAGE.misconception(
    "Even an image with all pixels white is only 1723 nats less probable than the black one. No "
    "two images differ by that much: did you return a ratio of probabilities? Its logarithm is "
    "asked for.",
    sign=predicted(LARGEST + 1, math.inf),
)
def ratio_of_probabilities():
    return 1e75


@PREDICT_BLACK_IMAGE.misconception(
    "So much less probable no image can be: a pixel costs at most log 9 more than another. Commit "
    "to a number of nats.",
    sign=predicted(-math.inf, -LARGEST - 1),
)
def impossible():
    return -1e6


add_forms_of_a_number(PREDICT_BLACK_IMAGE, 100.0)


@PREDICT_BLACK_IMAGE.variant
def the_truth():
    return TRUTH


@PREDICT_BLACK_IMAGE.variant
def the_other_side():
    return -300.0


@PREDICT_BLACK_IMAGE.variant
def no_difference():
    return 0
