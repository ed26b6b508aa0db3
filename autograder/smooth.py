"""A function that the check answers and that autograd goes through all the same.

Only plain values cross the border, so the backward pass asks a second question: the same arguments
again, marked as a question about slopes, with what the result's gradient is.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

SLOPES = "slopes of"  # the mark

Function = Callable[..., Any]


def smooth(ask: Function) -> Function:
    """`ask` for the student's side: `ask(*args)` and `ask(SLOPES, outer, *args)` are answered."""

    def function(*args: Any) -> Any:
        return _Asked.apply(ask, *args)

    return function


class _Asked(torch.autograd.Function):
    @staticmethod
    def forward(ask: Function, *args: Any) -> Any:
        return ask(*args)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.ask, *args = inputs
        ctx.args = [v.detach().clone() if isinstance(v, Tensor) else v for v in args]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, outer: Tensor) -> tuple[Any, ...]:
        return None, *ctx.ask(SLOPES, outer, *ctx.args)


def is_about_slopes(question: tuple[Any, ...]) -> bool:
    """Whether a question came from a backward pass."""
    return len(question) > 2 and isinstance(question[0], str) and question[0] == SLOPES


def with_slopes(function: Function) -> Function:
    """For the check's side: a function of torch operations that answers both kinds of question."""

    def answer(*question: Any) -> Any:
        if is_about_slopes(question):
            return _slopes(function, *question[1:])
        return function(*question)

    return answer


def _slopes(function: Function, outer: Tensor, *args: Any) -> tuple[Tensor | None, ...]:
    """`outer` times the derivative for each tensor of real numbers in `args`."""
    with torch.enable_grad():
        args = [v.detach().requires_grad_() if _is_real(v) else v for v in args]
        leaves = [v for v in args if _is_real(v)]
        found = iter(torch.autograd.grad(function(*args), leaves, outer, allow_unused=True))
    return tuple(_or_zero(next(found), value) if _is_real(value) else None for value in args)


def _is_real(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dtype.is_floating_point


def _or_zero(gradient: Tensor | None, leaf: Tensor) -> Tensor:
    return torch.zeros_like(leaf) if gradient is None else gradient
