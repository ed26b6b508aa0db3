"""Right answers to `slerp`."""

import math

import numpy as np
import torch

from .slerp import path, plane
from .slerp_bank import SLERP, column, is_straight, lengths, lerp, sines


@SLERP.variant
def by_sines(z0, z1, tau):
    u, v = z0 / z0.norm(), z1 / z1.norm()
    if is_straight(z0, z1):
        if u @ v > 0:
            return lerp(z0, z1, tau)
        across = torch.randn(len(u), dtype=u.dtype, generator=torch.Generator().manual_seed(1))
        across = across - (across @ u) * u
        turn = math.pi * column(tau)
        direction = torch.cos(turn) * u + torch.sin(turn) * across / across.norm()
        return lengths(z0, z1, tau) * direction
    a, b, c = sines(z0, z1, tau)
    return lengths(z0, z1, tau) * (a * u + b * v) / c


@SLERP.variant
def by_rotation(z0, z1, tau):
    u, w, angle = plane(z0, z1)
    turn = torch.outer(w, u) - torch.outer(u, w)
    steps = [torch.linalg.matrix_exp(float(t) * angle * turn) @ u for t in tau]
    return lengths(z0, z1, tau) * torch.stack(steps)


@SLERP.variant
def by_half_angles(z0, z1, tau):
    u, v = z0 / z0.norm(), z1 / z1.norm()
    angle = 2 * torch.atan2((u - v).norm(), (u + v).norm())
    _, w, _ = plane(z0, z1)
    return path(u, w, angle, z0.norm(), z1.norm(), tau)


@SLERP.variant
def by_complex_numbers(z0, z1, tau):
    u, w, angle = plane(z0, z1)
    place = torch.polar(lengths(z0, z1, tau)[:, 0], tau * angle)
    return torch.stack([place.real, place.imag], 1) @ torch.stack([u, w])


@SLERP.variant
def in_numpy(z0, z1, tau):
    u, w, angle = (part.numpy() for part in plane(z0, z1))
    turn = np.cos(tau.numpy() * angle)[:, None] * u + np.sin(tau.numpy() * angle)[:, None] * w
    return lengths(z0, z1, tau).numpy() * turn
