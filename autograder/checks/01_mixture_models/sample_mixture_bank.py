"""Wrong answers to `sample_mixture`, each with the sign by which its samples give it away."""

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from . import sample_mixture_signs as signs
from .sample_mixture import SAMPLE_MIXTURE


def draw(num_samples, weights, loc, scale_tril, generator, *, labels=None, noise=None):
    """The right answer, with its labels or its noise replaced."""
    if labels is None:
        labels = draw_labels(num_samples, weights, generator)
    if noise is None:
        noise = normal_noise(num_samples, loc, generator)
    return loc[labels] + torch.einsum("sij,sj->si", scale_tril[labels], noise), labels


def draw_labels(num_samples: int, weights: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.multinomial(weights, num_samples, replacement=True, generator=generator)


def normal_noise(num_samples: int, loc: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.randn(num_samples, loc.shape[1], generator=generator, dtype=loc.dtype)


@SAMPLE_MIXTURE.misconception(
    "`torch.multinomial` draws without replacement unless you pass `replacement=True`: after K "
    "labels its urn is empty.",
    sign=signs.says("without replacement"),
)
def labels_without_replacement(num_samples, weights, loc, scale_tril, generator):
    labels = torch.multinomial(weights, num_samples, generator=generator)
    return draw(num_samples, weights, loc, scale_tril, generator, labels=labels)


@SAMPLE_MIXTURE.misconception(
    "The noise has single precision and the parameters double precision, which torch refuses to "
    "multiply. Draw the noise with `dtype=loc.dtype`.",
    sign=signs.says("same dtype", "scalar type"),
)
def noise_in_single_precision(num_samples, weights, loc, scale_tril, generator):
    labels = draw_labels(num_samples, weights, generator)
    noise = torch.randn(num_samples, loc.shape[1], generator=generator)
    return loc[labels] + (scale_tril[labels] @ noise[..., None])[..., 0], labels


@SAMPLE_MIXTURE.misconception(
    "You gave L to `MultivariateNormal` as a covariance matrix, and it refuses: L is not "
    "symmetric. Pass it as `scale_tril`.",
    sign=signs.says("covariance_matrix"),
)
def factor_refused_as_covariance(num_samples, weights, loc, scale_tril, generator):
    labels = draw_labels(num_samples, weights, generator)
    components = MultivariateNormal(loc[labels], scale_tril[labels], validate_args=True)
    return components.sample(), labels


@SAMPLE_MIXTURE.misconception(
    "You factorise L once more. It is the Cholesky factor already: multiply the noise by it.",
    sign=signs.says("linalg.cholesky"),
)
def factorised_again(num_samples, weights, loc, scale_tril, generator):
    factor = torch.linalg.cholesky(scale_tril + scale_tril.mT - 3)
    return draw(num_samples, weights, loc, factor, generator)


@SAMPLE_MIXTURE.misconception(
    "You returned the points without their labels. Return both: `(x, labels)`.",
    sign=signs.answers(lambda call: isinstance(call.value, Tensor)),
)
def points_only(num_samples, weights, loc, scale_tril, generator):
    return draw(num_samples, weights, loc, scale_tril, generator)[0]


@SAMPLE_MIXTURE.misconception(
    "You returned (labels, x). The points come first: `(x, labels)`.",
    sign=signs.answers(lambda call: call.value[0].ndim == 1 and call.value[1].ndim == 2),
)
def labels_first(num_samples, weights, loc, scale_tril, generator):
    return draw(num_samples, weights, loc, scale_tril, generator)[::-1]


@SAMPLE_MIXTURE.misconception(
    "The points are transposed: one row for each sample, one column for each coordinate.",
    sign=signs.shaped(0, lambda rows, components, dim: (dim, rows)),
)
def points_transposed(num_samples, weights, loc, scale_tril, generator):
    x, labels = draw(num_samples, weights, loc, scale_tril, generator)
    return x.T, labels


@SAMPLE_MIXTURE.misconception(
    "For each row you return a point of every component. Keep the one that its label chooses.",
    sign=signs.shaped(0, lambda rows, components, dim: (rows, components, dim)),
)
def points_of_all_components(num_samples, weights, loc, scale_tril, generator):
    noise = torch.randn(num_samples, *loc.shape, generator=generator, dtype=loc.dtype)
    x = loc + torch.einsum("kij,skj->ski", scale_tril, noise)
    return x, draw_labels(num_samples, weights, generator)


@SAMPLE_MIXTURE.misconception(
    "Your labels are one-hot rows. Return the number of the component, one integer for each row.",
    sign=signs.shaped(1, lambda rows, components, dim: (rows, components)),
)
def one_hot_labels(num_samples, weights, loc, scale_tril, generator):
    x, labels = draw(num_samples, weights, loc, scale_tril, generator)
    return x, torch.nn.functional.one_hot(labels, len(weights))


@SAMPLE_MIXTURE.misconception(
    "Your labels are floating-point numbers. They number the components: return integers.",
    sign=signs.answers(lambda call: call.value[1].is_floating_point()),
)
def labels_as_real_numbers(num_samples, weights, loc, scale_tril, generator):
    x, labels = draw(num_samples, weights, loc, scale_tril, generator)
    return x, labels.to(x.dtype)


@SAMPLE_MIXTURE.misconception(
    "Your labels count from 1. Components are numbered from 0, as everywhere in Python.",
    sign=signs.answers(lambda c: c.value[1].min() >= 1 and c.value[1].max() <= len(c.args[1])),
)
def labels_from_one(num_samples, weights, loc, scale_tril, generator):
    x, labels = draw(num_samples, weights, loc, scale_tril, generator)
    return x, labels + 1


@SAMPLE_MIXTURE.misconception(
    "Every row comes from the component with the largest weight. The others must come too, as "
    "often as their weights say.",
    sign=signs.only_component(lambda sample: sample.weights.argmax()),
)
def heaviest_component_only(num_samples, weights, loc, scale_tril, generator):
    labels = weights.argmax().expand(num_samples)
    return draw(num_samples, weights, loc, scale_tril, generator, labels=labels)


@SAMPLE_MIXTURE.misconception(
    "You draw one component for the whole call. Every row has its own hidden variable: draw S "
    "labels.",
    sign=signs.only_component(lambda sample: sample.labels[0]),
)
def one_component_for_all_rows(num_samples, weights, loc, scale_tril, generator):
    labels = draw_labels(1, weights, generator).expand(num_samples)
    return draw(num_samples, weights, loc, scale_tril, generator, labels=labels)


@SAMPLE_MIXTURE.misconception(
    "You give every component exactly its share of the rows. It gets this share on average: the "
    "number varies from call to call, because each row draws its component.",
    sign=signs.rounded_counts,
)
def fixed_counts(num_samples, weights, loc, scale_tril, generator):
    ends = (weights.cumsum(0) * num_samples).round().long()
    labels = torch.searchsorted(ends, torch.arange(num_samples), right=True)
    labels = labels[torch.randperm(num_samples, generator=generator)]
    return draw(num_samples, weights, loc, scale_tril, generator, labels=labels)


@SAMPLE_MIXTURE.misconception(
    "Your sample does not come from the generator. Hand `generator=generator` to every function "
    "that draws, and do not seed it yourself, else a seed does not fix the result.",
    sign=signs.ignores_generator(signs.labels, signs.whitened),
)
def generator_ignored(num_samples, weights, loc, scale_tril, generator):
    return draw(num_samples, weights, loc, scale_tril, None)


@SAMPLE_MIXTURE.misconception(
    "There is no noise: every row is the mean of its component. Add L ε.",
    sign=signs.noise(lambda z: z.abs().max() < 1e-3),
)
def no_noise(num_samples, weights, loc, scale_tril, generator):
    labels = draw_labels(num_samples, weights, generator)
    return loc[labels], labels


@SAMPLE_MIXTURE.misconception(
    "One ε serves all rows, so the rows of a component are all the same point. Draw ε with the "
    "shape (S, D).",
    sign=signs.noise(lambda z: (z - z[0]).abs().max() < 1e-3),
)
def one_noise_for_all_rows(num_samples, weights, loc, scale_tril, generator):
    noise = normal_noise(1, loc, generator).repeat(num_samples, 1)
    return draw(num_samples, weights, loc, scale_tril, generator, noise=noise)


@SAMPLE_MIXTURE.misconception(
    "One number serves all coordinates of a row, so each component is a line. ε has the shape (S, "
    "D): D numbers for each row.",
    sign=signs.noise(lambda z: (z - z[:, :1]).abs().max() < 1e-3),
)
def one_noise_for_all_coordinates(num_samples, weights, loc, scale_tril, generator):
    noise = normal_noise(num_samples, loc[:, :1], generator).repeat(1, loc.shape[1])
    return draw(num_samples, weights, loc, scale_tril, generator, noise=noise)


@SAMPLE_MIXTURE.misconception(
    "The labels come from the generator and the noise does not. Both draws need "
    "`generator=generator`.",
    sign=signs.ignores_generator(signs.whitened),
)
def noise_without_generator(num_samples, weights, loc, scale_tril, generator):
    noise = normal_noise(num_samples, loc, None)
    return draw(num_samples, weights, loc, scale_tril, generator, noise=noise)


@SAMPLE_MIXTURE.misconception(
    "The noise comes from the generator and the labels do not. Both draws need "
    "`generator=generator`.",
    sign=signs.ignores_generator(signs.labels),
)
def labels_without_generator(num_samples, weights, loc, scale_tril, generator):
    labels = draw_labels(num_samples, weights, None)
    return draw(num_samples, weights, loc, scale_tril, generator, labels=labels)


@SAMPLE_MIXTURE.misconception(
    "Some rows repeat the noise of others: the same ε serves another component or batch again. "
    "Every row needs its own.",
    sign=signs.repeats_noise,
)
def noise_used_again(num_samples, weights, loc, scale_tril, generator):
    noise = normal_noise((num_samples + 1) // 2, loc, generator).repeat(2, 1)[:num_samples]
    return draw(num_samples, weights, loc, scale_tril, generator, noise=noise)


@SAMPLE_MIXTURE.misconception(
    "All components come equally often: the weights are ignored.",
    sign=signs.frequencies(lambda weights: torch.full_like(weights, 1 / len(weights))),
)
def equal_weights(num_samples, weights, loc, scale_tril, generator):
    labels = torch.randint(len(weights), (num_samples,), generator=generator)
    return draw(num_samples, weights, loc, scale_tril, generator, labels=labels)


@SAMPLE_MIXTURE.misconception(
    "You used the weights as logits: components come with the frequencies softmax(π). They are "
    "probabilities already.",
    sign=signs.frequencies(lambda weights: weights.softmax(0)),
)
def weights_as_logits(num_samples, weights, loc, scale_tril, generator):
    return draw(num_samples, weights.softmax(0), loc, scale_tril, generator)


@SAMPLE_MIXTURE.misconception(
    "You sorted (or reversed) the weights and number the components in that order. Label k must "
    "mean component k as it was given.",
    sign=signs.frequencies(
        lambda weights: weights.sort().values,
        lambda weights: weights.sort(descending=True).values,
        lambda weights: weights.flip(0),
    ),
)
def labels_of_sorted_weights(num_samples, weights, loc, scale_tril, generator):
    return draw(num_samples, weights.sort(descending=True).values, loc, scale_tril, generator)


@SAMPLE_MIXTURE.misconception(
    "Neighbouring rows share their component: the counts vary far too much from call to call. "
    "Each row draws its own.",
    sign=signs.irregular_counts,
)
def components_in_blocks(num_samples, weights, loc, scale_tril, generator):
    labels = draw_labels(1 + num_samples // 10, weights, generator).repeat_interleave(10)
    return draw(num_samples, weights, loc, scale_tril, generator, labels=labels[:num_samples])
