"""`log_gaussian(x, loc, log_scale)`: the log-density of a Gaussian with independent coordinates."""

import math

import numpy as np
import scipy.stats
import torch
from torch import Tensor
from torch.distributions import Independent, MultivariateNormal, Normal

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from course_lib import mixture

LOG_2PI = math.log(2 * math.pi)

LOG_GAUSSIAN = Exercise(
    name="log_gaussian",
    unit="01_mixture_models",
    title="The log-density of a Gaussian",
    points=2,
    difficulty=1,
    minutes=10,
    reference=mixture.log_gaussian,
    hints=(
        "**Principle.** The coordinates are independent, so the density is a product of "
        "one-dimensional densities, and its logarithm is a sum over the coordinates. Write the "
        "one-dimensional density first, take its logarithm on paper, and only then write code. Three "
        "terms appear for each coordinate: a squared distance, measured in units of σ; the logarithm of "
        "σ, because a wider bell is lower; and a constant that makes the area one. You are given log σ, "
        "not σ and not log σ². Never compute the density and then its logarithm: thirty-nine standard "
        "deviations away the density is zero in double precision, while its logarithm is a harmless −761.",
        "**Place.** Standardise first: subtract `loc` from `x` and divide by `torch.exp(log_scale)`. "
        "Broadcasting does this for all points at once, because `x` has the shape (N, D) and `loc` the "
        "shape (D,). The squared result is the first term, with a factor of one half. The second term is "
        "`log_scale` itself, subtracted and not halved. The third is half the logarithm of 2π, also "
        "subtracted once for every coordinate. Then sum over the last axis, so that one number for each "
        "point is left. Test yourself: at x = loc with log_scale = 0 in two dimensions the answer is "
        "−log 2π, about −1.8379; with log_scale = 1 in both coordinates it is two less.",
        "**Nearly the code.** Call the standardised distance `u`:\n\n"
        "```python\n"
        "u = (x - loc) / torch.exp(log_scale)              # (N, D)\n"
        "per_coordinate = -0.5 * u**2 - ... - ...          # (N, D)\n"
        "return per_coordinate.sum(dim=...)                # (N,)\n"
        "```\n\n"
        "The two gaps in the second line are `log_scale` and half of `math.log(2 * math.pi)`. Both are "
        "the same for every point, and broadcasting adds them to each row. The gap in the third line is "
        "the axis that holds the D coordinates. If your result has N rows and D columns you forgot the "
        "sum; if it is a single number you summed over the points as well. If it is right at σ = 1 and "
        "wrong elsewhere, look at how you turned `log_scale` into σ.",
    ),
)


def _draw(rng: np.random.Generator, count: int, dim: int, spread: float = 3.0) -> tuple[Tensor, ...]:
    """Points up to `spread` standard deviations from the mean, with scales well away from one."""
    loc = rng.normal(size=dim) * 5
    log_scale = rng.choice([-1.0, 1.0], size=dim) * rng.uniform(0.5, 1.5, size=dim)
    x = loc + np.exp(log_scale) * rng.uniform(-spread, spread, size=(count, dim))
    return torch.from_numpy(x), torch.from_numpy(loc), torch.from_numpy(log_scale)


