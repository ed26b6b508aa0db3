"""Wrong and right answers to `linear_ae_vs_pca`, each wrong one with its sign."""

import math

import torch

from .linear_ae_vs_pca import (
    EXACT,
    LINEAR_AE_VS_PCA,
    alternate,
    angle_slack,
    angles,
    plane_of,
    read,
)


def every(condition):
    """Each answer meets a condition; one that cannot be read does not."""
    return lambda calls: all(condition(read(c.value, c.args[0], c.args[1])) for c in calls)


def some(condition):
    return lambda calls: any(condition(read(c.value, c.args[0], c.args[1])) for c in calls)


def near(given, model, tolerance=1e-3):
    return math.isclose(float(given), float(model), rel_tol=tolerance, abs_tol=1e-12)


def is_wrong(given, exact, tolerance=1e-3):
    return not near(given, exact, tolerance)


def other_error(model):
    """mse_pca is another number, a function of the points and of M."""
    return every(
        lambda a: (
            is_wrong(a.pca_error, a.true_pca_error)
            and near(a.pca_error, model(a.x, a.latent_dim), 1e-3)
        )
    )


def train(x, latent_dim, generator, *, centre=True, steps=100):
    """An autoencoder without biases, unless the points are centred first."""
    mean = x.mean(0) if centre else 0 * x[0]
    decoder = torch.randn(x.shape[1], latent_dim, generator=generator, dtype=x.dtype)
    codes = torch.linalg.lstsq(decoder, (x - mean).T).solution.T
    for _ in range(steps):
        decoder = torch.linalg.lstsq(codes, x - mean).solution.T
        codes = torch.linalg.lstsq(decoder, (x - mean).T).solution.T
    return decoder, (codes @ decoder.T + mean - x).square().mean()


def residual(x, latent_dim):
    """Singular values of the centred points that are left over, squared."""
    return torch.linalg.svdvals(x - x.mean(0))[latent_dim:].square()


@LINEAR_AE_VS_PCA.misconception(
    "The decoder is transposed: its shape is (D, M), one column for each number of the code.",
    sign=lambda calls: all(
        tuple(c.value[0].shape) == (c.args[1], c.args[0].shape[1]) for c in calls
    ),
)
def transposed(x, latent_dim, generator):
    decoder, *rest = alternate(x, latent_dim, generator)
    return decoder.T, *rest


@LINEAR_AE_VS_PCA.misconception(
    "The two errors are in the wrong order: mse_ae first, then mse_pca.",
    sign=lambda calls: (
        every(lambda a: near(a.error, a.true_pca_error, 1e-6))(calls)
        and every(lambda a: a.pca_error > 0.9999 * a.least_error)(calls)
        and some(lambda a: a.pca_error > (1 + EXACT) * a.true_pca_error)(calls)
    ),
)
def errors_swapped(x, latent_dim, generator):
    decoder, error = train(x, latent_dim, generator, steps=1)
    directions, pca_error = plane_of(x, latent_dim)
    return decoder, angles(decoder, directions)[-1], pca_error, error


@LINEAR_AE_VS_PCA.misconception(
    "PCA needs centred points. You took the singular values of x itself, so the first direction "
    "points to the mean of the data and not along their spread.",
    sign=other_error(lambda x, m: torch.linalg.svdvals(x)[m:].square().sum() / x.numel()),
)
def pca_not_centred(x, latent_dim, generator):
    decoder, error = train(x, latent_dim, generator)
    _, singular, directions = torch.linalg.svd(x, full_matrices=False)
    angle = angles(decoder, directions[:latent_dim].T)[-1]
    return decoder, angle, error, singular[latent_dim:].square().sum() / x.numel()


