"""`corrupt(x, kind, level, generator)`: noise on every value, or values that are lost.

What is random is compared with its distribution; a right answer fails one comparison with a
probability of less than 1e-8.
"""

from typing import Any

import numpy as np
import scipy.stats
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Seed
from autograder.exercise import Exercise

DEVIATIONS = 6.5
RARE = 1e-9
SHAPE = (30, 40)
DROPOUT_CALLS = 8


def damage(x: Tensor, kind: str, level: float, generator: torch.Generator) -> Tensor:
    if kind == "gaussian":
        return x + level * torch.randn(x.shape, generator=generator, dtype=x.dtype)
    lost = torch.rand(x.shape, generator=generator, dtype=x.dtype) < level
    return torch.where(lost, 0.0, x)


CORRUPT = Exercise(
    name="corrupt",
    unit="04_autoencoders",
    title="Two kinds of damage",
    points=2,
    difficulty=2,
    minutes=15,
    reference=damage,
    deterministic=False,
    hints=(
        "**Principle.** Two kinds of damage, and one number that says how strong it is. Gaussian "
        "noise moves every value a little: add to each a draw of its own with the standard "
        "deviation `level`. Dropout loses some values and leaves the others exactly as they are: "
        "decide for each value on its own, with the probability `level`, whether it becomes zero. "
        "Nobody tells the model which ones are lost. The dropout layer of a network also divides "
        "what it keeps by the probability of keeping, so that sums stay the same; a damaged point "
        "must not be rescaled, because a camera would not do that either.",
        "**Place.** `torch.randn(x.shape, generator=generator, dtype=x.dtype)` gives standard "
        "normal noise in the shape of x; times `level` it has the standard deviation `level`. For "
        "dropout draw uniform numbers between 0 and 1 with `torch.rand`, in the same shape: each "
        "is below `level` with just that probability. Use the comparison as a mask, with "
        "`torch.where` or by multiplication. Nothing is clipped: a noisy grey value may be "
        "negative. The argument x must stay as it is, so no `x += …` and no `x[mask] = 0`, unless "
        "you copy it first.",
        "**Nearly the code.**\n\n"
        "```python\n"
        'if kind == "gaussian":\n'
        "    noise = torch.randn(..., generator=generator, dtype=x.dtype)\n"
        "    return x + ... * noise\n"
        "lost = torch.rand(..., generator=generator, dtype=x.dtype) < ...\n"
        "return torch.where(lost, ..., x)\n"
        "```\n\n"
        "The gaps are the shape of all of x, the level, the shape again, the level again, and the "
        "number zero. A mask of the shape (N, 1) loses whole points, one of the shape (D,) the "
        "same places of every point; both are wrong here. At level 0 nothing changes, at dropout "
        "level 1 nothing is left. `torch.nn.functional.dropout` does not help: it rescales, and "
        "takes no generator.",
    ),
)


def draw_points(rng: np.random.Generator, shape: tuple[int, ...] = SHAPE) -> Tensor:
    """Values of images, none of them zero."""
    return torch.from_numpy(rng.uniform(0.1, 1.0, size=shape))


def ask(candidate: Candidate, rng: np.random.Generator, x: Tensor, kind: str, level: float) -> Any:
    seed = Seed(int(rng.integers(2**31)))
    what = f'corrupt(x, "{kind}", {level:.3g})'
    value = candidate.call(x, kind, level, seed)
    numbers = expect.tensor(value, x.shape, what)
    expect.true(
        value.dtype == x.dtype, f"x holds {x.dtype} and the result {value.dtype}; keep the type"
    )
    return numbers


def expect_normal(z: Tensor) -> None:
    """Demand that numbers follow the standard normal distribution, and are not cut off."""
    normal = scipy.stats.ks_1samp(z.flatten().numpy(), scipy.stats.norm.cdf, method="asymp")
    expect.true(
        normal.statistic < 3.5 / z.numel() ** 0.5,
        "the noise does not follow a normal distribution: the share below some value is off by up "
        f"to {normal.statistic:.3f}",
    )
    largest = z.abs().flatten().topk(3).values
    expect.true(
        largest[0] - largest[2] > 1e-9,
        f"several values have exactly the largest noise, {largest[0]:.3g} level; do not cut it off",
    )


