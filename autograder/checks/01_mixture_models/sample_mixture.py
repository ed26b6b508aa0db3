"""`sample_mixture(num_samples, weights, loc, scale_tril, generator)`: points and components.

A right answer fails one of the statistical checks with a probability below 1e-9: the bounds are
seven standard errors for means and covariances, and 3.5 for the scaled Kolmogorov-Smirnov distance.
"""

import math

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Seed
from autograder.exercise import Exercise
from course_lib import mixture

MANY = 8_000
FEW, NUM_REPEATS = 200, 24
REPEATED = 50
STANDARD_ERRORS = 7.0
MAX_SCALED_DISTANCE = 3.5


def reference(num_samples, weights, loc, scale_tril, generator):
    """Component first, then the point."""
    params = mixture.MixtureParams(weights=weights, loc=loc, covariance=scale_tril @ scale_tril.mT)
    return mixture.sample(params, num_samples, generator=generator)


SAMPLE_MIXTURE = Exercise(
    name="sample_mixture",
    unit="01_mixture_models",
    title="Sample from a mixture",
    points=3,
    difficulty=2,
    minutes=15,
    reference=reference,
    deterministic=False,
    hints=(
        "**Principle.** A latent variable model is a recipe for making data, and sampling just "
        "follows the recipe. First draw the hidden variable, then the observed one given the "
        "hidden one. Here the hidden variable is a component: one die is thrown for each point, "
        "with the weights as its probabilities. Only then is the point drawn, from that component "
        "alone. You never average the components: an average of two clusters lies between them, "
        "where no data is. And each point needs its own throw and its own noise, otherwise the "
        "points are copies of each other. Everything random must come from the generator, or your "
        "experiment cannot be repeated.",
        "**Place.** Three lines do it. `torch.multinomial` throws the die: give it the weights, "
        "the "
        "number of samples, `replacement=True` and the generator, and it returns labels. "
        "`torch.randn` gives standard normal noise of the shape (num_samples, D); it takes the "
        "generator too, and the dtype of `loc`. Indexing with the labels picks a mean and a "
        "factor for each row: `loc[labels]` has the shape (num_samples, D), and "
        "`scale_tril[labels]` the shape (num_samples, D, D). The noise is multiplied by the factor "
        "L itself, from the left. Not by its transpose, and not by the covariance: the covariance "
        "of Lε is LLᵀ, which is what you want.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "labels = torch.multinomial(weights, ..., replacement=True, generator=generator)\n"
        "noise = torch.randn(num_samples, ..., generator=generator, dtype=loc.dtype)\n"
        'x = loc[labels] + torch.einsum("nij,nj->ni", ..., noise)\n'
        "return x, labels\n"
        "```\n\n"
        "The first gap is how many labels you want, the second the number of coordinates, "
        "`loc.shape[1]`, and the third the factor of each row's component. The einsum multiplies "
        "each row's noise vector from the left by its own matrix: the index j is summed. If the "
        "check says that labels and points do not belong together, you changed the order of one of "
        "them after drawing.",
    ),
)


def draw_parameters(rng: np.random.Generator, num_components: int, dim: int) -> tuple[Tensor, ...]:
    """Unequal weights that are not sorted, means apart, factors with strong correlation."""
    weights = rng.permutation(np.linspace(1.0, 2.5, num_components))
    while num_components > 2 and abs(np.sign(np.diff(weights)).sum()) == num_components - 1:
        weights = rng.permutation(weights)  # sorted weights would hide code that sorts them
    loc = rng.permutation(np.arange(num_components))[:, None] * 6.0 + rng.normal(
        size=(num_components, dim)
    )
    loc += 20.0 * rng.choice([-1.0, 1.0])
    factor = np.tril(rng.choice([-1.0, 1.0], size=(num_components, dim, dim)), -1)
    diagonal = rng.uniform(0.4, 0.7, size=(num_components, dim))
    diagonal[:, 0] = rng.uniform(1.5, 2.5, size=num_components)
    factor = factor * rng.uniform(0.6, 1.2, size=factor.shape) + diagonal[..., None] * np.eye(dim)
    return tuple(map(torch.from_numpy, (weights / weights.sum(), loc, factor)))


