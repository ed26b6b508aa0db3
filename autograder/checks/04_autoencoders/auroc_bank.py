"""Wrong and right answers to `auroc`."""

import numpy as np
import torch

from .auroc import AUROC, area


def compared(normal_scores, anomaly_scores):
    """Pairs (A, N): whether the anomaly is higher, and whether the two are equal."""
    column = anomaly_scores[:, None]
    return (column > normal_scores).double(), (column == normal_scores).double()


def rates(normal_scores, anomaly_scores, thresholds):
    """Shares of normal and of anomalous scores above each threshold."""
    return tuple(
        (scores[:, None] > thresholds).double().mean(0)
        for scores in (normal_scores, anomaly_scores)
    )


def falling_thresholds(normal_scores, anomaly_scores):
    both = torch.cat((normal_scores, anomaly_scores)).unique().flip(0)
    return torch.cat((both, both[-1:] - 1))


@AUROC.misconception(
    "Your sign is wrong: this is the share of pairs in which the normal image scores higher. High "
    "scores are suspicious."
)
def wrong_sign(normal_scores, anomaly_scores):
    return 1 - area(normal_scores, anomaly_scores)


@AUROC.misconception("A tie counts as nothing with you. It decides nothing, so it counts half.")
def ties_count_nothing(normal_scores, anomaly_scores):
    return compared(normal_scores, anomaly_scores)[0].mean()


@AUROC.misconception(
    "A tie counts as a whole with you. It decides nothing, so it counts half: equal scores share "
    "a rank, and a curve passes them by one slanted line."
)
def ties_count_whole(normal_scores, anomaly_scores):
    higher, equal = compared(normal_scores, anomaly_scores)
    return (higher + equal).mean()


@AUROC.misconception("You leave tied pairs out of the count. They stay in it, each as one half.")
def ties_left_out(normal_scores, anomaly_scores):
    higher, equal = compared(normal_scores, anomaly_scores)
    return higher.sum() / (1 - equal).sum()


@AUROC.misconception(
    "You never go below one half. A score worse than guessing must show, or a wrong sign goes "
    "unseen."
)
def never_below_one_half(normal_scores, anomaly_scores):
    value = area(normal_scores, anomaly_scores)
    return max(value, 1 - value)


@AUROC.misconception("That is 2 · AUROC − 1, the Gini coefficient. Guessing must give one half.")
def gini(normal_scores, anomaly_scores):
    return 2 * area(normal_scores, anomaly_scores) - 1


@AUROC.misconception(
    "That is the best accuracy over all thresholds. The area is over the whole curve, and does "
    "not depend on how many anomalies there are."
)
def best_accuracy(normal_scores, anomaly_scores):
    thresholds = falling_thresholds(normal_scores, anomaly_scores)
    false, true = rates(normal_scores, anomaly_scores, thresholds)
    count, hits = len(normal_scores), len(anomaly_scores)
    return (((1 - false) * count + true * hits) / (count + hits)).max()


@AUROC.misconception(
    "That is the largest distance of the curve from the diagonal, one point of it. The area is "
    "under all of it."
)
def youden(normal_scores, anomaly_scores):
    thresholds = falling_thresholds(normal_scores, anomaly_scores)
    false, true = rates(normal_scores, anomaly_scores, thresholds)
    return (true - false).max()


@AUROC.misconception(
    "That is the average precision, the area under another curve. It depends on the share of "
    "anomalies in the data."
)
def average_precision(normal_scores, anomaly_scores):
    thresholds = falling_thresholds(normal_scores, anomaly_scores)[1:]
    false, true = rates(normal_scores, anomaly_scores, thresholds)
    hits, alarms = true * len(anomaly_scores), false * len(normal_scores)
    gain = torch.diff(true, prepend=torch.zeros(1, dtype=true.dtype))
    return (gain * hits / (hits + alarms).clamp(min=1)).sum()


@AUROC.misconception(
    "You compare the anomalies with the mean of the normal scores. Compare every pair."
)
def against_the_mean(normal_scores, anomaly_scores):
    return (anomaly_scores > normal_scores.mean()).double().mean()


@AUROC.misconception(
    "You compare the anomalies with the median of the normal scores. Compare every pair."
)
def against_the_median(normal_scores, anomaly_scores):
    return (anomaly_scores > normal_scores.median()).double().mean()


@AUROC.misconception(
    "You compare the n-th anomaly with the n-th normal score only. Compare every pair: the sets "
    "need not even have the same size."
)
def paired_by_place(normal_scores, anomaly_scores):
    count = min(len(normal_scores), len(anomaly_scores))
    pair = normal_scores[:count], anomaly_scores[:count]
    return ((pair[1] > pair[0]).double() + 0.5 * (pair[1] == pair[0]).double()).mean()


