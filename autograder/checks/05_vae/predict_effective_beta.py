"""`predict_effective_beta()`: what a mean does to an innocent loss."""

import math

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from autograder.prediction import add_forms_of_a_number, add_mistakes_of_form, predicted

DIM = 784
TRUTH = DIM / 2  # (1/D) Σ e² + KL = (2/D) [½ Σ e² + (D/2) KL]
HIGHEST = 1e9

PREDICT_EFFECTIVE_BETA = Exercise(
    name="predict_effective_beta",
    unit="05_vae",
    title="Predict the β of a common loss",
    points=1,
    difficulty=2,
    minutes=5,
    reference=lambda: TRUTH,
    prediction=True,
    hints=(
        "**Principle.** A loss has the β that stands in front of the divergence once the "
        "distortion has been brought to its proper size. Proper means: minus the log-likelihood "
        "of a whole image, in nats. So write the loss as a common factor times (distortion plus β "
        "times divergence) and read β off. The common factor only changes the step size. What "
        "could have changed the size of the distortion here? Two things: it is a mean over the "
        "values of an image where the likelihood has a sum, and a squared error where the "
        "Gaussian has half of it.",
        "**Place.** The distortion of an image under a Gaussian with σ = 1 is ½ Σ_d (x_d − x̂_d)², "
        "plus a constant that does not matter. The loss contains (1/D) Σ_d (x_d − x̂_d)², with "
        "D = 784. By which factor do you have to multiply the loss so that its first term becomes "
        "the distortion? That same factor then stands in front of the divergence, which was "
        "right before. The average over the images of the batch is harmless, because both terms "
        "are averaged over them in the same way.",
        "**Nearly the answer.** Multiply the whole loss by D/2: the first term becomes "
        "½ Σ_d (x_d − x̂_d)², as it should be, and the second D/2 times the divergence. So β is "
        "half of the number of values. Another way to say the same: with β = 1 this loss belongs "
        "to a Gaussian decoder with σ² = D/2, so σ is about 20, for grey levels between 0 and 1. "
        "A decoder that expects such noise has no use for a code. Write `return` with your "
        "number; you get the point for committing, and the exercise that follows measures it.",
    ),
    follow_up=(
        f"Committed. It is D/2 = {TRUTH:g}: as if the decoder had a noise of σ = "
        f"{math.sqrt(TRUTH):.1f} grey scales. No wonder that the code collapses."
    ),
)


@PREDICT_EFFECTIVE_BETA.check
def is_a_possible_beta(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is one number that a weight can be: positive and finite."""
    beta = expect.number(candidate.call(), "your prediction")
    expect.true(beta > 0, f"your prediction is {beta:g}; both prices are added, so β is positive")
    expect.true(
        beta <= HIGHEST,
        f"your prediction is {beta:g}; any number up to {HIGHEST:g} is taken as a guess",
    )


add_mistakes_of_form(PREDICT_EFFECTIVE_BETA, 1.0, "nats")


@PREDICT_EFFECTIVE_BETA.misconception(
    "A negative β would pay the encoder for leaving the prior. Both terms are added here.",
    sign=predicted(-math.inf, -1e-300),
)
def negative_beta():
    return -1.0


@PREDICT_EFFECTIVE_BETA.misconception(
    "Zero is the β of an autoencoder. Here the divergence is in the loss.",
    sign=predicted(0.0, 0.0),
)
def no_beta():
    return 0


@PREDICT_EFFECTIVE_BETA.misconception(
    "That is beyond any guess: only D = 784 and small factors can enter.",
    sign=predicted(HIGHEST * 1.0000001, math.inf),
)
def far_too_large():
    return 784.0**4


add_forms_of_a_number(PREDICT_EFFECTIVE_BETA, 784)


@PREDICT_EFFECTIVE_BETA.variant
def the_other_way_round():
    return 1 / 784


@PREDICT_EFFECTIVE_BETA.variant
def computed():
    return 28 * 28 / 2
