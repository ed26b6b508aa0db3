"""Wrong and right answers to `samples_needed`."""

import math

import numpy as np
import scipy.integrate
import scipy.stats
import torch

from .samples_needed import SAMPLES_NEEDED, reference


def _log_rho(scale: float, x_sq: float | None = None) -> float:
    """log of E[p(x | z)²] / p(x)² in one coordinate with this x²."""
    var = scale**2
    x_sq = 1 + var if x_sq is None else x_sq
    height = math.log((1 + var) / (scale * math.sqrt(2 + var)))
    return height + x_sq / ((1 + var) * (2 + var))


def _needed(log_rho: float, latent_dim: float, relative_error: float) -> float:
    return math.expm1(latent_dim * log_rho) / relative_error**2


@SAMPLES_NEEDED.misconception(
    "You divide by the relative error. An error shrinks like 1/√S, so the number grows with one "
    "over the error squared."
)
def error_not_squared(latent_dim, relative_error, scale):
    return reference(latent_dim, relative_error, scale) * relative_error


@SAMPLES_NEEDED.misconception(
    "You multiply by the squared error. A smaller error needs more draws: divide."
)
def error_multiplied(latent_dim, relative_error, scale):
    return reference(latent_dim, relative_error, scale) * relative_error**4


@SAMPLES_NEEDED.misconception(
    "The relative error plays no part: you return the relative variance of one draw."
)
def error_ignored(latent_dim, relative_error, scale):
    return reference(latent_dim, relative_error, scale) * relative_error**2


@SAMPLES_NEEDED.misconception(
    "The −1 is missing. A variance is the second moment minus the squared mean; you kept the "
    "second moment."
)
def second_moment_for_variance(latent_dim, relative_error, scale):
    return math.exp(latent_dim * _log_rho(scale)) / relative_error**2


@SAMPLES_NEEDED.misconception(
    "You subtract one for each coordinate: (ρ − 1)^M. The variance of a product is the product of "
    "the second moments minus the product of the squared means: ρ^M − 1."
)
def one_subtracted_in_each_coordinate(latent_dim, relative_error, scale):
    return math.expm1(_log_rho(scale)) ** latent_dim / relative_error**2


@SAMPLES_NEEDED.misconception(
    "You multiply by M. Independent coordinates multiply the likelihood, so M is an exponent: the "
    "number of draws explodes with the dimension."
)
def linear_in_the_dimension(latent_dim, relative_error, scale):
    return latent_dim * math.expm1(_log_rho(scale)) / relative_error**2


@SAMPLES_NEEDED.misconception(
    "The dimension plays no part. The likelihood is a product of M factors."
)
def dimension_ignored(latent_dim, relative_error, scale):
    return math.expm1(_log_rho(scale)) / relative_error**2


@SAMPLES_NEEDED.misconception(
    "You let the number grow with √(ρ^M). That is the standard deviation; draws are paid for by "
    "the variance."
)
def root_of_the_ratio(latent_dim, relative_error, scale):
    return _needed(_log_rho(scale), latent_dim / 2, relative_error)


@SAMPLES_NEEDED.misconception("You squared the ratio: the number grows with ρ^M, not with ρ^(2M).")
def ratio_squared(latent_dim, relative_error, scale):
    return _needed(_log_rho(scale), 2 * latent_dim, relative_error)


@SAMPLES_NEEDED.misconception("The exponent is one too many: there are M coordinates.")
def one_dimension_more(latent_dim, relative_error, scale):
    return _needed(_log_rho(scale), latent_dim + 1, relative_error)


@SAMPLES_NEEDED.misconception(
    "You put x at the origin. A typical coordinate of x has x² = 1 + σ², and a point away from the "
    "prior's centre needs more draws."
)
def point_at_the_origin(latent_dim, relative_error, scale):
    return _needed(_log_rho(scale, 0.0), latent_dim, relative_error)


