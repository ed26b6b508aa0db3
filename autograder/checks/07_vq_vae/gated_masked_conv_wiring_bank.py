"""Wrong answers to `gated_masked_conv`: what is joined with what."""

import torch
from torch.nn.functional import conv2d, pad

from .gated_masked_conv import reference, shift_down

# after the wrong masks
from .gated_masked_conv_bank import GATED_MASKED_CONV, gate, horizontal_mask, layer, vertical_mask

misconception = GATED_MASKED_CONV.misconception


@misconception(
    "The horizontal stack hears nothing from the vertical one: add `link` of what was handed down."
)
def link_missing(stacks, vertical, horizontal, link, mix, first):
    return layer(stacks, vertical, horizontal, 0 * link, mix, first)


@misconception(
    "You add what was handed down to the horizontal stack as it is, without the weights `link`."
)
def link_weights_unused(stacks, vertical, horizontal, link, mix, first):
    unit = torch.eye(len(link), dtype=link.dtype)[..., None, None]
    return layer(stacks, vertical, horizontal, unit, mix, first)


@misconception(
    "You link the wrong way too: the horizontal features flow into the vertical stack, and from "
    "there to places that must not know them."
)
def horizontal_feeds_vertical(stacks, vertical, horizontal, link, mix, first):
    v, h = stacks
    reach = vertical.shape[-1] // 2
    a = conv2d(v, vertical * vertical_mask(vertical), padding=reach)
    columns = horizontal_mask(horizontal, itself=not first)
    b = conv2d(h, horizontal * columns, padding=(0, reach))
    new_h = conv2d(gate(b + conv2d(shift_down(a), link)), mix)
    return torch.stack([gate(a + conv2d(b, link)), new_h if first else new_h + h])


@misconception(
    "You keep the shortcut in the first layer. There h is the code itself, and the shortcut tells "
    "each place what it has to predict."
)
def shortcut_in_the_first_layer(stacks, vertical, horizontal, link, mix, first):
    return layer(stacks, vertical, horizontal, link, mix, first, shortcut=True)


@misconception(
    "The shortcut is missing: in all layers but the first, the old h is added to the new one."
)
def shortcut_missing(stacks, vertical, horizontal, link, mix, first):
    return layer(stacks, vertical, horizontal, link, mix, first, shortcut=False)


@misconception(
    "You add the shortcut in the first layer and nowhere else. It is the other way round."
)
def shortcut_swapped(stacks, vertical, horizontal, link, mix, first):
    return layer(stacks, vertical, horizontal, link, mix, first, shortcut=bool(first))


@misconception("You add the shortcut before `mix`. The old h is added at the very end.")
def shortcut_before_mix(stacks, vertical, horizontal, link, mix, first):
    new_v, new_h = layer(stacks, vertical, horizontal, link, mix, first, shortcut=False)
    return torch.stack([new_v, new_h if first else new_h + conv2d(stacks[1], mix)])


@misconception("Your vertical stack has a shortcut as well. Only the horizontal one has.")
def shortcut_in_both(stacks, vertical, horizontal, link, mix, first):
    new_v, new_h = reference(stacks, vertical, horizontal, link, mix, first)
    return torch.stack([new_v if first else new_v + stacks[0], new_h])


@misconception("Your shortcut takes the old v instead of the old h.")
def shortcut_from_vertical(stacks, vertical, horizontal, link, mix, first):
    new_v, new_h = layer(stacks, vertical, horizontal, link, mix, first, shortcut=False)
    return torch.stack([new_v, new_h if first else new_h + stacks[0]])


@misconception(
    "You return the vertical stack handed down. Hand down only what goes through `link`: the next "
    "layer shifts again, and the row straight above is lost."
)
def vertical_returned_shifted(stacks, vertical, horizontal, link, mix, first):
    new_v, new_h = reference(stacks, vertical, horizontal, link, mix, first)
    return torch.stack([shift_down(new_v), new_h])


@misconception(
    "You return the two stacks side by side. They come back as they came, in one tensor (2, N, C, "
    "H, W): `torch.stack([new_v, new_h])`.",
    sign=lambda calls: bool(calls) and isinstance(calls[0].value, (tuple, list)),
)
def returned_as_a_pair(stacks, vertical, horizontal, link, mix, first):
    return tuple(reference(stacks, vertical, horizontal, link, mix, first))


@misconception("You return the stacks in the wrong order: vertical first, then horizontal.")
def returned_swapped(stacks, vertical, horizontal, link, mix, first):
    return reference(stacks, vertical, horizontal, link, mix, first).flip(0)


@misconception("You read the stacks in the wrong order: `v, h = stacks`.")
def read_swapped(stacks, vertical, horizontal, link, mix, first):
    return reference(stacks.flip(0), vertical, horizontal, link, mix, first)


@misconception("Your horizontal kernel reads the vertical stack. It reads the old h.")
def horizontal_reads_vertical(stacks, vertical, horizontal, link, mix, first):
    v, h = stacks
    new_v, new_h = reference(stacks[[0, 0]], vertical, horizontal, link, mix, first)
    return torch.stack([new_v, new_h if first else new_h - v + h])


