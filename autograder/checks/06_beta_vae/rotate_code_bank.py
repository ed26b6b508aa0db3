"""Wrong and right answers to `rotate_code`."""

import torch

from .rotate_code import ROTATE_CODE, reference

misconception = ROTATE_CODE.misconception
variant = ROTATE_CODE.variant


def _covariance(scale, rotation):
    return rotation @ torch.diag_embed(scale**2) @ rotation.T


@misconception(
    "You rotated by the transpose throughout, so your new code is Rᵀ z. That is another model of "
    "the same kind; for rows, R z is `z @ rotation.T`."
)
def rotated_back(loc, scale, decode, rotation, z):
    return reference(loc, scale, decode, rotation.T, z)


@misconception("The mean is rotated the wrong way: rows are rotated by `loc @ rotation.T`.")
def mean_rotated_back(loc, scale, decode, rotation, z):
    return loc @ rotation, _covariance(scale, rotation), decode(z @ rotation)


@misconception("The covariance is rotated the wrong way: R Σ Rᵀ, with the transpose on the right.")
def covariance_rotated_back(loc, scale, decode, rotation, z):
    return loc @ rotation.T, _covariance(scale, rotation.T), decode(z @ rotation)


@misconception(
    "The new decoder rotates forward once more. It gets codes of the new model and must translate "
    "them back before it decodes: Rᵀ z, for rows `z @ rotation`."
)
def decoder_rotates_forward(loc, scale, decode, rotation, z):
    return loc @ rotation.T, _covariance(scale, rotation), decode(z @ rotation.T)


@misconception(
    "You left the decoder as it was. It was trained on the old code: new codes have to be rotated "
    "back first."
)
def decoder_unchanged(loc, scale, decode, rotation, z):
    return loc @ rotation.T, _covariance(scale, rotation), decode(z)


@misconception("You left the mean as it was. The encoder's Gaussian moves as a whole.")
def mean_unchanged(loc, scale, decode, rotation, z):
    return loc, _covariance(scale, rotation), decode(z @ rotation)


@misconception(
    "Mean and covariance are as before, and the decoder is given the rotation: the two no longer "
    "fit. Rotate the encoder's Gaussian too."
)
def encoder_unchanged(loc, scale, decode, rotation, z):
    return loc, torch.diag_embed(scale**2), decode(z @ rotation)


@misconception(
    "You left the covariance as it was. That is right for a round posterior only: in general its "
    "axes turn with the code."
)
def covariance_unchanged(loc, scale, decode, rotation, z):
    return loc @ rotation.T, torch.diag_embed(scale**2), decode(z @ rotation)


@misconception(
    "You rotated the variances as if they were a vector. A covariance is rotated from both sides, "
    "R Σ Rᵀ."
)
def variances_as_a_vector(loc, scale, decode, rotation, z):
    return loc @ rotation.T, torch.diag_embed(scale**2 @ rotation.T), decode(z @ rotation)


@misconception(
    "You rotated the standard deviations as if they were a vector. Rotate the covariance, from "
    "both sides: R Σ Rᵀ."
)
def scales_as_a_vector(loc, scale, decode, rotation, z):
    return loc @ rotation.T, torch.diag_embed((scale @ rotation.T) ** 2), decode(z @ rotation)


@misconception("Your covariance holds standard deviations: square `scale` first.")
def scale_for_variance(loc, scale, decode, rotation, z):
    return loc @ rotation.T, _covariance(scale.sqrt(), rotation), decode(z @ rotation)


@misconception(
    "You kept only the diagonal of the rotated covariance. Then the ELBO gets worse: the rotated "
    "posterior is tilted, and a diagonal q cannot follow it."
)
def diagonal_kept(loc, scale, decode, rotation, z):
    variances = scale**2 @ (rotation**2).T
    return loc @ rotation.T, torch.diag_embed(variances), decode(z @ rotation)


@misconception("You rotated the covariance from one side only. Both its axes turn: R Σ Rᵀ.")
def rotated_from_one_side(loc, scale, decode, rotation, z):
    covariance = rotation @ torch.diag_embed(scale**2)
    return loc @ rotation.T, covariance, decode(z @ rotation)


