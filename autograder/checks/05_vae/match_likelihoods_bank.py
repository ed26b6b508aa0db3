"""Wrong and right answers to `match_likelihoods`."""

import torch

from .match_likelihoods import MATCH_LIKELIHOODS, RIGHT, ROWS, numbers

misconception = MATCH_LIKELIHOODS.misconception
variant = MATCH_LIKELIHOODS.variant
BERNOULLI, CONTINUOUS, GAUSSIAN, CATEGORICAL, LOGISTIC = range(1, 6)


def _swapped(one, other):
    """The answer with two likelihoods exchanged."""
    return [{one: other, other: one}.get(kind, kind) for kind in RIGHT]


def _is(answer):
    return lambda calls: list(numbers(calls[0].value)) == answer


def _row(text):
    return next(place for place, row in enumerate(ROWS) if text in row)


def _given(text, kind):
    """A row of the table has this likelihood."""
    return lambda calls: numbers(calls[0].value)[_row(text)] == kind


@misconception(
    "Your function gives nothing back. End it with `return` and the numbers.",
    sign=lambda calls: calls[0].error is None and calls[0].value is None,
)
def nothing_returned():
    print(RIGHT)


@misconception(
    "You returned a text. Return the numbers of the likelihoods, as a list.",
    sign=lambda calls: (
        isinstance(calls[0].value, str)
        or (
            isinstance(calls[0].value, (tuple, list))
            and any(isinstance(item, str) for item in calls[0].value)
        )
    ),
)
def a_text():
    return "3, 5, 1, 2, 4"


@misconception(
    "You count from 0. The likelihoods are numbered from 1 to 5.",
    sign=lambda calls: 0 in numbers(calls[0].value),
)
def counted_from_zero():
    return [kind - 1 for kind in RIGHT]


@misconception(
    "You listed the rows in the order of the likelihoods. Go through the rows from A to E, and "
    "give the number of the likelihood for each.",
    sign=_is([1 + RIGHT.index(kind) for kind in (1, 2, 3, 4, 5)]),
)
def the_other_way_round():
    return [1 + RIGHT.index(kind) for kind in (1, 2, 3, 4, 5)]


@misconception(
    "You returned the example, 1 to 5 in a row. Look at each kind of data.",
    sign=_is([1, 2, 3, 4, 5]),
)
def the_example():
    return [1, 2, 3, 4, 5]


@misconception(
    "You named a likelihood twice. Each fits one of the five.",
    sign=lambda calls: len(set(numbers(calls[0].value))) < 5 == len(numbers(calls[0].value)),
)
def bernoulli_for_everything():
    return [BERNOULLI] * 5


@misconception(
    "Some rows have no number. Give five, one for each row.",
    sign=lambda calls: len(numbers(calls[0].value)) < 5,
)
def too_few():
    return list(RIGHT[:3])


@misconception(
    "D and E are exchanged. A share is a real number between 0 and 1, which has a density; the "
    "four bases are values without an order, each with a probability of its own.",
    sign=_is(_swapped(CONTINUOUS, CATEGORICAL)),
)
def shares_and_bases_exchanged():
    return _swapped(CONTINUOUS, CATEGORICAL)


@misconception(
    "A share is no probability of a yes: cross-entropy of values between 0 and 1 is no density, "
    "as it does not integrate to one. And a signature in black and white is not continuous.",
    sign=_given("clouds", BERNOULLI),
)
def cross_entropy_for_shares():
    return _swapped(BERNOULLI, CONTINUOUS)


@misconception(
    "Photographs of 8 bits are no zeros and ones. A Bernoulli on their grey levels gives numbers "
    "that are called nats and are none.",
    sign=_given("photographs", BERNOULLI),
)
def bernoulli_for_photographs():
    return _swapped(BERNOULLI, LOGISTIC)


@misconception(
    "Bases have no order: a likelihood for levels in a row would say that C is nearer to A than T "
    "is. And 256 separate classes forget that neighbouring greys are alike.",
    sign=_given("bases", LOGISTIC),
)
def levels_for_bases():
    return _swapped(CATEGORICAL, LOGISTIC)


@misconception(
    "Temperatures have no bounds at 0 and 1, and a share has: the Gaussian is for the one, the "
    "continuous Bernoulli for the other.",
    sign=_given("clouds", GAUSSIAN),
)
def gaussian_for_shares():
    return _swapped(GAUSSIAN, CONTINUOUS)


@misconception(
    "Stored photographs have 256 levels. A density can grow without limit on them, because σ can "
    "shrink onto the levels; a likelihood of the levels themselves cannot.",
    sign=_given("photographs", GAUSSIAN),
)
def density_for_photographs():
    return _swapped(GAUSSIAN, LOGISTIC)


@misconception(
    "Stored photographs have 256 levels, and the continuous Bernoulli is a density over all "
    "numbers between 0 and 1. Its nats cannot be compared with bits per value.",
    sign=_given("photographs", CONTINUOUS),
)
def continuous_for_photographs():
    return _swapped(CONTINUOUS, LOGISTIC)


@misconception(
    "A base has four possible values, and a Bernoulli knows two.",
    sign=_given("bases", BERNOULLI),
)
def bernoulli_for_bases():
    return _swapped(BERNOULLI, CATEGORICAL)


@variant
def a_tuple():
    return RIGHT


@variant
def a_tensor():
    return torch.tensor(RIGHT)


@variant
def floats():
    return [float(kind) for kind in RIGHT]


@variant
def from_a_table():
    table = {"A": 3, "B": 5, "C": 1, "D": 2, "E": 4}
    return [table[row] for row in sorted(table)]
