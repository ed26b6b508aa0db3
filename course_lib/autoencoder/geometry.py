r"""What a network does to space: the rank of its Jacobian, and codes that do not come back."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_lib.mixture.params import check_finite, check_points
from course_lib.training import evaluating

Map = Callable[[Tensor], Tensor]


def jacobian_rank(
    f: Map, x: Float[Tensor, " n *event"], *, tolerance: float = 1e-3
) -> Int[Tensor, " n"]:
    r"""In how many independent directions f moves, at each point.

    The rank of ∂f/∂x: the number of its singular values above `tolerance` times the largest. A map
    through a code of M numbers has at most rank M. The whole Jacobian of every point is formed, so
    take few points where both sides are wide.

    Args:
        f: From a batch (N, …) to a batch (N, …), each point by itself, differentiable. A module is
            switched to evaluation for the time of the call.
        x: Points, shape (N, …).
        tolerance: Relative to the largest singular value at the same point, below 1.

    Returns:
        One whole number per point, shape (N,); 0 where the Jacobian vanishes.

    Raises:
        ValueError: `x` is no batch of floating-point numbers, f does not return one row per point
            or is cut off from the gradient, or `tolerance` is out of range.

    Example:
        >>> jacobian_rank(lambda x: x[:, :1] * torch.ones(3), torch.zeros(2, 5))
        tensor([1, 1])
    """
    if not 0.0 < tolerance < 1.0:
        raise ValueError(f"tolerance is {tolerance}; expected a share between 0 and 1")
    if x.ndim < 2 or x.numel() == 0 or not x.is_floating_point():
        raise ValueError(
            f"x has shape {tuple(x.shape)} and holds {x.dtype}; expected (N, …), at least one "
            "point of floating-point values: a single point needs x[None]"
        )
    with evaluating(f):
        singular = torch.linalg.svdvals(_jacobian(f, x.detach()))
    return (singular > tolerance * singular[:, :1]).sum(1)


def _jacobian(f: Map, x: Tensor) -> Float[Tensor, "n out in"]:
    r"""By rows or by columns, whichever are fewer."""
    with torch.enable_grad():
        leaf = x.clone().requires_grad_()
        outputs = f(leaf)
        _check_outputs(outputs, x)
        outputs = outputs.flatten(1)
        if x[0].numel() >= outputs.shape[1]:
            return torch.stack(_derivatives(outputs, leaf), 1)
        # v ↦ vᵀ J is linear in v, so its derivatives with respect to v are the columns of J
        v = torch.zeros_like(outputs, requires_grad=True)
        (product,) = torch.autograd.grad(outputs, leaf, v, create_graph=True)
        return torch.stack(_derivatives(product.flatten(1), v), 2)


def _derivatives(outputs: Float[Tensor, "n out"], inputs: Tensor) -> list[Float[Tensor, "n in"]]:
    r"""Of every output by all inputs; points do not mix, so one sum serves them all."""
    options = {"retain_graph": True, "materialize_grads": True}
    return [
        torch.autograd.grad(outputs[:, k].sum(), inputs, **options)[0].flatten(1)
        for k in range(outputs.shape[1])
    ]


def _check_outputs(outputs: Tensor, x: Tensor) -> None:
    if outputs.ndim < 2 or len(outputs) != len(x) or outputs.numel() == 0:
        raise ValueError(
            f"f made shape {tuple(outputs.shape)} of {len(x)} points; expected (N, …), one row per "
            "point"
        )
    if not outputs.requires_grad:
        raise ValueError(
            "f returned values without a gradient; expected a function of x that can be "
            "differentiated: remove no_grad, detach or a detour over numpy from it"
        )


def hole_fraction(encode: Map, decode: Map, codes: Float[Tensor, "s m"], tolerance: float) -> float:
    r"""The share of codes that do not survive a round trip through the data space.

    .. math:: \frac1S \sum_s \big[\, \lVert f(g(z_s)) - z_s \rVert > \text{tolerance} \,\big]

    Where the encoder never sends data, nothing taught the decoder what to make of a code, and the
    way back ends somewhere else.

    Args:
        encode: From points to codes, shape (S, M).
        decode: From codes to points.
        codes: z, shape (S, M): a grid, or draws from the distribution that you want to sample.
        tolerance: In the unit of the codes; 0 counts every code that moves at all.

    Returns:
        A share, from 0 to 1.

    Raises:
        ValueError: `codes` is malformed, the codes that come back have another shape or are not
            finite, or `tolerance` is negative.

    Example:
        >>> codes = torch.tensor([[-2.0], [0.5], [2.0]])
        >>> hole_fraction(lambda x: x.clamp(-1, 1), lambda z: z, codes, 0.1)  # doctest: +ELLIPSIS
        0.666...
    """
    check_points(codes)
    if not tolerance >= 0.0:
        raise ValueError(f"tolerance is {tolerance}; expected a distance of at least 0")
    with torch.no_grad():
        back = encode(decode(codes))
    if back.shape != codes.shape:
        raise ValueError(
            f"codes of shape {tuple(codes.shape)} came back as {tuple(back.shape)}; expected the "
            "same shape: pass the encoder and the decoder of one model"
        )
    check_finite(back=back)
    return ((back - codes).norm(dim=1) > tolerance).double().mean().item()
