"""`slerp(z0, z1, tau)`: from one code to another along the shell."""

import math

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(z0: Tensor, z1: Tensor, tau: Tensor) -> Tensor:
    """Shoemake 1985 for the direction; the length changes evenly."""
    u, w, angle = plane(z0, z1)
    return path(u, w, angle, z0.norm(), z1.norm(), tau)


def plane(z0: Tensor, z1: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Direction of z0, a direction across it towards z1, and the angle between z0 and z1."""
    u, v = z0 / z0.norm(), z1 / z1.norm()
    across = v - (u @ v) * u
    angle = torch.atan2(across.norm(), u @ v)
    if across.norm() < 1e-9:  # parallel or opposite: every direction across will do
        across = torch.zeros_like(u)
        across[u.abs().argmin()] = 1.0
        across = across - (u @ across) * u
    return u, across / across.norm(), angle


def path(u: Tensor, w: Tensor, angle, start, end, tau: Tensor) -> Tensor:
    tau = tau[:, None]
    length = (1 - tau) * start + tau * end
    return length * (torch.cos(tau * angle) * u + torch.sin(tau * angle) * w)


SLERP = Exercise(
    name="slerp",
    unit="06_beta_vae",
    title="Morph along the shell",
    points=3,
    difficulty=3,
    minutes=30,
    reference=reference,
    hints=(
        "**Principle.** In many dimensions draws from the prior lie near a shell: all have about "
        "the same length. A straight line between two of them cuts through the inside, where no "
        "draw ever lies and the decoder has never been. So split a code into a direction and a "
        "length. Turn the direction from the first to the second within the plane that the two "
        "span, by the same angle for every step of τ, and change the length evenly. The path then "
        "stays on the shell if both ends are on it. The turn is the shorter way round, never more "
        "than half a circle.",
        "**Place.** Divide both codes by their lengths first: the angle comes from directions "
        "alone, θ = arccos of their product, in radians. Rounding can push the product a little "
        "beyond 1, where arccos is NaN: clamp it to ±1. The direction at τ is (sin((1−τ)θ) u + "
        "sin(τθ) v) / sin θ. That is 0/0 for parallel codes, where u itself is right. For opposite "
        "codes it fails as well, and there every half circle is right: choose any direction across "
        "u. Cleaner: take from v the part along u, normalise what is left to w, and use cos(τθ) u "
        "+ sin(τθ) w, which needs no division by sin θ.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "u, v = z0 / z0.norm(), z1 / z1.norm()\n"
        "w = v - (u @ v) * u\n"
        "if w.norm() < 1e-9:                     # parallel or opposite\n"
        "    w = torch.zeros_like(u)\n"
        "    w[u.abs().argmin()] = 1\n"
        "    w = w - ...\n"
        "w = w / w.norm()\n"
        "angle = torch.arccos((u @ v).clamp(..., ...))\n"
        "tau = tau[:, None]                      # (T, 1)\n"
        "direction = torch.cos(tau * angle) * u + ...\n"
        "return ((1 - tau) * z0.norm() + tau * ...) * direction\n"
        "```\n\n"
        "The gaps are the part of w along u, −1 and 1, the sine term, and the second length. Test "
        "yourself: from [1, 0] to [0, 1] the middle is [0.707, 0.707], from [2, 0] to [−2, 0] it "
        "has the length 2.",
    ),
)


def draw_plane(rng: np.random.Generator, latent_dim: int) -> tuple[Tensor, Tensor]:
    """Two directions at a right angle."""
    return torch.from_numpy(np.linalg.qr(rng.normal(size=(latent_dim, 2)))[0].T.copy())


def _expect(
    candidate: Candidate,
    rng: np.random.Generator,
    latent_dim: int,
    angle: float,
    lengths: tuple[float, float],
    tau: Tensor,
    which: str,
    rtol: float = 1e-4,
) -> None:
    u, w = draw_plane(rng, latent_dim)
    z0, z1 = lengths[0] * u, lengths[1] * (math.cos(angle) * u + math.sin(angle) * w)
    right = path(u, w, angle, *lengths, tau)
    what = f"slerp {which} (M = {latent_dim}, angle {math.degrees(angle):.4g} degrees)"
    expect.close(candidate.call(z0, z1, tau), right, what, rtol=rtol, atol=2e-5 * max(lengths))


def _tau(rng: np.random.Generator, num: int) -> Tensor:
    return torch.from_numpy(rng.permutation(np.concatenate([[0, 1], rng.uniform(0, 1, num - 2)])))


@SLERP.check
def turns_evenly_on_the_shell(candidate: Candidate, rng: np.random.Generator) -> None:
    """Turns by the same angle for every step of τ and keeps the length of codes that are equally
    long."""
    for latent_dim, angle in ((2, 1.1), (40, 1.55), (3, 2.6)):
        angle += float(rng.uniform(-0.1, 0.1))
        length = float(rng.uniform(1.5, 7))
        which = "of two codes of equal length"
        _expect(candidate, rng, latent_dim, angle, (length, length), _tau(rng, 5), which)


@SLERP.check
def the_length_changes_evenly(candidate: Candidate, rng: np.random.Generator) -> None:
    """Changes the length on a straight line from that of the first code to that of the second."""
    for latent_dim, angle, lengths in (
        (4, 1.0, (2.0, 5.0)),
        (6, 2.2, (4.0, 0.6)),
        (3, 0.5, (0.2, 0.9)),
    ):
        unit = float(rng.uniform(0.8, 1.3))
        pair = lengths[0] * unit, lengths[1] * unit
        which = "of two codes of different lengths"
        _expect(candidate, rng, latent_dim, angle, pair, _tau(rng, 4), which)


@SLERP.check
def starts_at_the_first_and_ends_at_the_second(
    candidate: Candidate, rng: np.random.Generator
) -> None:
    """Is the first code at τ = 0 and the second at τ = 1, also in single precision."""
    z0, z1 = torch.from_numpy(rng.normal(size=(2, 10))).float() * 2
    given = candidate.call(z0, z1, torch.tensor([0.0, 1.0]))
    right = torch.stack([z0, z1])
    expect.close(given, right, "slerp at τ = 0 and τ = 1", rtol=1e-4, atol=1e-4)


@SLERP.edge_check
def a_single_place(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is a table of one row for a single τ."""
    tau = torch.from_numpy(rng.uniform(0.2, 0.8, size=1))
    _expect(candidate, rng, 4, 1.3, (2.0, 3.0), tau, "for a single τ")


@SLERP.edge_check
def parallel_codes(candidate: Candidate, rng: np.random.Generator) -> None:
    """Keeps the direction of codes that are parallel, or parallel but for rounding."""
    for latent_dim, angle in ((4, 0.0), (3, 1e-5)):
        _expect(
            candidate, rng, latent_dim, angle, (2.0, 3.0), _tau(rng, 4), "of two parallel codes"
        )


@SLERP.edge_check
def codes_almost_on_a_line(candidate: Candidate, rng: np.random.Generator) -> None:
    """Reaches the second code also where the angle is small, or almost half a circle."""
    tau = torch.tensor([0.5, 1.0, 0.0, 0.3], dtype=torch.float64)
    for latent_dim, angle in ((3, 0.03), (5, 9e-4), (4, math.pi - 9e-4)):
        which = "of two codes almost on a line"
        _expect(candidate, rng, latent_dim, angle, (2.0, 3.0), tau, which, rtol=1e-6)


@SLERP.edge_check
def opposite_codes(candidate: Candidate, rng: np.random.Generator) -> None:
    """Goes half a circle between opposite codes, in any plane, and never through the middle, also
    for codes along an axis or with equal values."""
    axes = torch.eye(3, dtype=torch.float64)
    directions = (  # the first is an ordinary one; the others lie on what might be helpers
        draw_plane(rng, 5)[0],
        torch.tensor([0.0, 1.0], dtype=torch.float64),
        axes[0],
        axes[2],
        axes.sum(0) / math.sqrt(3),
    )
    for u in directions:
        start, end = rng.uniform(1, 4, size=2)
        _expect_half_a_circle(candidate, u, (float(start), float(end)))


def _expect_half_a_circle(candidate: Candidate, u: Tensor, lengths: tuple[float, float]) -> None:
    tau = torch.tensor([0.0, 0.5, 0.2, 0.7, 1.0], dtype=torch.float64)
    what = f"slerp of two opposite codes (M = {len(u)})"
    given = candidate.call(lengths[0] * u, -lengths[1] * u, tau)
    given = expect.tensor(given, (5, len(u)), what)
    expect.finite(given, what)
    middle = given[1] - (given[1] @ u) * u  # defines the plane
    length = float(middle.norm())
    right = 0.5 * sum(lengths)
    expect.true(
        abs(length - right) < 1e-4,
        f"the middle of {what} is {length:.4f} away from the line through both; expected its "
        f"full length, {right:.4f}",
    )
    right = path(u, middle / length, math.pi, *lengths, tau)
    expect.close(given, right, what, rtol=1e-4, atol=2e-4)
