"""Wrong answers to `sample_mixture` whose points or noise are wrong."""

import torch
from torch import Tensor
from torch.distributions import Laplace

from . import sample_mixture_signs as signs
from .sample_mixture_bank import SAMPLE_MIXTURE, draw, draw_labels, normal_noise


@SAMPLE_MIXTURE.misconception(
    "Your noise is uniform (`rand`). A Gaussian needs normal noise: `randn`.",
    sign=signs.noise(lambda z: z.abs().max() < 1.75),
)
def uniform_noise(num_samples, weights, loc, scale_tril, generator):
    noise = torch.rand(num_samples, loc.shape[1], generator=generator, dtype=loc.dtype)
    return draw(num_samples, weights, loc, scale_tril, generator, noise=noise)


@SAMPLE_MIXTURE.misconception(
    "The noise has the right mean and spread, and is not normal. Use `randn` as it is.",
    sign=signs.not_normal,
)
def noise_of_another_shape(num_samples, weights, loc, scale_tril, generator):
    uniform = torch.rand(num_samples, loc.shape[1], generator=generator, dtype=loc.dtype)
    noise = Laplace(0.0, 0.5**0.5).icdf(uniform)
    return draw(num_samples, weights, loc, scale_tril, generator, noise=noise)


def _covariance(tril: Tensor) -> Tensor:
    return tril @ tril.mT


@SAMPLE_MIXTURE.misconception(
    "You multiply the noise by the covariance L Lᵀ. Noise is scaled by a standard deviation, and "
    "L plays its part: L ε has the covariance L Lᵀ.",
    sign=signs.undone_by(_covariance),
)
def times_covariance(num_samples, weights, loc, scale_tril, generator):
    return draw(num_samples, weights, loc, _covariance(scale_tril), generator)


@SAMPLE_MIXTURE.misconception(
    "You multiply by Lᵀ (`noise @ L` does that too). L must stand on the left of the noise: ε is "
    "a column.",
    sign=signs.undone_by(lambda tril: tril.mT),
)
def times_transposed_factor(num_samples, weights, loc, scale_tril, generator):
    return draw(num_samples, weights, loc, scale_tril.mT, generator)


def _diagonal(tril: Tensor) -> Tensor:
    return torch.diag_embed(tril.diagonal(dim1=-2, dim2=-1))


@SAMPLE_MIXTURE.misconception(
    "Only the diagonal of L is used: the coordinates of your points are uncorrelated inside a "
    "component, and their spread is too small.",
    sign=signs.undone_by(_diagonal),
)
def diagonal_only(num_samples, weights, loc, scale_tril, generator):
    return draw(num_samples, weights, loc, _diagonal(scale_tril), generator)


@SAMPLE_MIXTURE.misconception(
    "You took the diagonal of L for variances and its square root for the scale. L is a factor "
    "already: x = μ + L ε.",
    sign=signs.undone_by(lambda tril: _diagonal(tril).sqrt()),
)
def root_of_the_diagonal(num_samples, weights, loc, scale_tril, generator):
    return draw(num_samples, weights, loc, _diagonal(scale_tril).sqrt(), generator)


def _deviations(tril: Tensor) -> Tensor:
    return torch.diag_embed(tril.square().sum(-1).sqrt())


@SAMPLE_MIXTURE.misconception(
    "Each coordinate has the right spread, and the correlation inside the components is lost. "
    "Multiply the noise by the whole of L.",
    sign=signs.undone_by(_deviations),
)
def correlation_lost(num_samples, weights, loc, scale_tril, generator):
    return draw(num_samples, weights, loc, _deviations(scale_tril), generator)


@SAMPLE_MIXTURE.misconception(
    "All rows use the factor of one component. Each row needs the factor of its own: "
    "`scale_tril[labels]`.",
    sign=signs.undone_by(
        lambda tril: tril[:1].expand_as(tril), lambda tril: tril[-1:].expand_as(tril)
    ),
)
def factor_of_one_component(num_samples, weights, loc, scale_tril, generator):
    return draw(num_samples, weights, loc, scale_tril[:1].expand_as(scale_tril), generator)


def _identity(tril: Tensor) -> Tensor:
    return torch.eye(tril.shape[-1], dtype=tril.dtype).expand_as(tril)


@SAMPLE_MIXTURE.misconception(
    "The noise is not scaled: every component is a round blob of radius one. Multiply the noise "
    "by L.",
    sign=signs.undone_by(_identity),
)
def noise_not_scaled(num_samples, weights, loc, scale_tril, generator):
    return draw(num_samples, weights, loc, _identity(scale_tril), generator)


@SAMPLE_MIXTURE.misconception(
    "The means are missing: all components are centred at the origin. Add `loc[labels]`.",
    sign=signs.means_missing,
)
def no_means(num_samples, weights, loc, scale_tril, generator):
    return draw(num_samples, weights, 0 * loc, scale_tril, generator)


@SAMPLE_MIXTURE.misconception(
    "You average the components, Σ π_k x_k, and the points lie between the clusters. A mixture "
    "chooses: each row comes from one component.",
    sign=signs.is_average,
)
def average_of_components(num_samples, weights, loc, scale_tril, generator):
    x = 0
    for k, weight in enumerate(weights):
        noise = normal_noise(num_samples, loc, generator)
        x = x + weight * (loc[k] + noise @ scale_tril[k].mT)
    return x, draw_labels(num_samples, weights, generator)


@SAMPLE_MIXTURE.misconception(
    "You draw from one Gaussian with the mixture's mean and covariance. It has the same spread "
    "and fills the gaps between the components: choose a component for each row.",
    sign=signs.is_one_gaussian,
)
def one_matching_gaussian(num_samples, weights, loc, scale_tril, generator):
    mean = weights @ loc
    within = (weights[:, None, None] * _covariance(scale_tril)).sum(0)
    between = (weights * (loc - mean).T) @ (loc - mean)
    factor = torch.linalg.cholesky(within + between)
    x = mean + normal_noise(num_samples, loc, generator) @ factor.T
    return x, draw_labels(num_samples, weights, generator)


@SAMPLE_MIXTURE.misconception(
    "The points are right and the labels belong to other rows: they were shuffled, sorted, drawn "
    "again or guessed from x. Return the very labels with which you chose the means.",
    sign=signs.labels_of_other_rows,
)
def labels_of_other_rows(num_samples, weights, loc, scale_tril, generator):
    x, _ = draw(num_samples, weights, loc, scale_tril, generator)
    return x, draw_labels(num_samples, weights, generator)


@SAMPLE_MIXTURE.misconception(
    "You choose a component for every coordinate on its own. That puts points at (μ₁x, μ₂y), "
    "where no component is: one label for each row, for all its coordinates.",
    sign=signs.coordinates_chosen_apart,
)
def component_for_each_coordinate(num_samples, weights, loc, scale_tril, generator):
    draws = [draw(num_samples, weights, loc, scale_tril, generator) for _ in range(loc.shape[1])]
    return torch.stack([x[:, d] for d, (x, _) in enumerate(draws)], 1), draws[0][1]
