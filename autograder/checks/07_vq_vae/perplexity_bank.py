"""Wrong and right answers to `perplexity`."""

import collections
import math

import numpy as np
import torch

from .perplexity import PERPLEXITY, reference

misconception = PERPLEXITY.misconception
variant = PERPLEXITY.variant


def _shares(indices, num_codes):
    counts = torch.bincount(indices.flatten(), minlength=num_codes).double()
    return counts / counts.sum()


def _entropy(indices, num_codes):
    return torch.special.entr(_shares(indices, num_codes)).sum()


@misconception(
    "You return NaN as soon as one code is unused: 0·log 0. Its limit is zero, so leave these "
    "codes out of the sum."
)
def zero_times_log_zero(indices, num_codes):
    shares = _shares(indices, num_codes)
    return torch.exp(-(shares * shares.log()).sum())


@misconception("You return the entropy. The perplexity is its exponential: a number of codes.")
def entropy_itself(indices, num_codes):
    return _entropy(indices, num_codes)


@misconception(
    "You return the entropy in bits. The perplexity is two to the power of that: a number of codes."
)
def entropy_in_bits(indices, num_codes):
    return _entropy(indices, num_codes) / math.log(2)


@misconception(
    "You take the entropy in bits and undo it with `exp`. The base must be the same on the way "
    "back: 2 to the power of it."
)
def exp_of_bits(indices, num_codes):
    return torch.exp(_entropy(indices, num_codes) / math.log(2))


@misconception(
    "You take the entropy in nats and undo it with a power of 2. Natural logarithms are undone by "
    "`exp`."
)
def two_to_the_nats(indices, num_codes):
    return 2 ** _entropy(indices, num_codes)


@misconception(
    "The sign of the entropy is missing, so you return one over the perplexity. −Σ p log p."
)
def sign_missing(indices, num_codes):
    return torch.exp(-_entropy(indices, num_codes))


@misconception(
    "You count the codes that occur at all. A code that occurs once counts less than one that "
    "occurs all the time: take the entropy."
)
def codes_in_use(indices, num_codes):
    return float(len(indices.unique()))


@misconception(
    "You return one over the sum of the squared shares. That is another number of effective codes; "
    "the perplexity comes from the entropy."
)
def inverse_simpson(indices, num_codes):
    return 1 / _shares(indices, num_codes).square().sum()


@misconception(
    "You return the perplexity as a share of K. Asked for is the number itself, from 1 to K."
)
def share_of_the_codebook(indices, num_codes):
    return reference(indices, num_codes) / num_codes


@misconception(
    "You divide the entropy by log K. That is a share from 0 to 1; the perplexity is the "
    "exponential of the entropy."
)
def normalised_entropy(indices, num_codes):
    return _entropy(indices, num_codes) / math.log(num_codes)


@misconception(
    "You divide the counts by K. Divide by the number of indices, so that they sum to 1."
)
def divided_by_num_codes(indices, num_codes):
    shares = torch.bincount(indices.flatten(), minlength=num_codes).double() / num_codes
    return torch.exp(torch.special.entr(shares).sum())


@misconception(
    "You divide by the number of images. Divide by the number of all indices: every place of a map "
    "has one."
)
def divided_by_images(indices, num_codes):
    shares = torch.bincount(indices.flatten(), minlength=num_codes).double() / len(indices)
    return torch.exp(torch.special.entr(shares).sum())


@misconception(
    "You add one to every count. A code that nobody uses then counts as used, which it is not."
)
def smoothed(indices, num_codes):
    counts = torch.bincount(indices.flatten(), minlength=num_codes).double() + 1
    return torch.exp(torch.special.entr(counts / counts.sum()).sum())


@misconception(
    "The constant inside your logarithm is too large: it changes the entropy. Leave unused codes "
    "out of the sum, and add nothing to the others."
)
def large_constant(indices, num_codes):
    shares = _shares(indices, num_codes)
    return torch.exp(-(shares * (shares + 1e-2).log()).sum())


@misconception(
    "You average the perplexities of single places of the map. Count all places together."
)
def place_by_place(indices, num_codes):
    columns = indices.flatten(1).T
    return torch.stack([reference(column, num_codes) for column in columns]).mean()


@misconception("You take the mean of −p log p over the codes. The entropy is their sum.")
def mean_over_codes(indices, num_codes):
    return torch.exp(torch.special.entr(_shares(indices, num_codes)).mean())


@misconception(
    "You average the perplexities of single images. A single image uses few codes: count all of "
    "them together."
)
def image_by_image(indices, num_codes):
    return torch.stack([reference(row.flatten(), num_codes) for row in indices]).mean()


@misconception("You leave out code 0, which counts like any other: indices go from 0 to K − 1.")
def first_code_left_out(indices, num_codes):
    counts = torch.bincount(indices.flatten(), minlength=num_codes).double()[1:]
    return torch.exp(torch.special.entr(counts / counts.sum()).sum())


@misconception(
    "You treat the indices themselves as numbers that are distributed. Count how often each occurs."
)
def indices_as_counts(indices, num_codes):
    values = indices.double().flatten()
    return torch.exp(torch.special.entr(values / values.sum()).sum())


@misconception("You take the entropy of a softmax of the counts. Divide the counts by their sum.")
def softmax_of_counts(indices, num_codes):
    counts = torch.bincount(indices.flatten(), minlength=num_codes).double()
    return torch.exp(torch.special.entr(counts.softmax(0)).sum())


@misconception("You return one over the largest share. The perplexity comes from the entropy.")
def inverse_of_the_largest(indices, num_codes):
    return 1 / _shares(indices, num_codes).max()


@variant
def masked(indices, num_codes):
    shares = _shares(indices, num_codes)
    used = shares[shares > 0]
    return torch.exp(-(used * used.log()).sum())


@variant
def in_bits(indices, num_codes):
    shares = _shares(indices, num_codes)
    used = shares[shares > 0]
    return 2 ** -(used * used.log2()).sum()


@variant
def with_a_tiny_constant(indices, num_codes):
    probs = torch.nn.functional.one_hot(indices.flatten(), num_codes).float().mean(0)
    return torch.exp(-(probs * (probs + 1e-10).log()).sum())


@variant
def by_xlogy(indices, num_codes):
    shares = _shares(indices, num_codes)
    return torch.exp(-torch.xlogy(shares, shares).sum()).item()


@variant
def by_counter(indices, num_codes):
    counts = collections.Counter(indices.flatten().tolist())
    total = sum(counts.values())
    return math.prod((c / total) ** (-c / total) for c in counts.values())


@variant
def by_categorical(indices, num_codes):
    probs = _shares(indices, num_codes)
    return torch.distributions.Categorical(probs=probs).perplexity()


@variant
def in_numpy(indices, num_codes):
    _, counts = np.unique(indices.numpy(), return_counts=True)
    p = counts / counts.sum()
    return np.exp(-np.sum(p * np.log(p)))
