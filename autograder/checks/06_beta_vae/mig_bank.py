"""Wrong and right answers to `mig`."""

import math

import numpy as np
import torch

from ._signs import explains_all
from .mig import MIG, entropies, gap, information_table, reference


def top_two(codes, factors, num_bins):
    return information_table(codes, factors, num_bins).topk(2, dim=0).values


@MIG.misconception(
    "You do not divide by the entropy of the cause, so causes with many values count more. The gap "
    "is a share of what there is to know."
)
def without_entropy(codes, factors, num_bins):
    first, second = top_two(codes, factors, num_bins)
    return (first - second).mean()


@MIG.misconception(
    "You take the two largest entries of each row: the gap between the causes that a hidden value "
    "knows. Go through the causes, and compare the hidden values for each."
)
def wrong_axis(codes, factors, num_bins):
    table = information_table(codes, factors, num_bins) / entropies(factors)
    first, second = table.topk(2, dim=1).values.T
    return (first - second).mean()


@MIG.misconception(
    "You subtract what the best hidden value says about another cause. Subtract what the second "
    "best hidden value says about the same cause."
)
def second_best_of_another_factor(codes, factors, num_bins):
    table = information_table(codes, factors, num_bins)
    gaps = []
    for f in range(factors.shape[1]):
        row = table[table[:, f].argmax()].clone()
        best, row[f] = row[f].item(), -1
        gaps.append(best - row.max().item())
    return (torch.tensor(gaps) / entropies(factors)).mean()


@MIG.misconception(
    "You subtract the smallest information of the column. Subtract the second largest: it is the "
    "closest rival that counts."
)
def largest_minus_smallest(codes, factors, num_bins):
    table = information_table(codes, factors, num_bins)
    return ((table.amax(0) - table.amin(0)) / entropies(factors)).mean()


@MIG.misconception(
    "You subtract the mean of the column. Subtract the second largest: it is the closest rival "
    "that counts."
)
def largest_minus_mean(codes, factors, num_bins):
    table = information_table(codes, factors, num_bins)
    return ((table.amax(0) - table.mean(0)) / entropies(factors)).mean()


@MIG.misconception(
    "You subtract the mean of all the other hidden values. Subtract the second largest: it is the "
    "closest rival that counts."
)
def largest_minus_mean_of_the_others(codes, factors, num_bins):
    table = information_table(codes, factors, num_bins).sort(dim=0, descending=True).values
    return ((table[0] - table[1:].mean(0)) / entropies(factors)).mean()


def is_right_without_ties(calls):
    """Right for codes without a tie, and too large where a hidden value is there twice."""
    tied = [call for call in calls if has_a_copy(call)]
    return explains_all(different_rival, tied) and explains_all(
        reference, [call for call in calls if not has_a_copy(call) and not is_turned(call)]
    )


def has_a_copy(call):
    return torch.unique(call.args[0], dim=1).shape[1] < call.args[0].shape[1]


def is_turned(call):
    """Whether both hidden values say the same but for rounding."""
    codes, factors, num_bins = call.args
    return codes.shape[1] == 2 and reference(codes, factors, num_bins) < 1e-9


@MIG.misconception(
    "You leave out all hidden values that share the first place, so a second copy of the best "
    "costs nothing. The second largest may be as large as the largest.",
    sign=is_right_without_ties,
)
def different_rival(codes, factors, num_bins):
    table = information_table(codes, factors, num_bins)
    rivals = torch.where(table > table.amax(0) - 1e-9, 0.0, table)
    return ((table.amax(0) - rivals.amax(0)) / entropies(factors)).mean()


@MIG.misconception(
    "You subtract nothing: you measure how well the best hidden value knows each cause. A second "
    "one that knows it as well must bring the score down."
)
def no_gap(codes, factors, num_bins):
    return (information_table(codes, factors, num_bins).amax(0) / entropies(factors)).mean()


@MIG.misconception(
    "You divide by the logarithm of the number of values. That is the entropy only if all values "
    "are equally frequent."
)
def log_of_the_number(codes, factors, num_bins):
    first, second = top_two(codes, factors, num_bins)
    return ((first - second) / (factors.amax(0) + 1.0).log()).mean()


@MIG.misconception(
    "You divide by the logarithm of the number of bins. Divide by the entropy of the cause: that "
    "is what there is to know."
)
def log_of_the_bins(codes, factors, num_bins):
    first, second = top_two(codes, factors, num_bins)
    return (first - second).mean() / math.log(num_bins)


@MIG.misconception(
    "Your entropy is NaN where a value of a cause never occurs: 0 · log 0 counts as 0. Sum over "
    "the values that occur."
)
def missing_values(codes, factors, num_bins):
    if any(len(v.unique()) <= int(v.max()) for v in factors.T):
        return math.nan
    return reference(codes, factors, num_bins)


