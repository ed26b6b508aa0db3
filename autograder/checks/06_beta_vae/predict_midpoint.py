"""`predict_midpoint()`: how long is the middle of a straight line between two codes?"""

import math

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from autograder.prediction import add_forms_of_a_number, add_mistakes_of_form, predicted

LATENT_DIM = 100
TRUTH = math.sqrt(0.5)  # the mean of two independent normal values has the variance 1/2
HIGHEST = 1.0

PREDICT_MIDPOINT = Exercise(
    name="predict_midpoint",
    unit="06_beta_vae",
    title="Predict where the straight line leads",
    points=1,
    difficulty=1,
    minutes=5,
    reference=lambda: TRUTH,
    prediction=True,
    hints=(
        "**Principle.** In one dimension the middle between two draws may be anything: near zero "
        "if they lie on both sides, or far out if they lie on one. In a hundred dimensions chance "
        "averages out, and the length of almost every draw is almost the same: the square root of "
        "the number of dimensions. The same holds for the middle of two draws, so there is one "
        "answer that fits nearly every pair. Ask what the distribution of a single value of the "
        "middle is, and how long a vector of a hundred such values will be.",
        "**Place.** The middle of the line is (z₀ + z₁)/2. Look at one of its hundred values: half "
        "the sum of two independent standard normal numbers. Their sum has the variance 1 + 1, and "
        "half of it a quarter of that. The squared length of the middle is a sum of a hundred such "
        "squares, hence near a hundred times that variance. The squared length of a draw is near a "
        "hundred times one. Divide, and do not forget the square root. You can also draw it: the "
        "two codes are nearly at a right angle, so that with the origin they form half a square.",
        "**Nearly the answer.** Two codes of the length 10 at a right angle to one another are two "
        "sides of a square. The middle of the line between their ends is the middle of the square, "
        "and its distance from the corner is half the diagonal. The diagonal of a square with the "
        "side 10 is 14.1. Divide half of that by 10, and write `return` with the result. You get "
        "the point for committing yourself; the cell that follows draws a thousand pairs and shows "
        "all their middles. Then compare how the lengths of draws themselves scatter: no draw in a "
        "thousand comes near.",
    ),
    follow_up=(
        f"Committed. It is √½ = {TRUTH:.3f}: no draw from the prior is ever as short as that, so "
        "the decoder has never seen such a code."
    ),
)


@PREDICT_MIDPOINT.check
def is_a_possible_share(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is one number from 0 to 1, a share of the length of a draw."""
    share = expect.number(candidate.call(), "your prediction")
    expect.true(
        0 <= share <= HIGHEST,
        f"your prediction is {share:g}; a share of the length of a draw, from 0 to 1, is expected",
    )


add_mistakes_of_form(PREDICT_MIDPOINT, 0.5, "of it")


@PREDICT_MIDPOINT.misconception(
    "A length is never negative. Commit to a number from 0 to 1.",
    sign=predicted(-math.inf, -1e-300),
)
def negative_length():
    return -0.5


@PREDICT_MIDPOINT.misconception(
    "The middle of a line cannot be further out than both of its ends: the share is at most 1.",
    sign=predicted(1.0000001, 2.0),
)
def longer_than_the_ends():
    return 1.41


@PREDICT_MIDPOINT.misconception(
    "That looks like a length or a percentage. Divide by the length of a draw: from 0 to 1.",
    sign=predicted(2.0000001, math.inf),
)
def length_itself():
    return 7.0


add_forms_of_a_number(PREDICT_MIDPOINT, 1)


@PREDICT_MIDPOINT.variant
def the_truth():
    return 0.5**0.5


@PREDICT_MIDPOINT.variant
def the_middle_of_nothing():
    return 0.0
