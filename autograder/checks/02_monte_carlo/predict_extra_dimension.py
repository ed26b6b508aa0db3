"""`predict_extra_dimension()`: what does one more hidden number cost?"""

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._prediction import add_what_is_no_number, between

# ρ for σ = 0.1: (1 + σ²) / (σ √(2 + σ²)) · exp(1 / (2 + σ²))
TRUTH = 11.716
LEAST, MOST = 1.0, 1e6

PREDICT_EXTRA_DIMENSION = Exercise(
    name="predict_extra_dimension",
    unit="02_monte_carlo",
    title="Predict the price of a dimension",
    points=1,
    difficulty=1,
    minutes=3,
    reference=lambda: TRUTH,
    prediction=True,
    hints=(
        "**Principle.** Naive Monte Carlo draws z from the prior and hopes that some draws explain "
        "x. In one dimension, a share of the draws hits the narrow region in which the likelihood "
        "is not tiny, and the others are wasted. With one more independent hidden number, a draw "
        "must hit in both coordinates at once. So the share of useful draws is multiplied by the "
        "share in one coordinate, and the number of draws for the same accuracy is divided by "
        "it. Your task is to guess this factor. It is the same for each dimension you add, so the "
        "cost is a power of it: that is the curse of dimensionality.",
        "**Place.** How wide is the prior, and how wide is the region that explains x? The prior "
        "is a normal with standard deviation 1, so it covers a few units. The likelihood of one "
        "coordinate is a normal around x with standard deviation 0.1, so it covers a few tenths. "
        "The ratio of the two widths is ten. That gives the size of the answer. Two corrections "
        "of order one remain: the constant in front, because a hit is not all or nothing, and "
        "where x lies, because away from the centre of the prior fewer draws arrive than in the "
        "middle.",
        "**Nearly the answer.** The exact factor is the mean of the squared likelihood over the "
        "square of the mean likelihood, for one coordinate of typical size, with x² = 1 + σ². "
        "For small σ the constant in front tends to one over σ times the root of two, which is 7 "
        "here, for an x in the middle of the prior. An x at one standard deviation is seen by "
        "fewer draws, and that multiplies the cost by the square root of e, about 1.6. Multiply "
        "the two numbers in your head and write `return` with the result. You get the point for "
        "committing; the next exercise computes it.",
    ),
    follow_up=(
        f"Committed. The exact factor is {TRUTH:.1f}; ten more dimensions cost its tenth power."
    ),
)


@PREDICT_EXTRA_DIMENSION.check
def is_a_possible_factor(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is one number from 1 to a million."""
    factor = expect.number(candidate.call(), "your prediction")
    expect.true(
        LEAST <= factor <= MOST,
        f"your prediction is {factor:g}; a factor from 1 to 1 000 000 is expected",
    )


add_what_is_no_number(PREDICT_EXTRA_DIMENSION, TRUTH, "the factor")


@PREDICT_EXTRA_DIMENSION.misconception(
    "A factor below one would mean that a dimension more saves draws. Did you give the share of "
    "useful draws? Give one over it.",
    sign=between(0.0, 0.999999),
)
def share_of_useful_draws():
    return 0.085


@PREDICT_EXTRA_DIMENSION.misconception(
    "A factor is positive. Did you give a logarithm?", sign=between(-1e300, -1e-300)
)
def negative_logarithm():
    return -2.46


@PREDICT_EXTRA_DIMENSION.misconception(
    "That is more than a million for one dimension. The prior is only ten times as wide as the "
    "likelihood.",
    sign=between(1e6 + 1, 1e300),
)
def far_too_many():
    return 1e8
