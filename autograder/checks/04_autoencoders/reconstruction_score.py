"""`reconstruction_score(reconstruct, x)`: how badly each image is reconstructed."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle
from autograder.exercise import Exercise

Reconstruct = Callable[[Tensor], Tensor]


def score(reconstruct: Reconstruct, x: Tensor) -> Tensor:
    return (reconstruct(x) - x).square().flatten(1).mean(1)


RECONSTRUCTION_SCORE = Exercise(
    name="reconstruction_score",
    unit="04_autoencoders",
    title="How badly is each image reconstructed?",
    points=1,
    difficulty=1,
    minutes=8,
    reference=score,
    hints=(
        "**Principle.** An autoencoder that saw normal parts only has learned to rebuild normal "
        "parts. What it rebuilds badly is unlike what it saw. So the error of the reconstruction "
        "can serve as a score: the larger, the more suspicious. A score belongs to one image. It "
        "must not depend on which other images happen to be in the batch, or the same part would "
        "be good in the morning and bad in the evening. And it is a mean over the values of the "
        "image, not a sum, so that scores of small and of large images, and the thresholds for "
        "them, can be compared.",
        "**Place.** Call `reconstruct` once, on the whole batch; it gives back a tensor of the "
        "same shape. Subtract, and square every entry. Now all axes but the first have to go: "
        "that is one axis for a batch (N, D) and three for images (N, C, H, W). The method "
        "`flatten(1)` turns both into (N, something), and a mean over axis 1 leaves one number "
        "for each image. Test yourself with a function that gives its input back: every score "
        "must be exactly zero. With one that adds 0.1 to everything, every score is 0.01, "
        "whatever the size of the images.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "error = reconstruct(x) - ...\n"
        "return error.square().flatten(...).mean(dim=...)     # (N,)\n"
        "```\n\n"
        "The gaps are the clean input, the first axis that may be merged, and the axis of the "
        "values. If you get one number for the whole batch, you averaged over the images too. If "
        "your scores are D times too large, you summed where a mean was asked for. If the result "
        "has a shape such as (N, C, H), you averaged over the last axis only. If positive and "
        "negative errors cancel, the square is missing. Nothing is divided by the brightness of "
        "the image, and nothing is rescaled by the batch.",
    ),
)

SHAPES = ((6, 9), (4, 1, 5, 3), (3, 3, 4, 4))


def draw_images(rng: np.random.Generator, shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(rng.uniform(0.0, 1.0, size=shape))


def draw_reconstruct(rng: np.random.Generator) -> Oracle:
    """An image-by-image map that dims, shifts and bends what it sees."""
    gain, shift, bend = rng.uniform(0.6, 0.9), rng.uniform(0.05, 0.15), rng.uniform(0.1, 0.3)
    return Oracle(lambda x: gain * x + shift - bend * x.roll(1, -1) ** 2)


@RECONSTRUCTION_SCORE.check
def is_the_mean_squared_error(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the squared error per value, one number for each image, flat or not."""
    for shape in SHAPES:
        x, reconstruct = draw_images(rng, shape), draw_reconstruct(rng)
        given = candidate.call(reconstruct, x)
        expected = score(reconstruct.function, x)
        expect.close(given, expected, f"reconstruction_score for x of shape {shape}", atol=1e-7)


@RECONSTRUCTION_SCORE.check
def a_perfect_copy_scores_zero(candidate: Candidate, rng: np.random.Generator) -> None:
    """A model that gives its input back has the score 0, whatever the image."""
    x = draw_images(rng, (4, 7))
    given = expect.tensor(candidate.call(Oracle(lambda x: x), x), (4,), "reconstruction_score")
    worst = given.abs().max().item()
    expect.true(worst < 1e-12, f"a perfect copy has the score {worst:.4g}; expected 0")


@RECONSTRUCTION_SCORE.check
def every_image_stands_alone(candidate: Candidate, rng: np.random.Generator) -> None:
    """An image has the same score alone and beside others, also beside a very different one."""
    x, reconstruct = draw_images(rng, (5, 8)), draw_reconstruct(rng)
    x[-1] = 30 * x[-1] - 7
    together = expect.tensor(candidate.call(reconstruct, x), (5,), "reconstruction_score")
    alone = candidate.call(reconstruct, x[1:2])
    expect.close(alone, together[1:2], "the score of an image alone", atol=1e-7)


@RECONSTRUCTION_SCORE.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    x, reconstruct = draw_images(rng, (4, 1, 3, 5)).float(), draw_reconstruct(rng)
    expected = score(reconstruct.function, x.double())
    expect.close(candidate.call(reconstruct, x), expected, "reconstruction_score in float32")


@RECONSTRUCTION_SCORE.edge_check
def tiny_errors_are_kept(candidate: Candidate, rng: np.random.Generator) -> None:
    """Errors of a few billionths are squared and averaged, and not lost in rounding."""
    x = draw_images(rng, (4, 6))
    error = 3e-9 * torch.from_numpy(rng.uniform(0.5, 2.0, size=6))
    expected = error.square().mean().expand(4)
    given = candidate.call(Oracle(lambda x: x + error), x)
    expect.close(given, expected, "the score of tiny errors", rtol=1e-3, atol=0.0)
