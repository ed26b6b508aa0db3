"""Wrong and right answers to `jensen_gap`."""

import torch

from .jensen_gap import JENSEN_GAP, gap


@JENSEN_GAP.misconception(
    "You subtracted the other way round. The gap is f of the mean minus the mean of f, positive "
    "for a concave f."
)
def other_direction(f, samples):
    return -gap(f, samples)


@JENSEN_GAP.misconception(
    "You threw away the sign. A convex function has a negative gap; that is Jensen's inequality "
    "for it."
)
def absolute_value(f, samples):
    return gap(f, samples).abs()


@JENSEN_GAP.misconception(
    "You cut negative gaps off at zero. Only concave functions have a gap that is never negative."
)
def clamped_at_zero(f, samples):
    return gap(f, samples).clamp(min=0)


@JENSEN_GAP.misconception(
    "You always take the logarithm. The function is the argument `f`: call it."
)
def logarithm_assumed(f, samples):
    return gap(torch.log, samples)


@JENSEN_GAP.misconception("That is f of the mean alone. Subtract the mean of f over all samples.")
def function_of_mean_only(f, samples):
    return f(samples.mean())


@JENSEN_GAP.misconception(
    "That is the mean of f alone. The gap is how far f of the mean lies above it."
)
def mean_of_function_only(f, samples):
    return f(samples).mean()


@JENSEN_GAP.misconception(
    "You summed f over the samples. Both sides of Jensen's inequality are means."
)
def sum_of_function(f, samples):
    return f(samples.mean()) - f(samples).sum()


@JENSEN_GAP.misconception(
    "You put the sum of the samples into f. It is the function of their mean."
)
def function_of_sum(f, samples):
    return f(samples.sum()) - f(samples).mean()


@JENSEN_GAP.misconception(
    "You added both terms. The gap is a difference: f of the mean minus the mean of f."
)
def added(f, samples):
    return f(samples.mean()) + f(samples).mean()


@JENSEN_GAP.misconception(
    "You divided the two terms. The gap is a difference; a ratio is never zero for a straight line."
)
def ratio(f, samples):
    return f(samples.mean()) / f(samples).mean()


@JENSEN_GAP.misconception(
    "You put the median of the samples into f. Jensen's inequality is about the mean."
)
def median_of_samples(f, samples):
    return f(samples.median()) - f(samples).mean()


@JENSEN_GAP.misconception(
    "You put the middle between the smallest and the largest sample into f. Average all samples."
)
def middle_of_the_range(f, samples):
    return f((samples.min() + samples.max()) / 2) - f(samples).mean()


@JENSEN_GAP.misconception(
    "You used the smallest and the largest sample only. Both means run over all samples."
)
def two_ends_only(f, samples):
    return gap(f, torch.stack((samples.min(), samples.max())))


@JENSEN_GAP.misconception(
    "You took the median of f. The second term is the mean of f over all samples."
)
def median_of_function(f, samples):
    return f(samples.mean()) - f(samples).median()


@JENSEN_GAP.misconception(
    "You divide the sum of f by S − 1. A mean divides by the number of samples."
)
def divided_by_one_less(f, samples):
    values = f(samples)
    return f(samples.mean()) - values.sum() / max(len(values) - 1, 1)


@JENSEN_GAP.misconception(
    "You return one number for each sample. Average f over the samples before you subtract."
)
def one_for_each_sample(f, samples):
    return f(samples.mean()) - f(samples)


@JENSEN_GAP.misconception(
    "You apply f to the second term as well. It is the mean of f, not f of anything."
)
def function_twice(f, samples):
    return f(samples.mean()) - f(f(samples).mean())


@JENSEN_GAP.misconception(
    "You subtracted the mean of the samples themselves. Subtract the mean of f over them."
)
def mean_without_function(f, samples):
    return f(samples.mean()) - samples.mean()


@JENSEN_GAP.misconception("You took the square of the gap. Return the difference itself.")
def squared(f, samples):
    return gap(f, samples).square()


@JENSEN_GAP.misconception(
    "You always return zero: the two orders, averaging and applying f, differ unless f is a "
    "straight line."
)
def believed_equal(f, samples):
    return gap(f, samples) * 0


@JENSEN_GAP.variant
def one_sample_at_a_time(f, samples):
    values = [float(f(sample)) for sample in samples]
    return float(f(samples.mean())) - sum(values) / len(values)


@JENSEN_GAP.variant
def asks_with_plain_numbers(f, samples):
    numbers = samples.tolist()
    centre = sum(numbers) / len(numbers)
    return float(f(centre)) - float(torch.stack([f(number) for number in numbers]).mean())


@JENSEN_GAP.variant
def mean_of_differences(f, samples):
    return (f(samples.mean()[None]) - f(samples)).mean()


@JENSEN_GAP.variant
def in_one_question(f, samples):
    values = f(torch.cat((samples, samples.mean(dim=0, keepdim=True))))
    return values[-1] - values[:-1].mean()


@JENSEN_GAP.variant
def with_dot_products(f, samples):
    weights = torch.full_like(samples, 1 / len(samples))
    return f(weights @ samples) - weights.double() @ f(samples).double()


@JENSEN_GAP.variant
def with_one_element(f, samples):
    return gap(f, samples).reshape(1)