@LINEAR_AE_VS_PCA.misconception(
    "Your autoencoder has no bias, and the data are not at the origin: it spends a direction on "
    "reaching them. Give the decoder a bias, or centre the points.",
    sign=every(
        lambda a: (
            near(a.pca_error, a.true_pca_error)
            and near(
                a.error,
                torch.linalg.svdvals(a.x)[a.latent_dim :].square().sum() / a.x.numel(),
                0.02,
            )
        )
    ),
)
def no_bias(x, latent_dim, generator):
    decoder, error = train(x, latent_dim, generator, centre=False)
    directions, pca_error = plane_of(x, latent_dim)
    return decoder, angles(decoder, directions)[-1], error, pca_error


@LINEAR_AE_VS_PCA.misconception(
    "You standardised the columns of x. That stretches some directions, and PCA of the stretched "
    "points is another plane with another error.",
    sign=other_error(
        lambda x, m: residual((x - x.mean(0)) / x.std(0, correction=0), m).sum() / x.numel()
    ),
)
def standardised(x, latent_dim, generator):
    return alternate((x - x.mean(0)) / x.std(0, correction=0), latent_dim, generator)


@LINEAR_AE_VS_PCA.misconception(
    "You kept the directions in which the data vary least. `torch.linalg.eigh` gives the smallest "
    "eigenvalues first.",
    sign=other_error(
        lambda x, m: torch.linalg.svdvals(x - x.mean(0))[:-m].square().sum() / x.numel()
    ),
)
def least_important(x, latent_dim, generator):
    decoder, error = train(x, latent_dim, generator)
    values, vectors = torch.linalg.eigh((x - x.mean(0)).T @ (x - x.mean(0)) / x.numel())
    angle = angles(decoder, vectors[:, :latent_dim])[-1]
    return decoder, angle, error, values[latent_dim:].sum()


@LINEAR_AE_VS_PCA.misconception(
    "Your error of PCA is what it explains, not what it leaves: sum the squared singular values "
    "after the first M.",
    sign=other_error(
        lambda x, m: torch.linalg.svdvals(x - x.mean(0))[:m].square().sum() / x.numel()
    ),
)
def explained_not_left(x, latent_dim, generator):
    decoder, angle, error, _ = alternate(x, latent_dim, generator)
    kept = torch.linalg.svdvals(x - x.mean(0))[:latent_dim].square().sum() / x.numel()
    return decoder, angle, error, kept


@LINEAR_AE_VS_PCA.misconception(
    "Your errors are sums over the values of a point. Take the mean over points and values.",
    sign=other_error(lambda x, m: residual(x, m).sum() / len(x)),
)
def summed_over_values(x, latent_dim, generator):
    decoder, angle, error, pca_error = alternate(x, latent_dim, generator)
    return decoder, angle, error * x.shape[1], pca_error * x.shape[1]


@LINEAR_AE_VS_PCA.misconception(
    "Your errors are sums over everything. Take the mean over points and values.",
    sign=other_error(lambda x, m: residual(x, m).sum()),
)
def summed(x, latent_dim, generator):
    decoder, angle, error, pca_error = alternate(x, latent_dim, generator)
    return decoder, angle, error * x.numel(), pca_error * x.numel()


@LINEAR_AE_VS_PCA.misconception(
    "Your error of PCA divides by N − 1. A mean squared error divides by N.",
    sign=other_error(lambda x, m: residual(x, m).sum() / x.shape[1] / (len(x) - 1)),
)
def divided_by_one_less(x, latent_dim, generator):
    decoder, angle, error, pca_error = alternate(x, latent_dim, generator)
    return decoder, angle, error, pca_error * len(x) / (len(x) - 1)


@LINEAR_AE_VS_PCA.misconception(
    "You returned roots of mean squared errors. Leave them squared.",
    sign=other_error(lambda x, m: (residual(x, m).sum() / x.numel()).sqrt()),
)
def roots(x, latent_dim, generator):
    decoder, angle, error, pca_error = alternate(x, latent_dim, generator)
    return decoder, angle, error.sqrt(), pca_error.sqrt()


