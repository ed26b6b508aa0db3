"""`predict_jensen_gap()`: how far is a mean of logarithms below the logarithm of the mean?"""

import math

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from autograder.prediction import add_forms_of_a_number, add_mistakes_of_form, predicted

SPREAD = 2.0  # standard deviation of log w, nats
TRUTH = SPREAD**2 / 2
HIGHEST = 50.0

PREDICT_JENSEN_GAP = Exercise(
    name="predict_jensen_gap",
    unit="03_elbo",
    title="Predict the gap in Jensen's inequality",
    points=1,
    difficulty=1,
    minutes=3,
    reference=lambda: TRUTH,
    prediction=True,
    hints=(
        "**Principle.** The logarithm is concave: it punishes small values more than it rewards "
        "large ones. So the mean of log w is never above the logarithm of the mean of w, and the "
        "more w scatters, the further below it lies. If w were constant, the gap would be zero. "
        "That settles the sign of your prediction, and that it grows with the scatter. For its "
        "size, think of what dominates each of the two. The mean of log w is the middle of the "
        "bell curve of log w. The mean of w itself is made by rare, large values in the right "
        "tail, which the logarithm afterwards turns back into nats.",
        "**Place.** Let log w be normal with mean m and standard deviation s. The first number is "
        "E[log w] = m, whatever s is. The second is log E[w]. Where does the product of the bell "
        "curve and w = exp(log w) have its peak? The exponent is log w − (log w − m)²/(2s²), "
        "which is largest where log w = m + s²: the values that make the mean lie s standard "
        "deviations out. Complete the square to find what is left over. The gap is what the mean "
        "m does not enter, so it depends on s alone. With s = 2 the answer is a small number.",
        "**Nearly the answer.** Complete the square in the exponent of E[w]: with a for log w, "
        "a − (a − m)²/(2s²) = m + s²/2 − (a − m − s²)²/(2s²). The last term is again a bell "
        "curve, which integrates to one, so E[w] = exp(m + s²/2). Take the logarithm and subtract "
        "E[log w] = m. What remains is a simple function of s; put s = 2 into it and write "
        "`return` with the number. If log w were the log weight of one draw from a proposal, this "
        "would be the distance of the ELBO from log p(x): in nats, for every example.",
    ),
    follow_up=(
        f"Committed. The truth is s²/2 = {TRUTH:g} nats: log w with a standard deviation of "
        "2 nats already costs the bound two nats."
    ),
)


@PREDICT_JENSEN_GAP.check
def is_a_possible_gap(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is one number of nats, and a gap that Jensen's inequality allows."""
    gap = expect.number(candidate.call(), "your prediction")
    expect.true(gap >= 0, f"your prediction is {gap:g}; by Jensen's inequality it is not negative")
    expect.true(
        gap <= HIGHEST,
        f"your prediction is {gap:g} nats; a number from 0 to {HIGHEST:g} is expected",
    )


add_mistakes_of_form(PREDICT_JENSEN_GAP, 2.0, "nats")


@PREDICT_JENSEN_GAP.misconception(
    "The gap cannot be negative: the logarithm is concave, so log E[w] is the larger of the two. "
    "Give log E[w] − E[log w].",
    sign=predicted(-math.inf, -1e-300),
)
def negative_gap():
    return -2.0


@PREDICT_JENSEN_GAP.misconception(
    "That is far too much: log w has a standard deviation of two nats. Did you give a ratio, or "
    "forget the logarithm?",
    sign=predicted(HIGHEST * 1.0000001, math.inf),
)
def far_too_large():
    return 54.6


add_forms_of_a_number(PREDICT_JENSEN_GAP, 3)


@PREDICT_JENSEN_GAP.variant
def the_truth():
    return 2.0**2 / 2


@PREDICT_JENSEN_GAP.variant
def no_gap_at_all():
    return 0.0
