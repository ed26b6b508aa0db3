r"""The importance-weighted bound, and two cheaper or quieter ways to its gradient."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal

from course_lib.monte_carlo.estimators import (
    LogJoint,
    PointsArray,
    log_mean_exp,
    log_weights,
    resample,
)
from course_lib.variational.bounds import is_diagonal, loc_and_tril


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


def one_draw_iwae_bound(
    x: PointsArray,
    log_joint: LogJoint,
    q: Distribution,
    num_samples: int,
    *,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " n"]:
    r"""The importance-weighted bound, of which only one draw of each point is differentiated.

    .. math:: \nabla \mathcal L_S = \sum_s \tilde w_s \nabla \log w_s
        = \mathbb E_{s \sim \tilde w}[\nabla \log w_s]

    So a draw that is chosen in proportion to its weight gives an unbiased gradient. It varies more,
    and the backward pass, two thirds of the work, shrinks S-fold.

    Args:
        x: Points, shape (N, D).
        log_joint: (x, z) to \log p(x_n, z_{sn}), shape (S, N); called with S draws, and with one.
        q: `MultivariateNormal` or `Independent(Normal(…), 1)`, event shape (M,), batch shape (N,)
            or ().
        num_samples: S.
        generator: Of the draws and of the choice.

    Returns:
        The bound, shape (N,), in nats; its gradient is the estimate.

    Raises:
        ValueError: An argument is malformed, or q is no such Gaussian.

    Reference:
        Burda, Grosse and Salakhutdinov (2016), "Importance weighted autoencoders", section 3,
        arXiv:1509.00519.
    """
    with torch.no_grad():
        z, log_w = log_weights(x, log_joint, stop_gradient(q), num_samples, generator=generator)
        bound = iwae_bound(log_w)
        chosen = resample(z, log_w, 1, generator=generator)
    q = q if q.batch_shape else q.expand((len(x),))
    z = _reparameterised(q, chosen)
    log_w = (log_joint(x, z) - q.log_prob(z))[0]
    return bound + (log_w - log_w.detach())


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
    if is_diagonal(q):
        return Independent(Normal(q.base_dist.loc.detach(), q.base_dist.scale.detach()), 1)
    loc, scale_tril = loc_and_tril(q)
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


def _reparameterised(q: Distribution, z: Float[Tensor, "s n m"]) -> Float[Tensor, "s n m"]:
    r"""The same draws as a function of q's parameters, so that gradients flow through them."""
    if is_diagonal(q):
        loc, scale = q.base_dist.loc, q.base_dist.scale
        return loc + scale * ((z - loc) / scale).detach()
    loc, scale_tril = loc_and_tril(q)
    centred = (z - loc).detach()[..., None]
    noise = torch.linalg.solve_triangular(scale_tril.detach(), centred, upper=False)
    return loc + (scale_tril @ noise)[..., 0]