@SAMPLES_NEEDED.misconception(
    "You used x² = 1, which is typical of z. x is z plus noise, so x² = 1 + σ²."
)
def length_of_the_latent(latent_dim, relative_error, scale):
    return _needed(_log_rho(scale, 1.0), latent_dim, relative_error)


@SAMPLES_NEEDED.misconception(
    "You used x² = σ², which is typical of the noise. x is z plus noise, so x² = 1 + σ²."
)
def length_of_the_noise(latent_dim, relative_error, scale):
    return _needed(_log_rho(scale, scale**2), latent_dim, relative_error)


@SAMPLES_NEEDED.misconception(
    "You used x = 1 + σ² for x² = 1 + σ²: the coordinate is squared once too often."
)
def length_squared_twice(latent_dim, relative_error, scale):
    return _needed(_log_rho(scale, (1 + scale**2) ** 2), latent_dim, relative_error)


@SAMPLES_NEEDED.misconception(
    "You averaged over all x, which gives (1 + 1/σ²)^M. One point of typical length was asked for."
)
def averaged_over_points(latent_dim, relative_error, scale):
    return _needed(math.log1p(scale**-2), latent_dim, relative_error)


@SAMPLES_NEEDED.misconception(
    "You read `scale` as the variance of the noise. It is σ, so the variance is its square."
)
def scale_as_variance(latent_dim, relative_error, scale):
    return reference(latent_dim, relative_error, math.sqrt(scale))


@SAMPLES_NEEDED.misconception(
    "You squared `scale` once too often: the noise has the variance σ², not σ⁴."
)
def scale_squared_twice(latent_dim, relative_error, scale):
    return reference(latent_dim, relative_error, scale**2)


@SAMPLES_NEEDED.misconception(
    "The constant of the squared density is missing: N(x | z, σ²)² is N(x | z, σ²/2) divided by "
    "2 σ √π."
)
def squared_density_without_constant(latent_dim, relative_error, scale):
    log_rho = _log_rho(scale) + math.log(2 * scale * math.sqrt(math.pi))
    return _needed(log_rho, latent_dim, relative_error)


@SAMPLES_NEEDED.misconception("The 2 is missing in the constant of the squared density, 2 σ √π.")
def squared_density_constant_without_two(latent_dim, relative_error, scale):
    return _needed(_log_rho(scale) + math.log(2), latent_dim, relative_error)


@SAMPLES_NEEDED.misconception(
    "You divide the second moment by p(x), not by its square. The relative variance has the "
    "squared mean below."
)
def divided_by_the_mean(latent_dim, relative_error, scale):
    log_mean = scipy.stats.norm.logpdf(math.sqrt(1 + scale**2), 0, math.sqrt(1 + scale**2))
    return _needed(_log_rho(scale) + log_mean, latent_dim, relative_error)


@SAMPLES_NEEDED.misconception(
    "You return the variance of one draw. The error is relative: divide by p(x)²."
)
def absolute_variance(latent_dim, relative_error, scale):
    log_mean = scipy.stats.norm.logpdf(math.sqrt(1 + scale**2), 0, math.sqrt(1 + scale**2))
    excess = math.expm1(latent_dim * _log_rho(scale))
    return excess * math.exp(2 * latent_dim * log_mean) / relative_error**2


@SAMPLES_NEEDED.misconception(
    "You use the variance of the log-likelihood. The estimate averages likelihoods, and their "
    "variance is far larger."
)
def variance_of_the_logarithm(latent_dim, relative_error, scale):
    x_sq, var = 1 + scale**2, scale**2
    return latent_dim * (2 + 4 * x_sq) / (4 * var**2) / relative_error**2


@SAMPLES_NEEDED.misconception(
    "You count the cells of a grid with the error as its step. That also explodes with M, but a "
    "random sample pays for variance, not for cells."
)
def cells_of_a_grid(latent_dim, relative_error, scale):
    return (1 / relative_error) ** latent_dim


