"""Wrong and right answers to `causal_mask`."""

import numpy as np
import torch

from .causal_mask import CAUSAL_MASK, reference

misconception, variant = CAUSAL_MASK.misconception, CAUSAL_MASK.variant


@misconception(
    "A and B are the wrong way round. Kind A is for the first layer, which must not see the pixel "
    "itself: 0 in the middle."
)
def kinds_swapped(kernel_size, kind):
    return reference(kernel_size, "B" if kind == "A" else "A")


@misconception(
    "Your mask is turned: lines and columns are exchanged. The first index is the line; pixels "
    "come line by line."
)
def transposed(kernel_size, kind):
    return reference(kernel_size, kind).T.contiguous()


@misconception(
    "The lines below the middle may look in yours: only the middle line was cut. They hold pixels "
    "that come later."
)
def lines_below_visible(kernel_size, kind):
    mask = reference(kernel_size, kind)
    mask[kernel_size // 2 + 1 :] = 1
    return mask


@misconception(
    "Your mask is upside down: it lets the lines below through. `torch.conv2d` does not turn the "
    "kernel over; line 0 of the kernel looks upwards."
)
def future_for_past(kernel_size, kind):
    return reference(kernel_size, kind).flip(0, 1)


@misconception(
    "You cut only the lines below the middle. In the middle line the weights to the right look at "
    "later pixels too."
)
def middle_line_open(kernel_size, kind):
    mask = torch.ones(kernel_size, kernel_size)
    mask[kernel_size // 2 + (kind == "B") :] = 0
    return mask


@misconception(
    "You cut only the lines below, for both kinds; the middle line is open to the right. It holds "
    "later pixels there."
)
def whole_middle_line(kernel_size, kind):
    mask = torch.ones(kernel_size, kernel_size)
    mask[kernel_size // 2 + 1 :] = 0
    return mask


@misconception(
    "Both of your kinds are A. Kind B has a 1 in the middle, else later layers lose the feature "
    "of their own place."
)
def always_a(kernel_size, kind):
    return reference(kernel_size, "A")


@misconception("Both of your kinds are B. Kind A has a 0 in the middle: it hides the pixel itself.")
def always_b(kernel_size, kind):
    return reference(kernel_size, "B")


@misconception(
    "In the lines above you cut the weights to the right of the middle. Those pixels come before "
    "too: all lines above look from end to end."
)
def quarter(kernel_size, kind):
    mask = reference(kernel_size, kind)
    mask[:, kernel_size // 2 + 1 :] = 0
    return mask


@misconception(
    "Your mask is triangular. That is the mask of a vector, d' ≤ d; in a kernel the two indices "
    "are line and column."
)
def triangular(kernel_size, kind):
    return torch.ones(kernel_size, kernel_size).tril(0 if kind == "B" else -1)


@misconception("Your zeros and ones are exchanged: 1 is for a weight that may look.")
def inverted(kernel_size, kind):
    return 1 - reference(kernel_size, kind)


@misconception(
    "Only the lines above look in yours. The pixels to the left in the same line come before too."
)
def lines_above_only(kernel_size, kind):
    mask = reference(kernel_size, kind)
    mask[kernel_size // 2, : kernel_size // 2] = 0
    return mask


@misconception(
    "Only the middle line looks in yours. All lines above it hold pixels that come before."
)
def one_line(kernel_size, kind):
    mask = reference(kernel_size, kind)
    mask[: kernel_size // 2] = 0
    return mask


@misconception(
    "Your middle is one too far: with `(kernel_size + 1) // 2` as index, counted from 0, the mask "
    "lets later pixels through."
)
def middle_too_far(kernel_size, kind):
    mask = torch.ones(kernel_size, kernel_size)
    middle = (kernel_size + 1) // 2
    mask[middle : middle + 1, middle + (kind == "B") :] = 0
    mask[middle + 1 :] = 0
    return mask


@misconception(
    "In the middle line you start one too early for kind A: the neighbour to the left comes "
    "before and may be seen. Only the middle itself is hidden."
)
def left_neighbour_lost(kernel_size, kind):
    mask = reference(kernel_size, kind)
    if kind == "A":
        mask[kernel_size // 2, max(kernel_size // 2 - 1, 0) :] = 0
    return mask


@misconception("Kind B opens the weight to the right of the middle in yours. It must stay closed.")
def one_further(kernel_size, kind):
    mask = reference(kernel_size, kind)
    if kind == "B":
        mask[kernel_size // 2, kernel_size // 2 + 1 : kernel_size // 2 + 2] = 1
    return mask


@misconception(
    "Your mask has four axes. Return the (k, k) table; the channels are added where it is used."
)
def four_axes(kernel_size, kind):
    return reference(kernel_size, kind)[None, None]


@variant
def by_counting(kernel_size, kind):
    ones = (kernel_size**2 - 1) // 2 + (kind == "B")
    return (torch.arange(kernel_size**2) < ones).view(kernel_size, kernel_size)


@variant
def by_loops(kernel_size, kind):
    rows = [[0] * kernel_size for _ in range(kernel_size)]
    middle = kernel_size // 2
    for i in range(kernel_size):
        for j in range(kernel_size):
            before = i < middle or (i == middle and j < middle)
            rows[i][j] = int(before or (i == j == middle and kind == "B"))
    return torch.tensor(rows)


@variant
def in_numpy(kernel_size, kind):
    mask = np.ones((kernel_size, kernel_size), dtype=np.float32)
    mask[kernel_size // 2, kernel_size // 2 + (1 if kind == "B" else 0) :] = 0
    mask[kernel_size // 2 + 1 :] = 0
    return mask


@variant
def by_parts(kernel_size, kind):
    half = kernel_size // 2
    middle = torch.tensor([1.0] * half + [float(kind == "B")] + [0.0] * half)
    return torch.cat((torch.ones(half, kernel_size), middle[None], torch.zeros(half, kernel_size)))


@variant
def in_single_precision(kernel_size, kind):
    return reference(kernel_size, kind).float()