@LINEAR_AE_VS_PCA.misconception(
    "You forgot the squares: the error of PCA is made of squared singular values.",
    sign=other_error(lambda x, m: torch.linalg.svdvals(x - x.mean(0))[m:].sum() / x.numel()),
)
def singular_values_not_squared(x, latent_dim, generator):
    decoder, angle, error, _ = alternate(x, latent_dim, generator)
    left = torch.linalg.svdvals(x - x.mean(0))[latent_dim:].sum() / x.numel()
    return decoder, angle, error, left


def angle_is(model, tolerance=0.02):
    """The angle is another function of the answer, and the rest is right."""

    def is_model(answer):
        exact = float(model(answer))
        return abs(answer.angle - exact) <= 0.01 + tolerance * abs(exact)

    def is_off(answer):
        exact = answer.true_angle
        right_pca = near(answer.pca_error, answer.true_pca_error)
        return right_pca and abs(answer.angle - exact) > angle_slack(answer)

    return lambda calls: every(is_model)(calls) and some(is_off)(calls)


def halfway(x, latent_dim, generator):
    """A decoder whose plane is one or two degrees away, for mistakes in the angle."""
    directions, pca_error = plane_of(x, latent_dim)
    _, _, rows = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    decoder = directions.clone()
    for column in range(latent_dim):
        decoder[:, column] += 0.01 * (column + 1) * rows[-1 - column]
    turn = torch.randn(latent_dim, latent_dim, generator=generator, dtype=x.dtype)
    decoder = decoder @ (turn + 2 * torch.eye(latent_dim, dtype=x.dtype))
    basis = torch.linalg.qr(decoder)[0]
    centred = x - x.mean(0)
    return decoder, (centred - centred @ basis @ basis.T).square().mean(), directions, pca_error


@LINEAR_AE_VS_PCA.misconception(
    "Your angle is in radians. It is asked for in degrees.",
    sign=angle_is(lambda a: math.radians(a.true_angle), 0.05),
)
def radians(x, latent_dim, generator):
    decoder, error, directions, pca_error = halfway(x, latent_dim, generator)
    return decoder, torch.deg2rad(angles(decoder, directions)[-1]) + 1e-9, error, pca_error


def columns_apart(decoder, directions):
    """The largest angle between columns of the same number, in degrees."""
    cosines = torch.nn.functional.cosine_similarity(decoder, directions, dim=0).abs()
    return torch.rad2deg(cosines.clamp(max=1).acos().max())


@LINEAR_AE_VS_PCA.misconception(
    "You compared column by column. The columns of a trained decoder are any axes of the plane; "
    "compare planes: QR of both, then the singular values of the product.",
    sign=angle_is(lambda a: columns_apart(a.decoder, plane_of(a.x, a.latent_dim)[0])),
)
def column_by_column(x, latent_dim, generator):
    decoder, error, directions, pca_error = halfway(x, latent_dim, generator)
    return decoder, columns_apart(decoder, directions), error, pca_error


def without_qr(decoder, directions):
    cosines = torch.linalg.svdvals(decoder.T @ directions).clamp(max=1)
    return torch.rad2deg(cosines.acos().max())


@LINEAR_AE_VS_PCA.misconception(
    "The columns of your decoder are not orthonormal, so the singular values of the product are "
    "no cosines. Take QR of the decoder first.",
    sign=lambda calls: (
        angle_is(lambda a: without_qr(a.decoder, plane_of(a.x, a.latent_dim)[0]))(calls)
        or angle_is(lambda a: without_qr(_unit(a.decoder), plane_of(a.x, a.latent_dim)[0]))(calls)
    ),
)
def not_orthonormal(x, latent_dim, generator):
    decoder, error, directions, pca_error = halfway(x, latent_dim, generator)
    decoder = 0.6 * decoder / torch.linalg.matrix_norm(decoder, 2)
    return decoder, without_qr(decoder, directions), error, pca_error


def _unit(decoder):
    return decoder / decoder.norm(dim=0)


