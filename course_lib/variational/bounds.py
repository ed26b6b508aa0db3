r"""The evidence lower bound, sampled and exactly in three ways; the KL of two Gaussians."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal

from course_lib.linear_gaussian import LinearGaussian
from course_lib.monte_carlo.estimators import LogJoint, PointsArray, log_weights

LOG_TWO_PI = math.log(2 * math.pi)


class ElboForms(NamedTuple):
    r"""The same bound, written in three ways; each of shape (N,), in nats.

    Attributes:
        joint_and_entropy: E_q[\log p(x, z)] + H(q).
        likelihood_and_kl: E_q[\log p(x | z)] − KL(q‖p(z)).
        evidence_and_gap: \log p(x) − KL(q‖p(z | x)).
    """

    joint_and_entropy: Float[Tensor, " n"]
    likelihood_and_kl: Float[Tensor, " n"]
    evidence_and_gap: Float[Tensor, " n"]


def elbo(
    x: PointsArray,
    log_joint: LogJoint,
    q: Distribution,
    num_samples: int,
    *,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " n"]:
    r"""The evidence lower bound, by Monte Carlo.

    .. math:: \mathcal L_n = \mathbb E_{q_n}[\log p(x_n, z) - \log q_n(z)]
        \approx \frac1S \sum_s \log w_{sn}

    Unbiased, and with a reparameterised q so is its gradient.

    Args:
        x: Points, shape (N, D).
        log_joint: (x, z) to \log p(x_n, z_{sn}), shape (S, N).
        q: Event shape (M,), batch shape (N,) or ().
        num_samples: S.
        generator: Of the draws.

    Returns:
        Shape (N,), in nats.

    Raises:
        ValueError: An argument is malformed, or `log_joint` returns a wrong shape, NaN or +inf.
    """
    return log_weights(x, log_joint, q, num_samples, generator=generator)[1].mean(0)


def elbo_three_ways(model: LinearGaussian, x: PointsArray, q: Distribution) -> ElboForms:
    r"""The ELBO of a Gaussian q on the linear-Gaussian model, exactly, in three forms.

    The expected log likelihood needs only the mean m and the covariance C = L Lᵀ of q:

    .. math:: \mathbb E_q[\log p(x \mid z)] = \log p(x \mid m)
        - \frac{\lVert W L \rVert_F^2}{2 \sigma^2}

    Args:
        model: The truth.
        x: Points, shape (N, D).
        q: `MultivariateNormal` or `Independent(Normal(…), 1)`, event shape (M,), batch shape (N,)
            or ().

    Raises:
        ValueError: `x` is malformed, or q is no such Gaussian.
    """
    loc, scale_tril = loc_and_tril(q)
    loc = loc.expand(len(x), -1)
    spread = (model.weight @ scale_tril).square().sum((-2, -1)) / (2 * model.scale.square())
    log_likelihood = model.log_likelihood(x, loc) - spread
    second_moment = loc.square().sum(-1) + scale_tril.square().sum((-2, -1))
    log_prior = -0.5 * (second_moment + model.latent_dim * LOG_TWO_PI)
    return ElboForms(
        joint_and_entropy=log_likelihood + log_prior + q.entropy(),
        likelihood_and_kl=log_likelihood - gaussian_kl(q, model.prior()),
        evidence_and_gap=model.log_marginal(x) - gaussian_kl(q, model.posterior(x)),
    )


def gaussian_kl(q: Distribution, p: Distribution) -> Float[Tensor, "*batch"]:
    r"""KL(q‖p) of two Gaussians, in closed form.

    .. math:: \mathrm{KL} = \tfrac12 \Big( \lVert L_p^{-1} (\mu_q - \mu_p) \rVert^2
        + \lVert L_p^{-1} L_q \rVert_F^2 - M \Big) + \sum_m \log \frac{L_{p,mm}}{L_{q,mm}}

    Args:
        q: `MultivariateNormal` or `Independent(Normal(…), 1)`, event shape (M,).
        p: Likewise; q and p need not be of the same kind, and their batch shapes broadcast.

    Returns:
        One value per entry of the batch, in nats.

    Raises:
        ValueError: One of them is no such Gaussian, or their event shapes differ.

    Example:
        >>> standard = Independent(Normal(torch.zeros(1), torch.ones(1)), 1)
        >>> wide = Independent(Normal(torch.zeros(1), torch.ones(1).exp()), 1)
        >>> gaussian_kl(wide, standard), gaussian_kl(standard, wide)
        (tensor(2.1945), tensor(0.5677))
    """
    (q_loc, q_tril), (p_loc, p_tril) = loc_and_tril(q), loc_and_tril(p)
    if q_loc.shape[-1] != p_loc.shape[-1]:
        raise ValueError(
            f"q has {q_loc.shape[-1]} values and p has {p_loc.shape[-1]}; expected the same number"
        )
    shift = torch.linalg.solve_triangular(p_tril, (q_loc - p_loc)[..., None], upper=False)
    ratio = torch.linalg.solve_triangular(p_tril, q_tril, upper=False)
    distance = shift.square().sum((-2, -1))
    log_det = p_tril.diagonal(dim1=-2, dim2=-1).log() - q_tril.diagonal(dim1=-2, dim2=-1).log()
    return 0.5 * (distance + ratio.square().sum((-2, -1)) - q_loc.shape[-1]) + log_det.sum(-1)


def is_diagonal(q: Distribution) -> bool:
    r"""Whether q is an `Independent(Normal(…), 1)`."""
    return (
        isinstance(q, Independent)
        and isinstance(q.base_dist, Normal)
        and q.reinterpreted_batch_ndims == 1
    )


def loc_and_tril(q: Distribution) -> tuple[Float[Tensor, "*batch m"], Float[Tensor, "*batch m m"]]:
    r"""Mean and Cholesky factor of a Gaussian.

    Raises:
        ValueError: q is no `MultivariateNormal` or `Independent(Normal(…), 1)`.
    """
    if isinstance(q, MultivariateNormal):
        return q.loc, q.scale_tril
    if is_diagonal(q):
        return q.base_dist.loc, q.base_dist.scale.diag_embed()
    raise ValueError(
        f"given {type(q).__name__} with event shape {tuple(q.event_shape)}; expected a "
        "MultivariateNormal or Independent(Normal(loc, scale), 1)"
    )
