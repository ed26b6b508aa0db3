"""Wrong and right answers to `channel_mask`."""

import torch

from . import causal_mask
from .channel_mask import CHANNEL_MASK, reference

misconception, variant = CHANNEL_MASK.misconception, CHANNEL_MASK.variant


def _with_middle(kernel_size, num_channels, pairs):
    mask = reference(kernel_size, "A", num_channels)
    mask[:, :, kernel_size // 2, kernel_size // 2] = pairs.double()
    return mask


def _ones(num_channels):
    return torch.ones(num_channels, num_channels)


@misconception(
    "You ignore the colours: every pair has the plain mask. With kind B red then sees green and "
    "blue of its own pixel; with kind A green does not see red."
)
def channels_ignored(kernel_size, kind, num_channels):
    plain = causal_mask.reference(kernel_size, kind)
    return plain.repeat(num_channels, num_channels, 1, 1)


@misconception(
    "Your two first axes are exchanged, or the colours come in the opposite order: in yours red "
    "sees blue of its own pixel. Outputs come first, then inputs, and channel 0 is the first."
)
def outputs_and_inputs_swapped(kernel_size, kind, num_channels):
    return reference(kernel_size, kind, num_channels).transpose(0, 1).contiguous()


@misconception("A and B are the wrong way round: kind A hides the own colour, kind B shows it.")
def kinds_swapped(kernel_size, kind, num_channels):
    return reference(kernel_size, "B" if kind == "A" else "A", num_channels)


@misconception(
    "Each colour sees only itself in yours. All colours of the pixels before may be seen, and the "
    "colours before of the pixel itself."
)
def own_colour_only(kernel_size, kind, num_channels):
    plain = causal_mask.reference(kernel_size, kind)
    return torch.eye(num_channels).double()[:, :, None, None] * plain


@misconception(
    "You order the colours in all pixels. Pixels before are finished: every colour sees all of "
    "their colours. The order matters only in the middle."
)
def ordered_everywhere(kernel_size, kind, num_channels):
    triangle = _ones(num_channels).tril(-1 if kind == "A" else 0).double()
    plain = causal_mask.reference(kernel_size, "B")
    return triangle[:, :, None, None] * plain


@misconception(
    "In the middle each colour sees at most itself in yours. It may see the colours before its own "
    "too: green sees red."
)
def diagonal_only(kernel_size, kind, num_channels):
    return _with_middle(kernel_size, num_channels, torch.eye(num_channels) * (kind == "B"))


@misconception("In the middle the own colour is hidden for both kinds in yours. Kind B shows it.")
def always_a(kernel_size, kind, num_channels):
    return reference(kernel_size, "A", num_channels)


@misconception("In the middle the own colour is shown for both kinds in yours. Kind A hides it.")
def always_b(kernel_size, kind, num_channels):
    return reference(kernel_size, "B", num_channels)


@misconception(
    "In the middle every colour sees all others, only not itself. A later colour must not be seen."
)
def all_but_itself(kernel_size, kind, num_channels):
    pairs = _ones(num_channels) - (torch.eye(num_channels) if kind == "A" else 0)
    return _with_middle(kernel_size, num_channels, pairs)


@misconception("Your zeros and ones are exchanged: 1 is for a weight that may look.")
def inverted(kernel_size, kind, num_channels):
    return 1 - reference(kernel_size, kind, num_channels)


@misconception(
    "The channels stand last in yours. The axes are (output, input, line, column), as `conv2d` "
    "has them."
)
def channels_last(kernel_size, kind, num_channels):
    return reference(kernel_size, kind, num_channels).permute(2, 3, 0, 1).contiguous()


@misconception(
    "You mask the middle only. Pixels to the right and below come later: all zeros there."
)
def future_open(kernel_size, kind, num_channels):
    mask = torch.ones(num_channels, num_channels, kernel_size, kernel_size).double()
    middle = kernel_size // 2
    mask[:, :, middle, middle] = _ones(num_channels).tril(-1 if kind == "A" else 0).double()
    return mask


@variant
def by_loops(kernel_size, kind, num_channels):
    plain = {k: causal_mask.reference(kernel_size, k) for k in "AB"}
    rows = []
    for out in range(num_channels):
        row = []
        for inp in range(num_channels):
            sees = inp < out or (inp == out and kind == "B")
            row.append(plain["B" if sees else "A"])
        rows.append(torch.stack(row))
    return torch.stack(rows)


@variant
def by_where(kernel_size, kind, num_channels):
    sees = _ones(num_channels).tril(0 if kind == "B" else -1).bool()[:, :, None, None]
    a, b = (causal_mask.reference(kernel_size, k) for k in "AB")
    return torch.where(sees, b, a)


@variant
def by_places(kernel_size, kind, num_channels):
    half, colour = kernel_size // 2, torch.arange(num_channels)
    pixel = torch.arange(kernel_size**2).view(kernel_size, kernel_size)
    own = half * kernel_size + half
    inputs = pixel * num_channels + colour[:, None, None]
    outputs = (own * num_channels + colour)[:, None, None, None]
    return (inputs <= outputs) if kind == "B" else (inputs < outputs)


@variant
def by_adding(kernel_size, kind, num_channels):
    middle = causal_mask.reference(kernel_size, "B") - causal_mask.reference(kernel_size, "A")
    sees = _ones(num_channels).tril(0 if kind == "B" else -1).double()
    plain = causal_mask.reference(kernel_size, "A")
    return plain + sees[..., None, None] * middle


@variant
def in_whole_numbers(kernel_size, kind, num_channels):
    return reference(kernel_size, kind, num_channels).long()