def unpack(value: object, num_samples: int, num_components: int, dim: int) -> tuple[Tensor, Tensor]:
    """Points and labels, once their shapes and values make sense."""
    points, labels = expect.items(value, 2, "the result of sample_mixture")
    points = expect.tensor(points, (num_samples, dim), "the points")
    expect.finite(points, "the points")
    expect.true(
        isinstance(labels, Tensor) and tuple(labels.shape) == (num_samples,),
        f"the labels should be a tensor of shape ({num_samples},), one component for each point",
    )
    expect.true(
        not labels.dtype.is_floating_point and labels.dtype != torch.bool,
        f"the labels hold {labels.dtype}; expected integers",
    )
    labels = labels.long()
    expect.true(
        labels.min() >= 0 and labels.max() < num_components,
        f"the labels lie between {labels.min()} and {labels.max()}; expected 0 to "
        f"{num_components - 1}",
    )
    return points, labels


def whiten(points: Tensor, labels: Tensor, loc: Tensor, scale_tril: Tensor) -> Tensor:
    """The noise behind each point, standard normal for a right answer."""
    noise = torch.empty_like(points)
    for k, factor in enumerate(scale_tril):
        own = labels == k
        centred = (points[own] - loc[k]).T
        noise[own] = torch.linalg.solve_triangular(factor, centred, upper=False).T
    return noise


def scaled_distance(probabilities: Tensor) -> float:
    """Kolmogorov-Smirnov distance of values from the uniform distribution, times √N."""
    ordered = probabilities.sort().values
    steps = torch.arange(len(ordered) + 1, dtype=ordered.dtype) / len(ordered)
    distance = torch.maximum((steps[1:] - ordered).max(), (ordered - steps[:-1]).max())
    return distance.item() * math.sqrt(len(ordered))


