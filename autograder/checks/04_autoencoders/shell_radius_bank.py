"""Wrong and right answers to `shell_radius`."""

import math

import torch
from scipy import integrate, special, stats

from .shell_radius import SHELL_RADIUS, radius


@SHELL_RADIUS.misconception(
    "√D is the root of the mean of |z|². The mean of |z| is smaller: the root is concave."
)
def root_mean_square(dim):
    return math.sqrt(dim)


@SHELL_RADIUS.misconception(
    "√(D − 1) is the most frequent distance, where the density of |z| is highest. Asked for is "
    "the mean."
)
def most_frequent_distance(dim):
    return math.sqrt(dim - 1)


@SHELL_RADIUS.misconception(
    "√(D − 1/2) is a good approximation for large D. The closed form is exact in every dimension."
)
def approximation(dim):
    return math.sqrt(dim - 0.5)


@SHELL_RADIUS.misconception(
    "That is the first term of a series and the correction after it: good for large D, wrong in "
    "the third digit for few dimensions. The closed form is exact."
)
def corrected_approximation(dim):
    return math.sqrt(dim) * (1 - 1 / (4 * dim))


@SHELL_RADIUS.misconception(
    "D is the mean of |z|², a squared distance. Asked for is the mean of |z|."
)
def mean_square(dim):
    return float(dim)


@SHELL_RADIUS.misconception(
    "The density is highest at distance 0, but there is no room: hardly any point lies there."
)
def at_the_centre(dim):
    return 0.0


@SHELL_RADIUS.misconception("The √2 is missing: it comes from r = √(2u) in the integral.")
def without_root_of_two(dim):
    return radius(dim) / math.sqrt(2)


@SHELL_RADIUS.misconception("You have 2 where √2 belongs.")
def two_for_its_root(dim):
    return radius(dim) * math.sqrt(2)


@SHELL_RADIUS.misconception(
    "Your quotient of gamma functions is upside down: the radius grows with D."
)
def upside_down(dim):
    return 2 / radius(dim)


@SHELL_RADIUS.misconception(
    "You are off by one dimension: Γ((D + 1)/2) stands above and Γ(D/2) below."
)
def one_dimension_more(dim):
    return radius(dim + 1)


@SHELL_RADIUS.misconception(
    "You are off by one dimension, downwards: Γ((D + 1)/2) stands above and Γ(D/2) below."
)
def one_dimension_less(dim):
    return math.sqrt(2) * math.exp(math.lgamma(dim / 2) - math.lgamma((dim - 1) / 2))


@SHELL_RADIUS.misconception(
    "That is the sum of the absolute values of the coordinates. A distance is the root of the sum "
    "of their squares."
)
def sum_of_absolute_values(dim):
    return dim * math.sqrt(2 / math.pi)


@SHELL_RADIUS.misconception(
    "√(2D/π) treats the coordinates as if each distance were the mean of one of them, times √D. "
    "Squares are averaged, not absolute values."
)
def root_times_mean_of_one(dim):
    return math.sqrt(2 * dim / math.pi)


@SHELL_RADIUS.misconception(
    "That is the median distance. It is close to the mean; asked for is the mean."
)
def median_distance(dim):
    return math.sqrt(stats.chi2.median(dim))


@SHELL_RADIUS.misconception(
    "That is the mean radius of points spread evenly in a ball of radius 1. These are normal."
)
def evenly_in_a_ball(dim):
    return dim / (dim + 1)


@SHELL_RADIUS.misconception(
    "That is the average distance between two normal points, √2 times too large."
)
def between_two_points(dim):
    return math.sqrt(2 * dim)


@SHELL_RADIUS.misconception(
    "The gamma function overflows above 171. Subtract logarithms, `math.lgamma`, and exponentiate "
    "the difference."
)
def overflows(dim):
    return math.sqrt(2) * math.gamma((dim + 1) / 2) / math.gamma(dim / 2)


@SHELL_RADIUS.misconception(
    "For large D your quotient is infinity over infinity. Subtract logarithms, and exponentiate "
    "the difference."
)
def infinity_over_infinity(dim):
    return math.sqrt(2) * float(special.gamma((dim + 1) / 2) / special.gamma(dim / 2))


@SHELL_RADIUS.misconception(
    "You subtract large logarithms in float32, the default of torch: few digits are left. Use "
    "float64 or `math.lgamma`."
)
def logarithms_in_float32(dim):
    half = torch.tensor([(dim + 1) / 2, dim / 2])
    above, below = torch.lgamma(half)
    return math.sqrt(2) * torch.exp(above - below)


@SHELL_RADIUS.misconception(
    "You drew points and measured. That is an estimate with an error in the third digit; the "
    "closed form has none."
)
def by_simulation(dim):
    count = max(2_000_000 // max(dim, 200), 20)
    z = torch.randn(count, dim, generator=torch.Generator().manual_seed(dim))
    return z.norm(dim=1).mean()


@SHELL_RADIUS.variant
def by_torch(dim):
    half = torch.tensor([(dim + 1) / 2, dim / 2], dtype=torch.float64)
    above, below = torch.lgamma(half)
    return math.sqrt(2) * torch.exp(above - below)


@SHELL_RADIUS.variant
def by_scipy(dim):
    return math.sqrt(2) * special.poch(dim / 2, 0.5)


@SHELL_RADIUS.variant
def by_recursion(dim):
    value = math.sqrt(2 / math.pi) if dim % 2 else math.sqrt(math.pi / 2)
    for d in range(1 + (dim + 1) % 2, dim, 2):
        value *= (d + 1) / d
    return value


@SHELL_RADIUS.variant
def by_quadrature(dim):
    # the density of |z|, integrated around its peak
    middle = math.sqrt(dim)
    low, high = max(0.0, middle - 12), middle + 12
    log_norm = (dim / 2 - 1) * math.log(2) + math.lgamma(dim / 2)

    def density(r):
        return math.exp((dim - 1) * math.log(r) - r * r / 2 - log_norm) if r > 0 else 0.0

    return integrate.quad(
        lambda r: r * density(r), low, high, epsabs=1e-12, epsrel=1e-10, limit=200
    )[0]


@SHELL_RADIUS.variant
def by_the_beta_function(dim):
    # Γ(D/2) Γ(1/2) = B(D/2, 1/2) Γ((D + 1)/2)
    return math.sqrt(2 * math.pi) * math.exp(-special.betaln(dim / 2, 0.5))