@misconception("`mix` is missing: the gated horizontal features go through it before they leave.")
def mix_missing(stacks, vertical, horizontal, link, mix, first):
    unit = torch.eye(len(mix), dtype=mix.dtype)[..., None, None]
    return layer(stacks, vertical, horizontal, link, unit, first)


@misconception("You apply `mix` to the vertical stack as well. It belongs to the horizontal one.")
def mix_in_both(stacks, vertical, horizontal, link, mix, first):
    new_v, new_h = reference(stacks, vertical, horizontal, link, mix, first)
    return torch.stack([conv2d(new_v, mix), new_h])


@misconception(
    "You exchanged the halves in the gate: tanh of the first C channels times the sigmoid of the "
    "last C."
)
def gate_swapped(stacks, vertical, horizontal, link, mix, first):
    def other(features):
        return gate(features.roll(features.shape[1] // 2, dims=1))

    return layer(stacks, vertical, horizontal, link, mix, first, gate=other)


@misconception("There is no gate: you pass on tanh of the first half of the channels only.")
def gate_missing(stacks, vertical, horizontal, link, mix, first):
    def other(features):
        return torch.tanh(features[:, : features.shape[1] // 2])

    return layer(stacks, vertical, horizontal, link, mix, first, gate=other)


@misconception(
    "You gate the two parts of the horizontal stack one by one and add them. Add first: what comes "
    "from above has to open the gate of what comes from the left."
)
def gated_before_the_sum(stacks, vertical, horizontal, link, mix, first):
    v, h = stacks
    reach = vertical.shape[-1] // 2
    a = conv2d(v, vertical * vertical_mask(vertical), padding=reach)
    columns = horizontal_mask(horizontal, itself=not first)
    b = conv2d(h, horizontal * columns, padding=(0, reach))
    new_h = conv2d(gate(b) + gate(conv2d(shift_down(a), link)), mix)
    return torch.stack([gate(a), new_h if first else new_h + h])


@misconception(
    "You turned the kernels round before masking. `conv2d` does not flip them, and neither should "
    "you."
)
def kernels_flipped(stacks, vertical, horizontal, link, mix, first):
    return layer(stacks, vertical.flip(-2, -1), horizontal.flip(-1), link, mix, first)


def changes_argument(*numbers):
    """The first request ended because one of these arguments (from 1) was changed in place."""

    def sign(calls):
        error = calls[0].error
        return getattr(error, "code", "") == "changed_argument" and error.detail in numbers

    return sign


@misconception(
    "You change `stacks` in place. Arguments must stay as they are: make new tensors, as in "
    "h = h + new_h.",
    sign=changes_argument(1),
)
def stacks_in_place(stacks, vertical, horizontal, link, mix, first):
    result = reference(stacks, vertical, horizontal, link, mix, first)
    with torch.no_grad():
        stacks[1] += 1
    return result


@misconception(
    "You set the forbidden weights to zero in the kernels that you were given. Multiply by a mask "
    "instead: arguments must stay as they are, and a trained weight would be overwritten.",
    sign=changes_argument(2, 3),
)
def masked_in_place(stacks, vertical, horizontal, link, mix, first):
    with torch.no_grad():
        vertical *= vertical_mask(vertical)
        horizontal *= horizontal_mask(horizontal, itself=not first)
    return reference(stacks, vertical, horizontal, link, mix, first)


@misconception(
    "Your values are right, but no gradient reaches the kernels: a mask is a factor, and neither "
    "`.data` nor `.detach()` belongs here."
)
def kernels_detached(stacks, vertical, horizontal, link, mix, first):
    dead = 0 * (vertical.sum() + horizontal.sum() + link.sum() + mix.sum())
    parts = (part.detach() for part in (vertical, horizontal, link, mix))
    return reference(stacks, *parts, first) + dead


@misconception(
    "Your values are right, but no gradient flows back through the shortcut: add the old h itself, "
    "not a copy without its history."
)
def shortcut_detached(stacks, vertical, horizontal, link, mix, first):
    new = reference(stacks, vertical, horizontal, link, mix, first)
    if first:
        return new
    v, h = stacks
    return new - torch.stack([torch.zeros_like(v), h - h.detach()])


@misconception(
    "Your padding wraps round, so a place at the left edge sees the right edge. Pad with zeros."
)
def padded_circularly(stacks, vertical, horizontal, link, mix, first):
    v, h = stacks
    reach = min(vertical.shape[-1] // 2, *v.shape[-2:])
    full = vertical.shape[-1] // 2
    around = pad(v, (reach,) * 4, mode="circular")
    around = pad(around, (full - reach,) * 4)
    a = conv2d(around, vertical * vertical_mask(vertical))
    columns = horizontal_mask(horizontal, itself=not first)
    left = pad(pad(h, (reach, reach, 0, 0), mode="circular"), (full - reach, full - reach))
    b = conv2d(left, horizontal * columns) + conv2d(shift_down(a), link)
    new_h = conv2d(gate(b), mix)
    return torch.stack([gate(a), new_h if first else new_h + h])
