"""Wrong and right answers to `find_failures`."""

import numpy as np
import scipy.stats
import torch

from .find_failures import FIND_FAILURES, reference, wins

misconception, variant = FIND_FAILURES.misconception, FIND_FAILURES.variant


@misconception(
    "True and False are exchanged. The rule fails where the anomaly is more probable than normal "
    "images."
)
def inverted(normal, anomalies):
    return ~reference(normal, anomalies)


@misconception(
    "You compare means. A few extreme images decide a mean; compare all pairs of an anomaly and a "
    "normal image."
)
def means(normal, anomalies):
    return anomalies.mean(1) > normal.mean()


@misconception(
    "You compare medians, or each anomaly with the median of the normal images. That is not the "
    "share of pairs in which the anomaly is more probable: compare all pairs."
)
def medians(normal, anomalies):
    return anomalies.median(1).values > normal.median()


@misconception("You compare the largest values. One single image decides then; compare all pairs.")
def largest(normal, anomalies):
    return anomalies.amax(1) > normal.max()


@misconception("You compare the smallest values. One single image decides then; compare all pairs.")
def smallest(normal, anomalies):
    return anomalies.amin(1) > normal.min()


@misconception(
    "You compare each anomaly with the mean of the normal images and take the majority. Compare "
    "it with each normal image."
)
def majority_above_the_mean(normal, anomalies):
    return (anomalies > normal.mean()).double().mean(1) > 0.5


@misconception(
    "Equal values count for nobody in yours. Count a tie half for the anomaly: with many ties the "
    "share is too small otherwise."
)
def ties_lost(normal, anomalies):
    return (anomalies[:, :, None] > normal).double().mean((1, 2)) > 0.5


@misconception(
    "Equal values count as a win of the anomaly in yours. Count a tie half for each side."
)
def ties_won(normal, anomalies):
    return (anomalies[:, :, None] >= normal).double().mean((1, 2)) > 0.5


@misconception(
    "You say True if a single pair goes wrong. The rule fails for a kind if most pairs do."
)
def any_pair(normal, anomalies):
    return (anomalies[:, :, None] > normal).flatten(1).any(1)


@misconception(
    "You say True only if all pairs go wrong. More than half is enough: then a coin would do "
    "better."
)
def all_pairs(normal, anomalies):
    return (anomalies[:, :, None] > normal).flatten(1).all(1)


@misconception(
    "You compare the images in the order in which they stand, first with first. That order means "
    "nothing, and the numbers of images may differ: compare all pairs."
)
def in_line(normal, anomalies):
    num = min(len(normal), anomalies.shape[1])
    return (anomalies[:, :num] > normal[:num]).double().mean(1) > 0.5


@misconception(
    "A share of exactly one half is a failure in yours. Then the rule is as good as a coin, not "
    "worse: ask for more than one half."
)
def at_least_half(normal, anomalies):
    return wins(normal, anomalies) >= 0.5


@misconception(
    "You leave a margin above one half. Any share of more than one half is a failure.",
)
def with_a_margin(normal, anomalies):
    return wins(normal, anomalies) > 0.53


@misconception(
    "You count T² pairs, as if N were T. There are N T pairs: take the mean over both axes.",
)
def as_many_normal(normal, anomalies):
    num = anomalies.shape[1]
    return wins(normal, anomalies) * len(normal) * num > 0.5 * num * num


@misconception(
    "You use as many normal images as there are anomalies of a kind. Compare with all N of them.",
)
def first_normal_ones(normal, anomalies):
    return wins(normal[: anomalies.shape[1]], anomalies) > 0.5


@misconception("You return the shares. Say for each kind whether its share is above one half.")
def shares(normal, anomalies):
    return wins(normal, anomalies)


@misconception("You return one answer for all kinds together. Each kind has its own: (A,).")
def all_kinds_together(normal, anomalies):
    return (wins(normal, anomalies) > 0.5).any()


@misconception(
    "You use a two-sided rule, far from the normal mean. Asked is where the one-sided rule, low "
    "likelihood, fails: where the anomaly is more probable."
)
def far_away(normal, anomalies):
    return (anomalies.mean(1) - normal.mean()).abs() > normal.std()


@variant
def by_the_u_statistic(normal, anomalies):
    values = [scipy.stats.mannwhitneyu(row.numpy(), normal.numpy()).statistic for row in anomalies]
    return torch.tensor(values) > 0.5 * anomalies.shape[1] * len(normal)


@variant
def by_sorting(normal, anomalies):
    ordered = normal.sort().values
    below = torch.searchsorted(ordered, anomalies)
    up_to = torch.searchsorted(ordered, anomalies, right=True)
    return (below + up_to).double().mean(1) / 2 > len(normal) / 2


@variant
def by_signs(normal, anomalies):
    return (anomalies.unsqueeze(-1) - normal).sign().sum((-1, -2)) > 0


@variant
def by_loops(normal, anomalies):
    result = []
    for row in anomalies.tolist():
        score = sum((a > b) - (a < b) for a in row for b in normal.tolist())
        result.append(score > 0)
    return torch.tensor(result)


@variant
def in_numpy(normal, anomalies):
    a, b = anomalies.numpy()[:, :, None], normal.numpy()
    share = (a > b).mean((1, 2)) + 0.5 * (a == b).mean((1, 2))
    return np.asarray(share > 0.5)


@variant
def as_numbers(normal, anomalies):
    return reference(normal, anomalies).double()
