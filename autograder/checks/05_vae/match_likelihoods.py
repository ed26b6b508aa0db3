"""`match_likelihoods()`: which likelihood belongs to which data.

A likelihood fits data if its probabilities live exactly where the data can be. Each wrong pair has
a reason of its own, and the check says it.
"""

from typing import Any

import numpy as np
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

LIKELIHOODS = {
    1: "Bernoulli",
    2: "continuous Bernoulli",
    3: "Gaussian with a learned σ",
    4: "categorical",
    5: "discretised logistic",
}
ROWS = (
    "temperatures in degrees",
    "grey photographs stored in 8 bits",
    "signatures scanned in black and white",
    "the share of the sky under clouds",
    "the bases A, C, G, T along a strand",
)
RIGHT = (3, 5, 1, 2, 4)

MATCH_LIKELIHOODS = Exercise(
    name="match_likelihoods",
    unit="05_vae",
    title="Which likelihood for which data",
    points=1,
    difficulty=1,
    minutes=10,
    reference=lambda: list(RIGHT),
    follow_up=(
        "All five. The wrong pairs run as well, without any error: that is why it has to be known."
    ),
    hints=(
        "**Principle.** Ask of each kind of data where a single value can be: at two places, at a "
        "few places without an order, at many places in a row, anywhere between 0 and 1, or "
        "anywhere at all. A likelihood puts its probability on one of these sets. If the set is "
        "too large, it wastes probability on what cannot happen; if it is too small, it gives "
        "probability zero to what does happen, or its density has nothing to be a density over. "
        "Then ask whether neighbouring values are alike: a likelihood that knows this needs fewer "
        "numbers and less data.",
        "**Place.** Bernoulli: exactly two values. Continuous Bernoulli: any real number between "
        "0 and 1, with a density. Gaussian: any real number, in a unit, with a σ that is learned "
        "because you do not know how large the remaining error is. Categorical: K values, each "
        "with a probability of its own, and no value is nearer to one than to another. "
        "Discretised logistic: many values in a row, of which neighbours are alike; two numbers "
        "describe all of them, and its bits can be compared with published ones. Every likelihood "
        "is used once.",
        "**Nearly the answer.** Temperatures have a unit and no bounds. Photographs of 8 bits have "
        "256 levels in a row, and level 100 looks like level 101. A signature in black and white "
        "has pixels that are 0 or 1. A share is any number between 0 and 1. The four bases have "
        "no order: A is not nearer to C than to T. Go through the rows of the table from A to E, "
        "look up the number of the likelihood, and write them as a list, such as "
        "`return [1, 2, 3, 4, 5]`, in that order.",
    ),
)


def numbers(value: Any) -> tuple[int, ...]:
    """The numbers of the likelihoods, from a list, a tuple or a tensor."""
    if isinstance(value, Tensor):
        value = value.tolist()
    if not isinstance(value, (tuple, list)):
        kind = "nothing" if value is None else f"a {type(value).__name__}"
        raise expect.Failure(f"your answer is {kind}; return five numbers as a list")
    for item in value:
        whole = isinstance(item, (int, float)) and not isinstance(item, bool) and item == int(item)
        expect.true(whole, "your answer holds something that is no whole number")
    return tuple(int(item) for item in value)


@MATCH_LIKELIHOODS.check
def uses_each_likelihood_once(candidate: Candidate, rng: np.random.Generator) -> None:
    """Names a likelihood for each of the five rows, and each likelihood once."""
    given = numbers(candidate.call())
    expect.true(len(given) == len(RIGHT), f"your answer has {len(given)} numbers; expected five")
    unknown = sorted(set(given) - set(LIKELIHOODS))
    expect.true(not unknown, f"there is no likelihood {unknown[:1]}; they are numbered 1 to 5")
    expect.true(len(set(given)) == len(given), "your answer names a likelihood twice")


@MATCH_LIKELIHOODS.check
def each_fits_its_data(candidate: Candidate, rng: np.random.Generator) -> None:
    """Each likelihood lives where the values of its data can be."""
    given = numbers(candidate.call())
    for letter, row, chosen, right in zip("ABCDE", ROWS, given, RIGHT, strict=False):
        expect.true(
            chosen == right,
            f"row {letter}, {row}, does not fit the {LIKELIHOODS.get(chosen, 'chosen one')}",
        )
