"""Black boxes for variational inference whose best Gaussian is known exactly.

A target is asked with z (…, M) and answers log p(x, z), (…), and its gradient, (…, M). For one of
them the posterior is Gaussian; for the other, a model of counts, it is skewed, and the ELBO of a
Gaussian still has a closed form, because E[exp(a + b ε)] = exp(a + b²/2).
"""

import math
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

Gaussian = tuple[Tensor, Tensor]  # loc (M,), scale_tril (M, M)


class Target:
    """log p(x, z) as a black box, with the exact ELBO of a Gaussian q."""

    def __init__(self, weight: Tensor, bias: Tensor, x: Tensor):
        self.weight, self.bias, self.x = weight, bias, x

    @property
    def latent_dim(self) -> int:
        return self.weight.shape[1]

    def __call__(self, z: Tensor) -> tuple[Tensor, Tensor]:
        z = torch.as_tensor(z, dtype=torch.float64)
        value, slope = self.log_likelihood(z @ self.weight.T + self.bias)
        log_prior = -0.5 * z.square().sum(-1) - 0.5 * self.latent_dim * math.log(2 * math.pi)
        return value.sum(-1) + log_prior, slope @ self.weight - z

    def log_likelihood(self, a: Tensor) -> tuple[Tensor, Tensor]:
        """log p(x_d | a_d) and its derivative, at a = W z + b."""
        raise NotImplementedError("a target says how it is observed")

    def mean_log_likelihood(self, mean: Tensor, variance: Tensor) -> Tensor:
        """E[log p(x_d | a_d)] for Gaussian a_d."""
        raise NotImplementedError("a target says how it is observed")

    def elbo(self, loc: Tensor, scale_tril: Tensor) -> Tensor:
        """Exact bound in nats, reconstruction minus divergence from the prior."""
        spread = (self.weight @ scale_tril).square().sum(-1)
        rec = self.mean_log_likelihood(self.weight @ loc + self.bias, spread).sum()
        log_det = scale_tril.diagonal().abs().log().sum()
        second = loc.square().sum() + scale_tril.square().sum()
        return rec - 0.5 * (second - len(loc)) + log_det

    def optimum(self, full: bool) -> Gaussian:
        raise NotImplementedError("a target knows its best Gaussian")

    def shortfall(self, loc: Tensor, scale_tril: Tensor, full: bool) -> float:
        """Nats by which this q is worse than the best of its kind."""
        return (self.elbo(*self.optimum(full)) - self.elbo(loc, scale_tril)).item()


class LinearGaussianTarget(Target):
    """x_d ~ N(a_d, σ²): the posterior is a Gaussian with the precision I + Wᵀ W/σ²."""

    def __init__(self, weight: Tensor, bias: Tensor, x: Tensor, scale: float):
        super().__init__(weight, bias, x)
        self.scale = scale

    def log_likelihood(self, a: Tensor) -> tuple[Tensor, Tensor]:
        u = (self.x - a) / self.scale
        return -0.5 * u**2 - math.log(self.scale) - 0.5 * math.log(2 * math.pi), u / self.scale

    def mean_log_likelihood(self, mean: Tensor, variance: Tensor) -> Tensor:
        return self.log_likelihood(mean)[0] - 0.5 * variance / self.scale**2

    @cached_property
    def precision(self) -> Tensor:
        identity = torch.eye(self.latent_dim, dtype=torch.float64)
        return identity + self.weight.T @ self.weight / self.scale**2

    def optimum(self, full: bool) -> Gaussian:
        pull = self.weight.T @ (self.x - self.bias) / self.scale**2
        loc = torch.linalg.solve(self.precision, pull)
        if full:
            return loc, torch.linalg.cholesky(torch.linalg.inv(self.precision))
        return loc, self.precision.diagonal().rsqrt().diag_embed()