@AUROC.misconception(
    "You assume that both kinds of scores follow normal distributions. Count pairs instead."
)
def normal_distributions_assumed(normal_scores, anomaly_scores):
    spread = (normal_scores.var(correction=0) + anomaly_scores.var(correction=0)).sqrt()
    shift = anomaly_scores.mean() - normal_scores.mean()
    return torch.special.ndtr(shift / spread.clamp(min=1e-300))


@AUROC.misconception(
    "Eleven thresholds between the lowest and the highest score give a coarse curve. Use every "
    "score as a threshold, or count pairs."
)
def eleven_thresholds(normal_scores, anomaly_scores):
    both = torch.cat((normal_scores, anomaly_scores))
    steps = torch.linspace(0, 1, 11, dtype=both.dtype)
    thresholds = both.max() - steps * (both.max() - both.min() + 1e-12)
    false, true = rates(normal_scores, anomaly_scores, thresholds)
    return torch.trapezoid(true, false)


@AUROC.misconception(
    "You count pairs without dividing by their number. The area is a share, between 0 and 1."
)
def number_of_pairs(normal_scores, anomaly_scores):
    return area(normal_scores, anomaly_scores) * len(normal_scores) * len(anomaly_scores)


@AUROC.misconception(
    "Your area is negative: along your curve the share of false alarms falls. Let the threshold "
    "fall, so that the share grows."
)
def curve_run_backwards(normal_scores, anomaly_scores):
    return -area(normal_scores, anomaly_scores)


@AUROC.misconception("You count each score once, however many images have it. Every image counts.")
def distinct_scores_only(normal_scores, anomaly_scores):
    return area(normal_scores.unique(), anomaly_scores.unique())


@AUROC.misconception("Your ranks start at 0. In the formula with ranks they start at 1.")
def ranks_from_zero(normal_scores, anomaly_scores):
    return area(normal_scores, anomaly_scores) - 1 / len(normal_scores)


@AUROC.misconception(
    "You forgot to subtract A (A + 1)/2, the smallest possible sum of the anomalies' ranks."
)
def sum_of_ranks(normal_scores, anomaly_scores):
    hits, count = len(anomaly_scores), len(normal_scores)
    return area(normal_scores, anomaly_scores) + (hits + 1) / (2 * count)


@AUROC.misconception(
    "You compute in single precision. Scores that differ in the tenth digit become ties."
)
def single_precision(normal_scores, anomaly_scores):
    return area(normal_scores.float(), anomaly_scores.float())


@AUROC.misconception(
    "You treat nearly equal scores as ties. The order decides, however small the difference."
)
def nearly_equal_is_equal(normal_scores, anomaly_scores):
    column = anomaly_scores[:, None]
    near = torch.isclose(column, normal_scores)
    return ((column > normal_scores) & ~near).double().mean() + 0.5 * near.double().mean()


@AUROC.misconception(
    "You average the difference of the scores. Their size does not matter, only their order."
)
def mean_difference(normal_scores, anomaly_scores):
    return (anomaly_scores[:, None] - normal_scores).mean()


@AUROC.misconception(
    "A soft comparison by a sigmoid depends on the units of the scores. Count pairs."
)
def soft_comparison(normal_scores, anomaly_scores):
    return torch.sigmoid(anomaly_scores[:, None] - normal_scores).mean()


@AUROC.variant
def all_pairs(normal_scores, anomaly_scores):
    higher, equal = compared(normal_scores, anomaly_scores)
    return (higher + 0.5 * equal).mean()


@AUROC.variant
def by_sign(normal_scores, anomaly_scores):
    return (0.5 + 0.5 * torch.sign(anomaly_scores[:, None] - normal_scores)).mean().item()


@AUROC.variant
def by_trapezoids(normal_scores, anomaly_scores):
    thresholds = falling_thresholds(normal_scores, anomaly_scores)
    false, true = rates(normal_scores, anomaly_scores, thresholds)
    return torch.trapezoid(true, false)


@AUROC.variant
def by_shared_ranks(normal_scores, anomaly_scores):
    both = torch.cat((normal_scores, anomaly_scores)).numpy()
    _, place, count = np.unique(both, return_inverse=True, return_counts=True)
    ranks = (count.cumsum() - (count - 1) / 2)[place]
    hits = len(anomaly_scores)
    total = ranks[len(normal_scores) :].sum() - hits * (hits + 1) / 2
    return float(total / (hits * len(normal_scores)))


@AUROC.variant
def one_anomaly_at_a_time(normal_scores, anomaly_scores):
    total = 0.0
    for score in anomaly_scores:
        total += (normal_scores < score).sum().item() + 0.5 * (normal_scores == score).sum().item()
    return total / (len(normal_scores) * len(anomaly_scores))
