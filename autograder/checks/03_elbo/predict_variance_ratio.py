"""`predict_variance_ratio()`: how many more draws does the score function need?"""

import math

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from autograder.prediction import add_forms_of_a_number, add_mistakes_of_form, predicted

LATENT_DIM = 100
HIGHEST = 1e9


def variance_ratio(latent_dim: int) -> float:
    """Var[h(z) ε₁] / Var[2 z₁] for h(z) = Σ z_m² and z_m = 1 + ε_m.

    With T the sum over the other coordinates, which has mean 2 and variance 6 for each:
    E[(h ε₁)²] = E[z₁⁴ ε₁²] + 2 E[z₁² ε₁²] E[T] + E[T²], and E[h ε₁] = 2.
    """
    others = latent_dim - 1
    mean, mean_sq = 2 * others, (2 * others) ** 2 + 6 * others
    return (34 + 2 * 4 * mean + mean_sq - 4) / 4


TRUTH = variance_ratio(LATENT_DIM)

PREDICT_VARIANCE_RATIO = Exercise(
    name="predict_variance_ratio",
    unit="03_elbo",
    title="Predict the price of not knowing the slope",
    points=1,
    difficulty=2,
    minutes=5,
    reference=lambda: TRUTH,
    prediction=True,
    hints=(
        "**Principle.** Both estimators have the same mean, so the one with the larger variance "
        "needs proportionally more draws for the same error. The reparameterised gradient of the "
        "first coordinate uses the slope of h in that coordinate alone: the other ninety-nine do "
        "not disturb it. The score-function estimator multiplies the score of the first "
        "coordinate with the whole value of h, to which all hundred coordinates contribute. They "
        "have nothing to do with the first one, so their contribution averages out, but each "
        "single draw carries it as noise. The price grows with the dimension.",
        "**Place.** Take h(z) = Σ z_m² and z_m = 1 + ε_m. The reparameterised gradient for the "
        "first mean is 2 z₁, with the variance 4, whatever M is. The score-function gradient is "
        "h(z) ε₁. How large is h? Each coordinate contributes 2 on average (a squared mean of one "
        "and a variance of one), so h is about 200, and it varies little around that. So the "
        "estimator is about 200 times a standard normal number, although its mean is only 2. "
        "What is its variance, and what is the ratio to 4?",
        "**Nearly the answer.** Treat h as the constant 200, because it is large and varies by "
        "about ten per cent only. The variance of 200 ε₁ is 200². Divide by the variance of the "
        "other estimator, which is 4. You may stop there: the exact calculation adds a few per "
        "cent, from the scatter of h and from its first coordinate. A baseline near 200 would "
        "remove most of this, and that is what the exercise on control variates does. Write "
        "`return` with your number; it is a pure ratio, without unit, and larger than one.",
    ),
    follow_up=(
        f"Committed. The exact ratio is {TRUTH:.0f}: more than ten thousand draws do the work of "
        f"one. In one dimension it is {variance_ratio(1):g}."
    ),
)


@PREDICT_VARIANCE_RATIO.check
def is_a_possible_ratio(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is one positive number: a variance divided by a variance."""
    ratio = expect.number(candidate.call(), "your prediction")
    expect.true(ratio > 0, f"your prediction is {ratio:g}; a ratio of variances is positive")
    expect.true(
        ratio <= HIGHEST,
        f"your prediction is {ratio:g}; any number up to {HIGHEST:g} is taken as a guess",
    )


add_mistakes_of_form(PREDICT_VARIANCE_RATIO, 100.0, "times")


@PREDICT_VARIANCE_RATIO.misconception(
    "A variance is never negative, so their ratio is not either. Did you give a logarithm?",
    sign=predicted(-math.inf, -1e-300),
)
def negative_ratio():
    return -4.0


@PREDICT_VARIANCE_RATIO.misconception(
    "Zero would mean an estimator without any noise. The score-function estimator has more of it, "
    "not less.",
    sign=predicted(0.0, 0.0),
)
def no_variance():
    return 0


@PREDICT_VARIANCE_RATIO.misconception(
    "That is beyond any guess: the value of h is about 200, and its square divided by 4 has five "
    "digits.",
    sign=predicted(HIGHEST * 1.0000001, math.inf),
)
def far_too_large():
    return math.exp(100)


add_forms_of_a_number(PREDICT_VARIANCE_RATIO, 5000)


@PREDICT_VARIANCE_RATIO.variant
def less_noise_than_the_other():
    return 0.5


@PREDICT_VARIANCE_RATIO.variant
def computed():
    return 200**2 / 4
