r"""The gated PixelCNN as it is usually written, with the weights of ours.

Two ways are common: a square convolution whose weights are multiplied with a mask in every pass,
and a convolution with the visible rows only, padded on all sides and cropped afterwards. Both take
the embedded map in NCHW order, compute the vertical stack for all rows and shift it down.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, cross_entropy, pad

from course_lib.pixelcnn import GatedBlock, PixelCNN
from course_lib.pixelcnn.lookup import FirstBlock


class Masked(nn.Module):
    r"""A convolution with a square (or one-row) kernel, of which the mask leaves a part."""

    def __init__(self, visible: nn.Conv2d) -> None:
        super().__init__()
        rows, columns = visible.kernel_size
        below = rows - 1
        right = columns - 1 if rows == 1 else 0
        self.weight = nn.Parameter(pad(visible.weight.detach(), (0, right, 0, below)))
        self.bias = nn.Parameter(visible.bias.detach().clone())
        self.register_buffer("mask", pad(torch.ones(rows, columns), (0, right, 0, below)))

    def forward(self, x: Tensor) -> Tensor:
        return conv2d(x, self.weight * self.mask, self.bias, padding="same")


class Cropped(nn.Module):
    r"""The visible rows and columns only; what the symmetric padding adds is cut off."""

    def __init__(self, visible: nn.Conv2d) -> None:
        super().__init__()
        rows, columns = visible.kernel_size
        padding = (rows - 1, columns // 2) if rows > 1 else (0, columns - 1)
        self.convolution = nn.Conv2d(
            visible.in_channels, visible.out_channels, (rows, columns), padding=padding
        )
        self.convolution.load_state_dict(visible.state_dict())

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(x)[:, :, : x.shape[2], : x.shape[3]]


class UsualBlock(nn.Module):
    def __init__(self, block: GatedBlock, convolution: type[nn.Module]) -> None:
        super().__init__()
        self.is_first = isinstance(block, FirstBlock)
        self.vertical, self.horizontal = convolution(block.vertical), convolution(block.horizontal)
        self.link, self.residual = copy(block.link), copy(block.residual)
        self.classes = nn.Embedding.from_pretrained(block.classes.weight.clone(), freeze=False)

    def forward(self, v: Tensor, h: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        v_class, h_class = self.classes(y)[:, :, None, None].chunk(2, 1)
        new = gated(self.vertical(v) + v_class)
        v = new if self.is_first else v + new
        above = pad(v, (0, 0, 1, 0))[:, :, :-1]
        return v, h + self.residual(gated(self.horizontal(h) + self.link(above) + h_class))


class UsualPixelCNN(nn.Module):
    r"""The same function of the same weights as `model`, which must have classes."""

    def __init__(self, model: PixelCNN, convolution: type[nn.Module]) -> None:
        super().__init__()
        weight = model.first.embedding.weight.detach().clone()
        self.embedding = nn.Embedding.from_pretrained(weight, freeze=False)
        self.place = nn.Parameter(model.first.place.detach().clone())
        self.blocks = nn.ModuleList(
            UsualBlock(block, convolution) for block in (model.first, *model.blocks)
        )
        self.head = nn.Sequential(nn.ReLU(), copy(model.head[1]), nn.ReLU(), copy(model.head[3]))

    def forward(self, codes: Tensor, y: Tensor) -> Tensor:
        r"""Logits (N, K, H, W)."""
        v = self.embedding(codes).permute(0, 3, 1, 2).contiguous() + self.place
        h = pad(v, (1, 0))[..., :-1]
        for block in self.blocks:
            v, h = block(v, h, y)
        return self.head(h)

    def loss(self, codes: Tensor, y: Tensor) -> Tensor:
        return cross_entropy(self(codes, y), codes, reduction="sum") / len(codes)


def gated(x: Tensor) -> Tensor:
    a, b = x.chunk(2, 1)
    return torch.tanh(a) * torch.sigmoid(b)


def copy(layer: nn.Conv2d) -> nn.Conv2d:
    r"""The same layer in the default order of memory."""
    new = nn.Conv2d(
        layer.in_channels, layer.out_channels, layer.kernel_size, bias=layer.bias is not None
    )
    new.load_state_dict(layer.state_dict())
    return new
