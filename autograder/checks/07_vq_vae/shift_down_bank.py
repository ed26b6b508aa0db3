"""Wrong and right answers to `shift_down`."""

import torch
from torch.nn.functional import pad

from .shift_down import SHIFT_DOWN, reference


@SHIFT_DOWN.misconception(
    "You roll the rows round: the last row comes back at the top, so the first code would depend "
    "on the last. The first row gets zeros."
)
def rolled(features):
    return features.roll(1, dims=2)


@SHIFT_DOWN.misconception(
    "You shift up: every row gets the one below, which holds the codes that are to be predicted."
)
def shifted_up(features):
    return pad(features, (0, 0, 0, 1))[:, :, 1:]


@SHIFT_DOWN.misconception(
    "You shift to the right, by one column. The rows are the third axis of (N, C, H, W)."
)
def shifted_right(features):
    return pad(features, (1, 0))[..., :-1]


@SHIFT_DOWN.misconception(
    "You shift down and to the right. The columns stay: a place may know what is straight above."
)
def shifted_diagonally(features):
    return pad(features, (1, 0, 1, 0))[:, :, :-1, :-1]


@SHIFT_DOWN.misconception(
    "You shift the channels, the second axis. The rows are the third axis of (N, C, H, W)."
)
def shifted_channels(features):
    return pad(features, (0, 0, 0, 0, 1, 0))[:, :-1]


@SHIFT_DOWN.misconception(
    "Your first row keeps what it has, and so knows itself. Nobody is above it: it gets zeros."
)
def first_row_stays(features):
    return torch.cat([features[:, :, :1], features[:, :, :-1]], 2)


@SHIFT_DOWN.misconception(
    "You padded and did not cut: the result has one row too many. Drop what the last row knew."
)
def not_cut(features):
    return pad(features, (0, 0, 1, 0))


@SHIFT_DOWN.misconception("You cut and did not pad: the top row of the result is missing.")
def not_padded(features):
    return features[:, :, :-1]


@SHIFT_DOWN.misconception("You shift by two rows. The row straight above may be known whole.")
def two_rows(features):
    return reference(reference(features))


@SHIFT_DOWN.misconception(
    "You only put zeros into the first row. The others have to move down by one."
)
def first_row_cleared(features):
    return torch.cat([torch.zeros_like(features[:, :, :1]), features[:, :, 1:]], 2)


@SHIFT_DOWN.misconception("You return the features as they are: every row still knows itself.")
def unchanged(features):
    return features


@SHIFT_DOWN.misconception(
    "Your values are right, but the gradient is cut off: use neither `.detach()` nor `.data`."
)
def detached(features):
    return reference(features.detach()) + 0 * features.nan_to_num(posinf=0.0)


@SHIFT_DOWN.misconception(
    "You multiply the row that wraps round by zero, and zero times infinity is NaN. Write zeros."
)
def multiplied_away(features):
    keep = torch.ones_like(features)
    keep[:, :, 0] = 0
    return keep * features.roll(1, dims=2)


@SHIFT_DOWN.variant
def zeros_then_copied(features):
    shifted = torch.zeros_like(features)
    shifted[:, :, 1:] = features[:, :, :-1]
    return shifted


@SHIFT_DOWN.variant
def put_together(features):
    return torch.cat([torch.zeros_like(features[:, :, :1]), features[:, :, :-1]], dim=2)


@SHIFT_DOWN.variant
def rolled_and_cleared(features):
    shifted = features.roll(1, dims=-2).clone()
    shifted[..., 0, :] = 0
    return shifted


@SHIFT_DOWN.variant
def row_by_row(features):
    rows = list(features.unbind(2))
    return torch.stack([torch.zeros_like(rows[0]), *rows[:-1]], 2)


@SHIFT_DOWN.variant
def padded_negatively(features):
    return pad(features, (0, 0, 1, -1))


@SHIFT_DOWN.variant
def zero_padding_layer(features):
    return torch.nn.ZeroPad2d((0, 0, 1, 0))(features).narrow(2, 0, features.shape[2])
