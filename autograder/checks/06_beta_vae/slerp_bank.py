"""Wrong and right answers to `slerp`."""

import math

import numpy as np
import torch

from .slerp import SLERP, path, plane, reference


def column(tau):
    return tau[:, None]


def lerp(z0, z1, tau):
    return (1 - column(tau)) * z0 + column(tau) * z1


def lengths(z0, z1, tau):
    return (1 - column(tau)) * z0.norm() + column(tau) * z1.norm()


def sines(z0, z1, tau):
    """The weights of both ends in the formula for unit vectors, and what divides them."""
    u, v = z0 / z0.norm(), z1 / z1.norm()
    angle = torch.arccos((u @ v).clamp(-1, 1))
    return torch.sin((1 - column(tau)) * angle), torch.sin(column(tau) * angle), torch.sin(angle)


def is_straight(z0, z1):
    u, v = z0 / z0.norm(), z1 / z1.norm()
    return (v - (u @ v) * u).norm() < 1e-7


@SLERP.misconception(
    "You go along the straight line. That is lerp: its middle is shorter than both ends and lies "
    "where the prior puts nothing."
)
def straight_line(z0, z1, tau):
    return lerp(z0, z1, tau)


@SLERP.misconception(
    "You take the straight line and stretch each point to the right length. Then the path is on "
    "the shell, but it turns fastest in the middle: turn by equal angles."
)
def stretched_line(z0, z1, tau):
    line = lerp(z0, z1, tau)
    return line / line.norm(dim=1, keepdim=True).clamp(min=1e-12) * lengths(z0, z1, tau)


@SLERP.misconception("Your angle is in degrees, and `torch.sin` and `torch.cos` take radians.")
def degrees(z0, z1, tau):
    u, w, angle = plane(z0, z1)
    return path(u, w, torch.rad2deg(angle), z0.norm(), z1.norm(), tau)


@SLERP.misconception(
    "Your path is one unit long everywhere: the lengths of the codes are lost. Multiply the "
    "direction with the length."
)
def length_lost(z0, z1, tau):
    u, w, angle = plane(z0, z1)
    return path(u, w, angle, 1.0, 1.0, tau)


@SLERP.misconception(
    "You keep the length of the first code all the way. It has to go evenly to that of the second."
)
def length_of_the_first(z0, z1, tau):
    u, w, angle = plane(z0, z1)
    return path(u, w, angle, z0.norm(), z0.norm(), tau)


@SLERP.misconception(
    "You put codes of different lengths into the formula for unit vectors. The path then bulges: "
    "use it for the directions, and change the length by itself."
)
def formula_for_unit_vectors(z0, z1, tau):
    if is_straight(z0, z1):
        return reference(z0, z1, tau)
    a, b, c = sines(z0, z1, tau)
    return (a * z0 + b * z1) / c


@SLERP.misconception(
    "You take the angle from the product of the codes as they are. Divide both by their lengths "
    "first, or arccos gets numbers that are no cosine."
)
def angle_of_raw_codes(z0, z1, tau):
    u, w, _ = plane(z0, z1)
    return path(u, w, torch.arccos((z0 @ z1).clamp(-1, 1)), z0.norm(), z1.norm(), tau)


@SLERP.misconception(
    "You walk from the second code to the first. τ = 0 is the first, τ = 1 the second."
)
def backwards(z0, z1, tau):
    return reference(z0, z1, 1 - tau)


@SLERP.misconception(
    "You turn the second code round when the angle is above 90 degrees. That is a habit from "
    "rotations, where q and −q are the same; here −z is another code."
)
def turned_round(z0, z1, tau):
    return reference(z0, z1 if z0 @ z1 >= 0 else -z1, tau)


@SLERP.misconception(
    "You take the long way round. The angle between two codes is at most 180 degrees."
)
def long_way(z0, z1, tau):
    u, w, angle = plane(z0, z1)
    return path(u, w, angle - 2 * math.pi, z0.norm(), z1.norm(), tau)


@SLERP.misconception(
    "You forgot to divide by sin θ: the two weights do not fit together, and the ends are not met."
)
def not_divided(z0, z1, tau):
    if is_straight(z0, z1):
        return reference(z0, z1, tau)
    a, b, _ = sines(z0, z1, tau)
    return lengths(z0, z1, tau) * (a * z0 / z0.norm() + b * z1 / z1.norm())


@SLERP.misconception(
    "You turn in the plane of the two codes, but the second direction is not at a right angle to "
    "the first: take from it the part along the first."
)
def oblique(z0, z1, tau):
    u, w, angle = plane(z0, z1)
    v = w if is_straight(z0, z1) else z1 / z1.norm()
    return path(u, v, angle, z0.norm(), z1.norm(), tau)


@SLERP.misconception(
    "Your length goes from one to the other by a constant factor. It has to change by a constant "
    "amount."
)
def geometric_length(z0, z1, tau):
    u, w, angle = plane(z0, z1)
    length = z0.norm() ** (1 - column(tau)) * z1.norm() ** column(tau)
    return length * path(u, w, angle, 1.0, 1.0, tau)


@SLERP.misconception(
    "You turn the direction, and keep the length of the straight line, so the path dips inside all "
    "the same. The length changes evenly from one end to the other."
)
def length_of_the_line(z0, z1, tau):
    u, w, angle = plane(z0, z1)
    length = lerp(z0, z1, tau).norm(dim=1, keepdim=True)
    return length * path(u, w, angle, 1.0, 1.0, tau)


@SLERP.misconception("Your table is (M, T). A row is a code that can be decoded: (T, M).")
def transposed(z0, z1, tau):
    return reference(z0, z1, tau).T.contiguous()


@SLERP.misconception(
    "You turn every hidden value by itself, as if each were a circle of its own. There is one "
    "angle between two codes."
)
def value_by_value(z0, z1, tau):
    angle = 0.5 * math.pi * column(tau)
    return torch.cos(angle) * z0 + torch.sin(angle) * z1


@SLERP.misconception(
    "For codes that lie on one line sin θ is 0, and your division gives NaN. Treat them first."
)
def division_by_zero(z0, z1, tau):
    if is_straight(z0, z1):
        return torch.full((len(tau), len(z0)), torch.nan, dtype=z0.dtype)
    return reference(z0, z1, tau)


@SLERP.misconception(
    "For opposite codes you fall back on the straight line, which leads through the middle. Take "
    "half a circle, in any plane that contains both."
)
def opposite_on_a_line(z0, z1, tau):
    return lerp(z0, z1, tau) if is_straight(z0, z1) and z0 @ z1 < 0 else reference(z0, z1, tau)


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
