"""`predict_perplexity()`: half of all places hold one code, the other half is spread evenly."""

import math

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from autograder.prediction import add_forms_of_a_number, add_mistakes_of_form, predicted

NUM_CODES = 512
TRUTH = 2 * math.sqrt(NUM_CODES - 1)  # exp of ½ log 2 + ½ log 2 (K - 1)

PREDICT_PERPLEXITY = Exercise(
    name="predict_perplexity",
    unit="07_vq_vae",
    title="Predict the perplexity of a picture with a background",
    points=1,
    difficulty=1,
    minutes=5,
    reference=lambda: TRUTH,
    prediction=True,
    hints=(
        "**Principle.** The perplexity is the number of sides of a fair die that is as surprising "
        "as your codes are on average. Half of the time nothing surprising happens: the background "
        "again. The other half of the time one of 511 codes appears, each as likely as the others, "
        "and that is a great surprise. So the answer lies somewhere between 1, for codes that "
        "never change, and 512, for codes that are all alike. Averages of surprises are averages "
        "of logarithms. Ask yourself which mean of two numbers this leads to before you commit.",
        "**Place.** The surprise of a code with the share p is −log p. For the background p is a "
        "half, and its surprise is log 2. For each of the others p is a half divided by 511, and "
        "its surprise is the logarithm of 1022. Each of these two surprises happens half of the "
        "time, so the entropy is the mean of the two logarithms. The mean of two logarithms is the "
        "logarithm of the geometric mean: the root of the product. The perplexity is the "
        "exponential of the entropy, hence that root itself.",
        "**Nearly the answer.** You need the root of 2 times 1022. Two thousand and forty-four "
        "lies between the squares of 45 and 46. If you had thought of a number near 256, you "
        "averaged the numbers of codes and not their logarithms; that is the arithmetic mean, "
        "and surprise does not work like that. Write `return` and your number. You get the point "
        "for committing yourself. The check does not compare with the truth; the message after it "
        "tells you what it is, and the cell below shows how quickly the perplexity falls as the "
        "background grows.",
    ),
    follow_up=(
        f"Committed. It is √(2 · 1022) = {TRUTH:.1f}, although all {NUM_CODES} codes are in use: a "
        "small perplexity need not mean dead codes."
    ),
)


@PREDICT_PERPLEXITY.check
def is_a_possible_perplexity(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is one number from 1 to K = 512."""
    value = expect.number(candidate.call(), "your prediction")
    expect.true(
        1 <= value <= NUM_CODES,
        f"your prediction is {value:g}; a perplexity is a number from 1 to {NUM_CODES}",
    )


add_mistakes_of_form(PREDICT_PERPLEXITY, 100.0, "codes")


@PREDICT_PERPLEXITY.misconception(
    "A perplexity is never below 1: one code for everything has the perplexity 1. If you gave a "
    "share, multiply by K = 512.",
    sign=predicted(-math.inf, 0.9999999),
)
def below_one():
    return 0.5


@PREDICT_PERPLEXITY.misconception(
    "A perplexity cannot exceed the number of codes, 512: all codes equally frequent is the most "
    "surprising there is.",
    sign=predicted(512.0000001, math.inf),
)
def above_the_number_of_codes():
    return 1022.0


add_forms_of_a_number(PREDICT_PERPLEXITY, 256)


@PREDICT_PERPLEXITY.variant
def the_truth():
    return (2 * 1022) ** 0.5
