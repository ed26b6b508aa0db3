"""What a check may demand, each with a message for the student.

These raise instead of using `assert`, so that checks hold under `python -O` too.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


class Failure(AssertionError):
    """A property does not hold; the message says what was given and what was expected."""


def true(condition: Any, message: str) -> None:
    """Demand a condition."""
    if not bool(condition):
        raise Failure(message)


def tensor(value: Any, shape: Sequence[int], what: str) -> Tensor:
    """Demand a floating-point tensor of this shape without NaN, and give it back in float64."""
    if value is None:
        raise Failure(f"{what} is None; does your function end with a return?")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = torch.tensor(float(value))
    if not isinstance(value, Tensor):
        raise Failure(f"{what} is a {type(value).__name__}; a tensor {_shape(shape)} was expected")
    if tuple(value.shape) != tuple(shape):
        raise Failure(f"{what} has the shape {_shape(value.shape)}; expected {_shape(shape)}")
    if not value.dtype.is_floating_point:
        raise Failure(f"{what} holds {value.dtype}; floating-point numbers were expected")
    if value.isnan().any():
        raise Failure(f"{what} is NaN at {_places(value.isnan())}")
    return value.double()


def number(value: Any, what: str) -> float:
    """Demand one finite real number: a float, an int or a tensor with one element."""
    if value is None:
        raise Failure(f"{what} is None; does your function end with a return?")
    if isinstance(value, Tensor) and value.numel() == 1 and value.dtype != torch.bool:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Failure(f"{what} is {_short(value)}; one number was expected")
    if not torch.isfinite(torch.tensor(float(value))):
        raise Failure(f"{what} is {value}; a finite number was expected")
    return float(value)


def items(value: Any, count: int, what: str) -> Sequence[Any]:
    """Demand a tuple (or list) of `count` values."""
    if not isinstance(value, (tuple, list)) or len(value) != count:
        raise Failure(f"{what} is {_short(value)}; a tuple of {count} values was expected")
    return value


def close(
    actual: Any,
    expected: Tensor,
    what: str,
    *,
    rtol: float = 1e-4,
    atol: float = 1e-5,
) -> Tensor:
    """Demand a tensor of the shape of `expected` whose values agree, and give it back in float64.

    The default tolerances accept an answer computed in float32.
    """
    expected = torch.as_tensor(expected, dtype=torch.float64)
    actual = tensor(actual, expected.shape, what)
    wrong = ~torch.isclose(actual, expected, rtol=rtol, atol=atol)
    if wrong.any():
        place = tuple(index.item() for index in wrong.nonzero()[0])
        where = f" at {list(place)}" if place else ""
        raise Failure(
            f"{what}{where} is {actual[place].item():.6g}; expected {expected[place].item():.6g}"
            + (f" ({int(wrong.sum())} of {wrong.numel()} values differ)" if place else "")
        )
    return actual


def finite(value: Tensor, what: str) -> None:
    """Demand that no value is NaN or infinite."""
    bad = ~torch.isfinite(value)
    if bad.any():
        raise Failure(
            f"{what} is {value[bad][0].item()} at {_places(bad)}; expected finite numbers"
        )


def _shape(shape: Sequence[int]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _places(mask: Tensor) -> str:
    count = int(mask.sum())
    if mask.ndim == 0:
        return "its only value"
    return f"{count} of {mask.numel()} places, first at {mask.nonzero()[0].tolist()}"


def _short(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {_shape(value.shape)}"
    if isinstance(value, (tuple, list, dict)):
        return f"a {type(value).__name__} of {len(value)} values"
    text = repr(value)
    return text if len(text) <= 60 else f"a {type(value).__name__}"
