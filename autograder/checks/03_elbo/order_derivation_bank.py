"""Wrong and right answers to `order_derivation`."""

from collections.abc import Callable

import torch

from autograder.exercise import Sign

from .order_derivation import ORDER, ORDER_DERIVATION, numbers

Order = tuple[int, ...]


def _order(condition: Callable[[Order], bool]) -> Sign:
    """The student's order, as a tuple of numbers, meets a condition."""
    return lambda calls: condition(numbers(calls[0].value))


def _instead(wrong: int, right: int) -> Sign:
    """A line that does not belong to the derivation stands for one that does."""
    return _order(lambda given: wrong in given and right not in given)


def _before(late: int, early: int) -> Sign:
    """Two lines stand the wrong way round."""
    return _order(
        lambda given: {late, early} <= set(given) and given.index(late) < given.index(early)
    )


def _replaced(right: int, wrong: int) -> list[int]:
    return [wrong if line == right else line for line in ORDER]


@ORDER_DERIVATION.misconception(
    "Your function gives nothing back. End it with `return` and the numbers.",
    sign=lambda calls: calls[0].error is None and calls[0].value is None,
)
def nothing_returned():
    print(ORDER)


@ORDER_DERIVATION.misconception(
    "You returned a text. Return the numbers of the lines, as a list.",
    sign=lambda calls: (
        isinstance(calls[0].value, str)
        or (
            isinstance(calls[0].value, (tuple, list))
            and any(isinstance(item, str) for item in calls[0].value)
        )
    ),
)
def a_text():
    return "4, 8, 11, 1, 5, 12, 3, 9"


@ORDER_DERIVATION.misconception(
    "You count the lines from 0. They are numbered from 1 to 13.",
    sign=_order(lambda given: 0 in given),
)
def counted_from_zero():
    return [line - 1 for line in ORDER]


@ORDER_DERIVATION.misconception(
    "You start from the bound and go up to log p(x). The reasons are given in the other "
    "direction: start at log p(x).",
    sign=_order(lambda given: given == ORDER[::-1]),
)
def from_the_bound_up():
    return ORDER[::-1]


@ORDER_DERIVATION.misconception(
    "You used the lines in the order in which they are printed. They are shuffled, and five of "
    "them are wrong.",
    sign=_order(lambda given: len(given) > 6 and list(given) == sorted(given)),
)
def as_printed():
    return list(range(1, 14))


@ORDER_DERIVATION.misconception(
    "You used all thirteen lines. Five of them are traps that equal neither log p(x) nor the "
    "bound.",
    sign=_order(lambda given: len(given) == 13),
)
def all_lines():
    return [*ORDER, 2, 6, 7, 10, 13]


@ORDER_DERIVATION.misconception(
    "The line log p(x) itself is missing. It is where the derivation starts.",
    sign=_order(lambda given: 4 not in given and given[0] == 8),
)
def start_missing():
    return ORDER[1:]


@ORDER_DERIVATION.misconception(
    "The derivation stops before the divergence appears. The last line reads two of the means as "
    "KL(q‖p(z)).",
    sign=_order(lambda given: given == ORDER[:-1]),
)
def end_missing():
    return ORDER[:-1]


@ORDER_DERIVATION.misconception(
    "You chose the last line with +KL. The divergence is the price of leaving the prior, and it is "
    "subtracted.",
    sign=_instead(2, 9),
)
def divergence_added():
    return _replaced(9, 2)


@ORDER_DERIVATION.misconception(
    "You chose KL(p(z)‖q). The means are taken under q, so q stands in front: KL(q‖p(z)).",
    sign=_instead(7, 9),
)
def divergence_reversed():
    return _replaced(9, 7)


@ORDER_DERIVATION.misconception(
    "You chose the line with +E_q[log q(z)]. The q(z) stands below the fraction, so its logarithm "
    "is subtracted; the entropy −E_q[log q] is what is added.",
    sign=_instead(10, 12),
)
def entropy_sign():
    return _replaced(12, 10)


@ORDER_DERIVATION.misconception(
    "You chose log E_q[p(x, z)]. A sum over z becomes a mean under q only after it is divided by "
    "q(z).",
    sign=_instead(6, 1),
)
def weight_without_q():
    return _replaced(1, 6)


@ORDER_DERIVATION.misconception(
    "You chose Σ_z log p(x, z). The logarithm of a sum is not the sum of the logarithms.",
    sign=_instead(13, 8),
)
def logarithm_into_the_sum():
    return _replaced(8, 13)


@ORDER_DERIVATION.misconception(
    "You move the logarithm inside the mean before the mean is there. First log E_q[…], then "
    "Jensen's inequality.",
    sign=_before(5, 1),
)
def jensen_too_early():
    return [4, 8, 11, 5, 1, 12, 3, 9]


@ORDER_DERIVATION.misconception(
    "The mean under q comes before q is in the sum. First multiply and divide by q(z), then read "
    "the sum as a mean.",
    sign=_before(1, 11),
)
def mean_before_q():
    return [4, 8, 1, 11, 5, 12, 3, 9]


@ORDER_DERIVATION.misconception(
    "You split the joint before you split the quotient. The quotient comes first: it is the joint "
    "over q(z).",
    sign=_before(3, 12),
)
def joint_before_quotient():
    return [4, 8, 11, 1, 5, 3, 12, 9]


@ORDER_DERIVATION.misconception(
    "q appears before the hidden variable is summed out. Write p(x) as a sum first.",
    sign=_before(11, 8),
)
def q_before_the_sum():
    return [4, 11, 8, 1, 5, 12, 3, 9]


@ORDER_DERIVATION.misconception(
    "The divergence appears before the three means are written out. It is read off from two of "
    "them.",
    sign=_before(9, 3),
)
def divergence_too_early():
    return [4, 8, 11, 1, 5, 12, 9, 3]


@ORDER_DERIVATION.misconception(
    "You name a line twice. Each reason has its own line.",
    sign=_order(lambda given: len(set(given)) < len(given)),
)
def a_line_twice():
    return [4, 8, 11, 1, 5, 5, 12, 3, 9]


@ORDER_DERIVATION.variant
def a_tuple():
    return ORDER


@ORDER_DERIVATION.variant
def a_tensor():
    return torch.tensor(ORDER)


@ORDER_DERIVATION.variant
def whole_numbers_as_floats():
    return [float(line) for line in ORDER]


@ORDER_DERIVATION.variant
def two_halves_joined():
    before, after = [4, 8, 11, 1], [5, 12, 3, 9]
    return before + after


@ORDER_DERIVATION.variant
def from_names():
    names = {"evidence": 4, "sum": 8, "ratio": 11, "mean": 1}
    return [*names.values(), 5, 12, 3, 9]
