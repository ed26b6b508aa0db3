"""Wrong answers to `sample_mixture`."""

import math

import torch
from torch import Tensor

from . import sample_mixture_signs as signs
from .sample_mixture import SAMPLE_MIXTURE, draw_labels, normal_noise, reference, times


@SAMPLE_MIXTURE.misconception(
    "You returned the points without the labels. Return both, points first.",
    sign=lambda calls: isinstance(calls[0].value, Tensor),
)
def points_only(num_samples, weights, loc, scale_tril, generator):
    return reference(num_samples, weights, loc, scale_tril, generator)[0]


@SAMPLE_MIXTURE.misconception(
    "You returned the labels first. The points come first, then the labels.",
    sign=lambda calls: calls[0].value[0].ndim == 1 and calls[0].value[1].ndim == 2,
)
def labels_first(num_samples, weights, loc, scale_tril, generator):
    return reference(num_samples, weights, loc, scale_tril, generator)[::-1]


@SAMPLE_MIXTURE.misconception(
    "The points are transposed: one row for each sample, one column for each coordinate.",
    sign=signs.shape(0, lambda call: (call.args[2].shape[1], call.args[0])),
)
def points_transposed(num_samples, weights, loc, scale_tril, generator):
    points, labels = reference(num_samples, weights, loc, scale_tril, generator)
    return points.T, labels


@SAMPLE_MIXTURE.misconception(
    "You returned labels one-hot. Return the number of the component, one integer for each point.",
    sign=signs.shape(1, lambda call: (call.args[0], len(call.args[1]))),
)
def labels_one_hot(num_samples, weights, loc, scale_tril, generator):
    points, labels = reference(num_samples, weights, loc, scale_tril, generator)
    return points, torch.nn.functional.one_hot(labels, len(weights))


@SAMPLE_MIXTURE.misconception(
    "Your labels count from 1. Components are numbered from 0, as everywhere in Python.",
    sign=signs.labels_from_one,
)
def labels_from_one(num_samples, weights, loc, scale_tril, generator):
    points, labels = reference(num_samples, weights, loc, scale_tril, generator)
    return points, labels + 1


@SAMPLE_MIXTURE.misconception(
    "The noise has no spread: every point sits on the mean of its component.",
    sign=signs.no_spread,
)
def no_noise(num_samples, weights, loc, scale_tril, generator):
    labels = draw_labels(num_samples, weights, generator)
    return loc[labels], labels


@SAMPLE_MIXTURE.misconception(
    "Some of your random numbers do not come from the generator: the same seed gave two different "
    "draws. Hand `generator=generator` to every random function.",
    sign=signs.differs_under_one_seed,
)
def noise_from_elsewhere(num_samples, weights, loc, scale_tril, generator):
    labels = draw_labels(num_samples, weights, generator)
    noise = torch.randn(num_samples, loc.shape[1], dtype=loc.dtype)
    return loc[labels] + times(scale_tril[labels], noise), labels


@SAMPLE_MIXTURE.misconception(
    "The noise is seeded inside your function: another seed gives other labels but the same noise. "
    "Use the generator as you get it.",
    sign=lambda calls: signs.ignores_seed(calls) and not signs.same_labels(calls),
)
def noise_with_a_seed_of_its_own(num_samples, weights, loc, scale_tril, generator):
    labels = draw_labels(num_samples, weights, generator)
    noise = normal_noise(num_samples, loc, torch.Generator().manual_seed(0))
    return loc[labels] + times(scale_tril[labels], noise), labels


@SAMPLE_MIXTURE.misconception(
    "Two different seeds give the same draw. Hand the generator to every random function, and do "
    "not seed it yourself.",
    sign=signs.ignores_seed,
)
def generator_ignored(num_samples, weights, loc, scale_tril, generator):
    return reference(num_samples, weights, loc, scale_tril, torch.Generator().manual_seed(0))


@SAMPLE_MIXTURE.misconception(
    "All points come from one component. Throw the die once for each point, not once for all.",
    sign=lambda calls: len(signs.large(calls)[1].unique()) == 1,
)
def one_component_for_all(num_samples, weights, loc, scale_tril, generator):
    labels = draw_labels(1, weights, generator).expand(num_samples)
    noise = normal_noise(num_samples, loc, generator)
    return loc[labels] + times(scale_tril[labels], noise), labels


@SAMPLE_MIXTURE.misconception(
    "All points share the same noise, so there are only K different ones. Draw noise for each row.",
    sign=signs.one_repeated_value,
)
def one_noise_for_all(num_samples, weights, loc, scale_tril, generator):
    labels = draw_labels(num_samples, weights, generator)
    noise = normal_noise(1, loc, generator).expand(num_samples, -1)
    return loc[labels] + times(scale_tril[labels], noise), labels


@SAMPLE_MIXTURE.misconception(
    "One random number serves all coordinates of a point. Each coordinate needs its own.",
    sign=signs.same_noise_in_all_coordinates,
)
def one_noise_for_all_coordinates(num_samples, weights, loc, scale_tril, generator):
    labels = draw_labels(num_samples, weights, generator)
    noise = normal_noise(num_samples, loc[:, :1], generator).expand(-1, loc.shape[1])
    return loc[labels] + times(scale_tril[labels], noise), labels


@SAMPLE_MIXTURE.misconception(
    "The number of points of each component is always the same. Chance decides it: throw for each "
    "point.",
    sign=signs.regular_counts,
)
def fixed_counts(num_samples, weights, loc, scale_tril, generator):
    edges = (weights.cumsum(0) * num_samples).round().long()
    labels = torch.searchsorted(edges, torch.arange(num_samples), right=True)
    labels = labels.clamp_max(len(weights) - 1)[torch.randperm(num_samples, generator=generator)]
    noise = normal_noise(num_samples, loc, generator)
    return loc[labels] + times(scale_tril[labels], noise), labels


