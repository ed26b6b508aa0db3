"""Wrong and right answers to `nearest_farthest_ratio`."""

import math

import numpy as np
import torch
from scipy import integrate, special

from .nearest_farthest_ratio import NEAREST_FARTHEST_RATIO, ratio


def mean_smallest(dim, num_points):
    """Mean of the smallest of N radii, N B(1 + 1/D, N)."""
    return num_points * math.exp(special.betaln(1 + 1 / dim, num_points))


def mean_largest(dim, num_points):
    return num_points * dim / (num_points * dim + 1)


@NEAREST_FARTHEST_RATIO.misconception(
    "Your two arguments are swapped: the dimension comes first, then the number of points."
)
def arguments_swapped(dim, num_points):
    return ratio(num_points, dim)


@NEAREST_FARTHEST_RATIO.misconception(
    "That is the mean of the smallest distance itself. Divide by the largest: beside it only N − 1 "
    "points are left."
)
def smallest_alone(dim, num_points):
    return mean_smallest(dim, num_points)


@NEAREST_FARTHEST_RATIO.misconception("That is the mean of the largest distance alone.")
def largest_alone(dim, num_points):
    return mean_largest(dim, num_points)


@NEAREST_FARTHEST_RATIO.misconception(
    "You are off by one point: beside the farthest there are N − 1 others, not N − 2."
)
def one_point_too_few(dim, num_points):
    return ratio(dim, max(num_points - 1, 1))


@NEAREST_FARTHEST_RATIO.misconception(
    "N to the power −1/D is the D-th root of a mean volume. The root belongs inside the mean, and "
    "then it becomes gamma functions."
)
def power_law(dim, num_points):
    return num_points ** (-1 / dim)


@NEAREST_FARTHEST_RATIO.misconception(
    "Γ(1 + 1/D) N^(−1/D) is Stirling's approximation for many points. The closed form is exact."
)
def approximation_for_many_points(dim, num_points):
    return math.gamma(1 + 1 / dim) * num_points ** (-1 / dim)


@NEAREST_FARTHEST_RATIO.misconception(
    "That is the median of the smallest distance. Asked for is a mean, and of a quotient."
)
def median_of_the_smallest(dim, num_points):
    return (1 - 0.5 ** (1 / num_points)) ** (1 / dim)


@NEAREST_FARTHEST_RATIO.misconception("That is the median of the quotient. Asked for is its mean.")
def median_quotient(dim, num_points):
    return (1 - 0.5 ** (1 / max(num_points - 1, 1))) ** (1 / dim) if num_points > 1 else 1.0


@NEAREST_FARTHEST_RATIO.misconception(
    "You use squared distances: the exponent is 2/D with you. Take the distances themselves."
)
def squared_distances(dim, num_points):
    step = 2 / dim
    return math.exp(
        math.lgamma(num_points) + math.lgamma(1 + step) - math.lgamma(num_points + step)
    )


@NEAREST_FARTHEST_RATIO.misconception(
    "You have D where 1/D belongs, so the ratio falls with the dimension. It is the D-th power of "
    "a radius that is uniform."
)
def power_for_root(dim, num_points):
    return math.exp(math.lgamma(num_points) + math.lgamma(1 + dim) - math.lgamma(num_points + dim))


@NEAREST_FARTHEST_RATIO.misconception(
    "That is one minus the ratio, a contrast. It goes to 0 with the dimension; the ratio goes to 1."
)
def contrast(dim, num_points):
    return 1 - ratio(dim, num_points)


@NEAREST_FARTHEST_RATIO.misconception(
    "That is the largest over the smallest. Asked for is the smallest over the largest, which "
    "never exceeds 1."
)
def farthest_over_nearest(dim, num_points):
    return 1 / ratio(dim, num_points)


@NEAREST_FARTHEST_RATIO.misconception(
    "Your radii are uniform between 0 and 1, in every dimension. In a ball most of the volume is "
    "near the surface: the D-th power of a radius is uniform."
)
def radii_uniform(dim, num_points):
    return 1 / num_points


@NEAREST_FARTHEST_RATIO.misconception(
    "Your exponent is D − 1: that is the power in the density of a radius. The distribution "
    "function has the power D."
)
def area_for_volume(dim, num_points):
    return ratio(max(dim - 1, 1), num_points) if dim > 1 else 1.0


