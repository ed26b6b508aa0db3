"""What the three gradient estimators share: functions whose exact gradients are known."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Oracle

Pair = tuple[Tensor, Tensor]
Function = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Quadratic:
    """h(z) = c + bᵀ z + ½ zᵀ A z with a symmetric A."""

    constant: float
    slope: Tensor
    matrix: Tensor

    def value(self, z: Tensor) -> Tensor:
        z = torch.as_tensor(z, dtype=torch.float64)
        return self.constant + z @ self.slope + 0.5 * ((z @ self.matrix) * z).sum(-1)

    def gradient(self, z: Tensor) -> Tensor:
        return self.slope + torch.as_tensor(z, dtype=torch.float64) @ self.matrix

    def exact(self, loc: Tensor, log_scale: Tensor) -> Pair:
        """∇ E_q[h]: b + A μ for the means, A_mm σ_m² for the log σ_m."""
        return self.slope + self.matrix @ loc, self.matrix.diagonal() * (2 * log_scale).exp()


def draw_quadratic(rng: np.random.Generator, latent_dim: int, constant: float = 0.0) -> Quadratic:
    root = rng.normal(size=(latent_dim, latent_dim)) * 0.5
    matrix = torch.from_numpy(root + root.T + np.diag(rng.uniform(0.8, 1.6, latent_dim)))
    return Quadratic(constant, torch.from_numpy(rng.normal(size=latent_dim)), matrix)


def draw_q(rng: np.random.Generator, latent_dim: int) -> Pair:
    """μ and log σ away from zero, so that σ, σ², log σ and log σ² all differ."""
    signs = rng.choice([-1.0, 1.0], size=(2, latent_dim))
    loc = signs[0] * rng.uniform(0.4, 1.2, size=latent_dim)
    return torch.from_numpy(loc), torch.from_numpy(signs[1] * rng.uniform(0.3, 0.7, latent_dim))


def draw_noise(rng: np.random.Generator, repeats: int, num_samples: int, dim: int) -> Tensor:
    return torch.from_numpy(rng.normal(size=(repeats, num_samples, dim)))


def wavy(rng: np.random.Generator) -> tuple[Function, Function]:
    """A function that is no polynomial, and its gradient."""
    low, high = rng.uniform(0.7, 1.5, size=2).tolist()

    def value(z: Tensor) -> Tensor:
        z = torch.as_tensor(z, dtype=torch.float64)
        return (torch.sin(low * z + 0.4) + 0.3 * z**3).sum(-1) + high * torch.cos(z[..., 0])

    def gradient(z: Tensor) -> Tensor:
        z = torch.as_tensor(z, dtype=torch.float64)
        slope = low * torch.cos(low * z + 0.4) + 0.9 * z**2
        first = torch.zeros_like(z)
        first[..., 0] = -high * torch.sin(z[..., 0])
        return slope + first

    return value, gradient


def scores(log_scale: Tensor, noise: Tensor) -> Pair:
    """∇ log q(z) with respect to μ and log σ, at z = μ + σ ε; shapes (B, S, M)."""
    return noise * (-log_scale).exp(), noise**2 - 1


def place(loc: Tensor, log_scale: Tensor, noise: Tensor) -> Tensor:
    return loc + log_scale.exp() * noise


def read(value: Any, noise: Tensor, name: str) -> Pair:
    """The two gradients, each (B, M)."""
    pair = expect.items(value, 2, f"the result of {name}")
    shape = len(noise), noise.shape[-1]
    return tuple(
        expect.tensor(part, shape, f"the gradient for {which}")
        for part, which in zip(pair, ("loc", "log_scale"), strict=True)
    )


def expect_pair(value: Any, right: Pair, noise: Tensor, name: str, where: str) -> None:
    """Demand these two gradients, up to rounding."""
    given = read(value, noise, name)
    for part, exact, which in zip(given, right, ("loc", "log_scale"), strict=True):
        expect.close(part, exact, f"{name}: the gradient for {which} {where}")


def expect_unbiased(value: Any, exact: Pair, noise: Tensor, name: str, where: str) -> None:
    """Demand that the repeats average to the exact gradient, up to six standard errors."""
    for part, right, which in zip(
        read(value, noise, name), exact, ("loc", "log_scale"), strict=True
    ):
        error = part.std(0) / len(part) ** 0.5
        distance = ((part.mean(0) - right).abs() / (error + 1e-12)).max().item()
        expect.true(
            distance < 6,
            f"{name}: over {len(part)} repeats {where} the gradient for {which} averages to "
            f"{numbers(part.mean(0))}, {distance:.0f} standard errors from the exact "
            f"{numbers(right)}; expected an unbiased estimate",
        )


def expect_asked(oracle: Oracle, draws: Tensor) -> None:
    """Demand that each of these draws (B, S, M) was among the questions."""
    dim = draws.shape[-1]
    asked = torch.cat(
        [torch.as_tensor(question[0]).double().reshape(-1, dim) for question in oracle.questions]
        or [torch.zeros(0, dim, dtype=torch.float64)]
    )
    expect.true(len(asked), "f was never asked")
    nearest = torch.cdist(draws.reshape(-1, dim), asked).amin(1).max().item()
    expect.true(
        nearest < 1e-4,
        f"f was never asked at some of the draws: the nearest question is {nearest:.3g} away from "
        "μ + σ ε",
    )


def numbers(values: Tensor) -> str:
    return "(" + ", ".join(f"{value:.3g}" for value in values.tolist()) + ")"
