r"""The losses of Burgess et al. and of Chen et al., and the three parts of the rate."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal

from course_lib.monte_carlo.checks import check_positive
from course_lib.vae import VAE, elbo_terms
from course_lib.vae.models import PointsArray
from course_lib.vae.objectives import encode_and_decode, kl_terms, loc_and_log_var

MAX_ENTRIES = 4_000_000  # densities of one latent dimension held at once, 16 MB in float32
CHUNK_SIZE = 1_000  # points that are decoded at once


class Terms(NamedTuple):
    r"""The three parts of the rate, means over the points given, scalars in nats.

    Attributes:
        mutual_information: KL(q(z, x) ‖ q(z) p(x)), what the code says about which example it is.
        total_correlation: KL(q(z) ‖ \prod_m q(z_m)), how much the latent dimensions depend on one
            another.
        dimension_kl: \sum_m KL(q(z_m) ‖ p(z_m)), how far each of them is from its prior.
    """

    mutual_information: Float[Tensor, ""]
    total_correlation: Float[Tensor, ""]
    dimension_kl: Float[Tensor, ""]


def capacity_loss(
    vae: VAE,
    x: PointsArray,
    *,
    capacity: float,
    weight: float,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " n"]:
    r"""The distortion of each point, and a price for a rate that is not the wanted one.

    .. math:: \Delta_n + \gamma \, \Big| \frac1N \sum_{n'} R_{n'} - C \Big|

    The rate is the mean over the batch: C nats are what an example gets on average, and simple
    examples may take less. As C grows in training, one latent dimension after the other opens.

    Args:
        vae: The model.
        x: Points, shape (N, D).
        capacity: C, in nats, at least 0.
        weight: \gamma, at least 0; it has to be large, such as 1000 for images of 4096 pixels.
        generator: Of the draws, on the device of `x`.

    Returns:
        Shape (N,), in nats; its mean is the loss to train on.

    Raises:
        ValueError: A number is negative, or `x` is malformed.

    Reference:
        Burgess et al. (2018), "Understanding disentangling in β-VAE", equation (8),
        arXiv:1804.03599.
    """
    if not (capacity >= 0 and weight >= 0):
        raise ValueError(
            f"capacity is {capacity} and weight is {weight}; expected both to be at least 0"
        )
    rate, distortion = elbo_terms(vae, x, generator=generator)
    return distortion + weight * (rate.mean() - capacity).abs()


def total_correlation(
    z: Float[Tensor, "n m"],
    posterior: Distribution,
    num_points: int,
    *,
    stratified: bool = False,
) -> Terms:
    r"""Split the rate into mutual information, total correlation and dimension-wise KL.

    .. math:: \mathbb E_{p(x)} \mathrm{KL}(q(z \mid x) \Vert p(z))
        = \mathrm{KL}(q(z, x) \Vert q(z) p(x))
        + \mathrm{KL}\Big(q(z) \Big\Vert \prod_m q(z_m)\Big)
        + \sum_m \mathrm{KL}(q(z_m) \Vert p(z_m))

    with the aggregate posterior q(z) = \frac{1}{N'} \sum_n q(z | x_n) over all N' points of the
    data. From a batch of N of them, it is estimated at each z_i by

    .. math:: \hat q(z_i) = \frac{1}{N' N} \sum_{n=1}^N q(z_i \mid x_n) \text{ (weighted)}, \qquad
        \frac{1}{N'} q(z_i \mid x_i) + \frac{N' - 1}{N' (N - 1)} \sum_{n \neq i} q(z_i \mid x_n)
        \text{ (stratified)}

    and likewise for each q(z_m). The sum of the three does not depend on the estimate: it is the
    mean of \log q(z_i | x_i) − \log p(z_i). What each of them gets does. The weighted \hat q is too
    small on average, so the mutual information comes out too large and the dimension-wise KL too
    small: if the batch is the whole data, by exactly \log N' and M \log N' nats. Its use is the
    gradient. The stratified \hat q has the right mean, so that only the logarithm makes it too
    small (Jensen); if the batch is the whole data, it is exact.

    Args:
        z: One draw from q(z | x_n) for each point of the batch, shape (N, M).
        posterior: q(z | x), batch shape (N,), event shape (M,): `vae.posterior(x)`.
        num_points: N', the size of the data that the batch is from.
        stratified: Which of the two.

    Returns:
        Scalars in nats. The prior is the standard normal.

    Raises:
        ValueError: The shapes do not fit, the batch has a single point, or there are more points in
            it than in the data.

    Reference:
        Chen, Li, Grosse and Duvenaud (2018), "Isolating sources of disentanglement in VAEs",
        equation (2), equation (3), and appendix C for the second estimate, here averaged over the
        order of the batch, arXiv:1802.04942.
    """
    log_own, log_q, log_product = _log_densities(z, posterior, num_points, stratified)
    log_prior = Normal(0, 1, validate_args=False).log_prob(z).sum(-1)
    return Terms(
        (log_own - log_q).mean(), (log_q - log_product).mean(), (log_product - log_prior).mean()
    )


def beta_tc_loss(
    vae: VAE,
    x: PointsArray,
    num_points: int,
    *,
    beta: float,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " n"]:
    r"""The loss of the β-TCVAE: only the total correlation is weighted.

    .. math:: \Delta + I(z; x) + \beta\, \mathrm{TC} + \sum_m \mathrm{KL}(q(z_m) \Vert p(z_m))
        = \Delta + R + (\beta - 1)\, \mathrm{TC}

    The right-hand side is what is computed: the rate is exact, so only the total correlation has
    the noise of an estimate (the weighted one). With \beta = 1 it is `negative_elbo`.

    Args:
        vae: The model, with a standard normal prior.
        x: Points, shape (N, D), at least two.
        num_points: N', the size of the data that they are from.
        beta: \beta, at least 0.
        generator: Of the draws, on the device of `x`.

    Returns:
        Shape (N,), in nats; its mean is the loss to train on.

    Raises:
        ValueError: A number is out of range, or `x` is malformed.

    Reference:
        Chen et al. (2018), equation (4) with \alpha = \gamma = 1, arXiv:1802.04942.
    """
    if not beta >= 0:
        raise ValueError(f"beta is {beta}; expected at least 0")
    check_standard_normal(vae)
    posterior, distortion, noise = encode_and_decode(vae, x, 1, generator)
    rate = kl_terms(*loc_and_log_var(posterior)).sum(-1)
    if beta == 1:
        return distortion + rate
    z = posterior.base_dist.loc + posterior.base_dist.scale * noise[0]  # those that were decoded
    _, log_q, log_product = _log_densities(z, posterior, num_points, stratified=False)
    return distortion + rate + (beta - 1) * (log_q - log_product)


def rate_distortion(
    vae: VAE,
    x: PointsArray,
    *,
    num_samples: int = 1,
    generator: torch.Generator | None = None,
) -> tuple[float, float]:
    r"""Where the model stands in the plane of rate and distortion: means over the points.

    Args:
        vae: The model; \beta plays no part.
        x: Points, shape (N, D).
        num_samples: S draws of z for each point, over which the distortion is averaged.
        generator: Of the draws.

    Returns:
        (rate, distortion), in nats per point; their sum is the negative ELBO.

    Raises:
        ValueError: `x` is malformed or `num_samples` is not positive.

    Reference:
        Alemi et al. (2018), "Fixing a broken ELBO", section 3, arXiv:1711.00464.
    """
    check_positive(num_samples=num_samples)
    parts = x.split(max(1, CHUNK_SIZE // num_samples))
    options = {"num_samples": num_samples, "generator": generator}
    with torch.no_grad():
        terms = [torch.stack(elbo_terms(vae, part, **options)).double() for part in parts]
    rate, distortion = torch.cat(terms, 1).mean(1).tolist()
    return rate, distortion


def _log_densities(
    z: Float[Tensor, "n m"], posterior: Distribution, num_points: int, stratified: bool
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"], Float[Tensor, " n"]]:
    r"""\log q(z_i | x_i), and the estimates of \log q(z_i) and of \sum_m \log q(z_im)."""
    num, latent_dim = _check_draws(z, posterior, num_points)
    if isinstance(posterior, Independent):
        loc, scale = posterior.base_dist.loc, posterior.base_dist.scale
    else:
        loc, scale = posterior.mean, posterior.variance.sqrt()
    marginals = Normal(loc, scale, validate_args=False)
    own_weight = other_weight = -math.log(num_points * num)
    if stratified:
        own_weight = -math.log(num_points)
        other_weight = math.log(num_points - 1) - math.log(num_points * (num - 1))
    found = []
    rows = max(1, MAX_ENTRIES // (num * latent_dim))
    for start in range(0, num, rows):
        part = z[start : start + rows]
        weights = z.new_full((len(part), num), other_weight)
        weights.diagonal(start).fill_(own_weight)
        each = marginals.log_prob(part[:, None])  # (rows, N, M): \log q(z_im | x_n)
        if isinstance(posterior, Independent):
            joint = each.sum(-1)
        else:
            joint = posterior.log_prob(part[:, None])
        log_q = (joint + weights).logsumexp(1)
        log_product = (each + weights[..., None]).logsumexp(1).sum(-1)
        found.append((log_q, log_product))
    log_q, log_product = (torch.cat(parts) for parts in zip(*found, strict=True))
    return posterior.log_prob(z), log_q, log_product


def _check_draws(z: Tensor, posterior: Distribution, num_points: int) -> tuple[int, int]:
    expected = (*posterior.batch_shape, *posterior.event_shape)
    if z.ndim != 2 or tuple(z.shape) != expected:
        raise ValueError(
            f"z has shape {tuple(z.shape)} and the posterior {expected}; expected (N, M) for both, "
            "one draw for each point: vae.posterior(x).rsample()"
        )
    if not 2 <= len(z) <= num_points:
        raise ValueError(
            f"the batch has {len(z)} points and num_points is {num_points}; expected at least two, "
            "and no more than in the data"
        )
    return len(z), z.shape[1]


def check_standard_normal(vae: VAE) -> None:
    r"""Refuse a model whose prior is learned."""
    if vae.learned_prior is not None:
        raise ValueError(
            "the prior of this model is learned; expected the standard normal: build the model "
            "without `prior`"
        )
