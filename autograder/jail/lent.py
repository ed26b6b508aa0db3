"""A reference that the grader lends: a function in the jail whose values come from outside.

Gradients cross the border too: the backward pass asks for the vector-Jacobian product, so that a
lent log-density can be maximised.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Ask = Callable[[dict[str, Any]], Any]


def lent_function(name: str, ask: Ask) -> Callable[..., Any]:
    """The function in the jail; `ask` puts a question to the grader."""

    def function(*args: Any) -> Any:
        if not any(_is_differentiable(value) for value in args):
            return ask({"lent": name, "args": args})
        values = _Lent.apply(name, ask, *args)
        return values[0] if len(values) == 1 else values

    function.__name__ = name
    return function


class _Lent(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, name: str, ask: Ask, *args: Any) -> tuple[Tensor, ...]:
        ctx.name, ctx.ask, ctx.args = name, ask, args
        value = ask({"lent": name, "args": args})
        return value if isinstance(value, tuple) else (value,)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Any, ...]:
        wanted = tuple(i for i, value in enumerate(ctx.args) if _is_differentiable(value))
        question = {"pullback": ctx.name, "args": ctx.args, "wrt": wanted, "outer": outer}
        gradients = dict(zip(wanted, ctx.ask(question), strict=True))
        return None, None, *(gradients.get(i) for i in range(len(ctx.args)))


def _is_differentiable(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def answer_lent(function: Callable[..., Any], question: dict[str, Any]) -> Any:
    """The grader's side: the function's value, or its vector-Jacobian product."""
    if "pullback" not in question:
        return function(*question["args"])
    args, wanted = list(question["args"]), question["wrt"]
    with torch.enable_grad():
        leaves = [args[i].detach().requires_grad_() for i in wanted]
        for i, leaf in zip(wanted, leaves, strict=True):
            args[i] = leaf
        values = function(*args)
        values = values if isinstance(values, tuple) else (values,)
        pairs = [
            pair
            for pair in zip(values, question["outer"], strict=True)
            if _is_differentiable(pair[0])
        ]
        if not pairs:
            return tuple(map(torch.zeros_like, leaves))
        values, outer = zip(*pairs, strict=True)
        gradients = torch.autograd.grad(values, leaves, outer, allow_unused=True)
    return tuple(
        torch.zeros_like(leaf) if gradient is None else gradient
        for leaf, gradient in zip(leaves, gradients, strict=True)
    )
