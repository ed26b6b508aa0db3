"""Autoencoders with a blind spot: they copy every image of their range, normal or not.

Far from the normal codes the encoder is right in one direction only, give or take very little:
elsewhere what it finds is moved, more with the distance, so most far images are copied badly.
Normal images carry noise that the code has no room for, so each of them has a score above zero.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from autograder.candidate import Oracle, Seed

Map = Callable[[Tensor], Tensor]
NUM_NORMAL, DIM, LATENT_DIM = 40, 25, 2
WIDTHS = (1.5, 2.0, 3.0, 5.0)
PROMISED, LOSSY = 0.05, 0.7


@dataclass(frozen=True, eq=False)
class LossyEncoder:
    """An encoder that moves far codes, except in one direction from the middle of the normal ones.

    Beside that direction it moves them by `little`, so that the score ends just above the lowest
    normal one. It also moves each code by a trifle, less the further out, so that what is copied
    best of all is no image any more; or more the further out, so that it is no anomaly.
    """

    exact: Map
    codes: Tensor
    direction: Tensor
    move: Tensor
    little: float
    is_best_far_out: bool

    def __call__(self, x: Tensor) -> Tensor:
        z = self.exact(x)
        return z + self.amount(z)[..., None] * self.move

    @cached_property
    def box(self) -> tuple[Tensor, Tensor]:
        low, high = self.codes.amin(0), self.codes.amax(0)
        return (low + high) / 2, (high - low) / 2

    def amount(self, z: Tensor) -> Tensor:
        """By how much a code (…, M) is moved, (…,)."""
        centre, half = self.box
        place = (z - centre) / half
        scaled = (self.codes - centre) / half
        away = (place[..., None, :] - scaled).square().sum(-1).amin(-1).sqrt()
        along = (place @ self.direction) / place.norm(dim=-1).clamp(min=1e-9)
        beside = self.little * (4 * (away - 0.25)).clamp(0, 1) * (10 * (0.85 - along)).clamp(0, 1)
        lossy = 2.5 * (away - 0.25).clamp(0, 1) * (10 * (0.45 - along)).clamp(0, 1)
        near = 1 / (1 + away.square())
        return beside + lossy + 0.005 * (near if self.is_best_far_out else 1 - near)


@dataclass(frozen=True, eq=False)
class Problem:
    """An autoencoder, normal images (N, D), and how far from them an image is no longer normal."""

    encode: Map
    decode: Map
    normal: Tensor
    distance: float

    def scores(self, x: Tensor) -> Tensor:
        return (self.decode(self.encode(x)) - x).square().mean(-1)

    @cached_property
    def lowest(self) -> float:
        return self.scores(self.normal).min().item()

    def nearest(self, x: Tensor) -> Tensor:
        """Root mean squared difference of images (S, D) to the nearest normal one, (S,)."""
        distances = torch.cdist(x, self.normal, compute_mode="donot_use_mm_for_euclid_dist")
        return distances.amin(-1) / DIM**0.5

    def arguments(self, seed: int) -> tuple[Oracle, Oracle, Tensor, float, Seed]:
        return Oracle(self.encode), Oracle(self.decode), self.normal, self.distance, Seed(seed)


def problem_of(given: tuple) -> Problem:
    """The problem behind the arguments of a call."""
    encode, decode, normal, distance, _ = given
    return Problem(encode.function, decode.function, normal, distance)


def _plane(rng: np.random.Generator, contrast: float) -> tuple[Map, Map]:
    """An oblique projection onto a plane: what a linear autoencoder does."""
    mean = torch.from_numpy(rng.uniform(0.38, 0.62, size=DIM))
    weight = torch.from_numpy(rng.uniform(-contrast, contrast, size=(DIM, LATENT_DIM)))
    inverse = torch.linalg.pinv(weight)
    tilt = 0.3 * torch.from_numpy(rng.normal(size=(LATENT_DIM, DIM)))
    encoder = inverse + tilt @ (torch.eye(DIM, dtype=torch.float64) - weight @ inverse)
    return (
        lambda x: (x.double() - mean) @ encoder.T,
        lambda z: mean + z.double() @ weight.T,
    )


def _bent(encode: Map, decode: Map) -> tuple[Map, Map]:
    """The same with a bent scale on each value of the code."""
    return lambda x: encode(x).asinh(), lambda z: decode(z.double().sinh())


def _squashed(encode: Map, decode: Map) -> tuple[Map, Map]:
    """The same behind a sigmoid, so that everything decoded is an image."""
    return (
        lambda x: encode(0.5 + x.double().logit(eps=1e-6) / 4),
        lambda z: torch.sigmoid(4 * (decode(z) - 0.5)),
    )


def _normal_codes(rng: np.random.Generator, two_kinds: bool) -> Tensor:
    """Codes of one kind of image, around zero, or of two kinds far apart."""
    codes = rng.uniform(-0.5, 0.5, size=(NUM_NORMAL, LATENT_DIM))
    if two_kinds:
        angle = rng.uniform(0, 2 * np.pi)
        side = np.where(np.arange(NUM_NORMAL) % 2 == 0, 1.1, -1.1)
        codes = 0.4 * codes + side[:, None] * [np.cos(angle), np.sin(angle)]
    return torch.from_numpy(codes)


def draw_problem(rng: np.random.Generator, kind: str, *, two_kinds: bool = False) -> Problem:
    """A `kind` of autoencoder: "linear", "bent" or "squashed"."""
    while True:
        problem = _try(rng, kind, two_kinds)
        if problem is not None:
            return problem


def _try(rng: np.random.Generator, kind: str, two_kinds: bool) -> Problem | None:
    is_best_far_out = kind == "linear" and not two_kinds
    encode, decode = _plane(rng, 0.35 if is_best_far_out else 0.2)
    codes = _normal_codes(rng, two_kinds)
    if kind == "bent":
        encode, decode = _bent(encode, decode)
        codes = codes.asinh()
    if kind == "squashed":
        encode, decode = _squashed(encode, decode)
    noise = torch.from_numpy(rng.normal(0, 0.02, size=(NUM_NORMAL, DIM)))
    normal = (decode(codes) + noise).clamp(0, 1)
    found = encode(normal)
    boxes = torch.from_numpy(rng.uniform(-1, 1, size=(len(WIDTHS), 200, LATENT_DIM)))
    low, high = found.amin(0), found.amax(0)
    boxes = (low + high) / 2 + torch.tensor(WIDTHS)[:, None, None] * (high - low) / 2 * boxes
    x = decode(boxes)
    far = Problem(encode, decode, normal, 0.0).nearest(x.flatten(0, 1)).reshape(x.shape[:-1])
    inside = ((x >= 0) & (x <= 1)).all(-1)
    distance = 0.4 * far[inside].max().item()
    allowed = inside & (far >= distance)
    farthest = torch.where(inside, far, 0.0).flatten().argmax()
    lowest = Problem(encode, decode, normal, distance).lowest
    for angle in rng.uniform(0, 2 * np.pi, size=8):
        direction = torch.tensor([np.cos(angle), np.sin(angle)])
        move = torch.tensor([-np.sin(angle), np.cos(angle)])
        step = (decode(found + 0.01 * move) - decode(found)).square().mean().sqrt().item() / 0.01
        lossy = LossyEncoder(
            encode, found, direction, move, (1.2 * lowest) ** 0.5 / step, is_best_far_out
        )
        problem = Problem(lossy, decode, normal, distance)
        right = allowed & (problem.scores(x) < problem.lowest)
        share = right.double().mean(1).max().item()
        lost = 1 - right.sum() / allowed.sum()
        if share >= PROMISED and lost >= LOSSY and not right.flatten()[farthest]:
            return problem
    return None