@misconception("Your covariance is R Σ R. One of the two has to be the transpose: R Σ Rᵀ.")
def covariance_without_transpose(loc, scale, decode, rotation, z):
    covariance = rotation @ torch.diag_embed(scale**2) @ rotation
    return loc @ rotation.T, covariance, decode(z @ rotation)


@misconception(
    "The encoder is rotated by the transpose, and the decoder undoes R. The two no longer fit: "
    "for rows, R z is `loc @ rotation.T`, and its covariance R Σ Rᵀ."
)
def encoder_rotated_back(loc, scale, decode, rotation, z):
    return loc @ rotation, _covariance(scale, rotation.T), decode(z @ rotation)


@misconception("You return R diag(σ), a root of the covariance. Multiply it by its own transpose.")
def root_of_the_covariance(loc, scale, decode, rotation, z):
    return loc @ rotation.T, rotation @ torch.diag_embed(scale), decode(z @ rotation)


@misconception("You return the precision matrix, the inverse of the covariance.")
def precision(loc, scale, decode, rotation, z):
    return loc @ rotation.T, _covariance(1 / scale, rotation), decode(z @ rotation)


@misconception("You made the posterior round, with the mean of the variances. Rotate it as it is.")
def made_round(loc, scale, decode, rotation, z):
    mean = (scale**2).mean(-1, keepdim=True).expand_as(scale)
    return loc @ rotation.T, torch.diag_embed(mean), decode(z @ rotation)


@misconception(
    "You used the same covariance for all points, the mean of theirs. Each point has a width of "
    "its own."
)
def one_covariance_for_all(loc, scale, decode, rotation, z):
    covariance = _covariance(scale, rotation)
    shared = covariance.mean(0, keepdim=True).expand_as(covariance)
    return loc @ rotation.T, shared.contiguous(), decode(z @ rotation)


@misconception(
    "You decoded the rotated means. The last argument holds the codes that the new decoder is "
    "asked about.",
    sign=lambda calls: (
        calls[0].error is None
        and len(calls[0].value[2]) == len(calls[0].args[0])
        and len(calls[0].args[4]) != len(calls[0].args[0])
    ),
)
def means_decoded(loc, scale, decode, rotation, z):
    return loc @ rotation.T, _covariance(scale, rotation), decode(loc)


@misconception(
    "You return new standard deviations (N, M) where the whole covariance matrix (N, M, M) is "
    "asked for."
)
def only_scales(loc, scale, decode, rotation, z):
    return loc @ rotation.T, (scale**2 @ (rotation**2).T).sqrt(), decode(z @ rotation)


@variant
def by_einsum(loc, scale, decode, rotation, z):
    covariance = torch.einsum("ij,nj,kj->nik", rotation, scale**2, rotation)
    mean = torch.einsum("ij,nj->ni", rotation, loc)
    return mean, covariance, decode(torch.einsum("ji,nj->ni", rotation, z))


@variant
def by_the_root(loc, scale, decode, rotation, z):
    root = rotation * scale[:, None, :]
    return (rotation @ loc.T).T, root @ root.mT, decode((rotation.T @ z.T).T)


@variant
def by_the_inverse(loc, scale, decode, rotation, z):
    back = torch.linalg.inv(rotation)
    covariance = torch.linalg.solve(back, torch.diag_embed(scale**2)) @ back
    return torch.linalg.solve(back, loc.T).T, covariance, decode(z @ back.T)


@variant
def point_by_point(loc, scale, decode, rotation, z):
    means = torch.stack([rotation @ m for m in loc])
    covariances = torch.stack([rotation @ torch.diag(s**2) @ rotation.T for s in scale])
    images = torch.cat([decode((rotation.T @ code)[None]) for code in z])
    return [means, covariances, images]


@variant
def by_unit_vectors(loc, scale, decode, rotation, z):
    axes = rotation.T  # row m is what the unit vector m becomes
    mean = sum(loc[:, m : m + 1] * axes[m] for m in range(len(axes)))
    covariance = sum(
        scale[:, m, None, None] ** 2 * torch.outer(axes[m], axes[m]) for m in range(len(axes))
    )
    return mean, covariance, decode(torch.stack([z @ axis for axis in axes], dim=1))