def expect_own_noise(z: Tensor, rounding: float) -> None:
    """Demand that noise is not used twice, with the same or the opposite sign."""
    distance = z.abs().flatten().sort().values.diff()
    repeated = int((distance < rounding).sum())
    expect.true(
        repeated < 20,  # expected: fewer than one
        f"{repeated} of {z.numel()} values repeat the noise of another one, up to its sign; draw "
        "for each value on its own",
    )


@CORRUPT.check
def noise_has_the_level(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gaussian noise has the mean 0, the standard deviation level, and a normal distribution."""
    pooled, sums = [], []
    for level in (rng.uniform(0.1, 0.2), rng.uniform(0.45, 0.6), rng.uniform(1.5, 2.0)):
        x = draw_points(rng)
        z = (ask(candidate, rng, x, "gaussian", float(level)) - x) / level
        pooled.append(z.flatten())
        count, mean, std = z.numel(), z.mean().item(), z.std().item()
        expect.true(
            abs(std - 1) < DEVIATIONS / (2 * count) ** 0.5,
            f"the noise has the standard deviation {std * level:.3g}; expected {level:.3g}",
        )
        expect.true(
            abs(mean) < DEVIATIONS / count**0.5,
            f"the noise has the mean {mean * level:.3g} at level {level:.3g}; expected 0",
        )
        rows = z.sum(1).square() / z.shape[1]  # standardised noise would have sums of zero
        whole = z.sum().square() / count
        spread = (z.square().sum() - count).square() / (2 * count)
        sums.append((rows.sum(), whole, spread))
    by_row, whole, spread = (torch.stack(part).sum().item() for part in zip(*sums, strict=True))
    expect.true(
        by_row > scipy.stats.chi2.ppf(RARE, 3 * SHAPE[0])
        and min(whole, spread) > scipy.stats.chi2.ppf(RARE, 3),
        "mean or spread of the noise are the same every time; draw it and leave it as it is",
    )
    z = torch.cat(pooled)
    kurtosis = z.pow(4).mean().item()  # its standard error is 0.16
    expect.true(
        1.9 < kurtosis < 4.1 and z.abs().max() > 2.5,
        f"the fourth moment of the noise is {kurtosis:.2f} level⁴ and its largest value "
        f"{z.abs().max():.2f} level; expected about 3 and 3.5, as for normal noise",
    )
    expect_normal(z)


@CORRUPT.check
def noise_is_independent(candidate: Candidate, rng: np.random.Generator) -> None:
    """Every value has noise of its own, which knows nothing of the value or of its neighbours."""
    x, level = draw_points(rng), float(rng.uniform(0.3, 0.5))
    z = (ask(candidate, rng, x, "gaussian", level) - x) / level
    expect_own_noise(z, 1e-9)
    centred = (x - x.mean()) / x.std()
    limit = DEVIATIONS / z[1:, 1:].numel() ** 0.5
    for product, what in (
        (z[1:] * z[:-1], "of two points"),
        (z[:, 1:] * z[:, :-1], "of two values of a point"),
        (z * centred, "and the value itself"),
        ((z.square() - 1) * centred / 2**0.5, ", squared, and the value itself"),
    ):
        correlation = product.mean().item()
        expect.true(
            abs(correlation) < limit * (2 if "squared" in what else 1),
            f"the noise {what} has the correlation {correlation:+.2f}; expected 0",
        )


@CORRUPT.check
def dropout_loses_or_keeps(candidate: Candidate, rng: np.random.Generator) -> None:
    """In dropout a value becomes zero with the probability level, or stays exactly as it is."""
    distance = 0.0
    for level in rng.uniform(0.15, 0.25, DROPOUT_CALLS) + (np.arange(DROPOUT_CALLS) % 2) * 0.5:
        x = draw_points(rng)
        value = ask(candidate, rng, x, "dropout", float(level))
        lost = value == 0
        kept = (value - x).abs() < 1e-9
        expect.true(
            (lost | kept).all(),
            f"{int((~lost & ~kept).sum())} of {x.numel()} values are neither zero nor what they "
            "were; dropout loses values and keeps the others as they are",
        )
        share = lost.double().mean().item()
        deviation = (level * (1 - level) / x.numel()) ** 0.5
        expect.true(
            abs(share - level) < DEVIATIONS * deviation,
            f"a share of {share:.3f} is lost at level {level:.3f}; expected about the level",
        )
        distance += ((share - level) / deviation) ** 2
    expect.true(
        distance > scipy.stats.chi2.ppf(RARE, DROPOUT_CALLS),
        "the number of lost values is the same in every call; decide for each value on its own",
    )


@CORRUPT.check
def dropout_is_independent(candidate: Candidate, rng: np.random.Generator) -> None:
    """Each value is lost or kept on its own: not by points, not by places, not by its size."""
    x, level = draw_points(rng), float(rng.uniform(0.3, 0.5))
    lost = (ask(candidate, rng, x, "dropout", level) == 0).double()
    variance = level * (1 - level)
    for axis, what in ((1, "point"), (0, "place")):
        counts = lost.sum(axis)
        size = lost.shape[axis]
        chi_sq = ((counts - size * level).square() / (size * variance)).sum().item()
        low, high = (scipy.stats.chi2.ppf(q, len(counts)) for q in (RARE, 1 - RARE))
        shown = [int(count) for count in counts[:6]]
        expect.true(
            low < chi_sq < high,
            f"for the first six {what}s {shown} of {size} values are lost at level {level:.2f}: "
            f"too {'regular' if chi_sq <= low else 'irregular'} for chance",
        )
    centred = (x - x.mean()) / x.std()
    correlation = ((lost - level) * centred).mean().item() / variance**0.5
    expect.true(
        abs(correlation) < DEVIATIONS / x.numel() ** 0.5,
        f"which values are lost depends on how large they are (correlation {correlation:+.2f})",
    )


@CORRUPT.check
def the_generator_decides(candidate: Candidate, rng: np.random.Generator) -> None:
    """The generator decides: the same seed repeats the damage, another or a second call does not"""
    x, seed = draw_points(rng, (6, 30)), int(rng.integers(2**30))
    seeds = Seed(seed), Seed(seed), Seed(seed + 1), Seed(seed, used=True)
    for kind in ("gaussian", "dropout"):
        one, again, other, later = (
            expect.tensor(candidate.call(x, kind, 0.5, given), x.shape, f'corrupt(x, "{kind}")')
            for given in seeds
        )
        expect.true(
            torch.equal(one, again),
            f"two generators with the same seed give two different results for {kind}; draw "
            "everything with `generator=generator`",
        )
        expect.true(
            not torch.equal(one, other),
            f"two generators with different seeds give the same result for {kind}; draw with "
            "`generator=generator`",
        )
        expect.true(
            not torch.equal(one, later),
            f"a generator gives the same result for {kind} after numbers were drawn from it as "
            "before; draw with `generator=generator`, and do not start again from its seed",
        )


@CORRUPT.check
def keeps_shape_and_type(candidate: Candidate, rng: np.random.Generator) -> None:
    """Images of any shape keep their shape, and single precision stays single precision."""
    x, level = draw_points(rng, (4, 3, 8, 10)).float(), 0.4
    z = (ask(candidate, rng, x, "gaussian", level) - x) / level
    expect_own_noise(z, 2e-6)
    expect_normal(z)
    lost = ask(candidate, rng, x, "dropout", level) == 0
    spots = lost.any(1) & ~lost.all(1)
    expect.true(
        spots.double().mean() > 0.4,  # expected: 0.72
        "the three colours of a pixel are lost together; decide for each value on its own",
    )
    share, variance = lost.double().mean().item(), level * (1 - level)
    expect.true(
        abs(share - level) < DEVIATIONS * (variance / lost.numel()) ** 0.5,
        f"a share of {share:.3f} is lost in images at level {level:.3f}; expected about the level",
    )
    excess = (lost.double().sum(0) - len(x) * level).square().mean() / (len(x) * variance)
    expect.true(
        excess < 1.7,  # expected: 1, with the standard deviation 0.08
        "the same places are lost in several images; decide for each value on its own",
    )


@CORRUPT.edge_check
def the_ends_of_the_scale(candidate: Candidate, rng: np.random.Generator) -> None:
    """Level 0 changes nothing, and at dropout level 1 nothing is left."""
    x = draw_points(rng, (5, 9))
    for kind, level, expected in (
        ("gaussian", 0.0, x),
        ("dropout", 0.0, x),
        ("dropout", 1.0, 0 * x),
    ):
        value = ask(candidate, rng, x, kind, level)
        expect.close(value, expected, f'corrupt(x, "{kind}", {level:g})', atol=1e-9)
