"""Mistakes of the training in `linear_ae_vs_pca`: its end, its start and what was measured."""

import torch

from .linear_ae_vs_pca import EXACT, alternate, angles, are_same, plane_of
from .linear_ae_vs_pca_bank import LINEAR_AE_VS_PCA, every, near, some, train


@LINEAR_AE_VS_PCA.misconception(
    "Your decoder has not arrived: its plane is not the principal one and its error is larger. Are "
    "there enough steps, on all points, from a start that is not zero? Is every parameter in the "
    "optimiser, the same shift b on both sides, and nothing nonlinear left?",
    sign=some(
        lambda a: (
            near(a.pca_error, a.true_pca_error)
            and a.true_angle > 2
            and a.error > 1.01 * a.true_pca_error
        )
    ),
)
def too_few_steps(x, latent_dim, generator):
    decoder, error = train(x, latent_dim, generator, steps=0)
    directions, pca_error = plane_of(x, latent_dim)
    return decoder, angles(decoder, directions)[-1], error, pca_error


@LINEAR_AE_VS_PCA.misconception(
    "You reported the error of the autoencoder twice. That of PCA is exact: it comes from the "
    "singular values of the centred points.",
    sign=lambda calls: (
        every(lambda a: near(a.error, a.pca_error, 1e-9))(calls)
        and some(lambda a: a.pca_error > (1 + EXACT) * a.true_pca_error)(calls)
    ),
)
def error_of_autoencoder_twice(x, latent_dim, generator):
    decoder, angle, error, _ = alternate(x, latent_dim, generator)
    return decoder, angle, error, error


def start_again(calls):
    """The decoders of two calls that differ in the state of the generator are the same."""
    return any(
        one.args[2] != other.args[2]
        and one.args[0].shape == other.args[0].shape
        and torch.equal(one.args[0], other.args[0])
        and are_same(one.value[0], other.value[0])
        for place, one in enumerate(calls)
        for other in calls[place + 1 :]
    )


def is_pca(answer):
    """Each column of the decoder is a principal direction of the same number."""
    directions, _ = plane_of(answer.x, answer.latent_dim)
    cosines = torch.nn.functional.cosine_similarity(answer.decoder, directions, dim=0)
    return bool((cosines.abs() > 1 - 1e-9).all())


@LINEAR_AE_VS_PCA.misconception(
    "You return the principal directions themselves for a decoder. Train one, from random numbers "
    "that are drawn with `generator=generator`, and compare the two.",
    sign=lambda calls: start_again(calls) and every(is_pca)(calls),
)
def generator_unused(x, latent_dim, generator):
    directions, pca_error = plane_of(x, latent_dim)
    return directions, 0.0, pca_error, pca_error


@LINEAR_AE_VS_PCA.misconception(
    "Every call starts at the same numbers. Draw the start with `generator=generator`, and do not "
    "seed anew, neither with a number of your own nor with `generator.initial_seed()`, which stays "
    "the same while the generator is drawn from.",
    sign=start_again,
)
def seeded_anew(x, latent_dim, generator):
    return alternate(x, latent_dim, torch.Generator().manual_seed(generator.initial_seed()))


@LINEAR_AE_VS_PCA.misconception(
    "You reported the error of PCA twice; your decoder cannot reach it. Measure the error of the "
    "autoencoder itself, after its last step.",
    sign=some(lambda a: near(a.error, a.pca_error, 1e-9) and a.least_error > 1.0003 * a.error),
)
def error_of_pca_twice(x, latent_dim, generator):
    decoder, _ = train(x, latent_dim, generator, steps=0)
    directions, pca_error = plane_of(x, latent_dim)
    return decoder, angles(decoder, directions)[-1], pca_error, pca_error


@LINEAR_AE_VS_PCA.misconception(
    "The same seed gives two decoders: the start comes from torch's own generator. Draw it with "
    "`generator=generator`.",
    sign=lambda calls: any(
        one.args[2] == other.args[2] and not are_same(one.value[0], other.value[0])
        for place, one in enumerate(calls)
        for other in calls[place + 1 :]
    ),
)
def own_generator(x, latent_dim, generator):
    return alternate(x, latent_dim, None)
