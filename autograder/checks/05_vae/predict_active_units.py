"""`predict_active_units()`: how many hidden values survive training?"""

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from autograder.prediction import add_forms_of_a_number, add_mistakes_of_form

VARIANCES = (4.0, 2.4, 1.3, 0.7, 0.3, 0.1)
NOISE_VAR = 0.5
TRUTH = sum(variance > NOISE_VAR for variance in VARIANCES)

PREDICT_ACTIVE_UNITS = Exercise(
    name="predict_active_units",
    unit="05_vae",
    title="Predict the collapse",
    points=1,
    difficulty=1,
    minutes=3,
    reference=lambda: TRUTH,
    prediction=True,
    hints=(
        "**Principle.** A hidden value has a price and a use. The price is its divergence from the "
        "prior, in nats for each example. The use is what the decoder saves in describing the "
        "data, because it knows where along one direction the example lies. If the price is above "
        "the use, the bound is higher without it, and training switches it off: that is "
        "posterior collapse, and here it is not a failure of the optimiser but the best solution. "
        "So ask for each direction of the data whether it pays to transmit it. A direction in "
        "which the data hardly varies saves next to nothing.",
        "**Place.** The decoder's noise is fixed at σ² = 0.5 in every direction, for the whole "
        "training. Without a hidden value the model gives a direction exactly that variance and no "
        "more. If the data varies more than that, the model without the hidden value is wrong "
        "about it, and a hidden value can supply what is missing: data variance minus noise "
        "variance. If the data varies less than the noise, the model has too much variance there "
        "already, and a hidden value would only add to it. So compare each of the six variances "
        "with one number.",
        "**Nearly the answer.** The exact solution of a linear model with fixed noise is known: "
        "the hidden value of a direction is used if the variance of the data along it is above "
        "σ², and collapses if it is below. This is the rule of probabilistic PCA, which a linear "
        "VAE learns. With a weight β on the divergence the comparison is with β σ² instead. Go "
        "through the six variances, 4, 2.4, 1.3, 0.7, 0.3 and 0.1, count those above 0.5, and "
        "write `return` with the count. You get the point for committing; the lab that follows "
        "trains the model.",
    ),
    follow_up=(
        f"Committed. The variances above σ² = {NOISE_VAR:g} are {TRUTH}; the lab trains the model "
        "and counts."
    ),
)


@PREDICT_ACTIVE_UNITS.check
def is_a_possible_count(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is one whole number of hidden values, from 0 to 6."""
    count = expect.number(candidate.call(), "your prediction")
    expect.true(
        0 <= count <= len(VARIANCES) and count == round(count),
        f"your prediction is {count:g}; a whole number from 0 to {len(VARIANCES)} is expected",
    )


add_mistakes_of_form(PREDICT_ACTIVE_UNITS, 3.0, "units")


@PREDICT_ACTIVE_UNITS.misconception(
    "There are six hidden values, so no more than six can be active, and no fewer than none.",
    sign=lambda calls: float(calls[0].value) > len(VARIANCES) or float(calls[0].value) < 0,
)
def more_than_there_are():
    return 12


@PREDICT_ACTIVE_UNITS.misconception(
    "A hidden value is active or it is not: commit to a whole number. A share, or a number of "
    "nats, is another question.",
    sign=lambda calls: float(calls[0].value) % 1 != 0,
)
def no_whole_number():
    return 3.5


add_forms_of_a_number(PREDICT_ACTIVE_UNITS, 3)


@PREDICT_ACTIVE_UNITS.variant
def the_truth():
    return sum(variance > 0.5 for variance in (4, 2.4, 1.3, 0.7, 0.3, 0.1))


@PREDICT_ACTIVE_UNITS.variant
def all_of_them():
    return 6
