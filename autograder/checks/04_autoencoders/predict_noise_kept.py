"""`predict_noise_kept()`: how much of the noise lies in the plane that the data lie in?"""

import math

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from autograder.prediction import add_forms_of_a_number, add_mistakes_of_form, predicted

DIM, LATENT_DIM = 784, 20
TRUTH = 100 * LATENT_DIM / DIM

PREDICT_NOISE_KEPT = Exercise(
    name="predict_noise_kept",
    unit="04_autoencoders",
    title="Predict how much noise a plane lets through",
    points=1,
    difficulty=2,
    minutes=5,
    reference=lambda: TRUTH,
    prediction=True,
    hints=(
        "**Principle.** Noise that is independent in every pixel, with the same spread, has no "
        "favourite direction: turn the axes as you like and it looks the same. So its energy, the "
        "squared length, is shared equally by all directions, 784 of them. The data know only 20 "
        "directions. A repair that moves every noisy point to the nearest place of the plane "
        "removes whatever stands at a right angle to it, and cannot tell the rest from data. Ask "
        "how many directions are removed, how many are kept, and what part of the energy belongs "
        "to those that are kept.",
        "**Place.** Choose axes such that the first 20 lie in the plane. Then the repair keeps "
        "the first 20 coordinates of the noise and sets the other 764 to zero. Each coordinate "
        "has the mean square σ². So the mean squared length of the noise is 784 σ² before, and a "
        "smaller multiple of σ² after. The scale σ cancels in the quotient, so the answer does "
        "not depend on how strong the noise is, nor on which plane it is. Say it in per cent, a "
        "number from 0 to 100. It is a share of the energy, not of the length.",
        "**Nearly the answer.** After the repair, 20 coordinates of the noise are left, out of "
        "784. Each carries the same energy, so the share that stays is the quotient of the two "
        "numbers. Multiply by 100 for per cent, and write `return` with your number. It is small, "
        "and that is the point: the fewer directions data need, the more of the noise can be "
        "removed without knowing anything about a single point. A curved surface of the same "
        "dimension does about as well, as long as the noise is small against its bends.",
    ),
    follow_up=(
        f"Committed. A plane of {LATENT_DIM} directions keeps {LATENT_DIM} of {DIM} parts of the "
        f"energy, {TRUTH:.2f} %."
    ),
)


@PREDICT_NOISE_KEPT.check
def is_a_possible_share(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is one number from 0 to 100, a share in per cent."""
    share = expect.number(candidate.call(), "your prediction")
    expect.true(
        0 <= share <= 100,
        f"your prediction is {share:g}; a share of the noise lies between 0 and 100 per cent",
    )


add_mistakes_of_form(PREDICT_NOISE_KEPT, 10.0, "per cent")


@PREDICT_NOISE_KEPT.misconception(
    "A share of energy is never negative. Noise that is removed is not kept.",
    sign=predicted(-math.inf, -1e-300),
)
def negative_share():
    return -97.0


@PREDICT_NOISE_KEPT.misconception(
    "More than 100 per cent would mean that the repair adds noise. A projection never lengthens "
    "anything.",
    sign=predicted(100.0000001, math.inf),
)
def more_than_everything():
    return 784 / 20 * 100


add_forms_of_a_number(PREDICT_NOISE_KEPT, 16.0)


@PREDICT_NOISE_KEPT.variant
def all_of_it():
    return 100


@PREDICT_NOISE_KEPT.variant
def none_of_it():
    return 0.0


@PREDICT_NOISE_KEPT.variant
def computed():
    return 100 * (20 / 784) ** 0.5