def _exact(x: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    density = scipy.stats.norm.logpdf(x.numpy(), loc.numpy(), log_scale.exp().numpy())
    return torch.from_numpy(density.sum(-1))


@LOG_GAUSSIAN.check
def equals_scipy(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the exact value within three standard deviations, in one, two and five dimensions."""
    for count, dim in ((7, 1), (6, 2), (3, 5)):
        args = _draw(rng, count, dim)
        expect.close(candidate.call(*args), _exact(*args), f"log_gaussian in {dim} dimensions")


@LOG_GAUSSIAN.check
def works_for_one_point(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for a single point, and when there are as many points as coordinates."""
    for count, dim in ((1, 2), (1, 1), (3, 3)):
        args = _draw(rng, count, dim)
        expect.close(candidate.call(*args), _exact(*args), f"log_gaussian of {count} point(s)")


@LOG_GAUSSIAN.check
def integrates_to_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """The density integrates to one over the plane."""
    _, loc, log_scale = _draw(rng, 1, 2)
    nodes = torch.linspace(-8, 8, 81, dtype=torch.float64)
    unit = torch.cartesian_prod(nodes, nodes)
    density = expect.tensor(
        candidate.call(loc + log_scale.exp() * unit, loc, log_scale), (81 * 81,), "log_gaussian"
    ).exp()
    area = (density.sum() * 0.2**2 * log_scale.exp().prod()).item()
    expect.true(
        abs(area - 1) < 1e-3, f"exp(log_gaussian) integrates to {area:.4g} over the plane; expected 1"
    )


@LOG_GAUSSIAN.check
def finite_in_the_tail(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays finite and right where the density itself underflows to zero."""
    _, loc, log_scale = _draw(rng, 1, 2)
    for distance, dtype in ((60.0, torch.float64), (25.0, torch.float32)):
        direction = torch.tensor([[1.0, 0.0], [0.0, -1.0], [0.6, 0.8]], dtype=torch.float64)
        x = (loc + log_scale.exp() * distance * direction).to(dtype)
        args = x, loc.to(dtype), log_scale.to(dtype)
        actual = candidate.call(*args)
        what = f"log_gaussian at {distance:.0f} standard deviations"
        expect.finite(expect.tensor(actual, (3,), what), what)
        expect.close(actual, _exact(*(a.double() for a in args)), what, rtol=1e-3)


def _parts(x: Tensor, loc: Tensor, log_scale: Tensor) -> tuple[Tensor, Tensor]:
    """Half the squared standardised distance for each coordinate, and log σ spread over the points."""
    return 0.5 * ((x - loc) / log_scale.exp()) ** 2, log_scale.expand_as(x)


@LOG_GAUSSIAN.misconception(
    "You read `log_scale` as the logarithm of the variance. It is log σ: the variance is "
    "`exp(2 * log_scale)`. The two agree only at σ = 1."
)
def log_scale_as_log_variance(x, loc, log_scale):
    return (-0.5 * ((x - loc) ** 2 / log_scale.exp() + log_scale + LOG_2PI)).sum(-1)


@LOG_GAUSSIAN.misconception(
    "You used `log_scale` as if it were σ itself. Take its exponential first; a log σ may be negative."
)
def log_scale_as_scale(x, loc, log_scale):
    return (-0.5 * ((x - loc) / log_scale) ** 2 - log_scale.abs().log() - LOG_2PI / 2).sum(-1)


@LOG_GAUSSIAN.misconception(
    "You divide the squared distance by σ. It must be divided by σ²: standardise first, then square."
)
def scale_not_squared(x, loc, log_scale):
    return (-0.5 * (x - loc) ** 2 / log_scale.exp() - log_scale - LOG_2PI / 2).sum(-1)


@LOG_GAUSSIAN.misconception(
    "The distance is not squared: your bell is an exponential decay. Square the standardised distance."
)
def distance_not_squared(x, loc, log_scale):
    return (-0.5 * ((x - loc) / log_scale.exp()).abs() - log_scale - LOG_2PI / 2).sum(-1)


@LOG_GAUSSIAN.misconception(
    "The term −log σ is missing. Without it a wide Gaussian is as high as a narrow one, and its area is σ."
)
def no_log_scale_term(x, loc, log_scale):
    half_square, _ = _parts(x, loc, log_scale)
    return (-half_square - LOG_2PI / 2).sum(-1)


@LOG_GAUSSIAN.misconception(
    "You add log σ where it must be subtracted: a wider Gaussian is lower, not higher."
)
def log_scale_added(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return (-half_square + log_scale - LOG_2PI / 2).sum(-1)


@LOG_GAUSSIAN.misconception(
    "You halved log σ. Half of it belongs to the variance, ½ log σ² = log σ; you are given log σ."
)
def log_scale_halved(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return (-half_square - log_scale / 2 - LOG_2PI / 2).sum(-1)


@LOG_GAUSSIAN.misconception(
    "The constant −½ log 2π is missing, so the density does not integrate to one."
)
def no_constant(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return (-half_square - log_scale).sum(-1)


@LOG_GAUSSIAN.misconception(
    "You count the constant −½ log 2π once. It belongs to every coordinate: D of them."
)
def constant_once(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return (-half_square - log_scale).sum(-1) - LOG_2PI / 2


@LOG_GAUSSIAN.misconception(
    "The ½ before log 2π is missing. In two dimensions your density integrates to 1/2π = 0.159."
)
def constant_not_halved(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return (-half_square - log_scale - LOG_2PI).sum(-1)


@LOG_GAUSSIAN.misconception("The ½ before the squared distance is missing.")
def square_not_halved(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return (-2 * half_square - log_scale - LOG_2PI / 2).sum(-1)


@LOG_GAUSSIAN.misconception(
    "The squared distance has the wrong sign: your density grows away from the mean."
)
def grows_with_distance(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return (half_square - log_scale - LOG_2PI / 2).sum(-1)


@LOG_GAUSSIAN.misconception(
    "You kept one value for each coordinate. Independent coordinates multiply, so their logarithms add: "
    "sum over the last axis."
)
def no_sum(x, loc, log_scale):
    half_square, log_scale = _parts(x, loc, log_scale)
    return -half_square - log_scale - LOG_2PI / 2


@LOG_GAUSSIAN.misconception(
    "You averaged over the coordinates. Independent coordinates multiply, so their logarithms add up."
)
def mean_over_coordinates(x, loc, log_scale):
    return no_sum(x, loc, log_scale).mean(-1)


@LOG_GAUSSIAN.misconception(
    "You summed over the points as well. Each point keeps its own log-density: sum over the last axis only."
)
def sum_over_points(x, loc, log_scale):
    return no_sum(x, loc, log_scale).sum()


@LOG_GAUSSIAN.misconception(
    "You summed over the points and kept the coordinates. Sum over the last axis (`dim=-1`), not the first."
)
def sum_over_wrong_axis(x, loc, log_scale):
    return no_sum(x, loc, log_scale).sum(0)


@LOG_GAUSSIAN.misconception("You returned the density. Its logarithm was asked for.")
def density(x, loc, log_scale):
    return mixture.log_gaussian(x, loc, log_scale).exp()


@LOG_GAUSSIAN.misconception(
    "You take the logarithm of a density that was computed first. Far out the density underflows to zero "
    "and its logarithm is −∞. Add up the logarithms of its factors instead."
)
def log_of_density(x, loc, log_scale):
    return Normal(loc, log_scale.exp()).log_prob(x).exp().log().sum(-1)


@LOG_GAUSSIAN.misconception(
    "A small number inside the logarithm hides the underflow: every point far out gets the same "
    "log-density. Work with logarithms from the start."
)
def log_of_density_plus_epsilon(x, loc, log_scale):
    return (mixture.log_gaussian(x, loc, log_scale).exp() + 1e-12).log()


@LOG_GAUSSIAN.variant
def sum_of_normals(x, loc, log_scale):
    return Normal(loc, log_scale.exp()).log_prob(x).sum(dim=-1)


@LOG_GAUSSIAN.variant
def independent_distribution(x, loc, log_scale):
    return Independent(Normal(loc, log_scale.exp()), 1).log_prob(x)


@LOG_GAUSSIAN.variant
def diagonal_covariance(x, loc, log_scale):
    return MultivariateNormal(loc, torch.diag(torch.exp(2 * log_scale))).log_prob(x)


@LOG_GAUSSIAN.variant
def precision_form(x, loc, log_scale):
    precision = torch.exp(-2 * log_scale)
    quadratic = torch.einsum("nd,d,nd->n", x - loc, precision, x - loc)
    return -0.5 * (quadratic + 2 * log_scale.sum() + x.shape[1] * LOG_2PI)


@LOG_GAUSSIAN.variant
def loop_over_points_and_coordinates(x, loc, log_scale):
    result = torch.zeros(len(x), dtype=x.dtype)
    for n in range(len(x)):
        for d in range(len(loc)):
            u = (x[n, d] - loc[d]) / torch.exp(log_scale[d])
            result[n] += -0.5 * u**2 - log_scale[d] - 0.5 * math.log(2 * math.pi)
    return result


@LOG_GAUSSIAN.variant
def in_single_precision(x, loc, log_scale):
    return sum_of_normals(x.float(), loc.float(), log_scale.float())


@LOG_GAUSSIAN.variant
def with_numpy(x, loc, log_scale):
    x, loc, scale = x.numpy(), loc.numpy(), np.exp(log_scale.numpy())
    return scipy.stats.norm.logpdf(x, loc, scale).sum(axis=1)
