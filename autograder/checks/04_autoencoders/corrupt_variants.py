"""Right answers to `corrupt` that draw in other ways."""

import torch

from .corrupt import damage
from .corrupt_bank import CORRUPT, mask_like, noise_like

__all__ = ["CORRUPT"]


@CORRUPT.variant
def by_normal(x, kind, level, generator):
    if kind == "gaussian":
        noise = torch.empty_like(x).normal_(0.0, 1.0, generator=generator)
        return torch.add(x, noise, alpha=level)
    keep = torch.empty_like(x).bernoulli_(1 - level, generator=generator)
    return x * keep


@CORRUPT.variant
def on_a_copy(x, kind, level, generator):
    y = x.clone()
    uniform = torch.rand(x.shape, generator=generator, dtype=x.dtype)
    if kind == "dropout":
        y[uniform >= 1 - level] = 0.0
        return y
    y += level * noise_like(x, generator)
    return y


@CORRUPT.variant
def point_by_point(x, kind, level, generator):
    return torch.stack([damage(point, kind, level, generator) for point in x])


@CORRUPT.variant
def drawn_in_single_precision(x, kind, level, generator):
    if kind == "gaussian":
        return x + level * torch.randn(x.shape, generator=generator).to(x.dtype)
    return x * (torch.rand(x.shape, generator=generator) >= level).to(x.dtype)


@CORRUPT.variant
def with_two_draws(x, kind, level, generator):
    noise = noise_like(x, generator)
    lost = mask_like(x, level, generator)
    return {"gaussian": x + level * noise, "dropout": x.masked_fill(lost, 0.0)}[kind]