@SAMPLE_MIXTURE.check
def shapes_and_labels(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives the points and one integer label for each, also for one sample and one component."""
    for num_samples, num_components, dim in ((MANY, 3, 2), (1, 2, 3), (7, 1, 1), (9, 4, 5)):
        args = draw_parameters(rng, num_components, dim)
        seed = Seed(int(rng.integers(2**31)))
        unpack(candidate.call(num_samples, *args, seed), num_samples, num_components, dim)


@SAMPLE_MIXTURE.check
def components_by_weight(candidate: Candidate, rng: np.random.Generator) -> None:
    """Chooses each component with its weight, and the counts vary by chance as they must."""
    weights, loc, scale_tril = draw_parameters(rng, 3, 2)
    num_samples, num_repeats = FEW, NUM_REPEATS
    counts = torch.zeros(num_repeats, 3, dtype=torch.float64)
    for repeat in range(num_repeats):
        seed = Seed(int(rng.integers(2**31)))
        value = candidate.call(num_samples, weights, loc, scale_tril, seed)
        _, labels = unpack(value, num_samples, 3, 2)
        counts[repeat] = torch.bincount(labels, minlength=3)
    variance = num_samples * weights * (1 - weights)
    error = (counts.mean(0) - num_samples * weights).abs() / (variance / num_repeats).sqrt()
    k = int(error.argmax())
    expect.true(
        error[k] < STANDARD_ERRORS,
        f"component {k} is chosen in {counts.mean(0)[k] / num_samples:.1%} of all draws; its "
        f"weight "
        f"is {weights[k]:.1%}",
    )
    ratio = (counts.var(0) / variance).mean()
    # a mean of three correlated χ²(23)/23: outside these bounds with a probability below 1e-9
    expect.true(
        0.1 < ratio < 4.0,
        f"over {num_repeats} draws of {num_samples} points the counts vary {ratio:.2g} times as "
        f"much "
        "as independent throws do",
    )


@SAMPLE_MIXTURE.check
def each_component_is_its_gaussian(candidate: Candidate, rng: np.random.Generator) -> None:
    """The points of each label have that component's mean, covariance and shape."""
    weights, loc, scale_tril = draw_parameters(rng, 3, 2)
    seed = Seed(int(rng.integers(2**31)))
    value = candidate.call(MANY, weights, loc, scale_tril, seed)
    points, labels = unpack(value, MANY, 3, 2)
    all_noise = whiten(points, labels, loc, scale_tril)
    for k in range(3):
        own, noise = points[labels == k], all_noise[labels == k]
        expect.true(len(noise) > 100, f"component {k} was drawn {len(noise)} times in {MANY}")
        bound = STANDARD_ERRORS / math.sqrt(len(noise))
        expect.true(
            noise.mean(0).abs().max() < bound,
            f"the points labelled {k} have the mean {_list(own.mean(0))}; expected {_list(loc[k])}",
        )
        off = (noise.mT @ noise / len(noise) - torch.eye(2)).abs().max()
        given, right = _list(torch.cov(own.T)), _list(scale_tril[k] @ scale_tril[k].T)
        expect.true(
            off < 1.5 * bound,
            f"the points labelled {k} have the covariance {given}; expected {right}",
        )
        for d in range(2):
            expect.true(
                scaled_distance(torch.special.ndtr(noise[:, d])) < MAX_SCALED_DISTANCE,
                f"coordinate {d} of the points labelled {k} is not normally distributed",
            )


@SAMPLE_MIXTURE.check
def margins_are_the_mixtures(candidate: Candidate, rng: np.random.Generator) -> None:
    """Each coordinate follows the mixture's own distribution (Kolmogorov-Smirnov)."""
    weights, loc, scale_tril = draw_parameters(rng, 4, 3)
    seed = Seed(int(rng.integers(2**31)))
    points, _ = unpack(candidate.call(MANY, weights, loc, scale_tril, seed), MANY, 4, 3)
    scale = scale_tril.square().sum(-1).sqrt()
    for d in range(3):
        probability = torch.special.ndtr((points[:, d, None] - loc[:, d]) / scale[:, d]) @ weights
        expect.true(
            scaled_distance(probability) < MAX_SCALED_DISTANCE,
            f"coordinate {d} does not follow the mixture's distribution",
        )


@SAMPLE_MIXTURE.check
def draws_are_independent(candidate: Candidate, rng: np.random.Generator) -> None:
    """Every point has noise of its own: no row repeats, and none tells about the next."""
    weights, loc, scale_tril = draw_parameters(rng, 2, 2)
    seed = Seed(int(rng.integers(2**31)))
    points, labels = unpack(candidate.call(MANY, weights, loc, scale_tril, seed), MANY, 2, 2)
    distinct = len(points.unique(dim=0))
    expect.true(distinct > 0.99 * MANY, f"only {distinct} of {MANY} points are distinct")
    noise = whiten(points, labels, loc, scale_tril)
    distinct = len((1e6 * noise).round().unique(dim=0))
    expect.true(
        distinct > 0.99 * MANY,
        f"{MANY} points have only {distinct} different noise vectors; the components share them",
    )
    noise = noise.clamp(-6, 6)
    lag = ((noise[1:] * noise[:-1]).mean(0)).abs().max() * math.sqrt(MANY)
    expect.true(lag < STANDARD_ERRORS, "the noise of one row is correlated with the next row's")


@SAMPLE_MIXTURE.check
def uses_the_generator(candidate: Candidate, rng: np.random.Generator) -> None:
    """The same seed gives the same draw, another seed another one."""
    args = draw_parameters(rng, 3, 2)
    first, second = (int(seed) for seed in rng.choice(2**31, size=2, replace=False))
    one, again, other = (
        unpack(candidate.call(REPEATED, *args, Seed(seed)), REPEATED, 3, 2)
        for seed in (first, first, second)
    )
    expect.true(
        torch.equal(one[0], again[0]) and torch.equal(one[1], again[1]),
        "two calls with the same seed differ; take all randomness from the generator",
    )
    expect.true(
        not torch.equal(one[1], other[1]),
        "two calls with different seeds give the same labels; draw them from the generator",
    )
    _, loc, scale_tril = args
    noise = [whiten(*draw, loc, scale_tril) for draw in (one, other)]
    expect.true(
        not torch.allclose(*noise, atol=1e-4),
        "two calls with different seeds give the same noise; draw it from the generator",
    )


def _list(value: Tensor) -> str:
    return str((value * 100).round().div(100).tolist())


def normal_noise(num_samples: int, loc: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(num_samples, loc.shape[1], generator=generator, dtype=loc.dtype)


def draw_labels(num_samples: int, weights: Tensor, generator: torch.Generator) -> Tensor:
    return torch.multinomial(weights, num_samples, replacement=True, generator=generator)


def times(factors: Tensor, noise: Tensor) -> Tensor:
    return (factors @ noise[..., None])[..., 0]
