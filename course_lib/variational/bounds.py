r"""Lower bounds of log p(x): the ELBO three ways, its gap, IWAE and the gradient of DReG."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal

from course_lib.linear_gaussian import LinearGaussian
from course_lib.monte_carlo.estimators import (
    LogJoint,
    PointsArray,
    log_mean_exp,
    log_weights,
)

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
    loc, scale_tril = _loc_and_tril(q)
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
    (q_loc, q_tril), (p_loc, p_tril) = _loc_and_tril(q), _loc_and_tril(p)
    if q_loc.shape[-1] != p_loc.shape[-1]:
        raise ValueError(
            f"q has {q_loc.shape[-1]} values and p has {p_loc.shape[-1]}; expected the same number"
        )
    shift = torch.linalg.solve_triangular(p_tril, (q_loc - p_loc)[..., None], upper=False)
    ratio = torch.linalg.solve_triangular(p_tril, q_tril, upper=False)
    distance = shift.square().sum((-2, -1))
    log_det = p_tril.diagonal(dim1=-2, dim2=-1).log() - q_tril.diagonal(dim1=-2, dim2=-1).log()
    return 0.5 * (distance + ratio.square().sum((-2, -1)) - q_loc.shape[-1]) + log_det.sum(-1)


def iwae_bound(log_weights: Float[Tensor, "s n"]) -> Float[Tensor, " n"]:
    r"""The importance-weighted bound from S draws of each point, shape (N,), in nats.

    .. math:: \mathcal L_S = \log \frac1S \sum_s w_{sn}

    On average it rises with S, from the ELBO at S = 1 towards \log p(x).

    Args:
        log_weights: Shape (S, N), as from `course_lib.monte_carlo.log_weights`.

    Raises:
        ValueError: There are no draws.

    Reference:
        Burda, Grosse and Salakhutdinov (2016), "Importance weighted autoencoders", equation (8),
        arXiv:1509.00519.
    """
    return log_mean_exp(log_weights, 0)


def dreg_surrogate(
    x: PointsArray,
    log_joint: LogJoint,
    q: Distribution,
    num_samples: int,
    *,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " n"]:
    r"""A number whose gradient with respect to q is the doubly reparameterised one of IWAE.

    .. math:: \nabla_\phi \mathcal L_S = \mathbb E\Big[ \sum_s \tilde w_s^2 \,
        \frac{\partial \log w_s}{\partial z_s} \frac{\partial z_s}{\partial \phi} \Big]

    Its value is no bound. Its gradient with respect to the model is not that of the bound: take
    `iwae_bound` for it.

    Args:
        x: Points, shape (N, D).
        log_joint: (x, z) to \log p(x_n, z_{sn}), shape (S, N).
        q: `MultivariateNormal` or `Independent(Normal(…), 1)`, event shape (M,), batch shape (N,)
            or ().
        num_samples: S.
        generator: Of the draws.

    Returns:
        Shape (N,).

    Raises:
        ValueError: An argument is malformed, or q is no such Gaussian.

    Reference:
        Tucker, Lawson, Gu and Maddison (2019), "Doubly reparameterized gradient estimators for
        Monte Carlo objectives", arXiv:1810.04152.
    """
    stopped = stop_gradient(q)  # log q depends on q's parameters through z alone
    log_w = log_weights(x, log_joint, _Path(q, stopped), num_samples, generator=generator)[1]
    return (log_w.detach().softmax(0).square() * log_w).sum(0)


def stop_gradient(q: Distribution) -> Distribution:
    r"""The same Gaussian with parameters cut off from the gradient.

    Raises:
        ValueError: q is no `MultivariateNormal` or `Independent(Normal(…), 1)`.
    """
    if _is_diagonal(q):
        return Independent(Normal(q.base_dist.loc.detach(), q.base_dist.scale.detach()), 1)
    loc, scale_tril = _loc_and_tril(q)
    return MultivariateNormal(loc.detach(), scale_tril=scale_tril.detach())


class _Path(Distribution):
    r"""Draws from one distribution, log-densities from another."""

    has_rsample = True

    def __init__(self, drawn: Distribution, density: Distribution) -> None:
        super().__init__(drawn.batch_shape, drawn.event_shape, validate_args=False)
        self.rsample, self.log_prob = drawn.rsample, density.log_prob
        self._pair = (drawn, density)

    def expand(self, batch_shape: tuple[int, ...]) -> "_Path":
        return type(self)(*(one.expand(batch_shape) for one in self._pair))


def _is_diagonal(q: Distribution) -> bool:
    return (
        isinstance(q, Independent)
        and isinstance(q.base_dist, Normal)
        and q.reinterpreted_batch_ndims == 1
    )


def _loc_and_tril(q: Distribution) -> tuple[Float[Tensor, "*batch m"], Float[Tensor, "*batch m m"]]:
    if isinstance(q, MultivariateNormal):
        return q.loc, q.scale_tril
    if _is_diagonal(q):
        return q.base_dist.loc, q.base_dist.scale.diag_embed()
    raise ValueError(
        f"given {type(q).__name__} with event shape {tuple(q.event_shape)}; expected a "
        "MultivariateNormal or Independent(Normal(loc, scale), 1)"
    )
