"""`predict_popular_beta()`: what a "β" of 500 in front of a mean trains in truth."""

import math

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from autograder.prediction import add_forms_of_a_number, add_mistakes_of_form, predicted

DIM, WRITTEN = 32 * 32, 500
TRUTH = DIM / WRITTEN  # 500/D Σ BCE + KL = (500/D) [Σ BCE + (D/500) KL]
HIGHEST = 1e9

PREDICT_POPULAR_BETA = Exercise(
    name="predict_popular_beta",
    unit="06_beta_vae",
    title="Predict the β of a popular loss",
    points=1,
    difficulty=2,
    minutes=5,
    reference=lambda: TRUTH,
    prediction=True,
    hints=(
        "**Principle.** Only the ratio of two weights matters in training: that of the divergence "
        "over that of the distortion of a whole image. A factor in front of the whole loss changes "
        "the size of a step and nothing else. So write the loss as such a factor times (distortion "
        "plus β times divergence). The name that the author gave to a number says nothing about "
        "it: what is called β here stands in front of the other term, and it shares that term with "
        "a mean. Both have to be undone before you can compare with the β of a paper.",
        "**Place.** The distortion of a binary image is the sum of the cross-entropy over its 32 × "
        "32 = 1024 pixels. The loss contains 500 times their mean. So what is the weight of the "
        "sum? The divergence is summed over the hidden values, as it should be, and has the weight "
        "1. Divide the second weight by the first. The mean over the images of the batch is taken "
        "in both terms alike and drops out. In unit 05 you measured such ratios by autograd, with "
        "`effective_beta`.",
        "**Nearly the answer.** 500 times the mean over 1024 pixels is 500/1024 times their sum, "
        "so the distortion has the weight 0.488 and the divergence the weight 1. Their ratio is "
        "1024/500. Had the author written 5000, it would be a tenth of that: a larger number in "
        "front of the mean makes the code cheaper, not dearer. And the same 500 with images of "
        "64 × 64 pixels would train with four times the weight, without a word about it in the "
        "text. Write `return` with your number. You get the point for committing yourself, and "
        "the exercise that follows turns the question around.",
    ),
    follow_up=(
        f"Committed. It is 1024/500 = {TRUTH:.2f}: near the plain bound, and not 500. A larger "
        "number in its place would have made the code cheaper."
    ),
)


@PREDICT_POPULAR_BETA.check
def is_a_possible_beta(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is one number that a weight can be: positive and finite."""
    beta = expect.number(candidate.call(), "your prediction")
    expect.true(beta > 0, f"your prediction is {beta:g}; both prices are added, so β is positive")
    expect.true(
        beta <= HIGHEST,
        f"your prediction is {beta:g}; any number up to {HIGHEST:g} is taken as a guess",
    )


add_mistakes_of_form(PREDICT_POPULAR_BETA, 2.0, "nats")


@PREDICT_POPULAR_BETA.misconception(
    "A negative β would pay the encoder for leaving the prior. Both terms are added here.",
    sign=predicted(-math.inf, -1e-300),
)
def negative_beta():
    return -1.0


@PREDICT_POPULAR_BETA.misconception(
    "Zero is the β of an autoencoder. Here the divergence is in the loss.",
    sign=predicted(0.0, 0.0),
)
def no_beta():
    return 0


@PREDICT_POPULAR_BETA.misconception(
    "That is beyond any guess: only 1024 and 500 can enter.",
    sign=predicted(HIGHEST * 1.0000001, math.inf),
)
def far_too_large():
    return 1024.0**4


add_forms_of_a_number(PREDICT_POPULAR_BETA, 500)


@PREDICT_POPULAR_BETA.variant
def the_other_way_round():
    return 500 / 1024


@PREDICT_POPULAR_BETA.variant
def computed():
    return 32 * 32 / 500


@PREDICT_POPULAR_BETA.variant
def with_the_mean_only():
    return 1024
