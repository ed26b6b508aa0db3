r"""What the estimators and the diagnostics refuse, and weights relative to the largest."""

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.mixture.params import first_index


def relative_weights(log_weights: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    r"""The weights divided by the largest along `dim`; all 0 where all are 0."""
    check_draws("log_weights", log_weights, dim)
    check_log_values("log_weights", log_weights)
    largest = log_weights.amax(dim, keepdim=True)
    return (log_weights - largest.clamp(min=torch.finfo(log_weights.dtype).min)).exp()


def check_draws(name: str, value: Tensor, dim: int) -> None:
    r"""Refuse a tensor without a dimension `dim`, or with nothing along it."""
    if not -value.ndim <= dim < value.ndim or value.shape[dim] == 0:
        raise ValueError(
            f"{name} has shape {tuple(value.shape)} and dim is {dim}; expected a dimension of that "
            "number with at least one draw"
        )


def check_positive(**values: int | float) -> None:
    r"""Refuse numbers that are not above 0."""
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"{name} is {value}; expected a number above 0")


def check_log_values(name: str, values: Tensor) -> None:
    r"""Refuse NaN and +inf, which no logarithm of a density is; -inf is a density of 0."""
    wrong = ~(values < torch.inf)
    if wrong.any():
        raise ValueError(
            f"{name} holds {int(wrong.sum())} values that are NaN or +inf, the first at "
            f"{first_index(wrong)}; expected finite numbers, or -inf for a density of 0"
        )


def check_flat(x: Tensor, dim: int) -> None:
    r"""Refuse points that are not (N, D) floating-point numbers.

    Their values are not looked at, because that would wait for the device in every step.
    """
    if x.ndim != 2 or x.shape[1] != dim or not x.is_floating_point():
        raise ValueError(
            f"x has shape {tuple(x.shape)} and type {x.dtype}; expected (N, {dim}) of "
            "floating-point numbers: flatten images with .flatten(1), divide bytes by 255"
        )