@LINEAR_AE_VS_PCA.misconception(
    "You returned the cosine. The angle is its arc cosine, in degrees.",
    sign=angle_is(lambda a: math.cos(math.radians(a.true_angle)), 1e-3),
)
def cosine(x, latent_dim, generator):
    decoder, error, directions, pca_error = halfway(x, latent_dim, generator)
    return decoder, angles(decoder, directions)[-1].deg2rad().cos(), error, pca_error


def angle_everywhere(model):
    """Every angle is another function of the principal ones, and at least one is wrong for it."""

    def is_model(answer):
        exact = float(model(_all_angles(answer)))
        return abs(answer.angle - exact) <= 0.05 + 1e-3 * exact

    def is_off(answer):
        return abs(answer.angle - answer.true_angle) > angle_slack(answer)

    return lambda calls: every(is_model)(calls) and some(is_off)(calls)


def _all_angles(answer):
    return angles(answer.decoder, plane_of(answer.x, answer.latent_dim)[0])


@LINEAR_AE_VS_PCA.misconception(
    "Your angle is the smallest one. Two planes agree if the largest of their angles is small; it "
    "belongs to the smallest cosine.",
    sign=angle_everywhere(lambda found: found[0]),
)
def smallest_angle(x, latent_dim, generator):
    decoder, error, directions, pca_error = halfway(x, latent_dim, generator)
    return decoder, angles(decoder, directions)[0], error, pca_error


@LINEAR_AE_VS_PCA.misconception(
    "You added the principal angles. The largest one alone is asked for.",
    sign=angle_everywhere(lambda found: found.sum()),
)
def sum_of_angles(x, latent_dim, generator):
    decoder, error = train(x, latent_dim, generator)
    directions, pca_error = plane_of(x, latent_dim)
    return decoder, angles(decoder, directions).sum(), error, pca_error


@LINEAR_AE_VS_PCA.misconception(
    "You averaged the principal angles. The largest one is asked for.",
    sign=angle_everywhere(lambda found: found.mean()),
)
def mean_of_angles(x, latent_dim, generator):
    decoder, error = train(x, latent_dim, generator)
    directions, pca_error = plane_of(x, latent_dim)
    return decoder, angles(decoder, directions).mean(), error, pca_error


def trained_with(model, x, latent_dim, generator):
    """A right answer, but for an angle that is this function of all principal angles."""
    decoder, error = train(x, latent_dim, generator)
    directions, pca_error = plane_of(x, latent_dim)
    return decoder, model(angles(decoder, directions)), error, pca_error


def by_determinant(found):
    return torch.rad2deg(torch.deg2rad(found).cos().prod().acos())


@LINEAR_AE_VS_PCA.misconception(
    "The determinant of the product of the bases is the product of all cosines. Asked for is the "
    "largest angle: take the smallest singular value alone.",
    sign=angle_everywhere(by_determinant),
)
def angle_of_the_determinant(x, latent_dim, generator):
    return trained_with(by_determinant, x, latent_dim, generator)


@LINEAR_AE_VS_PCA.misconception(
    "You took the root of the sum of the squared angles. The largest one alone is asked for.",
    sign=angle_everywhere(lambda found: found.norm()),
)
def root_of_squared_angles(x, latent_dim, generator):
    return trained_with(torch.linalg.vector_norm, x, latent_dim, generator)


def by_mean_cosine(found):
    return torch.rad2deg(torch.deg2rad(found).cos().mean().acos())


def by_norm(found):
    return torch.rad2deg(torch.deg2rad(found).cos().square().mean().sqrt().acos())


@LINEAR_AE_VS_PCA.misconception(
    "You made one angle of all cosines, by their mean or by the norm of the product of the bases. "
    "The largest angle belongs to the smallest cosine alone.",
    sign=lambda calls: angle_everywhere(by_mean_cosine)(calls) or angle_everywhere(by_norm)(calls),
)
def angle_of_the_mean_cosine(x, latent_dim, generator):
    return trained_with(by_mean_cosine, x, latent_dim, generator)
