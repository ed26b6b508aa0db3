"""What the predictions share: the number that was committed to, and what is no number."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch

from autograder.candidate import Call
from autograder.exercise import Exercise, Sign


def between(low: float, high: float) -> Sign:
    """The sign of a prediction between two bounds, both included."""

    def sign(calls: Sequence[Call]) -> bool:
        value = calls[0].value
        return not isinstance(value, (bool, str)) and low <= float(value) <= high

    return sign


def is_true_or_false(calls: Sequence[Call]) -> bool:
    return isinstance(calls[0].value, bool)


def is_no_single_number(calls: Sequence[Call]) -> bool:
    value = calls[0].value
    several = isinstance(value, torch.Tensor) and value.numel() != 1
    return isinstance(value, (tuple, list, dict)) or several


def add_what_is_no_number(exercise: Exercise, truth: float, unit: str) -> None:
    """The mistakes that every prediction can hold, and answers of every kind that are right."""

    def nothing_returned():
        print(truth)

    def a_text():
        return f"about {truth}"

    def several_numbers():
        return [truth, 2 * truth]

    def not_a_number():
        return math.nan

    def true_or_false():
        return True

    mistakes: tuple[tuple[str, Callable, Sign], ...] = (
        (
            "Your function gives nothing back. End it with `return` and your number.",
            nothing_returned,
            lambda calls: calls[0].error is None and calls[0].value is None,
        ),
        (
            f"You returned a text. Return {unit} alone, without quotation marks.",
            a_text,
            lambda calls: isinstance(calls[0].value, str),
        ),
        (
            "You returned a tuple, a list or several numbers. Return a single number.",
            several_numbers,
            is_no_single_number,
        ),
        (
            f"You returned True or False. Commit to {unit}.",
            true_or_false,
            is_true_or_false,
        ),
        (
            "That is no finite number, so it is no prediction.",
            not_a_number,
            lambda calls: not math.isfinite(float(calls[0].value)),
        ),
    )
    for message, implementation, sign in mistakes:
        exercise.misconception(message, sign=sign)(implementation)

    def the_truth():
        return truth

    def a_wrong_guess_is_a_commitment():
        return 2.5 * truth + 1

    def a_whole_number():
        return round(truth) + 1

    def a_tensor():
        return torch.tensor(truth)

    def a_number_of_numpy():
        return np.float64(truth)

    for variant in (
        the_truth,
        a_wrong_guess_is_a_commitment,
        a_whole_number,
        a_tensor,
        a_number_of_numpy,
    ):
        exercise.variant(variant)
