"""Wrong and right answers to `choose_threshold`."""

import math

import numpy as np
import torch

from .choose_threshold import CHOOSE_THRESHOLD, threshold


def place(scores, index):
    """The entry at a place of the scores from large to small, the last one if there are fewer."""
    return scores.sort(descending=True).values[max(0, min(index, len(scores) - 1))].item()


def allowed(scores, rate):
    return int(rate * len(scores) + 1e-9)


@CHOOSE_THRESHOLD.misconception(
    "You interpolate between two scores. The threshold is one of the scores, the smallest that "
    "keeps the rate."
)
def interpolated(normal_scores, false_positive_rate):
    return torch.quantile(normal_scores, 1 - false_positive_rate).item()


@CHOOSE_THRESHOLD.misconception(
    "You cut off the wrong tail: nearly every normal part lies above your threshold. High scores "
    "are suspicious."
)
def wrong_tail(normal_scores, false_positive_rate):
    return normal_scores.sort().values[allowed(normal_scores, false_positive_rate)].item()


@CHOOSE_THRESHOLD.misconception(
    "You cut off the wrong tail, and between two scores. High scores are suspicious."
)
def wrong_tail_interpolated(normal_scores, false_positive_rate):
    return torch.quantile(normal_scores, false_positive_rate).item()


@CHOOSE_THRESHOLD.misconception(
    "One place too high: you count the threshold itself as an alarm. The alarm goes off above it, "
    "so one more score may be let below."
)
def threshold_counted_as_alarm(normal_scores, false_positive_rate):
    return place(normal_scores, allowed(normal_scores, false_positive_rate) - 1)


@CHOOSE_THRESHOLD.misconception(
    "One place too low: more than the wanted share of the normal scores lies above it."
)
def one_place_too_low(normal_scores, false_positive_rate):
    return place(normal_scores, allowed(normal_scores, false_positive_rate) + 1)


@CHOOSE_THRESHOLD.misconception(
    "You rounded the number of alarms up. At most the wanted share may lie above: round down."
)
def rounded_up(normal_scores, false_positive_rate):
    count = math.ceil(false_positive_rate * len(normal_scores) - 1e-9)
    return place(normal_scores, count)


@CHOOSE_THRESHOLD.misconception(
    "You assume that the scores follow a normal distribution. They are lopsided: count instead."
)
def normal_distribution_assumed(normal_scores, false_positive_rate):
    rate = min(max(false_positive_rate, 1e-6), 1 - 1e-6)
    quantile = torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor(1 - rate))
    spread = normal_scores.std(correction=0)
    return (normal_scores.mean() + quantile * spread).item()


@CHOOSE_THRESHOLD.misconception(
    "Mean plus two standard deviations does not look at the wanted rate at all."
)
def two_standard_deviations(normal_scores, false_positive_rate):
    return (normal_scores.mean() + 2 * normal_scores.std(correction=0)).item()


@CHOOSE_THRESHOLD.misconception(
    "Mean plus three standard deviations does not look at the wanted rate at all."
)
def three_standard_deviations(normal_scores, false_positive_rate):
    return (normal_scores.mean() + 3 * normal_scores.std(correction=0)).item()


@CHOOSE_THRESHOLD.misconception(
    "You took the largest score, whatever the rate. A few false alarms are allowed, and catch "
    "more defects."
)
def largest_score(normal_scores, false_positive_rate):
    return normal_scores.max().item()


@CHOOSE_THRESHOLD.misconception(
    "Your scores are not sorted: the entry at a place of an unsorted list is just some score."
)
def not_sorted(normal_scores, false_positive_rate):
    return normal_scores[allowed(normal_scores, false_positive_rate)].item()


@CHOOSE_THRESHOLD.misconception(
    "You removed equal scores before counting. Each normal part counts, also if it ties."
)
def ties_removed(normal_scores, false_positive_rate):
    return threshold(normal_scores.unique(), false_positive_rate)


@CHOOSE_THRESHOLD.misconception(
    "You divide the rate by 100. It is given as a share, 0.05 for five in a hundred."
)
def rate_as_percent(normal_scores, false_positive_rate):
    return threshold(normal_scores, false_positive_rate / 100)


