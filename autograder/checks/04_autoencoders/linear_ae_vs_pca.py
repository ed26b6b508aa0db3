"""`linear_ae_vs_pca(x, latent_dim, generator)`: gradient descent finds the principal plane.

The axes inside the plane are anybody's, so planes are compared, by their principal angles. What the
student measured is measured again here, from the decoder that came back.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Seed
from autograder.exercise import Exercise

MAX_ANGLE = 2.0  # degrees
MAX_EXCESS = 0.01  # of the squared error of PCA
EXACT = 2e-5  # of the squared error of PCA: single precision leaves less
SLACK = 3e-4  # of the error before the last step, which is not that after it
NUM_POINTS = 120
TIED = np.array([1.0025, 1.002, 1.0015, 1.001, 1.0005, 1.0, 0.3])  # any three of six will do


def plane_of(x: Tensor, latent_dim: int) -> tuple[Tensor, Tensor]:
    """Principal directions as columns (D, M), and the squared error per value that they leave."""
    _, singular, directions = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    return directions[:latent_dim].T, singular[latent_dim:].square().sum() / x.numel()


def angles(left: Tensor, right: Tensor) -> Tensor:
    """Principal angles of the planes that the columns span, in degrees, the smallest first."""
    left, right = (torch.linalg.qr(part)[0] for part in (left, right))
    cosines = torch.linalg.svdvals(left.T @ right).clamp(max=1)
    # by the sine where the angle is small: the cosine of 0.001° is 1 in floating point
    sines = torch.linalg.svdvals(right - left @ (left.T @ right)).flip(0).clamp(max=1)
    small = cosines > 0.7
    return torch.rad2deg(torch.where(small, sines.asin(), cosines.acos()))


def alternate(
    x: Tensor, latent_dim: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Trains by alternating least squares: best decoder for the codes, best codes for it."""
    mean = x.mean(0)
    decoder = torch.randn(x.shape[1], latent_dim, generator=generator, dtype=x.dtype)
    for _ in range(100):
        codes = torch.linalg.lstsq(decoder, (x - mean).T).solution.T
        decoder = torch.linalg.lstsq(codes, x - mean).solution.T
    directions, pca_error = plane_of(x, latent_dim)
    error = (codes @ decoder.T + mean - x).square().mean()
    return decoder, angles(decoder, directions)[-1], error, pca_error


LINEAR_AE_VS_PCA = Exercise(
    name="linear_ae_vs_pca",
    unit="04_autoencoders",
    title="A linear autoencoder finds the principal plane",
    points=3,
    difficulty=3,
    minutes=40,
    reference=alternate,
    deterministic=False,
    follow_up=(
        "Same plane, same error. The columns of your decoder are not the principal components: "
        "any other axes of the plane do as well, and gradient descent has no reason to prefer one."
    ),
    hints=(
        "**Principle.** A linear autoencoder maps a point to M numbers and back, by one matrix "
        "and one shift each way. Its reconstructions lie in a plane of M dimensions, and the "
        "squared error is smallest if that is the plane of the first M principal components "
        "through the mean of the data. Which axes the code uses inside the plane does not matter "
        "to the error, so compare planes and not columns. The angle between two planes is found "
        "in two steps: an orthonormal basis of each, by QR, then the singular values of the "
        "product of the two bases, which are the cosines of the angles.",
        "**Place.** Parameters: `encoder` (M, D), `decoder` (D, M), small random numbers from "
        "`generator`, and `bias` (D,), which starts at the mean of x and may be learned. Codes "
        "are `(x - bias) @ encoder.T`, reconstructions `codes @ decoder.T + bias`. Minimise the "
        "mean squared error on all points at once with Adam; 600 steps with a learning rate that "
        "falls from 0.05 to 0 are enough. For PCA take `torch.linalg.svd` of the centred points: "
        "the rows of the last factor are the directions, and the squared singular values that "
        "are left over, divided by N·D, are the error. Compute the error once more after the "
        "last step.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "optimiser = torch.optim.Adam([encoder, decoder, bias], lr=0.05)\n"
        "schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 600)\n"
        "for _ in range(600):\n"
        "    x_hat = (x - bias) @ encoder.T @ ... + bias\n"
        "    loss = ...\n"
        "    optimiser.zero_grad(); loss.backward(); optimiser.step(); schedule.step()\n"
        "_, singular, directions = torch.linalg.svd(x - ..., full_matrices=False)\n"
        "a, _ = torch.linalg.qr(decoder)\n"
        "b, _ = torch.linalg.qr(directions[:latent_dim].T)\n"
        "cosines = torch.linalg.svdvals(a.T @ b).clamp(max=1)\n"
        "```\n\n"
        "The largest angle belongs to the smallest cosine; `torch.rad2deg(torch.acos(…))` turns "
        "it into degrees. The error of PCA is `singular[latent_dim:].square().sum() / x.numel()`. "
        "The gaps are Wᵀ, the mean squared error and the mean of the points.",
    ),
)


@dataclass(frozen=True, eq=False)
class Answer:
    """What came back, beside what is true of it."""

    x: Tensor
    latent_dim: int
    decoder: Tensor
    angle: float
    error: float
    pca_error: float

    @property
    def true_angle(self) -> float:
        """The largest angle between the decoder's plane and the principal one."""
        return angles(self.decoder, plane_of(self.x, self.latent_dim)[0])[-1].item()

    @property
    def true_pca_error(self) -> float:
        return plane_of(self.x, self.latent_dim)[1].item()

    @property
    def least_error(self) -> float:
        """What the decoder's plane leaves if it is put at the best place."""
        basis, _ = torch.linalg.qr(self.decoder)
        centred = self.x - self.x.mean(0)
        return (centred - centred @ basis @ basis.T).square().mean().item()


