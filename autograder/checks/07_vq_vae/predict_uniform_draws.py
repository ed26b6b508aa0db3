"""`predict_uniform_draws()`: how long do you have to draw codes until an image comes out?"""

import math

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from autograder.prediction import add_forms_of_a_number, add_mistakes_of_form, predicted

NUM_PLACES, NUM_CODES, TYPICAL_BITS = 16, 512, 64
ALL_BITS = NUM_PLACES * math.log2(NUM_CODES)  # 144
TRUTH = ALL_BITS - TYPICAL_BITS  # 2^144 maps, of which 2^64 are typical

PREDICT_UNIFORM_DRAWS = Exercise(
    name="predict_uniform_draws",
    unit="07_vq_vae",
    title="Predict how long uniform draws take",
    points=1,
    difficulty=1,
    minutes=5,
    reference=lambda: TRUTH,
    prediction=True,
    hints=(
        "**Principle.** Count in bits. A code with K equally likely values holds log2 K bits, and "
        "the bits of several places add up, because the numbers of combinations multiply. A source "
        "that needs b bits on average behaves as if it chose among 2 to the power b equally likely "
        "things: these are its typical ones. So you have two counts, that of all maps and that of "
        "the maps that look like images. The share of the second in the first is the chance that "
        "one blind draw hits, and its inverse is the number of draws that you need on average.",
        "**Place.** All maps: 512 values are 9 bits, and there are 16 places, so 9 times 16 bits. "
        "Typical maps: the trained prior spends 64 bits on one, which means about 2 to the power "
        "64 of them. The chance of a hit is a quotient of two powers of two, and the exponent of a "
        "quotient is the difference of the exponents. You are asked for the base-2 logarithm of "
        "the number of draws: for an exponent, not for the number itself, and for no negative "
        "one, since it takes more than one draw.",
        "**Nearly the answer.** Suppose there were only 2 places with 512 values, 18 bits "
        "together, and a prior that needs 10 bits. Then a share of 2 to the power -8 of all maps "
        "is typical, so you draw 2 to the power 8, or 256, maps until one of them is. The answer "
        "would be 8. Do the same subtraction with 144 bits for all maps and the bits of the prior "
        "in the question, and write `return` with the result. You get the point for committing "
        "yourself. For scale: a computer that draws a thousand million maps a second since the "
        "beginning of the universe has come to about 2 to the power 88.",
    ),
    follow_up=(
        f"Committed. It is 16 · 9 − 64 = {TRUTH:g}: about 10²⁴ draws until one map is typical. "
        "With the prior it takes one."
    ),
)


@PREDICT_UNIFORM_DRAWS.check
def is_a_possible_exponent(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is one number from 0 to 144, the base-2 logarithm of a number of draws."""
    exponent = expect.number(candidate.call(), "your prediction")
    expect.true(
        0 <= exponent <= ALL_BITS,
        f"your prediction is {exponent:g}; the exponent of a number of draws from 1 to 2¹⁴⁴ is "
        "expected, a number from 0 to 144",
    )


add_mistakes_of_form(PREDICT_UNIFORM_DRAWS, 50, "bits")


@PREDICT_UNIFORM_DRAWS.misconception(
    "A negative exponent belongs to the chance that one draw hits. The number of draws is its "
    "inverse: leave the minus sign out.",
    sign=predicted(-math.inf, -1e-300),
)
def exponent_of_the_chance():
    return -TRUTH


@PREDICT_UNIFORM_DRAWS.misconception(
    "No more than 2¹⁴⁴ different maps exist, 16 places with 9 bits each, so the exponent is at "
    "most 144. Did you return the number of draws itself, or 512 to the power 16?",
    sign=predicted(144.0000001, math.inf),
)
def number_of_draws_itself():
    return 2.0**80


add_forms_of_a_number(PREDICT_UNIFORM_DRAWS, 80)


@PREDICT_UNIFORM_DRAWS.variant
def all_combinations():
    return 16 * math.log2(512)


@PREDICT_UNIFORM_DRAWS.variant
def at_the_first_draw():
    return 0
