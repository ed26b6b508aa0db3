"""Wrong and right answers to `mutual_information_table`."""

import math

import numpy as np
import torch

from ._factors import entropy, information, table_of
from ._signs import made_by
from .mutual_information_table import MUTUAL_INFORMATION_TABLE, reference, to_bins


def by_pair(codes, factors, num_bins, measure):
    """measure(joint probabilities) for each pair of a hidden value and a cause."""
    bins = to_bins(codes, num_bins)
    rows = [[measure(joint(a, v, num_bins)) for v in factors.T] for a in bins.T]
    return torch.tensor(rows, dtype=torch.float64)


def joint(a, v, num_bins):
    num_values = int(v.max()) + 1
    counts = torch.bincount(a * num_values + v, minlength=num_bins * num_values)
    return counts.reshape(num_bins, num_values).double() / len(a)


def log_ratio(p):
    product = p.sum(1, keepdim=True) * p.sum(0)
    return torch.where(p > 0, (p / product).log(), 0.0).nan_to_num()


def is_nan_where_cells_are_empty(call):
    """For all hidden values that change: those that do not are a matter of their own."""
    codes, factors, num_bins = call.args
    alive = codes.amax(0) > codes.amin(0)
    empty = by_pair(codes, factors, num_bins, lambda p: float((p == 0).any())) > 0
    return torch.equal(torch.as_tensor(call.value)[alive].isnan(), empty[alive])


def entropies(factors):
    return torch.tensor([entropy(v) for v in factors.T], dtype=torch.float64)


@MUTUAL_INFORMATION_TABLE.misconception(
    "Your information is in bits. Use the natural logarithm: nats."
)
def in_bits(codes, factors, num_bins):
    return reference(codes, factors, num_bins) / math.log(2)


@MUTUAL_INFORMATION_TABLE.misconception(
    "Your table is (F, M). A row belongs to a hidden value, a column to a cause: (M, F)."
)
def transposed(codes, factors, num_bins):
    return reference(codes, factors, num_bins).T.contiguous()