class CountTarget(Target):
    """x_d ~ Poisson(exp(a_d)): few counts, so the posterior has a long tail to one side."""

    def log_likelihood(self, a: Tensor) -> tuple[Tensor, Tensor]:
        return self.x * a - a.exp() - torch.lgamma(self.x + 1), self.x - a.exp()

    def mean_log_likelihood(self, mean: Tensor, variance: Tensor) -> Tensor:
        return self.x * mean - (mean + 0.5 * variance).exp() - torch.lgamma(self.x + 1)

    @cached_property
    def _optima(self) -> dict[bool, Gaussian]:
        return {}

    def optimum(self, full: bool) -> Gaussian:
        if full not in self._optima:
            self._optima[full] = self._climb(full)
        return self._optima[full]

    def _climb(self, full: bool) -> Gaussian:
        """Newton steps on the exact bound: Λ = I + Wᵀ diag(E[exp a]) W and its mean's equation.

        Reference: Opper & Archambeau 2009, "The variational Gaussian approximation revisited".
        """
        loc = torch.zeros(self.latent_dim, dtype=torch.float64)
        identity = torch.eye(self.latent_dim, dtype=torch.float64)
        covariance = 0.3 * identity
        for _ in range(60):
            spread = ((self.weight @ covariance) * self.weight).sum(-1)
            rate = (self.weight @ loc + self.bias + 0.5 * spread).exp()
            precision = identity + self.weight.T @ (rate[:, None] * self.weight)
            gradient = self.weight.T @ (self.x - rate) - loc
            step = torch.linalg.solve(precision, gradient)
            loc = loc + 0.7 * step
            best = (
                torch.linalg.inv(precision)
                if full
                else precision.diagonal().reciprocal().diag_embed()
            )
            change = best - covariance
            covariance = covariance + 0.7 * change
            if max(step.abs().max(), change.abs().max()) < 1e-8:
                break
        return loc, torch.linalg.cholesky(covariance)

    def laplace(self) -> Gaussian:
        """The mode of p(z | x) and the curvature there."""
        loc = torch.zeros(self.latent_dim, dtype=torch.float64)
        identity = torch.eye(self.latent_dim, dtype=torch.float64)
        for _ in range(60):
            rate = (self.weight @ loc + self.bias).exp()
            precision = identity + self.weight.T @ (rate[:, None] * self.weight)
            loc = loc + torch.linalg.solve(precision, self.weight.T @ (self.x - rate) - loc)
        return loc, torch.linalg.cholesky(torch.linalg.inv(precision))


def draw_linear_gaussian(rng: np.random.Generator, latent_dim: int) -> LinearGaussianTarget:
    """Columns of W that point in similar directions, so that the posterior is strongly tilted."""
    dim = latent_dim + 2
    shared = rng.normal(size=(dim, 1))
    own = rng.normal(size=(dim, latent_dim))
    columns = np.sqrt(0.85) * shared / np.linalg.norm(shared) + np.sqrt(
        0.15
    ) * own / np.linalg.norm(own, axis=0)
    size = rng.permutation(np.linspace(1.0, 1.5, latent_dim)) * rng.choice([-1.0, 1.0], latent_dim)
    weight = torch.from_numpy(columns * size / np.linalg.norm(columns, axis=0))
    bias = torch.from_numpy(rng.normal(size=dim))
    z = torch.from_numpy(rng.choice([-1.0, 1.0], latent_dim) * rng.uniform(0.8, 1.5, latent_dim))
    scale = float(rng.uniform(0.4, 0.5))
    noise = torch.from_numpy(rng.normal(size=dim)) * 0.3
    return LinearGaussianTarget(weight, bias, weight @ z + bias + noise, scale)


def draw_counts(rng: np.random.Generator) -> CountTarget:
    """Three rates that saw nothing and one that saw a single event."""
    weight = torch.from_numpy(
        rng.uniform(0.9, 1.3, size=(4, 2)) * [[1, 1], [1, -1], [1, 1], [1, 1]]
    )
    bias = torch.from_numpy(rng.uniform(-0.3, 0.2, size=4))
    return CountTarget(weight, bias, torch.tensor([0.0, 1.0, 0.0, 0.0], dtype=torch.float64))
