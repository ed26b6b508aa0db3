"""Wrong and right answers to `kl_per_dimension`."""

import torch
from torch.distributions import Normal, kl_divergence

from autograder.diagnosis import alike

from ._signs import at_ordinary_inputs, name_changes_in_place
from .kl_per_dimension import KL_PER_DIMENSION, reference

name_changes_in_place(KL_PER_DIMENSION)


def _is_ordinary(call):
    return call.args[0].abs().max() < 100 and call.args[1].abs().max() < 20


misconception = at_ordinary_inputs(KL_PER_DIMENSION, _is_ordinary)


def table(loc, log_var):
    """Divergences of all images and hidden values, (N, M)."""
    return 0.5 * (loc.square() + log_var.exp() - 1 - log_var)


@misconception(
    "You averaged over the hidden values, so one number for each image is left. Average over the "
    "images, the first axis."
)
def averaged_over_dimensions(loc, log_var):
    return table(loc, log_var).mean(1)


@misconception(
    "You summed over the hidden values, which is the rate of each image. One number for each "
    "hidden value is wanted: average over the images."
)
def rate_of_each_image(loc, log_var):
    return table(loc, log_var).sum(1)


@misconception(
    "You summed over the images: your result grows with the size of the batch. Average over them."
)
def summed_over_images(loc, log_var):
    return table(loc, log_var).sum(0)


@misconception("You returned the whole table, (N, M). Average it over the images.")
def whole_table(loc, log_var):
    return table(loc, log_var)


@misconception(
    "You returned a single number, the rate of the batch. Keep one number for each hidden value."
)
def one_number(loc, log_var):
    return table(loc, log_var).sum(1).mean()


@misconception(
    "You returned a single number, the mean over images and hidden values. Keep one number for "
    "each hidden value."
)
def mean_of_all(loc, log_var):
    return table(loc, log_var).mean()


@misconception(
    "You averaged the means and the log variances first. Take the divergence of each image, then "
    "the average."
)
def divergence_of_the_average(loc, log_var):
    return table(loc.mean(0), log_var.mean(0))


@misconception(
    "You averaged the means and the variances first. Take the divergence of each image, then the "
    "average."
)
def divergence_of_the_average_variance(loc, log_var):
    return table(loc.mean(0), log_var.exp().mean(0).log())


@misconception(
    "You took `log_var` for log σ. It is log σ²: the variance is `log_var.exp()`, and the last "
    "term is `log_var` once."
)
def taken_for_log_std(loc, log_var):
    return table(loc, 2 * log_var).mean(0)


@misconception(
    "The variance is right and its logarithm is counted twice: the last term is log σ², which is "
    "`log_var` itself."
)
def logarithm_doubled(loc, log_var):
    return 0.5 * (loc.square() + log_var.exp() - 1 - 2 * log_var).mean(0)


@misconception("You use σ where σ² belongs: the middle term is `log_var.exp()`, without a half.")
def scale_not_squared(loc, log_var):
    return 0.5 * (loc.square() + (0.5 * log_var).exp() - 1 - log_var).mean(0)


@misconception("The factor ½ in front of the divergence is missing.")
def half_missing(loc, log_var):
    return 2 * reference(loc, log_var)


@misconception("Your divergence has the wrong sign. It is never negative.")
def negative(loc, log_var):
    return -reference(loc, log_var)


@misconception(
    "The logarithm has the wrong sign: it is μ² + σ² − 1 − log σ². Yours goes below zero."
)
def logarithm_added(loc, log_var):
    return 0.5 * (loc.square() + log_var.exp() - 1 + log_var).mean(0)


@misconception("The −1 is missing, so a hidden value that says nothing costs half a nat.")
def one_missing(loc, log_var):
    return reference(loc, log_var) + 0.5


@misconception("The mean is not squared: the first term is μ², also where μ is negative.")
def mean_not_squared(loc, log_var):
    return 0.5 * (loc + log_var.exp() - 1 - log_var).mean(0)


@misconception(
    "The mean of q does not enter your divergence. A q that is moved away from the prior pays μ²/2."
)
def mean_ignored(loc, log_var):
    return table(torch.zeros_like(loc), log_var).mean(0)


