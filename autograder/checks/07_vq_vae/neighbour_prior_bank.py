"""Wrong and right answers to `neighbour_prior`."""

import torch
from torch.nn.functional import one_hot, pad

from .neighbour_prior import NEIGHBOUR_PRIOR, context_counts, reference

misconception, variant = NEIGHBOUR_PRIOR.misconception, NEIGHBOUR_PRIOR.variant


def counted(left, above, codes, num_codes):
    """Counts of these triples, (K + 1, K + 1, K)."""
    size = num_codes + 1
    table = torch.zeros(size, size, num_codes, dtype=torch.float64)
    one = torch.ones((), dtype=torch.float64)
    return table.index_put_((left, above, codes), one, accumulate=True)


def table_of(counts, smoothing):
    counts = counts + smoothing
    return torch.log(counts / counts.sum(-1, keepdim=True))


def framed_neighbours(codes, num_codes):
    framed = pad(codes, (1, 0, 1, 0), value=num_codes)
    return framed[:, 1:, :-1], framed[:, :-1, 1:]


@misconception(
    "You exchanged left and above: the first axis of the table is the code to the left, the second "
    "the one above."
)
def left_and_above_swapped(codes, num_codes, smoothing):
    return reference(codes, num_codes, smoothing).transpose(0, 1)


@misconception(
    "You look to the right and below. Those codes come later, and are not there yet when the prior "
    "is asked."
)
def looks_at_the_future(codes, num_codes, smoothing):
    return reference(codes.flip(1, 2), num_codes, smoothing)


@misconception("You look to the right instead of to the left: that code comes later.")
def right_for_left(codes, num_codes, smoothing):
    return reference(codes.flip(2), num_codes, smoothing)


@misconception("You look below instead of above: those codes come later.")
def below_for_above(codes, num_codes, smoothing):
    return reference(codes.flip(1), num_codes, smoothing)


@misconception(
    "You look up and to the left instead of straight above: mind the columns of the slice."
)
def diagonal_for_above(codes, num_codes, smoothing):
    framed = pad(codes, (1, 0, 1, 0), value=num_codes)
    return table_of(counted(framed[:, 1:, :-1], framed[:, :-1, :-1], codes, num_codes), smoothing)


@misconception(
    "Your neighbours wrap round: at the left edge you count the code at the right edge. Outside "
    "has an index of its own, K."
)
def wraps_round(codes, num_codes, smoothing):
    left, above = codes.roll(1, dims=2), codes.roll(1, dims=1)
    return table_of(counted(left, above, codes, num_codes), smoothing)


@misconception(
    "You count outside as code 0. It has an index of its own, K: a code at the edge is in another "
    "situation than one beside a code 0."
)
def outside_is_code_zero(codes, num_codes, smoothing):
    framed = pad(codes, (1, 0, 1, 0), value=0)
    return table_of(counted(framed[:, 1:, :-1], framed[:, :-1, 1:], codes, num_codes), smoothing)


@misconception(
    "You put outside at index 0 and moved the codes up by one. Codes keep their numbers, and "
    "outside is the last index, K."
)
def outside_comes_first(codes, num_codes, smoothing):
    return reference(codes, num_codes, smoothing).roll((1, 1), dims=(0, 1))


@misconception(
    "You leave out the places at the edge. They are counted too, with K for what lies outside."
)
def edges_left_out(codes, num_codes, smoothing):
    left, above = codes[:, 1:, :-1], codes[:, :-1, 1:]
    return table_of(counted(left, above, codes[:, 1:, 1:], num_codes), smoothing)


@misconception(
    "You normalise over all three axes: that is the joint probability of a code and its "
    "neighbours. For each pair of neighbours the codes sum to 1."
)
def joint_probabilities(codes, num_codes, smoothing):
    counts = context_counts(codes, num_codes).double() + smoothing
    return torch.log(counts / counts.sum())


@misconception(
    "You normalise over the code to the left. The question is which code follows: the last axis "
    "sums to 1."
)
def wrong_axis(codes, num_codes, smoothing):
    counts = context_counts(codes, num_codes).double() + smoothing
    return torch.log(counts / counts.sum(0, keepdim=True))


@misconception(
    "Without smoothing a code that never followed a pair has the probability 0, and log 0 is "
    "minus infinity: one such code in a test map, and the whole map is impossible."
)
def without_smoothing(codes, num_codes, smoothing):
    counts = context_counts(codes, num_codes).double()
    return torch.log(counts / counts.sum(-1, keepdim=True))


@misconception(
    "The smoothing is in the numerator only, so the probabilities sum to more than 1. Add it to "
    "each count first, and divide by the sum of what you have then."
)
def smoothing_above_only(codes, num_codes, smoothing):
    counts = context_counts(codes, num_codes).double()
    return torch.log((counts + smoothing) / counts.sum(-1, keepdim=True).clamp(min=1.0))


@misconception(
    "You add the smoothing once to the total. There are K codes, each with its own: K times the "
    "smoothing."
)
def smoothing_once_below(codes, num_codes, smoothing):
    counts = context_counts(codes, num_codes).double()
    return torch.log((counts + smoothing) / (counts.sum(-1, keepdim=True) + smoothing))