@NEAREST_FARTHEST_RATIO.misconception(
    "Where the gamma function overflows you fall back on Γ(1 + 1/D) N^(−1/D), which is only nearly "
    "right. Take logarithms, `math.lgamma`, for every N."
)
def fall_back_for_many_points(dim, num_points):
    if num_points > 170:
        return approximation_for_many_points(dim, num_points)
    return overflows(dim, num_points)


@NEAREST_FARTHEST_RATIO.misconception(
    "In many dimensions you fall back on an approximation for small 1/D. The closed form needs "
    "none: take it for every D."
)
def fall_back_for_many_dimensions(dim, num_points):
    if dim <= 100:
        return ratio(dim, num_points)
    return 1 - sum(1 / n for n in range(1, num_points)) / dim


@NEAREST_FARTHEST_RATIO.misconception("You returned the logarithm. Exponentiate it.")
def logarithm(dim, num_points):
    return math.log(ratio(dim, num_points))


@NEAREST_FARTHEST_RATIO.misconception("The factor Γ(1 + 1/D) is missing.")
def one_factor_missing(dim, num_points):
    return math.exp(math.lgamma(num_points) - math.lgamma(num_points + 1 / dim))


@NEAREST_FARTHEST_RATIO.misconception(
    "The gamma function overflows above 171. Add and subtract logarithms, `math.lgamma`."
)
def overflows(dim, num_points):
    above = math.gamma(num_points) * math.gamma(1 + 1 / dim)
    return above / math.gamma(num_points + 1 / dim)


@NEAREST_FARTHEST_RATIO.misconception(
    "You subtract large logarithms in float32, the default of torch: few digits are left. Use "
    "float64 or `math.lgamma`."
)
def logarithms_in_float32(dim, num_points):
    three = torch.tensor([num_points, 1 + 1 / dim, num_points + 1 / dim])
    first, second, third = torch.lgamma(three)
    return torch.exp(first + second - third)


@NEAREST_FARTHEST_RATIO.misconception(
    "You drew points and measured. That is an estimate; in a ball there is a closed form."
)
def by_simulation(dim, num_points):
    generator = torch.Generator().manual_seed(num_points)
    repeats = max(200_000 // num_points, 5)
    radius = torch.rand(repeats, num_points, generator=generator) ** (1 / dim)
    return (radius.amin(1) / radius.amax(1)).mean()


@NEAREST_FARTHEST_RATIO.variant
def by_beta_function(dim, num_points):
    if num_points == 1:
        return 1.0
    return (num_points - 1) * math.exp(special.betaln(1 + 1 / dim, num_points - 1))


@NEAREST_FARTHEST_RATIO.variant
def by_product(dim, num_points):
    n = torch.arange(1, num_points, dtype=torch.float64)
    return torch.exp(-torch.log1p(1 / (n * dim)).sum())


@NEAREST_FARTHEST_RATIO.variant
def by_torch(dim, num_points):
    three = torch.tensor([num_points, 1 + 1 / dim, num_points + 1 / dim], dtype=torch.float64)
    first, second, third = torch.lgamma(three)
    return torch.exp(first + second - third)


@NEAREST_FARTHEST_RATIO.variant
def by_pochhammer(dim, num_points):
    return float(special.gamma(1 + 1 / dim) / special.poch(num_points, 1 / dim))


@NEAREST_FARTHEST_RATIO.variant
def by_quadrature(dim, num_points):
    # the mean of a positive number is the integral of its survival function (1 - r^D)^(N - 1)
    def survival(r):
        return math.exp((num_points - 1) * math.log1p(-(r**dim))) if r < 1 else 0.0

    if num_points == 1:
        return 1.0
    scale = num_points ** (-1 / dim)
    places = np.clip(scale * np.array([0.5, 0.9, 1.0, 1.1]), 0, 0.999999)
    return integrate.quad(survival, 0, 1, points=places, epsabs=1e-13, epsrel=1e-11, limit=500)[0]


@NEAREST_FARTHEST_RATIO.variant
def quotient_of_means(dim, num_points):
    # the same number, because the quotient and the largest distance are independent
    return mean_smallest(dim, num_points) / mean_largest(dim, num_points)