@misconception(
    "That is KL(prior ‖ q). The bound holds the other one, KL(q ‖ prior), a mean under q."
)
def other_direction(loc, log_var):
    return 0.5 * ((1 + loc.square()) * (-log_var).exp() - 1 + log_var).mean(0)


@misconception("Your result is in bits. Use the natural logarithm: nats.")
def in_bits(loc, log_var):
    return reference(loc, log_var) / torch.tensor(2.0, dtype=loc.dtype).log()


@misconception(
    "You return the median over the images. The rate is a mean; a few images may carry most of it."
)
def median_over_images(loc, log_var):
    return table(loc, log_var).median(0).values


@misconception("The term −log σ² is missing, so that a needle-thin q costs nothing.")
def logarithm_missing(loc, log_var):
    return 0.5 * (loc.square() + log_var.exp() - 1).mean(0)


@misconception("You took the absolute value of the mean. Its square is what a Gaussian charges.")
def absolute_mean(loc, log_var):
    return 0.5 * (loc.abs() + log_var.exp() - 1 - log_var).mean(0)


@misconception(
    "You divided by M as well. The shares of the hidden values add up to the rate: average over "
    "the images only."
)
def divided_by_dimensions(loc, log_var):
    return reference(loc, log_var) / loc.shape[1]


@KL_PER_DIMENSION.misconception(
    "You divided by N − 1. That belongs to a variance; a mean over the images divides by N.",
    sign=lambda calls: all(
        alike(call.value, reference(*call.args) * len(call.args[0]) / (len(call.args[0]) - 1))
        for call in calls
        if call.verb == "call" and len(call.args[0]) > 1
    ),
)
def divided_by_one_less(loc, log_var):
    return table(loc, log_var).sum(0) / (len(loc) - 1)


@misconception("Your result has one axis too many (`keepdim`, or an index of None): return (M,).")
def axis_kept(loc, log_var):
    return reference(loc, log_var)[None]


@misconception(
    "You squeezed the result, so that a single hidden value loses its axis. Return (M,) always."
)
def squeezed(loc, log_var):
    return reference(loc, log_var).squeeze()


@KL_PER_DIMENSION.misconception(
    "The value is right, and no gradient flows: `detach`, `no_grad` or numpy cuts the path, so no "
    "encoder can be trained on it.",
    sign=lambda calls: (
        any(getattr(call.error, "code", "") == "no_gradient" for call in calls)
        and all(alike(c.value, reference(*c.args)) for c in calls if c.verb == "call")
    ),
)
def no_gradient(loc, log_var):
    return reference(loc, log_var).detach()


@KL_PER_DIMENSION.misconception(
    "The values are right as long as q is ordinary, and wrong where it is a spike or far away: "
    "something is clamped, or `log_var` is exponentiated and its logarithm taken again, with a "
    "small number added. The formula needs neither.",
    sign=lambda calls: (
        all(_is_right(call) for call in calls if call.verb == "call" and _is_ordinary(call))
        and not any(_is_right(c) for c in calls if c.verb == "call" and not _is_ordinary(c))
    ),
)
def clamped(loc, log_var):
    return 0.5 * (loc.square() + log_var.exp() - 1 - (log_var.exp() + 1e-8).log()).mean(0)


def _is_right(call):
    return call.error is None and torch.allclose(
        call.value.double(), reference(*call.args).double(), rtol=1e-4, atol=1e-5
    )


@KL_PER_DIMENSION.variant
def by_distributions(loc, log_var):
    shift = loc.square()
    width = torch.expm1(log_var) - log_var
    return (shift + width).sum(0) / (2 * len(loc))


@KL_PER_DIMENSION.variant
def by_torch(loc, log_var):
    q = Normal(loc, torch.exp(0.5 * log_var))
    found = kl_divergence(q, Normal(torch.zeros_like(loc), torch.ones_like(loc)))
    return found.mean(dim=0)


@KL_PER_DIMENSION.variant
def point_by_point(loc, log_var):
    total = torch.zeros_like(loc[0])
    for mean, width in zip(loc, log_var, strict=True):
        total = total + (mean**2 + width.exp() - width - 1) / 2
    return total / loc.shape[0]


@KL_PER_DIMENSION.variant
def as_difference_of_entropies(loc, log_var):
    cross = 0.5 * (loc**2 + log_var.exp())
    entropy = 0.5 * (1 + log_var)
    return (cross - entropy).mean(0)
