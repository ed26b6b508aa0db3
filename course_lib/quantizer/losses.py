r"""The gradient that passes the codebook, and the two losses that pull on either side of it."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable


def straight_through(
    z_e: Float[Tensor, "*batch m"], z_q: Float[Tensor, "*batch m"]
) -> Float[Tensor, "*batch m"]:
    r"""The value of z_q with the gradient of z_e.

    .. math:: z_e + \mathrm{sg}[z_q - z_e]

    The formula rounds twice; here the value is z_q, bit for bit.

    Args:
        z_e: What the encoder wrote, shape (*B, M).
        z_q: The codes chosen for it, shape (*B, M). No gradient reaches them.

    Raises:
        ValueError: The shapes or types differ.

    Reference:
        Van den Oord, Vinyals and Kavukcuoglu (2017), "Neural discrete representation learning",
        section 3.2, arXiv:1711.00937; Bengio, Léonard and Courville (2013), arXiv:1308.3432.

    Example:
        >>> z_e = torch.tensor([0.3], requires_grad=True)
        >>> z = straight_through(z_e, torch.tensor([1.0]))
        >>> z.item(), torch.autograd.grad(5 * z, z_e)[0].item()
        (1.0, 5.0)
    """
    _check_pair(z_e, z_q)
    return _StraightThrough.apply(z_e, z_q)


def vq_losses(
    z_e: Float[Tensor, "*batch m"], z_q: Float[Tensor, "*batch m"]
) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
    r"""The codebook loss and the commitment loss: the same value, gradients on different sides.

    .. math:: \Vert \mathrm{sg}[z_e] - z_q \Vert^2, \qquad \Vert z_e - \mathrm{sg}[z_q] \Vert^2

    Args:
        z_e: What the encoder wrote, shape (*B, M).
        z_q: The codes chosen for it, not yet straight-through, shape (*B, M).

    Returns:
        (codebook, commitment), each of shape (*B,): sums over M, as in the norm. The first moves
        the codes only, with gradient 2 (z_q − z_e); the second the encoder only, 2 (z_e − z_q).

    Raises:
        ValueError: The shapes or types differ.

    Reference:
        Van den Oord et al. (2017), equation (3).

    Example:
        >>> codebook, commitment = vq_losses(torch.tensor([1.0, 2.0]), torch.zeros(2))
        >>> codebook.item(), commitment.item()
        (5.0, 5.0)
    """
    _check_pair(z_e, z_q)
    return (z_e.detach() - z_q).square().sum(-1), (z_e - z_q.detach()).square().sum(-1)


def quantize(
    z_e: Float[Tensor, "n m"],
    codebook: Float[Tensor, "k m"],
    indices: Int[Tensor, " n"],
    *,
    beta: float,
) -> tuple[Float[Tensor, "n m"], Float[Tensor, " n"]]:
    r"""The straight-through codes, and codebook loss + \beta commitment loss, in one go.

    The same as `straight_through` and `vq_losses` on codebook[indices], to the last digit or two,
    in fewer passes over memory. A codebook that needs no gradient has no codebook loss.

    Args:
        z_e: What the encoder wrote, shape (N, M).
        codebook: e_k, shape (K, M).
        indices: Which code each vector chose, shape (N,).
        beta: \beta.

    Returns:
        The codes (N, M) with the gradient of z_e, and the loss of each vector, (N,).
    """
    weight = beta + 1.0 if codebook.requires_grad else beta
    return _Quantize.apply(z_e, codebook, indices, beta, weight)


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z_e: Tensor, z_q: Tensor) -> Tensor:
        return z_q.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


class _Quantize(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, z_e: Tensor, codebook: Tensor, indices: Tensor, beta: float, weight: float
    ) -> tuple[Tensor, Tensor]:
        z_q = codebook.index_select(0, indices)
        error = z_e - z_q
        ctx.save_for_backward(error, indices)
        ctx.beta, ctx.num_codes = beta, len(codebook)
        return z_q, error.square().sum(1).mul_(weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, for_z: Tensor, for_loss: Tensor) -> tuple[Tensor | None, ...]:
        error, indices = ctx.saved_tensors
        encoder = codes = None
        if ctx.needs_input_grad[0]:
            encoder = torch.addcmul(for_z, error, for_loss[:, None], value=2 * ctx.beta)
        if ctx.needs_input_grad[1]:
            pull = error * (-2 * for_loss)[:, None]
            codes = pull.new_zeros(ctx.num_codes, pull.shape[1]).index_add_(0, indices, pull)
        return encoder, codes, None, None, None


def _check_pair(z_e: Tensor, z_q: Tensor) -> None:
    if z_e.shape != z_q.shape or z_e.dtype != z_q.dtype or z_e.ndim == 0:
        raise ValueError(
            f"z_e has shape {tuple(z_e.shape)} and type {z_e.dtype}, z_q {tuple(z_q.shape)} and "
            f"{z_q.dtype}; expected the same shape (*B, M) and type"
        )
