"""`predict_central_points()`: where is a normal distribution in ten dimensions?"""

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._prediction import add_what_is_no_number, between

# 10 000 times the probability that χ² with ten degrees of freedom is below one
TRUTH = 1.721
MOST = 10_000

PREDICT_CENTRAL_POINTS = Exercise(
    name="predict_central_points",
    unit="02_monte_carlo",
    title="Predict how many draws are near the centre",
    points=1,
    difficulty=1,
    minutes=3,
    reference=lambda: TRUTH,
    prediction=True,
    hints=(
        "**Principle.** The density of a standard normal is highest at the origin, in every "
        "dimension. But a probability is a density times a volume. In ten dimensions the ball of "
        "radius 1 has a small share of the volume around it: the ball of radius 3 has 3 to the "
        "power 10 times as much, about 59 000 times. So there is a race. Going outwards the "
        "density falls, and the volume of a shell grows like the ninth power of its radius. The "
        "two balance at a radius near 3, and that is where the points are. Near the centre the "
        "density is high and there is hardly any room.",
        "**Place.** The squared length of a draw is a sum of ten squared standard normal numbers. "
        "Each of them has the mean one, so the sum has the mean ten, and its standard deviation "
        "is about four and a half. A length below one needs all ten squares together to stay "
        "below one: each number must be near zero at the same time. For one number alone the "
        "probability to be within one of zero is 68 percent. If it were enough that each number "
        "stays within one, the answer would be 0.68 to the power ten, two percent. But they must "
        "do far better, within about a third each.",
        "**Nearly the answer.** A number that stays within a third of zero has the probability of "
        "about one quarter. One quarter to the power ten is one in a million; that is the cube "
        "inside the ball, and the ball is larger than that cube. So the probability lies between "
        "one in a million and two in a hundred. The exact value is the distribution function of "
        "the chi-squared distribution with ten degrees of freedom at one, which "
        "`scipy.stats.chi2.cdf(1, 10)` knows, but commit before you look. Multiply your "
        "probability by ten thousand draws, and write `return` with the number. It need not be "
        "a whole number, and it may be below one.",
    ),
    follow_up=(
        f"Committed. On average {TRUTH:.1f} of 10 000 draws are that near, and the cell below "
        "counts them."
    ),
)


@PREDICT_CENTRAL_POINTS.check
def is_a_possible_count(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is one number from 0 to 10 000 (it need not be a whole one)."""
    count = expect.number(candidate.call(), "your prediction")
    expect.true(
        0 <= count <= MOST,
        f"your prediction is {count:g} of 10 000 draws; a number from 0 to 10 000 is expected",
    )


add_what_is_no_number(PREDICT_CENTRAL_POINTS, TRUTH, "the number of draws")


@PREDICT_CENTRAL_POINTS.misconception(
    "A count cannot be negative. Did you give a logarithm? Give the number of draws itself.",
    sign=between(-1e300, -1e-300),
)
def a_logarithm():
    return -8.67


@PREDICT_CENTRAL_POINTS.misconception(
    "That is more than there are draws. How many of the 10 000 lie near the origin?",
    sign=between(10_000.001, 1e300),
)
def more_than_all():
    return 17_210.0