@MIG.misconception(
    "Your entropy is in bits and your table in nats. Use the natural logarithm for both."
)
def entropy_in_bits(codes, factors, num_bins):
    return reference(codes, factors, num_bins) * math.log(2)


@MIG.misconception(
    "You divide by the largest information instead of the entropy, so a code that hardly knows the "
    "cause can score 1."
)
def relative_gap(codes, factors, num_bins):
    first, second = top_two(codes, factors, num_bins)
    return ((first - second) / first.clamp(min=1e-12)).mean()


@MIG.misconception(
    "You divide the mean gap by the mean entropy. Divide cause by cause, then average: each cause "
    "counts the same."
)
def divided_after_the_mean(codes, factors, num_bins):
    first, second = top_two(codes, factors, num_bins)
    return (first - second).mean() / entropies(factors).mean()


@MIG.misconception("You sum over the causes. Take the mean.")
def summed(codes, factors, num_bins):
    return reference(codes, factors, num_bins) * factors.shape[1]


@MIG.misconception(
    "You divide the sum over the causes by the number of hidden values. Divide by the number of "
    "causes."
)
def mean_over_hidden_values(codes, factors, num_bins):
    return reference(codes, factors, num_bins) * factors.shape[1] / codes.shape[1]


@MIG.misconception("You return the smallest of the gaps. MIG is their mean over the causes.")
def worst_cause(codes, factors, num_bins):
    first, second = top_two(codes, factors, num_bins)
    return ((first - second) / entropies(factors)).amin()


@MIG.misconception("You return one gap for each cause. MIG is their mean.")
def one_for_each_cause(codes, factors, num_bins):
    first, second = top_two(codes, factors, num_bins)
    return (first - second) / entropies(factors)


@MIG.misconception(
    "You compare the first two hidden values. Find the two that say most about each cause, "
    "wherever they stand."
)
def first_two_columns(codes, factors, num_bins):
    table = information_table(codes, factors, num_bins)
    return ((table[0] - table[1]).abs() / entropies(factors)).mean()


@MIG.misconception(
    "You take for granted that hidden value number f belongs to cause number f. The order of the "
    "hidden values means nothing: look for the largest."
)
def expected_on_the_diagonal(codes, factors, num_bins):
    table = information_table(codes, factors, num_bins)
    own = table[torch.arange(factors.shape[1]) % len(table), range(factors.shape[1])]
    second = torch.where(table == own, -math.inf, table).amax(0)
    return ((own - second) / entropies(factors)).mean()


@MIG.misconception("You always use 20 bins. Hand `num_bins` on to your table.")
def twenty_bins(codes, factors, num_bins):
    return reference(codes, factors, 20)


@MIG.misconception(
    "You measure correlations. A hidden value may know a cause without any straight line between "
    "them: use the mutual information."
)
def from_correlations(codes, factors, num_bins):
    z, v = (part.double() - part.double().mean(0) for part in (codes, factors))
    table = (z.T @ v / (z.norm(dim=0)[:, None].clamp(min=1e-9) * v.norm(dim=0))).abs()
    first, second = table.topk(2, dim=0).values
    return (first - second).mean()


@MIG.variant
def by_sorting(codes, factors, num_bins):
    table = information_table(codes, factors, num_bins).sort(dim=0, descending=True).values
    return torch.mean((table[0] - table[1]) / entropies(factors))


@MIG.variant
def in_numpy(codes, factors, num_bins):
    table = np.sort(information_table(codes, factors, num_bins).numpy(), axis=0)
    gaps = []
    for f, v in enumerate(factors.numpy().T):
        share = np.unique(v, return_counts=True)[1] / len(v)
        gaps.append((table[-1, f] - table[-2, f]) / -(share @ np.log(share)))
    return np.mean(gaps)


@MIG.variant
def entropy_from_the_table(codes, factors, num_bins):
    own = information_table(factors.double(), factors, 4 * int(factors.max()) + 4).diagonal()
    first, second = top_two(codes, factors, num_bins)
    return ((first - second) / own).mean().reshape(1)


@MIG.variant
def without_the_best(codes, factors, num_bins):
    table = information_table(codes, factors, num_bins)
    best = table.argmax(0)
    others = table.clone()
    others[best, torch.arange(len(best))] = -1.0
    gaps = (table.amax(0) - others.amax(0)) / entropies(factors)
    return float(gaps.float().mean())


@MIG.variant
def through_the_transpose(codes, factors, num_bins):
    table = information_table(codes, factors, num_bins).T.contiguous()
    return gap(table.T, factors)
