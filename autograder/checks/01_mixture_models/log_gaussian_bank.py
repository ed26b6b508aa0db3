"""Wrong and right answers to `log_gaussian`."""

import math

import numpy as np
import scipy.stats
import torch
from torch import Tensor
from torch.distributions import Independent, MultivariateNormal, Normal
from torch.nn.functional import gaussian_nll_loss

from course_lib import mixture

from .log_gaussian import LOG_GAUSSIAN

LOG_2PI = math.log(2 * math.pi)


def _parts(x: Tensor, loc: Tensor, log_scale: Tensor) -> tuple[Tensor, Tensor]:
    """Half the squared standardised distance for each coordinate, and log σ for each point."""
    return 0.5 * ((x - loc) / log_scale.exp()) ** 2, log_scale.expand_as(x)


@LOG_GAUSSIAN.misconception(
    "You read `log_scale` as the logarithm of the variance. It is log σ: the variance is "
    "`exp(2 * log_scale)`. The two agree only at σ = 1."
)
def log_scale_as_log_variance(x, loc, log_scale):
    return (-0.5 * ((x - loc) ** 2 / log_scale.exp() + log_scale + LOG_2PI)).sum(-1)


@LOG_GAUSSIAN.misconception(
    "You used `log_scale` as if it were σ itself. Take its exponential first; a log σ may be "
    "negative."
)
def log_scale_as_scale(x, loc, log_scale):
    return (-0.5 * ((x - loc) / log_scale) ** 2 - log_scale.abs().log() - LOG_2PI / 2).sum(-1)


@LOG_GAUSSIAN.misconception(
    "You divide the squared distance by σ. It must be divided by σ²: standardise first, then "
    "square."
)
def scale_not_squared(x, loc, log_scale):
    return (-0.5 * (x - loc) ** 2 / log_scale.exp() - log_scale - LOG_2PI / 2).sum(-1)


@LOG_GAUSSIAN.misconception(
    "The distance is not squared: your bell is an exponential decay. Square the standardised "
    "distance."
)
def distance_not_squared(x, loc, log_scale):
    return (-0.5 * ((x - loc) / log_scale.exp()).abs() - log_scale - LOG_2PI / 2).sum(-1)


@LOG_GAUSSIAN.misconception(
    "The term −log σ is missing. Without it a wide Gaussian is as high as a narrow one, and its "
    "area is σ."
)
def no_log_scale_term(x, loc, log_scale):
    half_square, _ = _parts(x, loc, log_scale)
    return (-half_square - LOG_2PI / 2).sum(-1)


