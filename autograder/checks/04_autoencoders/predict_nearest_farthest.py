"""`predict_nearest_farthest()`: how much nearer is the nearest, in a hundred dimensions?"""

import math

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from autograder.prediction import add_mistakes_of_form, predicted

from .nearest_farthest_ratio import ratio

DIM, NUM_POINTS = 100, 100
TRUTH = ratio(DIM, NUM_POINTS)

PREDICT_NEAREST_FARTHEST = Exercise(
    name="predict_nearest_farthest",
    unit="04_autoencoders",
    title="Predict how near the nearest is",
    points=1,
    difficulty=1,
    minutes=3,
    reference=lambda: TRUTH,
    prediction=True,
    hints=(
        "**Principle.** On a line a hundred random points come very near to the middle: the "
        "nearest has about a hundredth of the distance of the farthest. In a hundred dimensions a "
        "ball keeps nearly all of its volume close to its surface. A ball of radius 0.9 has only "
        "0.9 to the power one hundred of the volume, less than three parts in a hundred thousand. "
        "So hardly any point can be that near to the centre, and all hundred points are at nearly "
        "the same distance. The nearest and the farthest have become hard to tell apart.",
        "**Place.** Ask for the radius that has one point inside it, on average, of a hundred. A "
        "ball of radius r has the share r to the power one hundred of the volume. That share must "
        "be about one hundredth. So r is the hundredth root of one hundredth. The logarithm of "
        "one hundredth is about −4.6; divide it by a hundred, and exponentiate. The farthest "
        "point is so near to the surface that you may take its radius as one. What you get is a "
        "good guess; the exact mean is slightly smaller still, by about half a per cent.",
        "**Nearly the answer.** The exponential of a small negative number is about one plus that "
        "number. Here the small number is −0.046. Subtract about another half per cent if you "
        "like to be precise, and write `return` with your number. It lies between 0 and 1, and in "
        "this case it is much nearer to 1 than most people expect. Commit to what you believe, "
        "not to what the hint suggests: the point is given for the commitment. The exercise after "
        "this one asks for the exact value for every dimension and every number of points.",
    ),
    follow_up=(
        f"Committed. The mean ratio is {TRUTH:.3f}. On a line it would be {ratio(1, NUM_POINTS):g}."
    ),
)


@PREDICT_NEAREST_FARTHEST.check
def is_a_possible_ratio(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is one number from 0 to 1: a smaller distance divided by a larger one."""
    guess = expect.number(candidate.call(), "your prediction")
    expect.true(
        0 <= guess <= 1,
        f"your prediction is {guess:g}; the nearest distance over the farthest is from 0 to 1",
    )


add_mistakes_of_form(PREDICT_NEAREST_FARTHEST, 0.3, "of the largest distance")


@PREDICT_NEAREST_FARTHEST.misconception(
    "Distances are never negative, so their ratio is not either. Did you give a logarithm?",
    sign=predicted(-math.inf, -1e-300),
)
def negative_ratio():
    return -0.05


@PREDICT_NEAREST_FARTHEST.misconception(
    "A ratio above 1 would make the nearest point farther than the farthest. Is yours in per "
    "cent, or upside down? Give a number from 0 to 1.",
    sign=predicted(1.0000001, math.inf),
)
def above_one():
    return 95.0


def _add_guesses() -> None:
    values = {"a_fraction": 0.25, "far_too_small": 0.01, "zero": 0, "one": 1}
    values |= {"a_numpy_number": np.float32(0.5), "close_to_the_truth": 0.95}
    for name, value in values.items():

        def guess(value=value):
            return value

        guess.__name__ = name
        PREDICT_NEAREST_FARTHEST.variant(guess)


_add_guesses()
