r"""Reconstruction and denoising: the losses, the noise, and the score that results."""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Points = Float[Tensor, " n *event"]
Kind = Literal["gaussian", "dropout"]


def reconstruction_loss(model: Callable[[Tensor], Tensor], x: Points) -> Float[Tensor, ""]:
    r"""The mean squared error per value of the reconstructions.

    .. math:: \frac{1}{N D} \sum_n \lVert g(f(x_n)) - x_n \rVert^2

    Args:
        model: From points to their reconstructions, of the same shape.
        x: Points, shape (N, …).

    Returns:
        One number, with a gradient, in the unit of x squared.

    Raises:
        ValueError: The reconstructions have another shape than the points.
    """
    return (_same_shape(model(x), x) - x).square().mean()


def corrupt(
    x: Points, kind: Kind, level: float, *, generator: torch.Generator | None = None
) -> Points:
    r"""Noise for a denoising autoencoder.

    "gaussian" adds noise, \tilde x = x + \text{level} \cdot \varepsilon with \varepsilon ~ N(0, I).
    "dropout" sets each value to 0 with probability `level`; what stays is left as it is, unlike in
    `torch.nn.Dropout`, which rescales it.

    Args:
        x: Points, shape (N, …).
        kind: "gaussian" or "dropout".
        level: The standard deviation of the noise, in the unit of x; or a probability.
        generator: Of the noise, on the device of x.

    Returns:
        A new tensor of the same shape; x is not changed.

    Raises:
        ValueError: `x` is not floating point, `kind` is neither of the two, or `level` is out of
            range.

    Reference:
        Vincent et al. (2010), "Stacked denoising autoencoders", JMLR 11.

    Example:
        >>> corrupt(torch.ones(2, 3), "dropout", 1.0)
        tensor([[0., 0., 0.],
                [0., 0., 0.]])
    """
    _check_floating(x)
    options = {"generator": generator, "dtype": x.dtype, "device": x.device}
    if kind == "gaussian":
        if not 0.0 <= level < float("inf"):
            raise ValueError(
                f"level is {level}; expected the standard deviation of the noise, at least 0"
            )
        return x + level * torch.randn(x.shape, **options)
    if kind == "dropout":
        if not 0.0 <= level <= 1.0:
            raise ValueError(f"level is {level}; expected a probability, from 0 to 1")
        return x.where(torch.rand(x.shape, **options) >= level, 0.0)
    raise ValueError(f'kind is {kind!r}; expected "gaussian" or "dropout"')


def denoising_loss(
    model: Callable[[Tensor], Tensor],
    x: Points,
    kind: Kind,
    level: float,
    *,
    generator: torch.Generator | None = None,
) -> Float[Tensor, ""]:
    r"""The mean squared error per value of what the model makes of corrupted points.

    .. math:: \frac{1}{N D} \sum_n \lVert g(f(\tilde x_n)) - x_n \rVert^2

    The model sees \tilde x; the target is the clean x.

    Args:
        model: From corrupted points to clean ones, of the same shape.
        x: Clean points, shape (N, …).
        kind: "gaussian" or "dropout", as in `corrupt`.
        level: As in `corrupt`.
        generator: Of the noise.

    Returns:
        One number, with a gradient, in the unit of x squared.

    Raises:
        ValueError: As `corrupt`; or the reconstructions have another shape than the points.
    """
    x_noisy = corrupt(x, kind, level, generator=generator)
    return (_same_shape(model(x_noisy), x) - x).square().mean()


def score_from_denoiser(
    denoise: Callable[[Tensor], Tensor], x: Points, noise_scale: float
) -> Points:
    r"""The score of the noisy data, from a denoiser.

    The denoiser with the least squared error is the posterior mean of the clean point, and

    .. math:: \nabla_{\tilde x} \log p_\sigma(\tilde x)
        = \frac{\mathbb E[x \mid \tilde x] - \tilde x}{\sigma^2}

    where p_σ is the density of the data after Gaussian noise of standard deviation σ was added.

    Args:
        denoise: From noisy points to its estimate of the clean ones, of the same shape.
        x: Noisy points \tilde x, shape (N, …).
        noise_scale: σ, in the unit of x: the one that the denoiser was trained for.

    Returns:
        The shape of x, in 1 / unit of x.

    Raises:
        ValueError: `noise_scale` is not positive, or the denoised points have another shape.

    Reference:
        Vincent (2011), "A connection between score matching and denoising autoencoders", Neural
        Computation 23; Efron (2011), "Tweedie's formula and selection bias", JASA 106.

    Example:
        >>> x = torch.tensor([[2.0]])  # the data are N(0, 1), the noise has σ = 1: p_σ is N(0, 2)
        >>> score_from_denoiser(lambda x: x / 2, x, 1.0)
        tensor([[-1.]])
    """
    if not 0.0 < noise_scale < float("inf"):
        raise ValueError(f"noise_scale is {noise_scale}; expected a positive standard deviation")
    _check_floating(x)
    return (_same_shape(denoise(x), x) - x) / noise_scale**2


def _same_shape(x_hat: Tensor, x: Tensor) -> Tensor:
    if x_hat.shape != x.shape:
        raise ValueError(
            f"the model made shape {tuple(x_hat.shape)} of points of shape {tuple(x.shape)}; "
            "expected one reconstruction per point, of the same shape"
        )
    return x_hat


def _check_floating(x: Tensor) -> None:
    if not x.is_floating_point():
        raise ValueError(
            f"x holds {x.dtype}; expected floating-point values: bytes become grey values by / 255"
        )