@LOG_GAUSSIAN.misconception(
    "You add log σ where it must be subtracted: a wider Gaussian is lower, not higher."
)
def log_scale_added(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return (-half_square + log_scale - LOG_2PI / 2).sum(-1)


@LOG_GAUSSIAN.misconception(
    "You halved log σ. Half of it belongs to the variance, ½ log σ² = log σ; you are given log σ."
)
def log_scale_halved(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return (-half_square - log_scale / 2 - LOG_2PI / 2).sum(-1)


@LOG_GAUSSIAN.misconception(
    "The constant −½ log 2π is missing, so the density does not integrate to one."
)
def no_constant(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return (-half_square - log_scale).sum(-1)


@LOG_GAUSSIAN.misconception(
    "You count the constant −½ log 2π once. It belongs to every coordinate: D of them."
)
def constant_once(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return (-half_square - log_scale).sum(-1) - LOG_2PI / 2


@LOG_GAUSSIAN.misconception(
    "The ½ before log 2π is missing. In two dimensions your density integrates to 1/2π = 0.159."
)
def constant_not_halved(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return (-half_square - log_scale - LOG_2PI).sum(-1)


@LOG_GAUSSIAN.misconception(
    "The constant grows with D²: you subtract (D/2) log 2π for each of the D coordinates. Each has "
    "½ log 2π. In two dimensions your density integrates to 1/2π = 0.159."
)
def constant_squared_in_dimension(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return (-half_square - log_scale - len(loc) * LOG_2PI / 2).sum(-1)


@LOG_GAUSSIAN.misconception(
    "The constant holds √2π itself. In a log-density its logarithm is needed: ½ log 2π."
)
def constant_without_logarithm(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return (-half_square - log_scale - math.sqrt(2 * math.pi)).sum(-1)


@LOG_GAUSSIAN.misconception("The ½ before the squared distance is missing.")
def square_not_halved(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return (-2 * half_square - log_scale - LOG_2PI / 2).sum(-1)


@LOG_GAUSSIAN.misconception(
    "The squared distance has the wrong sign: your density grows away from the mean."
)
def grows_with_distance(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return (half_square - log_scale - LOG_2PI / 2).sum(-1)


@LOG_GAUSSIAN.misconception(
    "The mean is not subtracted: the bell sits at the origin. Standardise x − μ, not x."
)
def not_centred(x, loc, log_scale):
    return mixture.log_gaussian(x, 0 * loc, log_scale)


@LOG_GAUSSIAN.misconception(
    "You read `log_scale` with the wrong sign, as the logarithm of 1/σ. σ is `exp(log_scale)`."
)
def log_scale_as_log_precision(x, loc, log_scale):
    return mixture.log_gaussian(x, loc, -log_scale)


@LOG_GAUSSIAN.misconception(
    "You changed the scales: limited, or made larger by a small number. σ is exactly "
    "`exp(log_scale)`, however small or large."
)
def scale_limited(x, loc, log_scale):
    return mixture.log_gaussian(x, loc, log_scale.clamp(-2, 2))


@LOG_GAUSSIAN.misconception(
    "You squared the sum of the standardised distances instead of summing the squares, so "
    "positive and negative ones cancel."
)
def square_of_the_sum(x, loc, log_scale):
    square = ((x - loc) / log_scale.exp()).sum(-1).square()
    return -0.5 * square - log_scale.sum() - len(loc) * LOG_2PI / 2


@LOG_GAUSSIAN.misconception(
    "You kept one value for each coordinate. Independent coordinates multiply, so their "
    "logarithms add: sum over the last axis."
)
def no_sum(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return -half_square - log_scale - LOG_2PI / 2


@LOG_GAUSSIAN.misconception(
    "You averaged over the coordinates. Independent coordinates multiply, so their logarithms add "
    "up."
)
def mean_over_coordinates(x, loc, log_scale):
    return no_sum(x, loc, log_scale).mean(-1)


@LOG_GAUSSIAN.misconception(
    "You summed over the points as well. Each point keeps its own log-density: sum over the last "
    "axis only."
)
def sum_over_points(x, loc, log_scale):
    return no_sum(x, loc, log_scale).sum()


@LOG_GAUSSIAN.misconception(
    "You summed over the points and kept the coordinates. Sum over the last axis (`dim=-1`), not "
    "the first."
)
def sum_over_wrong_axis(x, loc, log_scale):
    return no_sum(x, loc, log_scale).sum(0)


@LOG_GAUSSIAN.misconception("You returned the density. Its logarithm was asked for.")
def density(x, loc, log_scale):
    return mixture.log_gaussian(x, loc, log_scale).exp()


@LOG_GAUSSIAN.misconception(
    "You take the logarithm of a density that was computed first. Far out the density underflows "
    "to zero and its logarithm is −∞. Add up the logarithms of its factors instead."
)
def log_of_density(x, loc, log_scale):
    return Normal(loc, log_scale.exp()).log_prob(x).exp().log().sum(-1)


@LOG_GAUSSIAN.misconception(
    "A small number inside the logarithm hides the underflow: every point far out gets the same "
    "log-density. Work with logarithms from the start."
)
def log_of_density_plus_epsilon(x, loc, log_scale):
    return (mixture.log_gaussian(x, loc, log_scale).exp() + 1e-12).log()


@LOG_GAUSSIAN.variant
def sum_of_normals(x, loc, log_scale):
    return Normal(loc, log_scale.exp()).log_prob(x).sum(dim=-1)


@LOG_GAUSSIAN.variant
def independent_distribution(x, loc, log_scale):
    return Independent(Normal(loc, log_scale.exp()), 1).log_prob(x)


@LOG_GAUSSIAN.variant
def diagonal_covariance(x, loc, log_scale):
    return MultivariateNormal(loc, torch.diag(torch.exp(2 * log_scale))).log_prob(x)


@LOG_GAUSSIAN.variant
def precision_form(x, loc, log_scale):
    precision = torch.exp(-2 * log_scale)
    quadratic = torch.einsum("nd,d,nd->n", x - loc, precision, x - loc)
    return -0.5 * (quadratic + 2 * log_scale.sum() + x.shape[1] * LOG_2PI)


@LOG_GAUSSIAN.variant
def loop_over_points_and_coordinates(x, loc, log_scale):
    result = torch.zeros(len(x), dtype=x.dtype)
    for n in range(len(x)):
        for d in range(len(loc)):
            u = (x[n, d] - loc[d]) / torch.exp(log_scale[d])
            result[n] += -0.5 * u**2 - log_scale[d] - 0.5 * math.log(2 * math.pi)
    return result


@LOG_GAUSSIAN.variant
def in_single_precision(x, loc, log_scale):
    return sum_of_normals(x.float(), loc.float(), log_scale.float())


@LOG_GAUSSIAN.variant
def with_numpy(x, loc, log_scale):
    x, loc, scale = x.numpy(), loc.numpy(), np.exp(log_scale.numpy())
    return scipy.stats.norm.logpdf(x, loc, scale).sum(axis=1)


@LOG_GAUSSIAN.variant
def expanded_square(x, loc, log_scale):
    precision = torch.exp(-2 * log_scale)
    square = x**2 @ precision - 2 * x @ (precision * loc) + (precision * loc**2).sum()
    return -0.5 * square - log_scale.sum() - 0.5 * len(loc) * LOG_2PI


@LOG_GAUSSIAN.variant
def by_loss_function(x, loc, log_scale):
    variance = torch.exp(2 * log_scale).expand_as(x)
    return -gaussian_nll_loss(loc.expand_as(x), x, variance, full=True, reduction="none").sum(1)
