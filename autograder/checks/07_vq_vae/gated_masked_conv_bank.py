"""Wrong answers to `gated_masked_conv`: what the kernels see, and the shift."""

import torch
from torch.nn.functional import conv2d, pad

from .gated_masked_conv import GATED_MASKED_CONV, gated_activation, shift_down

misconception = GATED_MASKED_CONV.misconception


def vertical_mask(weight):
    """Ones in the rows that the vertical kernel may use, (k, k)."""
    size = weight.shape[-1]
    mask = torch.ones(size, size, dtype=weight.dtype)
    mask[size // 2 + 1 :] = 0
    return mask


def horizontal_mask(weight, *, itself):
    """Ones in the columns that the horizontal kernel may use, (k,)."""
    size = weight.shape[-1]
    mask = torch.ones(size, dtype=weight.dtype)
    mask[size // 2 + itself :] = 0
    return mask


def gate(features):
    return gated_activation(features, torch.zeros_like(features[:, :, 0, 0]))


def layer(
    stacks,
    vertical,
    horizontal,
    link,
    mix,
    first,
    *,
    rows=None,
    columns=None,
    shift=shift_down,
    shortcut=None,
    gate=gate,
):
    """The right layer, but for what is given."""
    v, h = stacks
    reach = vertical.shape[-1] // 2
    rows = vertical_mask(vertical) if rows is None else rows
    columns = horizontal_mask(horizontal, itself=not first) if columns is None else columns
    a = conv2d(v, vertical * rows, padding=reach)
    b = conv2d(h, horizontal * columns, padding=(0, reach)) + conv2d(shift(a), link)
    new_h = conv2d(gate(b), mix)
    shortcut = (not first) if shortcut is None else shortcut
    return torch.stack([gate(a), new_h + h if shortcut else new_h])


@misconception(
    "Your vertical kernel is not masked: it sees the rows below, which hold codes that come later."
)
def rows_below_visible(stacks, vertical, horizontal, link, mix, first):
    return layer(
        stacks, vertical, horizontal, link, mix, first, rows=torch.ones_like(vertical[0, 0])
    )


@misconception(
    "Your vertical kernel is upside down: you masked the rows above the centre and kept those "
    "below."
)
def rows_above_masked(stacks, vertical, horizontal, link, mix, first):
    rows = vertical_mask(vertical).flip(0)
    return layer(stacks, vertical, horizontal, link, mix, first, rows=rows)


@misconception(
    "Your vertical mask is transposed: it removes the columns to the right instead of the rows "
    "below. The last two axes of a kernel are height and width."
)
def mask_transposed(stacks, vertical, horizontal, link, mix, first):
    rows = vertical_mask(vertical).T
    return layer(stacks, vertical, horizontal, link, mix, first, rows=rows)


@misconception(
    "You masked the centre row of the vertical kernel too. Its result is handed down a row anyway, "
    "so nobody sees the row straight above."
)
def centre_row_masked(stacks, vertical, horizontal, link, mix, first):
    rows = vertical_mask(vertical)
    rows[len(rows) // 2] = 0
    return layer(stacks, vertical, horizontal, link, mix, first, rows=rows)


@misconception(
    "You gave the vertical kernel the old mask of raster order, which cuts its centre row off on "
    "the right. That is the blind spot: the vertical stack may see whole rows."
)
def blind_spot(stacks, vertical, horizontal, link, mix, first):
    rows = vertical_mask(vertical)
    rows[len(rows) // 2, len(rows) // 2 + 1 :] = 0
    return layer(stacks, vertical, horizontal, link, mix, first, rows=rows)


@misconception(
    "You gave the vertical kernel a mask of type A in raster order: its centre row stops before "
    "the centre. The vertical stack may see whole rows, its own included."
)
def blind_spot_of_type_a(stacks, vertical, horizontal, link, mix, first):
    rows = vertical_mask(vertical)
    rows[len(rows) // 2, len(rows) // 2 :] = 0
    return layer(stacks, vertical, horizontal, link, mix, first, rows=rows)


@misconception(
    "In the first layer the horizontal kernel sees the place itself, so the model is told the code "
    "that it has to predict. Mask the centre when `first` is true."
)
def first_layer_sees_itself(stacks, vertical, horizontal, link, mix, first):
    columns = horizontal_mask(horizontal, itself=True)
    return layer(stacks, vertical, horizontal, link, mix, first, columns=columns)


@misconception(
    "The horizontal kernel never sees the place itself. After the first layer it may: its features "
    "know only the past by then."
)
def never_sees_itself(stacks, vertical, horizontal, link, mix, first):
    columns = horizontal_mask(horizontal, itself=False)
    return layer(stacks, vertical, horizontal, link, mix, first, columns=columns)


@misconception(
    "You swapped the two types of mask, A and B: the centre is hidden in the first layer and "
    "visible in the later ones."
)
def types_swapped(stacks, vertical, horizontal, link, mix, first):
    columns = horizontal_mask(horizontal, itself=bool(first))
    return layer(stacks, vertical, horizontal, link, mix, first, columns=columns)


@misconception(
    "Your horizontal kernel is not masked: it sees the codes to the right, which come later."
)
def right_visible(stacks, vertical, horizontal, link, mix, first):
    columns = torch.ones_like(horizontal[0, 0, 0])
    return layer(stacks, vertical, horizontal, link, mix, first, columns=columns)


@misconception(
    "You masked the centre of the horizontal kernel in the first layer, but not the columns to the "
    "right of it."
)
def only_the_centre_masked(stacks, vertical, horizontal, link, mix, first):
    columns = torch.ones_like(horizontal[0, 0, 0])
    columns[len(columns) // 2] = not first
    return layer(stacks, vertical, horizontal, link, mix, first, columns=columns)


@misconception(
    "Your horizontal kernel looks to the right instead of to the left: its mask is reversed."
)
def left_masked(stacks, vertical, horizontal, link, mix, first):
    columns = horizontal_mask(horizontal, itself=not first).flip(0)
    return layer(stacks, vertical, horizontal, link, mix, first, columns=columns)


@misconception(
    "The shift from the vertical to the horizontal stack is missing: each place hears about its "
    "whole own row, also to the right. Hand `a` down a row before `link`."
)
def shift_missing(stacks, vertical, horizontal, link, mix, first):
    return layer(stacks, vertical, horizontal, link, mix, first, shift=lambda a: a)


@misconception(
    "You shift from the vertical to the horizontal stack in the first layer only. Every layer's "
    "vertical feature knows its own row: shift in each."
)
def shift_in_the_first_layer_only(stacks, vertical, horizontal, link, mix, first):
    shift = shift_down if first else (lambda a: a)
    return layer(stacks, vertical, horizontal, link, mix, first, shift=shift)


@misconception(
    "You shift the vertical features up before the link, so each place hears about the row below."
)
def shifted_up(stacks, vertical, horizontal, link, mix, first):
    def shift(a):
        return pad(a, (0, 0, 0, 1))[:, :, 1:]

    return layer(stacks, vertical, horizontal, link, mix, first, shift=shift)


@misconception(
    "You shift the vertical features to the right before the link. They have to go down, by one "
    "row."
)
def shifted_right(stacks, vertical, horizontal, link, mix, first):
    def shift(a):
        return pad(a, (1, 0))[..., :-1]

    return layer(stacks, vertical, horizontal, link, mix, first, shift=shift)


@misconception(
    "You roll the vertical features down, and the bottom row comes back at the top: the first code "
    "hears about the last ones. The top row gets zeros."
)
def rolled(stacks, vertical, horizontal, link, mix, first):
    return layer(stacks, vertical, horizontal, link, mix, first, shift=lambda a: a.roll(1, dims=2))
