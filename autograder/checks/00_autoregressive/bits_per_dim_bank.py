"""Wrong and right answers to `bits_per_dim`."""

import math

import numpy as np
import torch

from .bits_per_dim import BITS_PER_DIM, reference

misconception, variant = BITS_PER_DIM.misconception, BITS_PER_DIM.variant


@misconception("Your result is in nats per dimension. Divide by log 2 as well.")
def in_nats(nll, shape):
    return nll / math.prod(shape)


@misconception(
    "You multiply by log 2. A bit is less than a nat, so there are more of them: divide by log 2."
)
def times_log_two(nll, shape):
    return nll / math.prod(shape) * math.log(2)


@misconception("You convert to bits but do not divide by the number of values.")
def whole_image(nll, shape):
    return nll / math.log(2)


@misconception(
    "You divide by the number of pixels and leave out one axis of `shape`. Each colour of a pixel "
    "is a value: multiply all entries of `shape`."
)
def without_the_first_axis(nll, shape):
    return nll / (math.prod(shape[1:]) * math.log(2))


@misconception(
    "You leave out the last axis of `shape`. Multiply all its entries, colours, lines and columns."
)
def without_the_last_axis(nll, shape):
    return nll / (math.prod(shape[:-1]) * math.log(2))


@misconception("You divide by the number of axes. The number of values is the product of `shape`.")
def number_of_axes(nll, shape):
    return nll / (len(shape) * math.log(2))


@misconception("You add the entries of `shape`. The number of values is their product.")
def added(nll, shape):
    return nll / (sum(shape) * math.log(2))


@misconception("You changed the sign. The negative log-likelihood was given; keep its sign.")
def negative(nll, shape):
    return -reference(nll, shape)


@misconception(
    "You take the logarithm of `nll` again. It is in nats already: only the unit changes."
)
def logarithm(nll, shape):
    return torch.log2(nll) / math.prod(shape)


@misconception("You average over the examples. Convert each entry of `nll`.")
def mean(nll, shape):
    return reference(nll, shape).mean()


@misconception(
    "You divide by the number of examples, the length of `nll`. Divide by the number of values in "
    "one example."
)
def by_examples(nll, shape):
    return nll / (len(nll) * math.log(2))


@misconception("You divide by 2. From nats to bits it is log 2, about 0.693.")
def by_two(nll, shape):
    return nll / (math.prod(shape) * 2)


@misconception("You divide by the base-10 logarithm of 2. `nll` is in nats: the natural logarithm.")
def base_ten(nll, shape):
    return nll / (math.prod(shape) * math.log10(2))


@misconception(
    "You return 2 to this power, a perplexity. The length of the code itself was asked for."
)
def perplexity(nll, shape):
    return 2 ** reference(nll, shape)


@misconception(
    "You clip negative values to 0. A density can be larger than 1, and then bits per dimension "
    "are negative."
)
def clipped(nll, shape):
    return reference(nll, shape).clamp(min=0)


@variant
def by_numpy(nll, shape):
    return nll * np.log2(np.e) / int(np.prod(shape))


@variant
def by_size(nll, shape):
    return nll / torch.Size(shape).numel() / torch.log(torch.tensor(2.0, dtype=nll.dtype))


@variant
def by_an_empty_tensor(nll, shape):
    return nll / (torch.empty(shape).numel() * math.log(2))


@variant
def by_a_loop(nll, shape):
    for size in shape:
        nll = nll / size
    return nll * 1.4426950408889634


@variant
def first_bits(nll, shape):
    bits = nll * math.log2(math.e)
    return bits / math.prod(shape)
