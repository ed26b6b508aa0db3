"""Wrong and right answers to `active_units`."""

import numpy as np
import torch

from ._signs import name_changes_in_place
from .active_units import ACTIVE_UNITS, NUM_SORTED, reference

name_changes_in_place(ACTIVE_UNITS)


@ACTIVE_UNITS.misconception("You return M, all hidden values. Count those that vary.")
def all_of_them(loc, threshold):
    return loc.shape[1]


@ACTIVE_UNITS.misconception("You return 0 whatever the means are.")
def none_of_them(loc, threshold):
    return 0


@ACTIVE_UNITS.misconception(
    "You compare the mean absolute deviation with the threshold. It is the variance that counts."
)
def absolute_deviation(loc, threshold):
    return ((loc - loc.mean(0)).abs().mean(0) > threshold).sum()


@ACTIVE_UNITS.misconception(
    "You take the scatter around the mean of all columns together. Every column has its own mean."
)
def around_the_grand_mean(loc, threshold):
    return ((loc - loc.mean()).square().mean(0) > threshold).sum()


def _sorted(calls):
    """What was counted where some columns vary among the first or the last images only."""
    return [
        (int(call.value), int((call.args[0][:10].var(0) > 0.01).sum()))
        for call in calls
        if call.error is None and call.args[0].shape == (NUM_SORTED, 6)
    ]


@ACTIVE_UNITS.misconception(
    "You look at some of the images only, such as the first. Take the variance over all rows.",
    sign=lambda calls: (
        any(given in (2, 4) for given, _ in _sorted(calls))
        and all(
            call.error is None and int(call.value) == reference(*call.args)
            for call in calls
            if call.args[0].shape == (30, 5)
        )
    ),
)
def first_images_only(loc, threshold):
    return (loc[:10].var(0) > threshold).sum()


@ACTIVE_UNITS.misconception(
    "You subtract the square of the mean from the mean of the squares. Far from zero both are huge "
    "and their difference is rounding: subtract the mean first, or use `var`.",
    sign=lambda calls: all(
        (call.error is None and int(call.value) == reference(*call.args))
        != bool(call.args[0].abs().max() > 1e6)
        for call in calls
    ),
)
def difference_of_squares(loc, threshold):
    return (loc.square().mean(0) - loc.mean(0).square() > threshold).sum()


@ACTIVE_UNITS.misconception(
    "You compare the standard deviation with the threshold, or the variance with its square. It is "
    "the variance that must exceed the threshold."
)
def standard_deviation(loc, threshold):
    return (loc.std(0) > threshold).sum()


@ACTIVE_UNITS.misconception(
    "You average the squares of the means without taking off their average, so a hidden value "
    "that is the same for every image counts. Use the variance."
)
def not_centred(loc, threshold):
    return (loc.square().mean(0) > threshold).sum()


@ACTIVE_UNITS.misconception(
    "You look at how large the means are. What counts is how much they vary over the images."
)
def size_of_the_mean(loc, threshold):
    return (loc.mean(0).abs() > threshold).sum()


@ACTIVE_UNITS.misconception(
    "You take the variance over the hidden values, and count images. Take it over the images, the "
    "first axis."
)
def counted_images(loc, threshold):
    return (loc.var(1) > threshold).sum()


@ACTIVE_UNITS.misconception(
    "You counted the hidden values that have collapsed. Count those above the threshold."
)
def counted_the_collapsed(loc, threshold):
    return (loc.var(0) <= threshold).sum()


@ACTIVE_UNITS.misconception("You returned a share. Return the number of active hidden values.")
def share(loc, threshold):
    return (loc.var(0) > threshold).double().mean()


@ACTIVE_UNITS.misconception(
    "You returned a truth value for each hidden value. Count the true ones."
)
def mask(loc, threshold):
    return loc.var(0) > threshold


@ACTIVE_UNITS.misconception(
    "You returned the indices of the active hidden values. Return how many there are."
)
def indices(loc, threshold):
    return (loc.var(0) > threshold).nonzero()[:, 0]


@ACTIVE_UNITS.misconception(
    "You returned the variances. Compare them with the threshold and count."
)
def variances(loc, threshold):
    return loc.var(0)


@ACTIVE_UNITS.misconception(
    "You summed the squared deviations and did not divide by the number of images, so with many "
    "images everything is active."
)
def sum_of_squares(loc, threshold):
    return ((loc - loc.mean(0)).square().sum(0) > threshold).sum()


@ACTIVE_UNITS.misconception(
    "You compare the range, largest minus smallest mean, with the threshold. Compare the variance."
)
def span(loc, threshold):
    return (loc.amax(0) - loc.amin(0) > threshold).sum()


@ACTIVE_UNITS.misconception(
    "You compare the variance with 0.01, whatever the threshold is. Use the argument.",
)
def threshold_ignored(loc, threshold):
    return (loc.var(0) > 0.01).sum()


@ACTIVE_UNITS.misconception(
    "You compare each variance with a share of the largest one. The threshold is a variance, not a "
    "share: if all hidden values are weak, none is active."
)
def relative_to_the_largest(loc, threshold):
    variance = loc.var(0)
    return (variance > threshold * variance.max()).sum()


@ACTIVE_UNITS.misconception(
    "You compare the scatter of all means together. Every hidden value is judged on its own."
)
def all_together(loc, threshold):
    return loc.shape[1] if loc.var(0).mean() > threshold else 0


@ACTIVE_UNITS.variant
def divided_by_n(loc, threshold):
    return (loc.var(0, unbiased=False) > threshold).sum()


@ACTIVE_UNITS.variant
def by_covariance(loc, threshold):
    centred = loc - loc.mean(dim=0, keepdim=True)
    covariance = centred.T @ centred / len(loc)
    return int((torch.diagonal(covariance) > threshold).sum().item())


@ACTIVE_UNITS.variant
def in_numpy(loc, threshold):
    return np.count_nonzero(np.var(loc.numpy(), axis=0) > threshold)


@ACTIVE_UNITS.variant
def one_by_one(loc, threshold):
    return sum(1.0 for column in loc.T if column.std() ** 2 >= threshold)


@ACTIVE_UNITS.variant
def as_a_tensor_of_one(loc, threshold):
    return torch.tensor([reference(loc, threshold)])
