r"""Moving through a latent space: traversals, attribute vectors, and ways from one code to another.

Codes are those of data, the mean of q(z | x); nothing here looks at the model. What a move does to
the decoded images is measured by a probe, a classifier that was trained on other images and
has never seen a code.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn

from course_lib.mixture.params import check_points, check_same_kind
from course_lib.training import TrainSettings, cosine, train

Codes = Float[Tensor, "n m"]
Probe = Callable[[Tensor], Float[Tensor, "n a"]]


def traverse(
    z: Float[Tensor, "*n m"], dim: int, values: Float[Tensor, " v"]
) -> Float[Tensor, "v *n m"]:
    r"""Copies of a code in which one latent dimension takes the values given.

    Start from the code of an example: at the origin there may be no data.

    Args:
        z: One code, shape (M,), or several, (N, M).
        dim: Which dimension, m.
        values: What z_m becomes, shape (V,).

    Returns:
        Shape (V, M) or (V, N, M).

    Raises:
        ValueError: `z` has no such dimension, or the shapes do not fit.

    Example:
        >>> traverse(torch.zeros(3), 1, torch.tensor([-1.0, 1.0]))
        tensor([[ 0., -1.,  0.],
                [ 0.,  1.,  0.]])
    """
    if z.ndim not in (1, 2) or values.ndim != 1 or not -z.shape[-1] <= dim < z.shape[-1]:
        raise ValueError(
            f"z has shape {tuple(z.shape)}, dim is {dim} and values has shape "
            f"{tuple(values.shape)}; expected (M,) or (N, M), a dimension below M, and (V,)"
        )
    moved = z.expand(len(values), *z.shape).clone()
    moved[..., dim] = values.to(z).reshape(-1, *[1] * (z.ndim - 1))
    return moved


def attribute_vector(
    codes: Codes, labels: Bool[Tensor, " n"], *, others: Bool[Tensor, "n a"] | None = None
) -> Float[Tensor, " m"]:
    r"""The direction from codes without an attribute to codes with it: a difference of means.

    .. math:: v = \frac{1}{|G|} \sum_{g \in G} \big( \bar z_{g, y = 1} - \bar z_{g, y = 0} \big)

    Without `others`, there is one group g of all points. If another attribute is more frequent
    among those with this one, it comes along in v. With `others`, each combination of their values
    is a group, and of each that has points of both kinds the difference counts once: within a
    group, the other attributes are the same.

    Args:
        codes: z, shape (N, M).
        labels: y, whether each point has the attribute, shape (N,).
        others: Which other attributes it has, shape (N, A). A few columns, those that may come
            along: with A columns there are up to 2^A groups.

    Returns:
        Shape (M,).

    Raises:
        ValueError: An argument is malformed, or no group has points with and without it.

    Reference:
        Larsen, Sønderby, Larochelle and Winther (2016), "Autoencoding beyond pixels using a learned
        similarity metric", section 4, arXiv:1512.09300; White (2016), "Sampling generative
        networks", section 3 (who repeats examples until the groups are equal), arXiv:1609.04468.
    """
    check_points(codes)
    if others is None:
        others = labels[:, None] & False
    if labels.shape != codes.shape[:1] or others.ndim != 2 or len(others) != len(codes):
        raise ValueError(
            f"codes has shape {tuple(codes.shape)}, labels {tuple(labels.shape)} and others "
            f"{tuple(others.shape)}; expected (N, M), (N,) and (N, A)"
        )
    if labels.dtype != torch.bool or others.dtype != torch.bool:
        raise ValueError(
            f"labels are {labels.dtype} and others {others.dtype}; expected torch.bool, True where "
            "the attribute is there"
        )
    _, group = others.unique(dim=0, return_inverse=True)
    num_groups = int(group.max()) + 1
    means, counts = [], []
    for has in (labels, ~labels):
        counts.append(group[has].bincount(minlength=num_groups))
        sums = codes.new_zeros(num_groups, codes.shape[1]).index_add_(0, group[has], codes[has])
        means.append(sums / counts[-1].clamp(min=1)[:, None])
    both = (counts[0] > 0) & (counts[1] > 0)
    if not both.any():
        raise ValueError(
            f"none of {num_groups} groups has points with and without the attribute; expected at "
            "least one: give fewer columns of others, or more points"
        )
    return (means[0] - means[1])[both].mean(0)


def apply_attribute(
    z: Float[Tensor, "*n m"], vector: Float[Tensor, " m"], strength: float = 1.0
) -> Float[Tensor, "*n m"]:
    r"""z + strength · v: 1 adds the attribute, −1 takes it away.

    Raises:
        ValueError: The vector does not fit the codes.

    Example:
        >>> apply_attribute(torch.zeros(2), torch.tensor([1.0, -2.0]), 0.5)
        tensor([ 0.5000, -1.0000])
    """
    if vector.ndim != 1 or z.shape[-1:] != vector.shape:
        raise ValueError(
            f"z has shape {tuple(z.shape)} and vector {tuple(vector.shape)}; expected (…, M), (M,)"
        )
    return z + strength * vector


def lerp(
    z0: Float[Tensor, "*n m"], z1: Float[Tensor, "*n m"], tau: Float[Tensor, " t"]
) -> Float[Tensor, "t *n m"]:
    r"""Codes on the straight line from z0 (\tau = 0) to z1 (\tau = 1).

    .. math:: (1 - \tau)\, z_0 + \tau\, z_1

    Halfway between two draws from a wide Gaussian, such codes are shorter than any draw.

    Args:
        z0: A code (M,), or codes (N, M).
        z1: As many.
        tau: Places along the way, shape (T,).

    Returns:
        Shape (T, M) or (T, N, M).

    Raises:
        ValueError: The shapes differ.
    """
    tau = _check_way(z0, z1, tau)
    return (1 - tau) * z0 + tau * z1


def slerp(
    z0: Float[Tensor, "*n m"], z1: Float[Tensor, "*n m"], tau: Float[Tensor, " t"]
) -> Float[Tensor, "t *n m"]:
    r"""Codes on an arc from z0 (\tau = 0) to z1 (\tau = 1), around the origin.

    .. math:: r_\tau \Big( \frac{\sin((1 - \tau)\, \omega)}{\sin \omega} u_0
        + \frac{\sin(\tau \omega)}{\sin \omega} u_1 \Big), \qquad
        r_\tau = (1 - \tau)\, \lVert z_0 \rVert + \tau\, \lVert z_1 \rVert

    with directions u of length 1 and the angle \omega between them. Direction and length change at
    a constant rate, so halfway between two draws from a wide Gaussian, the code is as long as
    a draw. Where u_0 and u_1 are parallel, the arc is a straight line; where they are opposite,
    many arcs are equally short, and this is one of them.

    Args:
        z0: A code (M,), or codes (N, M), none of them 0.
        z1: As many.
        tau: Places along the way, shape (T,).

    Returns:
        Shape (T, M) or (T, N, M).

    Raises:
        ValueError: The shapes differ, a code is 0, or it has a single dimension.

    Reference:
        Shoemake (1985), "Animating rotation with quaternion curves", section 3.3; White (2016),
        section 2.1, arXiv:1609.04468.
    """
    tau = _check_way(z0, z1, tau)
    lengths = [z.norm(dim=-1, keepdim=True) for z in (z0, z1)]
    if z0.shape[-1] < 2 or any((length == 0).any() for length in lengths):
        raise ValueError(
            "an arc needs codes of two or more dimensions that are not 0, to have a direction; "
            "take lerp"
        )
    u0, u1 = z0 / lengths[0], z1 / lengths[1]
    # both are exact where the angle is small or near a half turn, unlike an arc cosine
    chord, sum_ = (u1 - u0).norm(dim=-1, keepdim=True), (u1 + u0).norm(dim=-1, keepdim=True)
    angle = 2 * torch.atan2(chord, sum_)
    aside = u1 - (u0 * u1).sum(-1, keepdim=True) * u0  # the part of u1 across u0
    is_rounding = aside.norm(dim=-1, keepdim=True) < 100 * torch.finfo(u0.dtype).eps
    aside = _right_angle(torch.where(is_rounding, _least_axis(u0), aside), u0)
    length = (1 - tau) * lengths[0] + tau * lengths[1]
    return length * ((tau * angle).cos() * u0 + (tau * angle).sin() * aside)


class AttributeProbe(nn.Sequential):
    r"""Three convolutions of stride 2, then the probability of each attribute on its own.

    Args:
        num_attributes: A.
        size: Height and width of an image, a multiple of 8.
        num_channels: C.
        width: Channels of the first convolution.
    """

    def __init__(
        self, num_attributes: int, *, size: int = 32, num_channels: int = 3, width: int = 16
    ) -> None:
        if size % 8:
            raise ValueError(f"size is {size}; expected a multiple of 8: pad or crop the images")
        super().__init__(
            nn.Conv2d(num_channels, width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(2 * width, 2 * width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(2 * width * (size // 8) ** 2, num_attributes),
        )

    @torch.no_grad()
    def probabilities(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n a"]:
        r"""Of each attribute in images with values from 0 to 1, shape (N, A)."""
        return self(images).sigmoid()


def fit_attribute_probe(
    images: UInt8[Tensor, "n c h w"],
    attributes: Bool[Tensor, "n a"],
    *,
    num_steps: int = 600,
    seed: int = 0,
) -> AttributeProbe:
    r"""A classifier of attributes, by logistic loss on images; some seconds for small ones.

    Give it images that the model was not trained on, so that it errs independently of the model.

    Args:
        images: Values from 0 to 255, as in `AttributeSet.images`, shape (N, C, H, W).
        attributes: Which of them each image has, shape (N, A).
        num_steps: Of Adam, on 64 images each.
        seed: Of the first weights and of the order.

    Raises:
        ValueError: The shapes do not fit.
    """

    def loss(probe: AttributeProbe, pixels: Tensor, labels: Tensor) -> Tensor:
        logits = probe(pixels.float() / 255)
        return nn.functional.binary_cross_entropy_with_logits(logits, labels.float())

    settings = TrainSettings(
        num_steps=num_steps,
        batch_size=min(64, len(images)),
        learning_rate=3e-3,
        schedule=cosine,
        seed=seed,
        progress=False,
    )
    forked = range(torch.cuda.device_count())
    with torch.random.fork_rng(forked):
        torch.manual_seed(seed)
        _, num_channels, size, _ = images.shape
        probe = AttributeProbe(attributes.shape[1], size=size, num_channels=num_channels).float()
    train(probe, loss, (images, attributes), settings)
    return probe


def attribute_effect(
    probe: Probe, before: Float[Tensor, "n ..."], after: Float[Tensor, "n ..."]
) -> Float[Tensor, " a"]:
    r"""How much a change to images changed what an independent probe sees in them.

    Args:
        probe: From images to the probability of each attribute, shape (N, A); trained on other
            images, and not on codes.
        before: Images, N of them.
        after: The same, changed.

    Returns:
        Mean of after − before for each attribute, shape (A,), between −1 and 1.

    Raises:
        ValueError: The images differ in shape, or the probe returns something else.
    """
    if before.shape != after.shape or not len(before):
        raise ValueError(
            f"before has shape {tuple(before.shape)} and after {tuple(after.shape)}; expected the "
            "same, with at least one image"
        )
    with torch.no_grad():
        seen = probe(before), probe(after)
    for value in seen:
        if value.ndim != 2 or len(value) != len(before) or not ((value >= 0) & (value <= 1)).all():
            raise ValueError(
                f"the probe returned shape {tuple(value.shape)}; expected probabilities (N, A) "
                f"with N = {len(before)}"
            )
    return (seen[1] - seen[0]).mean(0)


def _least_axis(u: Float[Tensor, "*n m"]) -> Float[Tensor, "*n m"]:
    r"""The axis that u is least along."""
    return torch.zeros_like(u).scatter_(-1, u.abs().argmin(-1, keepdim=True), 1.0)


def _right_angle(v: Float[Tensor, "*n m"], u: Float[Tensor, "*n m"]) -> Float[Tensor, "*n m"]:
    r"""The part of v across u, of length 1; twice, because the first time leaves rounding."""
    for _ in range(2):
        v = v - (v * u).sum(-1, keepdim=True) * u
        v = v / v.norm(dim=-1, keepdim=True)
    return v


def _check_way(z0: Tensor, z1: Tensor, tau: Tensor) -> Tensor:
    r"""\tau, shaped to go with the codes: (T, 1) or (T, 1, 1)."""
    check_same_kind(z0=z0, z1=z1)
    if z0.shape != z1.shape or z0.ndim not in (1, 2) or tau.ndim != 1:
        raise ValueError(
            f"z0 has shape {tuple(z0.shape)}, z1 {tuple(z1.shape)} and tau {tuple(tau.shape)}; "
            "expected (M,) or (N, M) for both codes, and (T,)"
        )
    return tau.to(z0).reshape(-1, *[1] * z0.ndim)