@CHOOSE_THRESHOLD.misconception(
    "You give half of the rate to each tail. Only high scores raise an alarm."
)
def two_sided(normal_scores, false_positive_rate):
    return threshold(normal_scores, false_positive_rate / 2)


@CHOOSE_THRESHOLD.misconception(
    "You allow at least one alarm. A rate below 1/N allows none: the threshold is the largest "
    "score."
)
def at_least_one_alarm(normal_scores, false_positive_rate):
    return place(normal_scores, max(1, allowed(normal_scores, false_positive_rate)))


@CHOOSE_THRESHOLD.misconception(
    "You took a share of the range of the scores. The rate is a share of the parts: count them."
)
def share_of_the_range(normal_scores, false_positive_rate):
    low, high = normal_scores.min(), normal_scores.max()
    return (high - false_positive_rate * (high - low)).item()


@CHOOSE_THRESHOLD.misconception(
    "You sort absolute values. A score may be negative; its order counts."
)
def absolute_values(normal_scores, false_positive_rate):
    return threshold(normal_scores.abs(), false_positive_rate)


@CHOOSE_THRESHOLD.misconception(
    "You put the threshold half way between two scores. It is one of the scores, the smallest "
    "that keeps the rate."
)
def half_way(normal_scores, false_positive_rate):
    count = allowed(normal_scores, false_positive_rate)
    return 0.5 * (place(normal_scores, count) + place(normal_scores, count - 1))


@CHOOSE_THRESHOLD.misconception("You returned the share of alarms. The threshold is a score.")
def a_share(normal_scores, false_positive_rate):
    return (normal_scores > threshold(normal_scores, false_positive_rate)).double().mean().item()


@CHOOSE_THRESHOLD.misconception(
    "You kept the next larger score: one more false alarm was allowed where the rate gives a "
    "whole number."
)
def whole_count_not_used_up(normal_scores, false_positive_rate):
    count = math.ceil(false_positive_rate * len(normal_scores) - 1e-9) - 1
    return place(normal_scores, max(count, 0))


@CHOOSE_THRESHOLD.misconception(
    "Your threshold is just below a score. It is one of the scores, exactly."
)
def just_below(normal_scores, false_positive_rate):
    return threshold(normal_scores, false_positive_rate) - 1e-9


@CHOOSE_THRESHOLD.misconception(
    "You multiply the rate by N + 1. Of N scores at most rate times N may lie above."
)
def one_score_more(normal_scores, false_positive_rate):
    return place(normal_scores, int(false_positive_rate * (len(normal_scores) + 1) + 1e-9))


@CHOOSE_THRESHOLD.misconception(
    "You add a fraction to rate times N before you round down. At most rate times N may lie above."
)
def almost_rounded_up(normal_scores, false_positive_rate):
    return place(normal_scores, int(false_positive_rate * len(normal_scores) + 0.2))


@CHOOSE_THRESHOLD.misconception(
    "You rounded the number of alarms to the nearest whole number. Round down."
)
def rounded(normal_scores, false_positive_rate):
    return place(normal_scores, round(false_positive_rate * len(normal_scores)))


@CHOOSE_THRESHOLD.variant
def by_counting(normal_scores, false_positive_rate):
    for score in normal_scores.sort().values:
        if (normal_scores > score).double().mean() <= false_positive_rate:
            return score
    return None


@CHOOSE_THRESHOLD.variant
def by_matrix(normal_scores, false_positive_rate):
    share = (normal_scores[:, None] > normal_scores).double().mean(0)
    return normal_scores[share <= false_positive_rate].min()


@CHOOSE_THRESHOLD.variant
def by_topk(normal_scores, false_positive_rate):
    count = math.floor(false_positive_rate * normal_scores.numel()) + 1
    return normal_scores.topk(count).values[-1].item()


@CHOOSE_THRESHOLD.variant
def by_numpy(normal_scores, false_positive_rate):
    ordered = np.sort(normal_scores.numpy())
    return float(ordered[len(ordered) - 1 - int(false_positive_rate * len(ordered))])


@CHOOSE_THRESHOLD.variant
def by_empirical_quantile(normal_scores, false_positive_rate):
    # the inverse of the empirical distribution function
    return np.quantile(normal_scores.numpy(), 1 - false_positive_rate, method="inverted_cdf")