@SAMPLE_MIXTURE.misconception(
    "You average the components. A mixture chooses one of them for each point; between two "
    "clusters there is nothing.",
    sign=signs.is_average,
)
def average_of_components(num_samples, weights, loc, scale_tril, generator):
    noise = torch.randn(num_samples, *loc.shape, generator=generator, dtype=loc.dtype)  # (S, K, D)
    points = loc + times(scale_tril, noise)
    return torch.einsum("k,skd->sd", weights, points), draw_labels(num_samples, weights, generator)


@SAMPLE_MIXTURE.misconception(
    "Each coordinate chooses its component on its own. One label belongs to the whole point.",
    sign=signs.coordinates_chosen_apart,
)
def component_for_each_coordinate(num_samples, weights, loc, scale_tril, generator):
    columns = [
        reference(num_samples, weights, loc, scale_tril, generator) for _ in range(loc.shape[1])
    ]
    points = torch.stack([points[:, d] for d, (points, _) in enumerate(columns)], dim=1)
    return points, columns[0][1]


@SAMPLE_MIXTURE.misconception(
    "Points and labels do not belong together: row by row, the label must be the component that "
    "made the point. Did you draw, sort or shuffle one of them on its own?",
    sign=signs.labels_of_other_rows,
)
def labels_of_other_rows(num_samples, weights, loc, scale_tril, generator):
    points, labels = reference(num_samples, weights, loc, scale_tril, generator)
    return points, labels[torch.randperm(num_samples, generator=generator)]


@SAMPLE_MIXTURE.misconception(
    "The means are missing: every component is centred at zero.", sign=signs.centred_at_zero
)
def no_means(num_samples, weights, loc, scale_tril, generator):
    return reference(num_samples, weights, 0 * loc, scale_tril, generator)


@SAMPLE_MIXTURE.misconception(
    "Every component is chosen equally often. Use the weights.",
    sign=signs.chosen_with(lambda weights: torch.full_like(weights, 1 / len(weights))),
)
def equal_weights(num_samples, weights, loc, scale_tril, generator):
    return reference(num_samples, weights * 0 + 1 / len(weights), loc, scale_tril, generator)


@SAMPLE_MIXTURE.misconception(
    "You took the weights for logits and sent them through a softmax. They are probabilities "
    "already.",
    sign=signs.chosen_with(lambda weights: weights.softmax(0)),
)
def weights_as_logits(num_samples, weights, loc, scale_tril, generator):
    return reference(num_samples, weights.softmax(0), loc, scale_tril, generator)


@SAMPLE_MIXTURE.misconception(
    "The labels are sound, but they follow the weights in the wrong order. Do not sort the "
    "weights.",
    sign=signs.chosen_with(lambda weights: weights.sort(descending=True).values),
)
def weights_sorted(num_samples, weights, loc, scale_tril, generator):
    return reference(num_samples, weights.sort(descending=True).values, loc, scale_tril, generator)


@SAMPLE_MIXTURE.misconception(
    "You multiplied the noise by the covariance LLᵀ. Multiply it by L: the covariance of Lε is "
    "LLᵀ.",
    sign=signs.component_covariance("times_covariance"),
)
def times_covariance(num_samples, weights, loc, scale_tril, generator):
    return reference(
        num_samples, weights, loc, torch.linalg.cholesky(_squared(scale_tril)), generator
    )


def _squared(scale_tril: Tensor) -> Tensor:
    covariance = scale_tril @ scale_tril.mT
    return covariance @ covariance


@SAMPLE_MIXTURE.misconception(
    "You multiplied by Lᵀ. The noise vector is multiplied by L from the left: x = μ + Lε, or "
    "`noise @ L.T` for rows.",
    sign=signs.component_covariance("times_transposed_factor"),
)
def times_transposed_factor(num_samples, weights, loc, scale_tril, generator):
    labels = draw_labels(num_samples, weights, generator)
    noise = normal_noise(num_samples, loc, generator)
    return loc[labels] + times(scale_tril.mT[labels], noise), labels


@SAMPLE_MIXTURE.misconception(
    "You used the diagonal of L only, so the coordinates are independent inside a component.",
    sign=signs.component_covariance("diagonal_only"),
)
def diagonal_only(num_samples, weights, loc, scale_tril, generator):
    diagonal = torch.diag_embed(scale_tril.diagonal(dim1=-2, dim2=-1))
    return reference(num_samples, weights, loc, diagonal, generator)


@SAMPLE_MIXTURE.misconception(
    "You took the diagonal of L for variances and its square root for the scale. L is the "
    "factor already: x = μ + Lε.",
    sign=signs.component_covariance("factor_taken_for_covariance"),
)
def factor_taken_for_covariance(num_samples, weights, loc, scale_tril, generator):
    factor = torch.linalg.cholesky(signs.as_covariance(scale_tril))
    return reference(num_samples, weights, loc, factor, generator)


@SAMPLE_MIXTURE.misconception(
    "The noise is uniform (`torch.rand`). Standard normal noise is `torch.randn`.",
    sign=signs.not_normal,
)
def uniform_noise(num_samples, weights, loc, scale_tril, generator):
    labels = draw_labels(num_samples, weights, generator)
    noise = torch.rand(num_samples, loc.shape[1], generator=generator, dtype=loc.dtype)
    return loc[labels] + times(scale_tril[labels], math.sqrt(12) * (noise - 0.5)), labels
