"""`nearest_code(z, codebook)`: the index of the nearest vector of the codebook.

Points and codes number 25 at most where they are far from the origin in single precision: from 26
on `torch.cdist` takes a shortcut of its own, and this check is not about that.
"""

import numpy as np
import torch
from torch import Tensor

from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._codes import brute_force, draw_codebook, draw_points, same_indices


def reference(z: Tensor, codebook: Tensor) -> Tensor:
    return (z[..., None, :] - codebook).square().sum(dim=-1).argmin(dim=-1)


NEAREST_CODE = Exercise(
    name="nearest_code",
    unit="07_vq_vae",
    title="The nearest vector of the codebook",
    points=2,
    difficulty=2,
    minutes=15,
    reference=reference,
    hints=(
        "**Principle.** Near means a small Euclidean distance. Comparing squared distances is "
        "enough, since the root changes no order. Multiplied out, the square of the distance has "
        "three parts: |z|², minus twice the product of z and e, and |e|². The first is the same "
        "for all codes and may be dropped. The other two may not: the product alone prefers long "
        "codes, and the lengths alone ignore where the point is. But the multiplied form has a "
        "weakness. Far from the origin it subtracts huge numbers that are almost equal, and in "
        "single precision nothing is left of the distance. The difference z − e has no such "
        "trouble.",
        "**Place.** Broadcasting gives all differences: a point needs an axis for the codes, "
        "`z[..., None, :]`, of shape (…, 1, M), and the codebook is (K, M), so that their "
        "difference is (…, K, M). Square it and sum over the last axis, which leaves (…, K): one "
        "distance to every code. Then take the place of the smallest along the last axis. "
        "`argmin` gives int64, counts from zero, and returns the first of several equal values. "
        "Test yourself with the codebook itself: its rows must find themselves, 0, 1, 2, and so "
        "on. Then shift points and codebook by the same 3000: nothing may change.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "differences = z[..., None, :] - ...             # (…, K, M)\n"
        "distances = differences.square().sum(dim=...)   # (…, K)\n"
        "return distances.argmin(dim=...)\n"
        "```\n\n"
        "The gaps are `codebook`, the axis of the M values and the axis of the K codes, both of "
        "which are the last when their turn comes. This needs N·K·M numbers in memory, which is "
        "fine here. A library avoids it: it subtracts the mean of the codebook from both, which "
        "changes no distance and keeps the numbers small, and then uses "
        "|e|² − 2 z·e, one matrix product for a chunk of the points at a time. For whole maps of "
        "points nothing changes, because every leading axis is kept as it is.",
    ),
)


def _expect(candidate: Candidate, z: Tensor, codebook: Tensor, what: str) -> None:
    found = candidate.call(z, codebook)
    same_indices(found, brute_force(z, codebook), len(codebook), what)


@NEAREST_CODE.check
def equals_brute_force(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals a search through all codes, for codes of very different lengths."""
    for num_points, num_codes, latent_dim in ((60, 9, 3), (7, 31, 2), (40, 64, 12)):
        z = draw_points(rng, num_points, latent_dim)
        what = f"nearest_code for N, K, M = {num_points}, {num_codes}, {latent_dim}"
        _expect(candidate, z, draw_codebook(rng, num_codes, latent_dim), what)


@NEAREST_CODE.check
def every_code_finds_itself(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives 0, 1, 2, and so on to K - 1 for the vectors of the codebook themselves."""
    codebook = draw_codebook(rng, 12, 4)
    _expect(candidate, codebook, codebook, "nearest_code(codebook, codebook)")


@NEAREST_CODE.check
def keeps_the_shape_of_a_map(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives one index for each place of a map, (N, H, W, M) to (N, H, W), also for one point."""
    codebook = draw_codebook(rng, 7, 3)
    _expect(candidate, draw_points(rng, 2, 4, 5, 3), codebook, "nearest_code for a map of points")
    _expect(candidate, draw_points(rng, 1, 3), codebook, "nearest_code for N = 1")


@NEAREST_CODE.check
def a_small_difference_decides(candidate: Candidate, rng: np.random.Generator) -> None:
    """Finds the nearest of codes whose squared distances differ by 0.00001 only."""
    angles = torch.from_numpy(rng.uniform(0, 2 * np.pi, size=8))
    squares = 1 + 1e-5 * torch.arange(7, -1, -1).double()  # the last one is the nearest
    codebook = squares.sqrt()[:, None] * torch.stack([angles.cos(), angles.sin()], dim=1)
    z = torch.zeros(1, 2, dtype=torch.float64)
    _expect(candidate, z, codebook, "nearest_code for codes at nearly the same distance")


@NEAREST_CODE.check
def shifting_both_changes_nothing(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives the same indices when points and codebook are shifted together, by 1000."""
    z, codebook = draw_points(rng, 40, 3), draw_codebook(rng, 10, 3)
    shift = torch.from_numpy(1000 * rng.choice([-1.0, 1.0], size=3))
    _expect(candidate, z + shift, codebook + shift, "nearest_code 1000 away from the origin")


@NEAREST_CODE.check
def works_in_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision, and for a single code."""
    codebook = draw_codebook(rng, 5, 3).float()
    z = codebook[torch.from_numpy(rng.integers(0, 5, size=20))] + 0.01
    _expect(candidate, z, codebook, "nearest_code in single precision")
    _expect(candidate, z, codebook[:1], "nearest_code for K = 1")


def is_far(z: Tensor) -> bool:
    """Whether a call is the one in single precision far from the origin."""
    return z.dtype == torch.float32 and bool(z.abs().min() > 1000)


def is_tied(z: Tensor) -> bool:
    """Whether a call is the one about codes at equal distances."""
    return z.ndim == 2 and len(z) == 5 and bool((2 * z == (2 * z).round()).all())


@NEAREST_CODE.edge_check
def is_exact_far_from_the_origin(candidate: Candidate, rng: np.random.Generator) -> None:
    """Finds the nearest code 3000 away from the origin in single precision."""
    codebook = torch.from_numpy(rng.normal(size=(25, 8)))
    near = torch.from_numpy(rng.integers(0, 25, size=25))
    z = codebook[near] + torch.from_numpy(rng.uniform(-0.2, 0.2, size=(25, 8)))
    shift = torch.from_numpy(3000 * rng.choice([-1.0, 1.0], size=8))
    z, codebook = (z + shift).float(), (codebook + shift).float()
    distances = torch.cdist(z.double(), codebook.double()).square().topk(2, largest=False).values
    clear = distances[:, 1] - distances[:, 0] > 0.05  # no rounding of a sound answer decides
    what = "nearest_code in single precision, 3000 away from the origin,"
    _expect(candidate, z[clear], codebook, what)
    _expect(candidate, z[clear][None, :, None], codebook, f"{what} for a map of points,")


@NEAREST_CODE.edge_check
def takes_the_first_of_equals(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives the smallest index where several codes are equally near."""
    corners = [[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0], [0.0, -2.0]]
    order = rng.permutation(4)
    codebook = torch.tensor(corners, dtype=torch.float64)[torch.from_numpy(order)]
    codebook = torch.cat([codebook, codebook])  # all of them once more; their mean is zero
    z = torch.tensor([[0, 0], [1, 1], [-1, 1], [-1, -1], [2, 0]], dtype=torch.float64)
    _expect(candidate, z, codebook, "nearest_code for codes at equal distances")