def read(value: Any, x: Tensor, latent_dim: int) -> Answer:
    """Demand (decoder, angle, mse_ae, mse_pca)."""
    parts = expect.items(value, 4, "the result of linear_ae_vs_pca")
    decoder = expect.tensor(parts[0], (x.shape[1], latent_dim), "decoder")
    expect.finite(decoder, "decoder")
    names = "angle", "mse_ae", "mse_pca"
    numbers = [expect.number(p, name) for p, name in zip(parts[1:], names, strict=True)]
    return Answer(x, latent_dim, decoder, *numbers)


def draw_spread(rng: np.random.Generator, dim: int, latent_dim: int) -> np.ndarray:
    """Standard deviations: those of the directions that count are twice as large."""
    return np.concatenate(
        (
            rng.permutation(np.linspace(1.0, 1.6, latent_dim)),
            rng.uniform(0.2, 0.5, dim - latent_dim),
        )
    )


def draw_points(rng: np.random.Generator, spread: np.ndarray) -> Tensor:
    """A cloud away from the origin with these standard deviations, turned at random."""
    dim = len(spread)
    turn, _ = np.linalg.qr(rng.normal(size=(dim, dim)))
    points = rng.normal(size=(NUM_POINTS, dim))
    points = np.linalg.qr(points - points.mean(0))[0] * NUM_POINTS**0.5  # exactly uncorrelated
    away = rng.choice([-1.0, 1.0], dim) * rng.uniform(1.0, 2.0, dim)
    return torch.from_numpy((points * spread) @ turn.T + away)


def _ask(candidate: Candidate, x: Tensor, latent_dim: int, seed: int) -> Answer:
    return read(candidate.call(x, latent_dim, Seed(seed)), x, latent_dim)


def expect_same_plane(answer: Answer) -> None:
    expect.true(
        answer.true_angle <= MAX_ANGLE,
        f"the plane of your decoder and the principal plane are {answer.true_angle:.3g}° apart; "
        f"expected at most {MAX_ANGLE:g}°",
    )


def expect_same_error(answer: Answer) -> None:
    exact = answer.true_pca_error
    expect.true(
        math.isclose(answer.pca_error, exact, rel_tol=EXACT),
        f"mse_pca is {answer.pca_error:.6g}; expected {exact:.6g}, the squared error per value "
        "that the principal plane through the mean leaves",
    )
    expect.true(
        answer.error <= (1 + MAX_EXCESS) * exact,
        f"mse_ae is {answer.error:.6g}; expected at most {100 * MAX_EXCESS:g} % more than the "
        f"{exact:.6g} of PCA",
    )
    expect.true(
        answer.error >= (1 - SLACK) * answer.least_error,
        f"mse_ae is {answer.error:.6g}, less than the {answer.least_error:.6g} that the plane of "
        "your decoder can reach",
    )


def are_same(one: Tensor, other: Tensor) -> bool:
    """Whether two decoders agree up to rounding, which a long training multiplies."""
    return torch.allclose(one, other, rtol=1e-4, atol=1e-6)


def angle_slack(answer: Answer) -> float:
    """By how much an angle may be off; the cosine of 0.02° is 1 in float32.

    It is narrow near 90°, where the largest angle and that of the product of all cosines meet.
    """
    return 0.05 + 1e-3 * answer.true_angle


def expect_honest_angle(answer: Answer) -> None:
    expect.true(
        abs(answer.angle - answer.true_angle) <= angle_slack(answer),
        f"angle is {answer.angle:.4g}; the largest angle between the plane of your decoder and "
        f"the principal one is {answer.true_angle:.4g} degrees",
    )


@LINEAR_AE_VS_PCA.check
def finds_the_principal_plane(candidate: Candidate, rng: np.random.Generator) -> None:
    """The decoder spans the principal plane, and the two errors agree within one per cent."""
    x = draw_points(rng, draw_spread(rng, 7, 3))
    answer = _ask(candidate, x, 3, int(rng.integers(2**31)))
    expect_same_plane(answer)
    expect_same_error(answer)
    expect_honest_angle(answer)


@LINEAR_AE_VS_PCA.check
def measures_what_it_says(candidate: Candidate, rng: np.random.Generator) -> None:
    """In other sizes too, the angle and the errors are those of the decoder; a seed repeats it."""
    x, seed = draw_points(rng, draw_spread(rng, 5, 1)), int(rng.integers(2**31))
    answer, again = (_ask(candidate, x, 1, seed) for _ in range(2))
    for expectation in (expect_honest_angle, expect_same_error, expect_same_plane):
        expectation(answer)
    expect.true(
        are_same(answer.decoder, again.decoder),
        "two generators with the same seed give two different decoders; draw the start with "
        "`generator=generator`",
    )


@LINEAR_AE_VS_PCA.check
def measures_angles_that_are_not_zero(candidate: Candidate, rng: np.random.Generator) -> None:
    """Where many directions vary alike, the angle is right, and another start another decoder"""
    x, seed = draw_points(rng, TIED), int(rng.integers(2**30))
    value = candidate.call(x, 3, Seed(seed)), candidate.call(x, 3, Seed(seed, used=True))
    answer, later = (read(each, x, 3) for each in value)
    for each in (answer, later):
        expect_honest_angle(each)
        expect_same_error(each)
    expect.true(
        not are_same(answer.decoder, later.decoder),
        "a generator gives the same decoder after numbers were drawn from it as before; train it "
        "from a start that is drawn with `generator=generator`, without a seed of your own",
    )
