r"""The naive form: a convolution whose mask hides what comes later."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

KINDS = ("A", "B")


def causal_mask(kernel_size: int, kind: str) -> Bool[Tensor, "k k"]:
    r"""Which entries of a kernel look at values that come before the one in its middle.

    Args:
        kernel_size: k, odd.
        kind: "A" hides the middle itself, for the first layer, whose input is the map; "B" shows
            it, for all later layers, where the middle holds what was computed from values before.

    Returns:
        True where the weight is kept, shape (k, k): all rows above the middle, and the middle row
        up to the middle.

    Raises:
        ValueError: `kernel_size` is not odd and positive, or there is no such kind.

    Reference:
        Van den Oord, Kalchbrenner and Kavukcuoglu (2016), "Pixel recurrent neural networks",
        section 3.4 and figure 2, arXiv:1601.06759.

    Example:
        >>> causal_mask(3, "B").int()
        tensor([[1, 1, 1],
                [1, 1, 0],
                [0, 0, 0]], dtype=torch.int32)
    """
    check_odd(kernel_size)
    if kind not in KINDS:
        raise ValueError(
            f'kind is {kind!r}; expected "A" (without the middle: the first layer) or "B" (with '
            "it: all later layers)"
        )
    place = torch.arange(kernel_size**2).view(kernel_size, kernel_size)
    middle = kernel_size**2 // 2
    return place < middle if kind == "A" else place <= middle


class MaskedConv2d(nn.Conv2d):
    r"""A convolution that sees values before its own place only, and keeps height and width.

    A stack of these is causal, but it has a blind spot: values above and to the right that no layer
    passes on, however many layers there are. `GatedBlock` has none.

    Args:
        in_channels: Of the input (N, C, H, W).
        out_channels: Of the output.
        kernel_size: k, odd.
        kind: "A" for the first layer, "B" for all later ones: see `causal_mask`.

    Raises:
        ValueError: As in `causal_mask`.

    Reference:
        Van den Oord et al. (2016), "Conditional image generation with PixelCNN decoders", figure 1,
        arXiv:1606.05328, shows the blind spot.

    Example:
        >>> layers = MaskedConv2d(1, 8, 3, kind="A"), nn.ReLU(), MaskedConv2d(8, 1, 3, kind="B")
        >>> nn.Sequential(*layers)(torch.zeros(5, 1, 7, 7)).shape
        torch.Size([5, 1, 7, 7])
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, kind: str) -> None:
        mask = causal_mask(kernel_size, kind)
        super().__init__(in_channels, out_channels, kernel_size, padding=kernel_size // 2)
        self.register_buffer("mask", mask)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        return self._conv_forward(x, self.weight * self.mask, self.bias)


def check_odd(kernel_size: int) -> None:
    r"""Refuse a kernel without a middle."""
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(
            f"kernel_size is {kernel_size}; expected an odd number from 1 on: only then has the "
            "kernel a middle"
        )
