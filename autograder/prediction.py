"""What exercises that ask for a prediction share: mistakes of form, ways to write a number."""

import math
from collections.abc import Callable

import numpy as np
import torch

from autograder.exercise import Exercise, Sign


def predicted(low: float, high: float) -> Sign:
    """The sign of a prediction between two bounds."""
    return lambda calls: (
        not isinstance(calls[0].value, (bool, str)) and low <= float(calls[0].value) <= high
    )


def _is_several(value: object) -> bool:
    if isinstance(value, torch.Tensor):
        return value.numel() != 1
    return isinstance(value, (tuple, list))


def _is_truth_value(value: object) -> bool:
    return isinstance(value, bool) or (
        isinstance(value, torch.Tensor) and value.dtype == torch.bool
    )


def add_mistakes_of_form(exercise: Exercise, guess: float, unit: str) -> None:
    """Register what is no number at all, whatever the question."""
    forms: dict[str, tuple[str, object, Sign]] = {
        "nothing_returned": (
            "Your function gives nothing back. End it with `return` and your number.",
            None,
            lambda calls: calls[0].error is None and calls[0].value is None,
        ),
        "a_text": (
            "You returned a text. Return the number alone, without quotation marks.",
            f"{guess} {unit}",
            lambda calls: isinstance(calls[0].value, str),
        ),
        "several_numbers": (
            "You returned several numbers. Commit to a single one.",
            (guess, 2 * guess),
            lambda calls: _is_several(calls[0].value),
        ),
        "a_truth_value": (
            "True or False is no prediction. Return a number.",
            True,
            lambda calls: _is_truth_value(calls[0].value),
        ),
        "not_finite": (
            "That is no finite number, so it is no prediction. Any possible number earns the "
            "point.",
            math.nan,
            lambda calls: not math.isfinite(float(calls[0].value)),
        ),
    }
    for name, (message, value, sign) in forms.items():
        exercise.misconception(message, sign=sign)(_constant(name, value))


def add_forms_of_a_number(exercise: Exercise, guess: float) -> None:
    """Register the ways in which one number may be returned."""
    for name, value in {
        "a_whole_number": int(guess),
        "a_plain_number": float(guess),
        "a_numpy_number": np.float32(guess),
        "a_tensor": torch.tensor(float(guess)),
        "a_tensor_of_one": torch.tensor([float(guess)], dtype=torch.float64),
    }.items():
        exercise.variant(_constant(name, value))


def _constant(name: str, value: object) -> Callable[[], object]:
    def prediction() -> object:
        return value

    prediction.__name__ = name
    return prediction
