"""Wrong and right answers to `dci`."""

import math

import numpy as np
import torch

from ._signs import made_by
from .dci import DCI, purity, reference, scores, weights


def twice(measure):
    """An answer that does the same to the table and to its transpose."""
    return lambda importance: (measure(importance), measure(importance.T))


@DCI.misconception(
    "Your two numbers are swapped. Disentanglement looks along the rows: does a hidden value serve "
    "one cause? Completeness looks along the columns."
)
def transposed(importance):
    return purity(importance.T), purity(importance)


@DCI.misconception(
    "You divide by the logarithm of the other axis. The largest entropy of a row with F entries is "
    "log F, and of a column with M entries log M."
)
def base_of_the_other_axis(importance):
    def measure(table):
        entropy = (1 - scores(table)) * math.log(table.shape[1])
        return (weights(table) * (1 - entropy / math.log(table.shape[0]))).sum()

    return twice(measure)(importance)


@DCI.misconception(
    "Your entropy is in nats and not divided by its largest value, so an even line does not "
    "score 0. Divide by log F, for columns by log M."
)
def natural_logarithm(importance):
    def measure(table):
        return (weights(table) * (1 - (1 - scores(table)) * math.log(table.shape[1]))).sum()

    return twice(measure)(importance)


@DCI.misconception(
    "Your entropy is in bits. The base of the logarithm is the number of entries: F for rows, M "
    "for columns."
)
def base_two(importance):
    def measure(table):
        return (weights(table) * (1 - (1 - scores(table)) * math.log2(table.shape[1]))).sum()

    return twice(measure)(importance)


def pure_scores(table):
    """The scores where a line of zeros counts as pure."""
    return torch.where(table.sum(1) > 0, scores(table), 1.0)


@DCI.misconception(
    "You average over the lines with equal weight. A hidden value that matters little for "
    "anything counts little: weigh with its share of the table.",
    sign=made_by(
        DCI,
        twice(lambda table: scores(table).mean()),
        twice(lambda table: pure_scores(table).mean()),
        twice(lambda table: scores(table)[table.sum(1) > 0].mean()),
    ),
)
def unweighted(importance):
    return twice(lambda table: scores(table).mean())(importance)


@DCI.misconception(
    "You weigh the rows, and average over the columns with equal weight. Both use the share of the "
    "line in the whole table."
)
def columns_unweighted(importance):
    return purity(importance), scores(importance.T).mean()


@DCI.misconception(
    "You sum over the lines without weights, so the result grows with their number. Weigh each "
    "line with its share of the table.",
    sign=made_by(
        DCI,
        twice(lambda table: scores(table).sum()),
        twice(lambda table: pure_scores(table).sum()),
    ),
)
def summed(importance):
    return twice(lambda table: scores(table).sum())(importance)


@DCI.misconception(
    "You weigh the lines with their sums as they are, so the unit of the importances is in the "
    "result. Divide the weights by the sum of the whole table."
)
def weights_not_normalised(importance):
    return twice(lambda table: table.sum(1) @ scores(table))(importance)


@DCI.misconception(
    "You use the base F for both. A column has M entries: its logarithm has the base M."
)
def base_of_the_rows_for_both(importance):
    first, second = reference(importance)
    ratio = math.log(importance.shape[0]) / math.log(importance.shape[1])
    return first, 1 - (1 - second) * ratio


@DCI.misconception(
    "You use the base M for both. A row has F entries: its logarithm has the base F."
)
def base_of_the_columns_for_both(importance):
    first, second = reference(importance)
    ratio = math.log(importance.shape[1]) / math.log(importance.shape[0])
    return 1 - (1 - first) * ratio, second


@DCI.misconception(
    "You return disentanglement twice. For completeness the columns take the place of the rows."
)
def the_rows_twice(importance):
    return (purity(importance),) * 2


@DCI.misconception(
    "You return completeness twice. For disentanglement look along the rows: each sums to one."
)
def the_columns_twice(importance):
    return (purity(importance.T),) * 2


@DCI.misconception("You return the entropy itself: 0 where a line is pure. Take one minus it.")
def entropy_itself(importance):
    first, second = reference(importance)
    return 1 - first, 1 - second


@DCI.misconception(
    "You normalise the rows for both. For completeness each column must sum to one before you "
    "take its entropy."
)
def rows_normalised_for_both(importance):
    share = importance / importance.sum(1, keepdim=True).clamp(min=1e-300)

    def column_score(table):
        return 1 - torch.special.entr(table).sum(1) / math.log(table.shape[1])

    return purity(importance), (weights(importance.T) * column_score(share.T)).sum()


@DCI.misconception(
    "You never normalise the lines: you take the entropy of the importances as they are. Divide "
    "each line by its own sum."
)
def not_normalised(importance):
    def measure(table):
        score = 1 - torch.special.entr(table).sum(1) / math.log(table.shape[1])
        return (weights(table) * score).sum()

    return twice(measure)(importance)


