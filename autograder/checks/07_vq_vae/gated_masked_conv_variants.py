"""Right answers to `gated_masked_conv`, written in other ways."""

import torch
from torch.nn.functional import conv2d, pad

from .gated_masked_conv import shift_down
from .gated_masked_conv_bank import gate, horizontal_mask, vertical_mask
from .gated_masked_conv_wiring_bank import GATED_MASKED_CONV

variant = GATED_MASKED_CONV.variant


@variant
def cropped_kernels(stacks, vertical, horizontal, link, mix, first):
    """The forbidden weights are cut off, and the padding makes up for it."""
    v, h = stacks
    reach = vertical.shape[-1] // 2
    a = conv2d(pad(v, (reach, reach, reach, 0)), vertical[:, :, : reach + 1])
    kept = horizontal[..., : reach + (not first)]
    left = pad(h, (reach, 0))[..., : h.shape[-1] + (reach if not first else reach - 1)]
    b = conv2d(shift_down(a), link)
    if kept.shape[-1]:
        b = b + conv2d(left, kept)
    new_h = conv2d(gate(b), mix)
    return torch.stack((gate(a), new_h if first else h + new_h))


@variant
def shifted_before_the_convolution(stacks, vertical, horizontal, link, mix, first):
    v, h = stacks
    reach = vertical.shape[-1] // 2
    kernel = vertical * vertical_mask(vertical)
    a = conv2d(v, kernel, padding=reach)
    above = conv2d(shift_down(v), kernel, padding=reach)
    columns = horizontal_mask(horizontal, itself=not first)
    b = conv2d(h, horizontal * columns, padding="same") + conv2d(above, link)
    new_h = conv2d(gate(b), mix)
    return torch.stack([gate(a), new_h if first else new_h + h])


@variant
def link_before_the_shift(stacks, vertical, horizontal, link, mix, first):
    v, h = stacks
    reach = vertical.shape[-1] // 2
    a = conv2d(v, vertical.masked_fill(vertical_mask(vertical) == 0, 0.0), padding=reach)
    above = shift_down(torch.einsum("nchw,dc->ndhw", a, link[:, :, 0, 0]))
    columns = horizontal_mask(horizontal, itself=not first)
    b = conv2d(h, horizontal.where(columns.bool(), 0.0), padding=(0, reach)) + above
    new_h = torch.einsum("nchw,dc->ndhw", gate(b), mix[:, :, 0, 0])
    return torch.stack([gate(a), new_h + (0 if first else 1) * h])


@variant
def tap_by_tap(stacks, vertical, horizontal, link, mix, first):
    """A sum over the places of the kernels that are allowed."""
    v, h = stacks
    height, width = v.shape[-2:]
    reach = vertical.shape[-1] // 2
    wide_v, wide_h = pad(v, (reach,) * 4), pad(h, (reach, reach))
    a = b = 0
    for row in range(reach + 1):
        for column in range(2 * reach + 1):
            part = wide_v[:, :, row : row + height, column : column + width]
            a = a + torch.einsum("nchw,dc->ndhw", part, vertical[:, :, row, column])
    for column in range(reach if first else reach + 1):
        part = wide_h[..., column : column + width]
        b = b + torch.einsum("nchw,dc->ndhw", part, horizontal[:, :, 0, column])
    b = b + conv2d(shift_down(a), link)
    new_h = conv2d(gate(b), mix)
    return torch.stack([gate(a), new_h if first else new_h + h])


@variant
def channel_halves_by_hand(stacks, vertical, horizontal, link, mix, first):
    v, h = stacks[0], stacks[1]
    channels = v.shape[1]
    reach = vertical.shape[-1] // 2
    a = conv2d(v, torch.mul(vertical, vertical_mask(vertical)), padding=(reach, reach))
    columns = horizontal_mask(horizontal, itself=not first)
    above = torch.cat([torch.zeros_like(a[:, :, :1]), a[:, :, :-1]], dim=2)
    b = conv2d(h, horizontal * columns, padding=(0, reach)) + conv2d(above, link)
    out = torch.zeros_like(stacks)
    out[0] = torch.tanh(a[:, :channels]) * torch.sigmoid(a[:, channels:])
    out[1] = conv2d(torch.tanh(b[:, :channels]) * torch.sigmoid(b[:, channels:]), mix)
    if not first:
        out[1] += h
    return out