def by_ranks(codes, factors, num_bins):
    ranks = codes.argsort(0).argsort(0)
    return table_of(ranks * num_bins // len(codes), factors)


def by_quantiles(codes, factors, num_bins, right=True):
    columns = []
    for column in codes.double().T.contiguous():
        inner = torch.linspace(0, 1, num_bins + 1, dtype=torch.float64)[1:-1]
        columns.append(torch.bucketize(column, column.quantile(inner), right=right))
    return table_of(torch.stack(columns, 1), factors)


@MUTUAL_INFORMATION_TABLE.misconception(
    "You chose the bins so that each holds as many points as the next. Here all bins of a column "
    "have the same width.",
    sign=made_by(
        MUTUAL_INFORMATION_TABLE,
        by_ranks,
        by_quantiles,
        lambda *args: by_quantiles(*args, right=False),
    ),
)
def equal_frequency(codes, factors, num_bins):
    return by_quantiles(codes, factors, num_bins)


@MUTUAL_INFORMATION_TABLE.misconception(
    "You use one range for all hidden values. A narrow column then has all its points in one or "
    "two bins: take the smallest and the largest value of each column by itself."
)
def common_range(codes, factors, num_bins):
    share = (codes - codes.min()) / (codes.max() - codes.min())
    return table_of((share * num_bins).long().clamp(max=num_bins - 1), factors)


@MUTUAL_INFORMATION_TABLE.misconception(
    "You use bins from −3 to 3, as if every hidden value were standard normal. Take the range that "
    "the column really has."
)
def range_of_the_prior(codes, factors, num_bins):
    return table_of(((codes + 3) / 6 * num_bins).long().clamp(0, num_bins - 1), factors)


@MUTUAL_INFORMATION_TABLE.misconception(
    "You always use 20 bins. Use `num_bins`, as many as were asked for."
)
def twenty_bins(codes, factors, num_bins):
    return reference(codes, factors, 20)


@MUTUAL_INFORMATION_TABLE.misconception(
    "You round the codes to whole numbers and take these as bins. Then the unit of the code "
    "decides; cut the range of each column into `num_bins` parts."
)
def rounded(codes, factors, num_bins):
    whole = codes.round().long()
    return table_of(whole - whole.amin(0), factors)


@MUTUAL_INFORMATION_TABLE.misconception(
    "The largest value of each column has a bin of its own, number `num_bins`. It belongs to the "
    "last bin, number `num_bins` − 1."
)
def one_bin_too_many(codes, factors, num_bins):
    low, high = codes.amin(0), codes.amax(0)
    width = torch.where(high > low, high - low, torch.ones_like(low))
    return table_of(((codes - low) / width * num_bins).long(), factors)


@MUTUAL_INFORMATION_TABLE.misconception(
    "You cut the range into `num_bins` − 1 parts: there is one bin too few. Between B bins there "
    "are B + 1 edges."
)
def one_bin_too_few(codes, factors, num_bins):
    return reference(codes, factors, num_bins - 1)


@MUTUAL_INFORMATION_TABLE.misconception(
    "You cut the range into `num_bins` + 1 parts: there is one bin too many. Between B bins there "
    "are B + 1 edges, the two ends included."
)
def one_part_too_many(codes, factors, num_bins):
    return reference(codes, factors, num_bins + 1)


@MUTUAL_INFORMATION_TABLE.misconception(
    "You round to the nearest whole number, so your first and your last bin are narrower or wider "
    "than the others. Round down."
)
def rounded_to_the_nearest(codes, factors, num_bins):
    low, high = codes.amin(0), codes.amax(0)
    width = torch.where(high > low, high - low, torch.ones_like(low))
    places = ((codes - low) / width * num_bins).round().long()
    return table_of(places.clamp(max=num_bins - 1), factors)


@MUTUAL_INFORMATION_TABLE.misconception(
    "A value that lies exactly on an inner edge falls into your lower bin. It belongs to the upper "
    "one: round down, and add nothing to the range."
)
def edges_to_the_lower_bin(codes, factors, num_bins):
    low, high = codes.amin(0), codes.amax(0)
    width = torch.where(high > low, high - low, torch.ones_like(low))
    places = ((codes - low) / width * num_bins).ceil().long()
    return table_of(places.clamp(min=1) - 1, factors)


@MUTUAL_INFORMATION_TABLE.misconception(
    "You lose values of a cause whose number is too large: you made no more columns than there are "
    "bins. A cause may have more values than there are bins."
)
def no_more_values_than_bins(codes, factors, num_bins):
    return reference(codes, factors.clamp(max=num_bins - 1), num_bins)


@MUTUAL_INFORMATION_TABLE.misconception(
    "You made as many columns as values of the cause occur, so its last values run together where "
    "others are missing. Take the largest value plus 1."
)
def values_that_occur(codes, factors, num_bins):
    last = torch.tensor([len(v.unique()) - 1 for v in factors.T])
    return reference(codes, torch.minimum(factors, last), num_bins)


@MUTUAL_INFORMATION_TABLE.misconception(
    "You returned the entropy of the cause that is left when the hidden value is known. The "
    "information is what it took away: H(v) minus that."
)
def conditional_entropy(codes, factors, num_bins):
    return entropies(factors) - reference(codes, factors, num_bins)


@MUTUAL_INFORMATION_TABLE.misconception(
    "You returned the entropy of both together. Mutual information is H(z) + H(v) − H(z, v)."
)
def joint_entropy(codes, factors, num_bins):
    return by_pair(codes, factors, num_bins, lambda p: torch.special.entr(p).sum().item())


@MUTUAL_INFORMATION_TABLE.misconception(
    "You divided by the entropy of the cause. The table is in nats; the division comes later."
)
def normalised(codes, factors, num_bins):
    return reference(codes, factors, num_bins) / entropies(factors)


@MUTUAL_INFORMATION_TABLE.misconception(
    "You returned normalised information, a share between 0 and 1. The table is in nats."
)
def normalised_by_both(codes, factors, num_bins):
    from_code = by_pair(
        codes, factors, num_bins, lambda p: torch.special.entr(p.sum(1)).sum().item()
    )
    both = 0.5 * (from_code + entropies(factors))
    return reference(codes, factors, num_bins) / both


@MUTUAL_INFORMATION_TABLE.misconception(
    "You computed the information of a Gaussian with that correlation. It sees straight lines "
    "only; count how often each bin and each value occur together."
)
def from_correlation(codes, factors, num_bins):
    z, v = (part.double() - part.double().mean(0) for part in (codes, factors))
    scale = z.norm(dim=0)[:, None].clamp(min=1e-300) * v.norm(dim=0)
    rho = (z.T @ v / scale).clamp(-0.999999, 0.999999)
    return -0.5 * (1 - rho**2).log()


@MUTUAL_INFORMATION_TABLE.misconception(
    "You average the logarithms of the ratios over the cells. Each cell counts with its joint "
    "probability."
)
def mean_over_cells(codes, factors, num_bins):
    return by_pair(codes, factors, num_bins, lambda p: log_ratio(p)[p > 0].mean().item())


@MUTUAL_INFORMATION_TABLE.misconception(
    "You weigh the cells with the product of the margins. That is the divergence the other way "
    "round, and infinite wherever a cell is empty: weigh with the joint probabilities."
)
def weighed_by_the_margins(codes, factors, num_bins):
    def measure(p):
        product = p.sum(1, keepdim=True) * p.sum(0)
        return -(product * log_ratio(p)).sum().item()

    return by_pair(codes, factors, num_bins, measure)


@MUTUAL_INFORMATION_TABLE.misconception(
    "You weigh with counts where probabilities belong, so your table grows with the number of "
    "points. Divide by N."
)
def counts(codes, factors, num_bins):
    return len(codes) * reference(codes, factors, num_bins)


@MUTUAL_INFORMATION_TABLE.misconception(
    "Your table is NaN where a bin and a value never occur together: 0 · log 0 counts as 0. Sum "
    "over the cells that hold points.",
    sign=lambda calls: all(map(is_nan_where_cells_are_empty, calls)),
)
def empty_cells(codes, factors, num_bins):
    def measure(p):
        return (p * (p / (p.sum(1, keepdim=True) * p.sum(0))).log()).sum().item()

    return by_pair(codes, factors, num_bins, measure)


@MUTUAL_INFORMATION_TABLE.misconception(
    "A hidden value that never changes has no range to divide by. It says nothing about any cause: "
    "its row is 0."
)
def range_of_zero(codes, factors, num_bins):
    table = reference(codes, factors, num_bins)
    table[codes.amax(0) == codes.amin(0)] = torch.nan
    return table


@MUTUAL_INFORMATION_TABLE.misconception(
    "You add one imagined point to every cell. That makes independent values look dependent, or "
    "the reverse; use the counts as they are."
)
def smoothed_counts(codes, factors, num_bins):
    def measure(p):
        p = p * len(codes) + 1
        p = p / p.sum()
        return (p * log_ratio(p)).sum().item()

    return by_pair(codes, factors, num_bins, measure)


@MUTUAL_INFORMATION_TABLE.misconception(
    "You subtract a correction for the number of cells. It is a good idea, and not what is asked "
    "for: the estimate from the counts alone."
)
def bias_corrected(codes, factors, num_bins):
    values = torch.tensor([len(v.unique()) for v in factors.T])
    taken = torch.tensor([len(b.unique()) for b in to_bins(codes, num_bins).T])
    cells = (taken[:, None] - 1) * (values - 1)
    return reference(codes, factors, num_bins) - cells / (2 * len(codes))


@MUTUAL_INFORMATION_TABLE.variant
def by_scikit_learn(codes, factors, num_bins):
    from sklearn.metrics import mutual_info_score  # takes a second to import

    rows = []
    for column in codes.numpy().T:
        edges = np.histogram(column, num_bins)[1]
        binned = np.digitize(column, edges[:-1])
        rows.append([mutual_info_score(binned, v) for v in factors.numpy().T])
    return torch.tensor(rows)


@MUTUAL_INFORMATION_TABLE.variant
def by_one_hot(codes, factors, num_bins):
    table = torch.zeros(codes.shape[1], factors.shape[1])
    for m, b in enumerate(to_bins(codes, num_bins).T):
        for f, v in enumerate(factors.T):
            one_hot = torch.nn.functional.one_hot
            p = one_hot(b, num_bins).double().T @ one_hot(v).double() / len(v)
            table[m, f] = (p * log_ratio(p)).sum()
    return table


@MUTUAL_INFORMATION_TABLE.variant
def as_a_difference_of_entropies(codes, factors, num_bins):
    bins = to_bins(codes, num_bins)
    left = [
        [
            sum(
                (b == k).double().mean().item() * entropy(v[b == k])
                for k in range(num_bins)
                if (b == k).any()
            )
            for v in factors.T
        ]
        for b in bins.T
    ]
    return entropies(factors) - torch.tensor(left, dtype=torch.float64)


@MUTUAL_INFORMATION_TABLE.variant
def by_edges(codes, factors, num_bins):
    table = codes.new_zeros(codes.shape[1], factors.shape[1])
    for m in range(len(table)):
        column = codes[:, m].contiguous()
        edges = torch.linspace(float(column.min()), float(column.max()), num_bins + 1)[1:-1]
        bins = torch.bucketize(column, edges.to(column), right=True)
        for f in range(table.shape[1]):
            table[m, f] = information(bins, factors[:, f])
    return table


@MUTUAL_INFORMATION_TABLE.variant
def by_numpy_histogram(codes, factors, num_bins):
    rows = []
    for column in codes.double().numpy().T:
        row = []
        for v in factors.numpy().T:
            values = np.arange(v.max() + 2) - 0.5
            p = np.histogram2d(column, v, bins=(num_bins, values))[0] / len(v)
            product = np.outer(p.sum(1), p.sum(0))
            row.append((p[p > 0] * np.log(p[p > 0] / product[p > 0])).sum())
        rows.append(row)
    return np.array(rows)