@DCI.misconception(
    "You made the whole table sum to one, not each line, before the entropy. Divide each line by "
    "its own sum."
)
def whole_table_normalised(importance):
    def measure(table):
        share = table / table.sum()
        score = 1 - torch.special.entr(share).sum(1) / math.log(table.shape[1])
        return (weights(table) * score).sum()

    return twice(measure)(importance)


@DCI.misconception(
    "You made the lines sum to one by a softmax. Importances are no logits: divide by the sum."
)
def by_softmax(importance):
    def measure(table):
        score = 1 - torch.special.entr(table.softmax(1)).sum(1) / math.log(table.shape[1])
        return (weights(table) * score).sum()

    return twice(measure)(importance)


@DCI.misconception(
    "You took the largest share of each line as its purity. The definition uses the entropy, which "
    "sees the whole line."
)
def largest_share(importance):
    def measure(table):
        share = table / table.sum(1, keepdim=True).clamp(min=1e-300)
        return (weights(table) * share.amax(1)).sum()

    return twice(measure)(importance)


@DCI.misconception(
    "Your result is NaN where an importance is 0: 0 · log 0 counts as 0, and a line of zeros has "
    "no weight."
)
def zeros_become_nan(importance):
    def measure(table):
        share = table / table.sum(1, keepdim=True)
        score = 1 + (share * share.log()).sum(1) / math.log(table.shape[1])
        return (weights(table) * score).sum()

    return twice(measure)(importance)


@DCI.misconception(
    "A line of zeros gives you 0/0 = NaN, and NaN times a weight of 0 is NaN still. Leave such "
    "lines out."
)
def rows_of_zeros_become_nan(importance):
    def measure(table):
        share = table / table.sum(1, keepdim=True)
        score = 1 - torch.special.entr(share).sum(1) / math.log(table.shape[1])
        return (weights(table) * score).sum()

    return twice(measure)(importance)


def without_zeros(importance):
    kept = importance[importance.sum(1) > 0]
    return reference(kept[:, kept.sum(0) > 0])


@DCI.misconception(
    "You cut lines of zeros out of the table, so M or F became smaller, and with it the base of "
    "the logarithm. They have no weight, but M and F stay.",
    sign=made_by(
        DCI,
        without_zeros,
        lambda importance: reference(importance[importance.sum(1) > 0]),
        lambda importance: reference(importance[:, importance.sum(0) > 0]),
    ),
)
def smaller_table(importance):
    return without_zeros(importance)


@DCI.misconception(
    "You return the scores of the single lines. Sum them, weighted with the shares of the lines."
)
def line_by_line(importance):
    return scores(importance), scores(importance.T)


@DCI.misconception(
    "You return one number, the mean of both. Disentanglement and completeness are two answers."
)
def one_number(importance):
    return sum(reference(importance)) / 2


@DCI.misconception(
    "You weigh the lines with their largest entries. The weight of a line is its own sum over the "
    "sum of the whole table."
)
def weights_from_largest_entry(importance):
    def measure(table):
        largest = table.amax(1)
        return (largest / largest.sum() * scores(table)).sum()

    return twice(measure)(importance)


@DCI.variant
def with_a_small_number(importance):
    def measure(table):
        table = table.double() + 1e-12
        share = table / table.sum(1, keepdim=True)
        entropy = -(share * share.log()).sum(1) / np.log(table.shape[1])
        return float(((1 - entropy) * table.sum(1)).sum() / table.sum())

    return measure(importance), measure(importance.T)


@DCI.variant
def by_scipy(importance):
    from scipy.stats import entropy

    table = importance.numpy()
    kept, seen = table[table.sum(1) > 0], table[:, table.sum(0) > 0]
    size, count = table.shape
    first = np.average(1 - entropy(kept, base=count, axis=1), weights=kept.sum(1))
    second = np.average(1 - entropy(seen, base=size, axis=0), weights=seen.sum(0))
    return [first, second]


@DCI.variant
def in_loops(importance):
    results = []
    for table in (importance.tolist(), importance.T.tolist()):
        whole, result = sum(map(sum, table)), 0.0
        for row in table:
            if (total := sum(row)) > 0:
                logs = (p / total * math.log(p / total, len(row)) for p in row if p > 0)
                result += total / whole * (1 + sum(logs))
        results.append(result)
    return tuple(results)


@DCI.variant
def by_divergence_from_even(importance):
    def measure(table):
        total = table.sum(1)
        score = torch.zeros_like(total)
        share = table[total > 0] / total[total > 0, None]
        count = table.shape[1]
        score[total > 0] = torch.xlogy(share, count * share).sum(1) / math.log(count)
        return (score @ total / total.sum()).reshape(1)

    return measure(importance), measure(importance.mT)