@misconception("You add 1 to every count whatever `smoothing` says.")
def always_one(codes, num_codes, smoothing):
    return reference(codes, num_codes, 1.0)


@misconception(
    "You replace zero counts by the smoothing and leave the others alone. Add it to every count."
)
def only_zeros_smoothed(codes, num_codes, smoothing):
    counts = context_counts(codes, num_codes).double()
    return table_of(torch.where(counts == 0, smoothing, counts), 0.0)


@misconception("You return probabilities. Their logarithms are asked for.")
def probabilities(codes, num_codes, smoothing):
    return reference(codes, num_codes, smoothing).exp()


@misconception("Your logarithms have the base 2. Here they are natural.")
def in_bits(codes, num_codes, smoothing):
    return reference(codes, num_codes, smoothing) / torch.log(torch.tensor(2.0)).double()


@misconception("You return counts. Divide, and take the logarithm.")
def counts_returned(codes, num_codes, smoothing):
    return context_counts(codes, num_codes).double() + smoothing


@misconception("You return the logarithm of the counts: divide by the sum over the codes first.")
def not_normalised(codes, num_codes, smoothing):
    return torch.log(context_counts(codes, num_codes).double() + smoothing)


@misconception(
    "You ignore the neighbours: each context gets the frequencies of all codes. That is the "
    "unigram prior."
)
def neighbours_ignored(codes, num_codes, smoothing):
    counts = torch.bincount(codes.flatten(), minlength=num_codes).double()
    return table_of(counts, smoothing).expand(num_codes + 1, num_codes + 1, -1).clone()


@misconception(
    "You count a triple once, however often it occurs: `table[left, above, code] += 1` does not "
    "add up repeated places. Use `index_put_` with `accumulate=True`, or `bincount`."
)
def repeated_places_lost(codes, num_codes, smoothing):
    return table_of(context_counts(codes, num_codes).clamp(max=1).double(), smoothing)


@misconception("You count the first map only. All maps of the batch count.")
def first_map_only(codes, num_codes, smoothing):
    return reference(codes[:1], num_codes, smoothing)


@misconception(
    "You read the maps as one long row: the left neighbour of the first column is the last column "
    "of the row above. At the left edge it is outside."
)
def rows_run_on(codes, num_codes, smoothing):
    _, above = framed_neighbours(codes, num_codes)
    flat = pad(codes.flatten(1), (1, 0), value=num_codes)[:, :-1]
    return table_of(counted(flat.reshape(codes.shape), above, codes, num_codes), smoothing)


@misconception(
    'Your table has no place for "outside": it is (K + 1, K + 1, K), and index K of the first two '
    "axes stands for it.",
    sign=lambda calls: all(
        c.error is None and tuple(c.value.shape) == (c.args[1],) * 3 for c in calls
    ),
)
def no_outside(codes, num_codes, smoothing):
    left, above = codes[:, 1:, :-1], codes[:, :-1, 1:]
    counts = counted(left, above, codes[:, 1:, 1:], num_codes)
    return table_of(counts[:num_codes, :num_codes], smoothing)


@variant
def in_a_loop(codes, num_codes, smoothing):
    size = num_codes + 1
    table = torch.full((size, size, num_codes), smoothing, dtype=torch.float64).numpy()
    for z in codes.tolist():
        for i, row in enumerate(z):
            for j, code in enumerate(row):
                left = row[j - 1] if j else num_codes
                above = z[i - 1][j] if i else num_codes
                table[left, above, code] += 1
    return torch.log(torch.from_numpy(table / table.sum(axis=-1, keepdims=True)))


@variant
def by_index_put(codes, num_codes, smoothing):
    left, above = framed_neighbours(codes, num_codes)
    counts = counted(left, above, codes, num_codes) + smoothing
    return counts.log() - counts.sum(-1, keepdim=True).log()


@variant
def by_one_hot_products(codes, num_codes, smoothing):
    left, above = framed_neighbours(codes, num_codes)
    parts = (
        one_hot(left, num_codes + 1).flatten(0, 2).double(),
        one_hot(above, num_codes + 1).flatten(0, 2).double(),
        one_hot(codes, num_codes).flatten(0, 2).double(),
    )
    counts = torch.einsum("na,nb,nc->abc", *parts) + smoothing
    return torch.log_softmax(counts.log(), dim=-1)


@variant
def in_single_precision(codes, num_codes, smoothing):
    counts = context_counts(codes, num_codes).float()
    total = counts.sum(-1, keepdim=True) + smoothing * num_codes
    return ((counts + smoothing) / total).log()


@variant
def by_the_distribution(codes, num_codes, smoothing):
    counts = context_counts(codes, num_codes).double() + smoothing
    return torch.distributions.Categorical(probs=counts).logits


@variant
def numpy_add_at(codes, num_codes, smoothing):
    import numpy as np

    left, above = framed_neighbours(codes, num_codes)
    table = np.zeros((num_codes + 1, num_codes + 1, num_codes))
    np.add.at(table, (left.numpy(), above.numpy(), codes.numpy()), 1)
    table += smoothing
    return torch.from_numpy(np.log(table / table.sum(-1, keepdims=True)))
