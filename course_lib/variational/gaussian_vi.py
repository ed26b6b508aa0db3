r"""Variational inference by gradient: one Gaussian for each point, moved uphill on the ELBO."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal

from course_lib.mixture.params import check_points
from course_lib.monte_carlo.checks import check_positive
from course_lib.monte_carlo.estimators import LogJoint, PointsArray, evaluate
from course_lib.variational.importance_weighted import stop_gradient

Callback = Callable[[int, Distribution, Float[Tensor, " n"]], None]


def fit_gaussian_vi(
    log_joint: LogJoint,
    x: PointsArray,
    latent_dim: int,
    *,
    full: bool,
    num_steps: int = 1000,
    num_samples: int = 8,
    learning_rate: float = 0.05,
    generator: torch.Generator | None = None,
    callback: Callback | None = None,
) -> Distribution:
    r"""The Gaussian q_n(z) of largest ELBO for each point, by Adam on reparameterised draws.

    Draws come in pairs z = m ± L ε, and \log q counts only through z (its direct gradient has mean
    0). So if the posterior is a Gaussian that q can be, the noise dies out as q comes close, and
    the fit ends at the posterior itself. The learning rate falls to 0 along a half cosine.

    Args:
        log_joint: (x, z) to \log p(x_n, z_{sn}), shape (S, N), differentiable in z.
        x: Points, shape (N, D).
        latent_dim: M.
        full: Whether q has a full covariance, or independent coordinates (mean field).
        num_steps: How many gradient steps to take.
        num_samples: S, draws for each point and step; rounded up to an even number.
        learning_rate: Of the first step, in the unit of z.
        generator: Of the draws, on the device of `x`.
        callback: Called at each step with its number, q, and the ELBO of the draws (N,), in nats.

    Returns:
        `MultivariateNormal` if full, else `Independent(Normal(…), 1)`; batch shape (N,), event
        shape (M,), without gradients. The start is the standard normal.

    Raises:
        ValueError: An argument is malformed, or `log_joint` returns a wrong shape or NaN.

    Reference:
        Roeder, Wu and Duvenaud (2017), "Sticking the landing: simple, lower-variance gradient
        estimators for variational inference", arXiv:1703.09194.
    """
    check_points(x)
    check_positive(
        latent_dim=latent_dim,
        num_steps=num_steps,
        num_samples=num_samples,
        learning_rate=learning_rate,
    )
    shape = (len(x), latent_dim)
    loc = x.new_zeros(shape).requires_grad_()
    log_scale = x.new_zeros(shape).requires_grad_()
    lower = x.new_zeros(*shape, latent_dim).requires_grad_()
    optimizer = torch.optim.Adam([loc, log_scale, *([lower] if full else [])], lr=learning_rate)
    half = (math.ceil(num_samples / 2), *shape)
    for step in range(num_steps):
        q = _gaussian(loc, log_scale, lower if full else None)
        noise = torch.randn(half, generator=generator, dtype=x.dtype, device=x.device)
        noise = torch.cat([noise, -noise])
        z = loc + _stretch(q, noise)
        log_w = evaluate(log_joint, x, z) - stop_gradient(q).log_prob(z)
        for group in optimizer.param_groups:
            group["lr"] = 0.5 * learning_rate * (1 + math.cos(math.pi * step / num_steps))
        optimizer.zero_grad()
        (-log_w.mean(0).sum()).backward()
        optimizer.step()
        if callback is not None:
            callback(step, stop_gradient(q), log_w.mean(0).detach())
    return stop_gradient(_gaussian(loc, log_scale, lower if full else None))


def _gaussian(
    loc: Float[Tensor, "n m"],
    log_scale: Float[Tensor, "n m"],
    lower: Float[Tensor, "n m m"] | None,
) -> Distribution:
    r"""q from unconstrained numbers; rows of L are scaled so that each has the size of its z."""
    if lower is None:
        return Independent(Normal(loc, log_scale.exp()), 1)
    unit = torch.eye(loc.shape[-1], dtype=loc.dtype, device=loc.device) + lower.tril(-1)
    return MultivariateNormal(loc, scale_tril=log_scale.exp()[..., None] * unit)


def _stretch(q: Distribution, noise: Float[Tensor, "s n m"]) -> Float[Tensor, "s n m"]:
    if isinstance(q, Independent):
        return q.base_dist.scale * noise
    return (q.scale_tril @ noise[..., None])[..., 0]
