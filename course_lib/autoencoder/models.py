r"""Autoencoders: an encoder, a code, a decoder, and nothing that leads past the code."""

import itertools
from collections.abc import Sequence
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

KERNEL = 4  # with stride 2 and padding 1 every pixel is covered the same number of times
SMALLEST_SIDE = 8  # images of this size or less are flattened


class Autoencoder(nn.Module):
    r"""An encoder and a decoder around a code of M numbers.

    .. math:: z = f_\phi(x), \qquad \hat x = g_\theta(z)

    Attributes:
        encoder: f_\phi, from a batch of points (N, …) to their codes (N, M).
        decoder: g_\theta, from codes (N, M) to a batch of points (N, …).
        latent_dim: M.

    Raises:
        ValueError: `latent_dim` is not positive; or, when called, the points or the codes have a
            wrong shape or are not floating point.

    Example:
        >>> import torch
        >>> model = Autoencoder(nn.Linear(5, 2), nn.Linear(2, 5), latent_dim=2)
        >>> x = torch.zeros(3, 5)
        >>> model.encode(x).shape, model(x).shape
        (torch.Size([3, 2]), torch.Size([3, 5]))
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, latent_dim: int) -> None:
        super().__init__()
        _check_counts(latent_dim=latent_dim)
        self.encoder, self.decoder, self.latent_dim = encoder, decoder, latent_dim

    def encode(self, x: Float[Tensor, " n *event"]) -> Float[Tensor, "n m"]:
        r"""The codes of a batch of points."""
        return self.encoder(x)

    def decode(self, z: Float[Tensor, "n m"]) -> Float[Tensor, " n *event"]:
        r"""The points that a batch of codes stands for."""
        if z.ndim != 2 or z.shape[1] != self.latent_dim:
            raise ValueError(
                f"z has shape {tuple(z.shape)}; expected (N, {self.latent_dim}), one row per code: "
                "a single code needs z[None, :]"
            )
        return self.decoder(z)

    def forward(self, x: Float[Tensor, " n *event"]) -> Float[Tensor, " n *event"]:
        r"""The reconstructions of a batch of points."""
        return self.decode(self.encode(x))


class DenseAutoencoder(Autoencoder):
    r"""Fully connected layers with ReLU: D, then `hidden`, then M, and back.

    The weights start with a variance of 2 / inputs, which keeps the size of the signals from layer
    to layer. With torch's own start, a sixth of that, they fade, and the first epochs are lost.

    Args:
        dim: D.
        latent_dim: M.
        hidden: The widths between D and M; the decoder takes them in reverse.
        output: "sigmoid" for values in [0, 1] such as grey values, "identity" for any real values.

    Raises:
        ValueError: A width is not positive, or `output` is neither of the two.

    Reference:
        He, Zhang, Ren and Sun (2015), "Delving deep into rectifiers", equation 10,
        arXiv:1502.01852.

    Example:
        >>> model = DenseAutoencoder(784, 2)
        >>> [layer.out_features for layer in model.encoder[::2]]
        [512, 256, 2]
    """

    def __init__(
        self,
        dim: int,
        latent_dim: int,
        *,
        hidden: Sequence[int] = (512, 256),
        output: Literal["sigmoid", "identity"] = "sigmoid",
    ) -> None:
        _check_counts(
            dim=dim, latent_dim=latent_dim, **{f"hidden[{i}]": h for i, h in enumerate(hidden)}
        )
        if output not in ("sigmoid", "identity"):
            raise ValueError(f'output is {output!r}; expected "sigmoid" or "identity"')
        widths = [dim, *hidden, latent_dim]
        last = [nn.Sigmoid()] if output == "sigmoid" else []
        super().__init__(_dense(widths), _dense(widths[::-1]).extend(last), latent_dim)
        self.apply(_start)
        self.dim = dim

    def encode(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n m"]:
        _check_event(x, (self.dim,), "D", "flatten images with x.flatten(1)")
        return super().encode(x)


class LinearAutoencoder(Autoencoder):
    r"""One linear layer each way, with biases: at its optimum it spans the principal subspace.

    Args:
        dim: D.
        latent_dim: M.

    Reference:
        Baldi and Hornik (1989), "Neural networks and principal component analysis: learning from
        examples without local minima", Neural Networks 2.
    """

    def __init__(self, dim: int, latent_dim: int) -> None:
        _check_counts(dim=dim, latent_dim=latent_dim)
        super().__init__(nn.Linear(dim, latent_dim), nn.Linear(latent_dim, dim), latent_dim)
        self.dim = dim

    def encode(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n m"]:
        _check_event(x, (self.dim,), "D", "flatten images with x.flatten(1)")
        return super().encode(x)


class ConvAutoencoder(Autoencoder):
    r"""Convolutions that halve the side of a square image until it is 8 or less, and back.

    The number of channels is `width` after the first halving and doubles with each further one; a
    linear layer leads to the code. Values are in [0, 1]. The weights start as in
    `DenseAutoencoder`.

    Args:
        latent_dim: M.
        size: The side of the images: 28, 32, 64, or another number that halves to at most 8.
        num_channels: Of the images: 1 for grey, 3 for colour.
        width: Channels after the first layer.

    Raises:
        ValueError: A count is not positive, or `size` cannot be halved down to 8 or less.

    Example:
        >>> import torch
        >>> ConvAutoencoder(2)(torch.zeros(3, 1, 28, 28)).shape
        torch.Size([3, 1, 28, 28])
    """

    def __init__(
        self, latent_dim: int, *, size: int = 28, num_channels: int = 1, width: int = 32
    ) -> None:
        _check_counts(latent_dim=latent_dim, size=size, num_channels=num_channels, width=width)
        channels, side = [num_channels], size
        while side > SMALLEST_SIDE and side % 2 == 0:
            channels.append(width * 2 ** (len(channels) - 1))
            side //= 2
        if side > SMALLEST_SIDE:
            raise ValueError(
                f"size is {size}; expected a side that can be halved to {SMALLEST_SIDE} or less, "
                "such as 28, 32 or 64: crop or pad the images"
            )
        flat = channels[-1] * side * side
        down = [_conv(*pair) for pair in itertools.pairwise(channels)]
        up = [_conv_transpose(*pair) for pair in itertools.pairwise(channels[::-1])]
        encoder = nn.Sequential(*itertools.chain(*down), nn.Flatten(), nn.Linear(flat, latent_dim))
        decoder = nn.Sequential(
            nn.Linear(latent_dim, flat),
            nn.Unflatten(1, (channels[-1], side, side)),
            *itertools.chain(*up),
            nn.Sigmoid(),
        )
        super().__init__(encoder, decoder, latent_dim)
        self.apply(_start)
        self.event = (num_channels, size, size)

    def encode(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n m"]:
        _check_event(x, self.event, "C, H, W", "flat images need x.unflatten(1, (C, H, W))")
        return super().encode(x)


def _dense(widths: Sequence[int]) -> nn.Sequential:
    r"""Linear layers with ReLU between them, none after the last."""
    layers = [(nn.Linear(*pair), nn.ReLU()) for pair in itertools.pairwise(widths)]
    return nn.Sequential(*list(itertools.chain(*layers))[:-1])


def _conv(num_in: int, num_out: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(num_in, num_out, KERNEL, stride=2, padding=1), nn.ReLU()


def _conv_transpose(num_in: int, num_out: int) -> tuple[nn.Module, nn.Module]:
    return nn.ReLU(), nn.ConvTranspose2d(num_in, num_out, KERNEL, stride=2, padding=1)


def _start(layer: nn.Module) -> None:
    if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)


def _check_counts(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} is {count}; expected at least 1")


def _check_event(x: Tensor, event: tuple[int, ...], names: str, advice: str) -> None:
    r"""Refuse a batch whose points have another shape, or are whole numbers (as bytes are)."""
    if tuple(x.shape[1:]) != event:
        expected = ", ".join(map(str, event))
        raise ValueError(
            f"x has shape {tuple(x.shape)}; expected (N, {names}) = (N, {expected}): {advice}, and "
            "a single point needs x[None]"
        )
    if not x.is_floating_point():
        raise ValueError(
            f"x holds {x.dtype}; expected floating-point values: bytes become grey values by / 255"
        )