@SAMPLES_NEEDED.misconception(
    "You compare the width of the prior with that of the likelihood, (1/σ)^M. That is the share of "
    "draws that hit, roughly; the question has an exact answer."
)
def ratio_of_widths(latent_dim, relative_error, scale):
    return scale**-latent_dim / relative_error**2


@SAMPLES_NEEDED.misconception(
    "You doubled the number for each dimension. The factor depends on σ: compute ρ."
)
def doubled_for_each_dimension(latent_dim, relative_error, scale):
    return 2.0**latent_dim / relative_error**2


@SAMPLES_NEEDED.misconception(
    "Without the likelihood's variance the number is 1/ε². That holds for a variable whose "
    "standard deviation equals its mean."
)
def one_over_squared_error(latent_dim, relative_error, scale):
    return 1 / relative_error**2


@SAMPLES_NEEDED.misconception("You return the logarithm of the number.")
def logarithm(latent_dim, relative_error, scale):
    return math.log(reference(latent_dim, relative_error, scale))


@SAMPLES_NEEDED.misconception(
    "You return the standard error of so many draws, or the root of the number."
)
def root_of_the_number(latent_dim, relative_error, scale):
    return math.sqrt(reference(latent_dim, relative_error, scale))


@SAMPLES_NEEDED.misconception(
    "Your grid of z is too coarse for the narrow likelihood: its steps must be much smaller than σ."
)
def grid_too_coarse(latent_dim, relative_error, scale):
    z = np.arange(-6, 6.01, 0.1)
    x = math.sqrt(1 + scale**2)
    weights = scipy.stats.norm.pdf(z) * 0.1
    likelihood = scipy.stats.norm.pdf(x, z, scale)
    ratio = (weights @ likelihood**2) / (weights @ likelihood) ** 2
    return (ratio**latent_dim - 1) / relative_error**2


@SAMPLES_NEEDED.variant
def by_the_moments(latent_dim, relative_error, scale):
    x = math.sqrt(1 + scale**2)
    mean = scipy.stats.norm.pdf(x, 0, math.sqrt(1 + scale**2))
    second = scipy.stats.norm.pdf(x, 0, math.sqrt(1 + scale**2 / 2))
    second = second / (2 * scale * math.sqrt(math.pi))
    return ((second / mean**2) ** latent_dim - 1) / relative_error**2


@SAMPLES_NEEDED.variant
def rounded_up(latent_dim, relative_error, scale):
    return math.ceil(reference(latent_dim, relative_error, scale))


@SAMPLES_NEEDED.variant
def by_quadrature(latent_dim, relative_error, scale):
    x = math.sqrt(1 + scale**2)

    def moment(power):
        def integrand(z):
            return scipy.stats.norm.pdf(z) * scipy.stats.norm.pdf(x, z, scale) ** power

        near = np.linspace(x - 12 * scale, x + 12 * scale, 2001)
        return scipy.integrate.simpson(integrand(near), x=near)

    return ((moment(2) / moment(1) ** 2) ** latent_dim - 1) / relative_error**2


@SAMPLES_NEEDED.variant
def as_a_tensor(latent_dim, relative_error, scale):
    var = torch.tensor(scale, dtype=torch.float64) ** 2
    rho = (1 + var) / torch.sqrt(var * (2 + var)) * torch.exp(1 / (2 + var))
    return (rho**latent_dim - 1) / relative_error**2


@SAMPLES_NEEDED.variant
def through_the_marginal_covariance(latent_dim, relative_error, scale):
    # E[p(x | z)²] / p(x)² = ∫ p(z | x)² / p(z) dz, the mean weight under the posterior
    gain = 1 / (1 + scale**2)
    loc, var = gain * math.sqrt(1 + scale**2), gain * scale**2
    log_ratio = -0.5 * math.log(var * (2 - var)) + loc**2 / (2 - var)
    return (math.exp(latent_dim * log_ratio) - 1) / relative_error**2
