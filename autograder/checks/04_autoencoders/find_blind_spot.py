"""`find_blind_spot(encode, decode, normal, distance, generator)`: an anomaly that is copied well.

Any image will do that lies in [0, 1], is far from every normal image, and is reconstructed better
than all of them.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._blind_spot import DIM, WIDTHS, Map, Problem, draw_problem

ROUNDING = 1e-6


def rms_to_nearest(x: Tensor, normal: Tensor) -> Tensor:
    """Root mean squared difference of each image (S, D) to the nearest normal one, (S,)."""
    distances = torch.cdist(x, normal, compute_mode="donot_use_mm_for_euclid_dist")
    return distances.amin(-1) / normal.shape[1] ** 0.5


def search(
    encode: Map, decode: Map, normal: Tensor, distance: float, generator: torch.Generator
) -> Tensor:
    """Decode codes from boxes that grow around the normal codes; keep the best that qualifies."""
    codes = encode(normal)
    low, high = codes.amin(0), codes.amax(0)
    centre, half = (low + high) / 2, (high - low) / 2
    best, lowest = normal[0], torch.inf
    for width in WIDTHS:
        draws = 2 * torch.rand(400, len(half), generator=generator, dtype=half.dtype) - 1
        x = decode(centre + width * half * draws)
        x = x[((x >= 0) & (x <= 1)).all(-1)]
        x = x[rms_to_nearest(x, normal) > distance]
        if not len(x):
            continue
        scores = (decode(encode(x)) - x).square().mean(-1)
        if scores.min() < lowest:
            best, lowest = x[scores.argmin()], scores.min()
    return best


FIND_BLIND_SPOT = Exercise(
    name="find_blind_spot",
    unit="04_autoencoders",
    title="The anomaly that is reconstructed too well",
    points=4,
    difficulty=4,
    minutes=40,
    reference=search,
    deterministic=False,
    follow_up="No threshold catches it: its score is below that of every normal image.",
    hints=(
        "**Principle.** The training made the error small on normal images. Nothing was asked of "
        "it elsewhere, so nothing keeps the error large there. Everything that comes out of the "
        "decoder lies in the decoder's range, and where encode finds its code again, decode "
        "repeats the image without loss. Normal images fill only a part of the range, because "
        "their codes fill only a part of the code space. Their own score is not zero, for they "
        "carry noise that no code describes. A decoded image carries none. So look where the "
        "decoder goes and no normal code is, and compute the score: far out encode often goes "
        "wrong.",
        "**Place.** Encode the normal images and look at the box that holds their codes. Draw "
        "codes from a box with the same centre that is two, three or five times as wide, with "
        "`torch.rand` and the generator, and decode them all at once. Throw away what leaves [0, "
        "1], and what is nearer than `distance` to any normal image. Compute the scores of the "
        "rest, `(decode(encode(x)) - x)` squared and averaged, and return the image with the "
        "smallest. With two kinds of normal images the place may also lie between the kinds: then "
        "the wide boxes leave the range, and narrow ones find it.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "codes = encode(normal)\n"
        "centre = (codes.amin(0) + codes.amax(0)) / 2\n"
        "half = (codes.amax(0) - codes.amin(0)) / 2\n"
        "for width in (1.5, 2, 3, 5):\n"
        "    draws = 2 * torch.rand(600, len(half), generator=..., dtype=half.dtype) - 1\n"
        "    x = decode(centre + width * half * draws)\n"
        "    x = x[((x >= 0) & (x <= ...)).all(1)]\n"
        "    rms = (x[:, None] - normal).square().mean(...).sqrt()     # (S, N)\n"
        "    x = x[rms.amin(...) > distance]\n"
        "```\n\n"
        "The gaps: the generator, the upper bound, the axis of the values, the axis of the normal "
        "images. Skip a width that leaves no image; of the others keep the best image of all. Do "
        "not clip: a clipped image has left the range.",
    ),
)


def _expect_blind_spot(value: Any, problem: Problem, what: str) -> None:
    x = expect.tensor(value, (DIM,), "the result of find_blind_spot")
    expect.finite(x, "your image")
    low, high = x.min().item(), x.max().item()
    expect.true(
        low >= -ROUNDING and high <= 1 + ROUNDING,
        f"your image for {what} has values from {low:.4g} to {high:.4g}; an image lies in [0, 1]",
    )
    rms = problem.nearest(x[None]).item()
    expect.true(
        rms >= problem.distance - ROUNDING,
        f"your image for {what} differs from a normal image by {rms:.4f} (root mean square); an "
        f"anomaly differs from each by {problem.distance:.4f} at least",
    )
    score = problem.scores(x).item()
    expect.true(
        score < problem.lowest,
        f"your image for {what} has the score {score:.3g}, and the lowest score of a normal image "
        f"is {problem.lowest:.3g}; yours must be lower",
    )


def _ask(candidate: Candidate, rng: np.random.Generator, problem: Problem, what: str) -> None:
    value = candidate.call(*problem.arguments(int(rng.integers(2**31))))
    _expect_blind_spot(value, problem, what)


@FIND_BLIND_SPOT.check
def fools_a_linear_autoencoder(candidate: Candidate, rng: np.random.Generator) -> None:
    """Finds an image far from all normal ones where the decoder is linear."""
    _ask(candidate, rng, draw_problem(rng, "linear"), "a linear decoder")


@FIND_BLIND_SPOT.check
def fools_a_bent_autoencoder(candidate: Candidate, rng: np.random.Generator) -> None:
    """Finds one for autoencoders that bend their codes or squash their output."""
    for kind in ("bent", "squashed"):
        what = "an autoencoder that " + ("bends its codes" if kind == "bent" else "ends in sigmoid")
        _ask(candidate, rng, draw_problem(rng, kind), what)


@FIND_BLIND_SPOT.check
def fools_it_where_there_are_two_kinds(candidate: Candidate, rng: np.random.Generator) -> None:
    """Finds one where the normal images are of two kinds."""
    _ask(candidate, rng, draw_problem(rng, "linear", two_kinds=True), "two kinds of normal images")


@FIND_BLIND_SPOT.check
def repeats_for_a_seed(candidate: Candidate, rng: np.random.Generator) -> None:
    """Finds the same image for the same seed."""
    arguments = draw_problem(rng, "linear").arguments(int(rng.integers(2**31)))
    first, second = (
        expect.tensor(candidate.call(*arguments), (DIM,), "the result of find_blind_spot")
        for _ in range(2)
    )
    expect.close(second, first, "the image for a second generator with the same seed", atol=1e-6)
