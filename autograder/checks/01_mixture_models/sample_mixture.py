"""`sample_mixture(num_samples, weights, loc, scale_tril, generator)`: points and their components.

Samples are random, so every comparison leaves room for chance: a right answer fails with a
probability of about 1e-10 for each. Each check asks for a few hundred rows several times, with
another seed each time, because some mistakes show only between calls.
"""

import math

import numpy as np
import scipy.stats
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Seed
from autograder.exercise import Exercise
from course_lib import mixture

from ._sampling import Sample, frequency_distance, read, too_large, too_small

ROWS, CALLS = 400, 6
FEW, MANY_CALLS = 150, 16  # for label counts, whose scatter shows between calls
WEIGHTS = {1: [1.0], 2: [0.75, 0.25], 3: [0.55, 0.3, 0.15]}


def reference(
    num_samples: int, weights: Tensor, loc: Tensor, scale_tril: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The library's sampler, which takes covariances."""
    params = mixture.MixtureParams(weights=weights, loc=loc, covariance=scale_tril @ scale_tril.mT)
    return mixture.sample(params, num_samples, generator=generator)


SAMPLE_MIXTURE = Exercise(
    name="sample_mixture",
    unit="01_mixture_models",
    title="Draw new eruptions",
    points=3,
    difficulty=3,
    minutes=20,
    reference=reference,
    deterministic=False,
    hints=(
        "**Principle.** Sampling follows the story of the model, in its order. First nature draws "
        "the hidden component z of a point, with the probabilities π. Then it draws the point "
        "from that component alone: x = μ_z + L_z ε, with ε standard normal. So every row has its "
        "own component and its own ε, and a row's label tells which mean and which factor were "
        "used for this very row. The number of rows from a component is itself random: among 100 "
        "draws a component of weight 0.3 may come 27 or 34 times. And a mixture chooses; it does "
        "not average. Σ π_k x_k lies between the clusters, where no data is.",
        "**Place.** `torch.multinomial` draws component numbers with given probabilities. It "
        "draws without replacement unless you tell it otherwise. `torch.randn` draws ε with the "
        "shape (S, D). Both take `generator=generator`, and both must, else a seed does not fix "
        "the result. `torch.randn` gives single precision by default: pass `dtype=loc.dtype`. "
        "Then pick each row's parameters by indexing with the labels: `loc[labels]` has the shape "
        "(S, D) and `scale_tril[labels]` the shape (S, D, D). L is a factor of the covariance, "
        "not the covariance: L ε has the covariance L Lᵀ. Mind the side on which L stands.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "labels = torch.multinomial(weights, num_samples, replacement=..., generator=...)\n"
        "noise = torch.randn(num_samples, ..., generator=..., dtype=loc.dtype)  # (S, D)\n"
        "shift = (scale_tril[...] @ noise[..., None])[..., 0]                   # (S, D)\n"
        "return loc[...] + shift, labels\n"
        "```\n\n"
        "The third line turns each row of the noise into a column, multiplies it by the factor of "
        "the row's own component, and turns the result back into a row. Writing `noise @ "
        "scale_tril[k]` instead would multiply by Lᵀ. To test yourself, draw ten thousand rows, "
        "select those with one label, and compare their mean and `torch.cov` with `loc[k]` and "
        "`scale_tril[k] @ scale_tril[k].T`.",
    ),
)


def _draw_mixture(rng: np.random.Generator, num_components: int, dim: int) -> tuple[Tensor, ...]:
    """Unequal weights, means that differ in every coordinate, strong correlation inside."""
    weights = rng.permutation(WEIGHTS[num_components])
    places = 2.0 * (np.arange(num_components) - (num_components - 1) / 2)
    columns = [rng.permutation(places) for _ in range(dim)]
    loc = np.stack(columns, 1) + rng.uniform(5, 9, size=dim) + rng.uniform(-0.3, 0.3, size=dim)
    sign = rng.choice([-1.0, 1.0], size=(num_components, dim, dim))
    rows = np.tril(sign * 0.8 / math.sqrt(max(dim - 1, 1)), -1) + 0.6 * np.eye(dim)
    scale = np.where(rng.random((num_components, dim)) < 0.5, 0.4, 2.2)
    scale *= rng.uniform(0.8, 1.25, size=scale.shape)
    return tuple(map(torch.from_numpy, (weights, loc, rows * scale[..., None])))


def _samples(
    candidate: Candidate,
    rng: np.random.Generator,
    params: tuple[Tensor, ...],
    calls: int = CALLS,
    rows: int = ROWS,
) -> list[Sample]:
    seeds = rng.choice(2**31, size=calls, replace=False).tolist()
    return [read(candidate.call(rows, *params, Seed(seed)), (rows, *params)) for seed in seeds]


@SAMPLE_MIXTURE.check
def gives_points_and_labels(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives (x, labels): one row and one component number from 0 to K − 1 for each sample."""
    for count, components, dim in ((5, 3, 2), (1, 2, 1), (3, 3, 3), (40, 1, 2)):
        params = _draw_mixture(rng, components, dim)
        value = candidate.call(count, *params, Seed(int(rng.integers(2**31))))
        z = read(value, (count, *params)).whitened()
        expect.true(
            (z.abs() < 8).all(),
            f"a point lies {z.abs().max():.0f} standard deviations from its own component's mean",
        )


@SAMPLE_MIXTURE.check
def labels_follow_the_weights(candidate: Candidate, rng: np.random.Generator) -> None:
    """Each component comes as often as its weight says, and its number of rows varies by chance."""
    weights, loc, scale_tril = _draw_mixture(rng, 3, 2)
    # Components that nearly coincide: labels guessed from x would all be the heaviest one's.
    params = weights, loc[:1] + 0.1 * (loc - loc[:1]), scale_tril[:1].repeat(3, 1, 1)
    samples = _samples(candidate, rng, params, MANY_CALLS, FEW)
    counts = torch.stack([sample.counts() for sample in samples])
    share = counts.sum(0) / counts.sum()
    limit = 6.7 * (weights * (1 - weights) / counts.sum()).sqrt()
    chi_sq, freedom = frequency_distance(samples, [weights] * MANY_CALLS)
    first = f"component 0 came {[int(c) for c in counts[:6, 0]]} times in six calls of {FEW} rows"
    expect.true(
        not too_small(chi_sq, freedom),
        f"{first}: too regular for chance; draw a component for each row",
    )
    expect.true(
        ((share - weights).abs() < limit).all(),
        f"the components came with frequencies {_list(share.tolist())} in {FEW * MANY_CALLS} rows; "
        f"expected about {_list(weights.tolist())}",
    )
    expect.true(
        not too_large(chi_sq, freedom),
        f"{first}: too irregular for chance; draw every row's component on its own",
    )


@SAMPLE_MIXTURE.edge_check
def never_draws_weight_zero(candidate: Candidate, rng: np.random.Generator) -> None:
    """A component of weight zero is never drawn."""
    _, loc, scale_tril = _draw_mixture(rng, 3, 2)
    for chosen in ([0.0, 0.6, 0.4], [0.7, 0.3, 0.0]):
        args = 100, torch.tensor(chosen, dtype=torch.float64), loc, scale_tril
        sample = read(candidate.call(*args, Seed(int(rng.integers(2**31)))), args)
        expect.true(
            (sample.counts()[args[1] == 0] == 0).all(),
            f"labels hold component {chosen.index(0.0)}, although its weight is 0",
        )


@SAMPLE_MIXTURE.check
def components_have_their_means(candidate: Candidate, rng: np.random.Generator) -> None:
    """The rows with label k average to the mean of component k."""
    samples = _samples(candidate, rng, _draw_mixture(rng, 3, 2))
    x, labels = _together(samples)
    for k, mean in enumerate(samples[0].loc):
        chosen = x[labels == k]
        _expect_rows(len(chosen), k)
        deviation = samples[0].scale_tril[k].square().sum(-1).sqrt()
        error = (chosen.mean(0) - mean).abs() / deviation * math.sqrt(len(chosen))
        expect.true(
            (error < 6.7).all(),
            f"the {len(chosen)} rows with label {k} average to {_list(chosen.mean(0).tolist())}; "
            f"expected about {_list(mean.tolist())}",
        )


@SAMPLE_MIXTURE.check
def components_have_their_covariances(candidate: Candidate, rng: np.random.Generator) -> None:
    """The rows with label k scatter as L Lᵀ says: spread and correlation."""
    for components, dim in ((3, 2), (2, 3)):
        samples = _samples(candidate, rng, _draw_mixture(rng, components, dim))
        x, labels = _together(samples)
        z = torch.cat([sample.whitened() for sample in samples])
        for k, scale_tril in enumerate(samples[0].scale_tril):
            count = int((labels == k).sum())
            _expect_rows(count, k)
            error = torch.cov(z[labels == k].T) - torch.eye(dim)
            limit = 7.5 * math.sqrt(2 / count)  # √(2/n) is the deviation of a sample variance
            given, expected = torch.cov(x[labels == k].T), scale_tril @ scale_tril.T
            expect.true(
                (error.abs() < limit).all(),
                f"the rows with label {k} have the covariance {_matrix(given)}; "
                f"expected about {_matrix(expected)}",
            )


@SAMPLE_MIXTURE.check
def margins_follow_the_mixture(candidate: Candidate, rng: np.random.Generator) -> None:
    """Each coordinate alone follows the mixture's distribution function (Kolmogorov–Smirnov)."""
    samples = _samples(candidate, rng, _draw_mixture(rng, 3, 2))
    x, labels = _together(samples)
    first = samples[0]
    distance = Sample(first.weights, first.loc, first.scale_tril, x, labels).ks_distance()
    limit = 3.5 / math.sqrt(len(x))
    expect.true(
        distance < limit,
        f"the share of points below some value is off by up to {distance:.3f} in {len(x)} rows; "
        f"chance explains {limit:.3f}",
    )


@SAMPLE_MIXTURE.check
def noise_is_normal(candidate: Candidate, rng: np.random.Generator) -> None:
    """Inside a component the noise is standard normal once L is undone."""
    z = torch.cat(
        [sample.whitened() for sample in _samples(candidate, rng, _draw_mixture(rng, 3, 2))]
    ).flatten()
    kurtosis = (z.pow(4).mean() / z.square().mean().square()).item()
    expect.true(
        2.5 < kurtosis < 4,
        f"the fourth moment of the noise is {kurtosis:.2f} times its squared variance; it is 3 for "
        "normal noise and 1.8 for uniform noise",
    )
    # 2.8 is exceeded once in two hundred draws, so never in thousands with a chance of 1e-11
    expect.true(
        z.abs().max() > 2.8,
        f"the largest of {len(z)} noise values is {z.abs().max():.2f}; normal ones exceed 3",
    )
    distance = scipy.stats.ks_1samp(z.numpy(), scipy.stats.norm.cdf, method="asymp").statistic
    expect.true(
        distance < 3.5 / math.sqrt(len(z)),
        "the noise does not follow the standard normal distribution function: off by up to "
        f"{distance:.3f}",
    )


@SAMPLE_MIXTURE.check
def rows_are_independent(candidate: Candidate, rng: np.random.Generator) -> None:
    """Every row has its own noise: no repeats, and one row says nothing about another."""
    samples = _samples(candidate, rng, _draw_mixture(rng, 3, 2))
    for sample in samples:
        repeats = ROWS - len(sample.whitened().mul(1e5).round().unique(dim=0))
        expect.true(repeats < 10, f"{repeats} of {ROWS} rows repeat the noise of another row")
    z = torch.stack([sample.whitened() for sample in samples])  # (CALLS, ROWS, D)
    for lag, what in ((1, "the next row"), (ROWS // 2, "the row half the sample away")):
        correlation = (z[:, lag:] * z[:, :-lag]).mean().item()
        limit = 6.7 / math.sqrt(z[:, lag:].numel())
        expect.true(
            abs(correlation) < limit,
            f"the noise of a row and of {what} have the correlation {correlation:+.2f}; expected 0",
        )
    expect.true(
        not too_small(z.mean(1).square().sum().item() * ROWS, CALLS * z.shape[2]),
        "the noise of each call averages to almost exactly zero: too regular for independent rows",
    )


@SAMPLE_MIXTURE.check
def generator_decides(candidate: Candidate, rng: np.random.Generator) -> None:
    """The generator decides everything: the same seed repeats a sample, another seed changes it."""
    params = _draw_mixture(rng, 3, 2)
    seed = int(rng.integers(2**30))
    one, again, other = (
        read(candidate.call(ROWS, *params, Seed(s)), (ROWS, *params))
        for s in (seed, seed, seed + 1)
    )
    expect.true(
        torch.equal(one.labels, again.labels) and torch.allclose(one.x, again.x),
        "two generators with the same seed give two different samples; draw everything with "
        "`generator=generator`",
    )
    expect.true(
        not torch.equal(one.labels, other.labels),
        "two generators with different seeds give the same labels; draw them with "
        "`generator=generator`",
    )
    same = torch.isclose(one.whitened(), other.whitened(), atol=1e-5).all(1)
    expect.true(
        same.sum() < 10,
        "two generators with different seeds give the same noise; draw it with "
        "`generator=generator`",
    )


def _together(samples: list[Sample]) -> tuple[Tensor, Tensor]:
    x, labels = [s.x for s in samples], [s.labels for s in samples]
    return torch.cat(x), torch.cat(labels)


def _expect_rows(count: int, component: int) -> None:
    total = ROWS * CALLS
    expect.true(count > 30, f"component {component} came {count} times in {total} rows: too few")


def _list(values: list[float]) -> str:
    return "(" + ", ".join(f"{value:.3g}" for value in values) + ")"


def _matrix(matrix: Tensor) -> str:
    return "[" + "; ".join(" ".join(f"{v:.3g}" for v in row) for row in matrix.tolist()) + "]"
