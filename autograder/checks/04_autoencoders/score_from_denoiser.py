"""`score_from_denoiser(denoise, x, noise_scale)`: the slope of a log-density, read off a repair.

The data is a Gaussian mixture, so the best denoiser and the density of noisy points are known.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle
from autograder.exercise import Exercise


def slope(denoise: Oracle, x: Tensor, noise_scale: float) -> Tensor:
    return (denoise(x) - x) / noise_scale**2


@dataclass(frozen=True)
class Cloud:
    """A mixture of round Gaussians, seen through noise.

    Attributes:
        weights: (K,).
        loc: (K, D).
        scale: Standard deviation of the components, (K,).
        noise_scale: Standard deviation of the noise.
    """

    weights: Tensor
    loc: Tensor
    scale: Tensor
    noise_scale: float

    def log_density(self, x: Tensor) -> Tensor:
        """log p of noisy points (N, D): every component is wider by the noise."""
        wide = (self.scale**2 + self.noise_scale**2).sqrt()
        normal = torch.distributions.Normal(self.loc, wide[:, None])
        return torch.logsumexp(normal.log_prob(x[:, None]).sum(-1) + self.weights.log(), dim=1)

    def score(self, x: Tensor) -> Tensor:
        """∇ log p at noisy points, by autograd."""
        leaf = x.clone().requires_grad_()
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(self.log_density(leaf).sum(), leaf)
        return gradient

    def denoise(self, x: Tensor) -> Tensor:
        """The best repair, E[clean | noisy]: a mean over components, without any derivative."""
        x = torch.as_tensor(x, dtype=torch.float64)
        wide_sq = self.scale**2 + self.noise_scale**2
        normal = torch.distributions.Normal(self.loc, wide_sq.sqrt()[:, None])
        logits = normal.log_prob(x[..., None, :]).sum(-1) + self.weights.log()
        kept = (self.scale**2 / wide_sq)[:, None]
        means = self.loc + kept * (x[..., None, :] - self.loc)
        return (torch.softmax(logits, -1)[..., None] * means).sum(-2)


def draw_cloud(rng: np.random.Generator, num_components: int, dim: int) -> Cloud:
    return Cloud(
        weights=torch.from_numpy(rng.dirichlet(np.full(num_components, 4.0))),
        loc=torch.from_numpy(rng.normal(scale=1.5, size=(num_components, dim))),
        scale=torch.from_numpy(rng.uniform(0.3, 0.8, size=num_components)),
        noise_scale=float(rng.choice([rng.uniform(0.4, 0.7), rng.uniform(1.4, 2.0)])),
    )


def draw_points(rng: np.random.Generator, num_points: int, dim: int) -> Tensor:
    return torch.from_numpy(rng.normal(scale=2.0, size=(num_points, dim)))


SCORE_FROM_DENOISER = Exercise(
    name="score_from_denoiser",
    unit="04_autoencoders",
    title="The slope of the log-density, from a repair",
    points=2,
    difficulty=2,
    minutes=15,
    reference=slope,
    follow_up=(
        "No density was ever written down: a network that repairs noisy points knows in which "
        "direction points become more probable."
    ),
    hints=(
        "**Principle.** A noisy point lies to the side of where the data are, and the best repair "
        "moves it back, on average, to where it came from. Points come from where the density is "
        "high: so the direction of the repair is the direction in which the density rises. The "
        "rule makes this exact: for noise with the standard deviation σ, the best repair moves a "
        "point by σ² times the slope of the log-density of noisy points. Turn it around: the "
        "slope is the step of the repair divided by σ². It has a unit, one over the unit of x, so "
        "a single σ cannot be enough.",
        "**Place.** Ask `denoise(x)` once, for all points together: it takes (N, D) and gives "
        "(N, D). The step of the repair is what comes out minus what went in. Divide by the "
        "square of `noise_scale`. Test yourself on a case that you can do by hand: data from a "
        "standard normal and noise of scale σ. The best repair is x / (1 + σ²), the noisy points "
        "are normal with the variance 1 + σ², and the slope of their log-density is "
        "−x / (1 + σ²). It points to the origin, where the data are, so its sign is opposite to "
        "that of x.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "step = denoise(...) - ...\n"
        "return step / ...\n"
        "```\n\n"
        "The gaps are the noisy points, the same again, and σ². The result has one vector for "
        "each point, (N, D). If your arrows point away from the data, the difference is the wrong "
        "way round. If they are too short for a small σ, you divided by σ and not by its square. "
        "Nothing is averaged, summed or made a unit vector: far from the data the slope is long, "
        "and at a peak of the density it is zero. It is the slope for noisy points, whose density "
        "is a little smoother than that of the data.",
    ),
)
NAME = SCORE_FROM_DENOISER.name


def in_other_shapes(oracle: Oracle, x: Tensor) -> list[tuple[int, ...]]:
    """Shapes of the questions that were no batch of points like those of x."""
    shapes = (tuple(torch.as_tensor(question[0]).shape) for question in oracle.questions)
    return [shape for shape in shapes if shape[1:] != x.shape[1:] or len(shape) != x.ndim]


def expect_batches(oracle: Oracle, x: Tensor) -> None:
    other = in_other_shapes(oracle, x)
    expect.true(
        not other,
        f"denoise was asked about the shape {other[0] if other else ''}; expected batches of "
        f"points, (N, {', '.join(map(str, x.shape[1:]))})",
    )


@SCORE_FROM_DENOISER.check
def is_the_slope_of_a_mixture(candidate: Candidate, rng: np.random.Generator) -> None:
    """With the best denoiser of a mixture, equals the gradient of the log-density (autograd)."""
    for components, num_points, dim in ((3, 9, 2), (2, 5, 4), (1, 6, 1)):
        cloud, x = draw_cloud(rng, components, dim), draw_points(rng, num_points, dim)
        given = candidate.call(Oracle(cloud.denoise), x, cloud.noise_scale)
        what = f"{NAME} with {components} components, D = {dim}, σ = {cloud.noise_scale:.2f}"
        expect.close(given, cloud.score(x), what)


@SCORE_FROM_DENOISER.check
def integrates_to_the_log_density(candidate: Candidate, rng: np.random.Generator) -> None:
    """Summed up along a path, the slopes give the difference of the log-densities at its ends."""
    cloud, ends = draw_cloud(rng, 3, 2), draw_points(rng, 2, 2)
    node, weight = np.polynomial.legendre.leggauss(60)
    share = torch.from_numpy((node + 1) / 2)[:, None]
    path = ends[0] + share * (ends[1] - ends[0])
    slopes = expect.tensor(
        candidate.call(Oracle(cloud.denoise), path, cloud.noise_scale), (60, 2), NAME
    )
    total = (torch.from_numpy(weight / 2) * (slopes @ (ends[1] - ends[0]))).sum()
    first, last = cloud.log_density(ends)
    expect.close(total, last - first, f"the integral of {NAME} along a path", rtol=1e-3, atol=1e-3)


@SCORE_FROM_DENOISER.check
def uses_any_denoiser(candidate: Candidate, rng: np.random.Generator) -> None:
    """Reads the slope off whatever denoiser it is given, asked once about each point, as it is."""
    x, noise_scale = draw_points(rng, 7, 3), float(rng.uniform(0.5, 1.5))
    x[0] *= 1e5  # far from the data the slope is long
    gain, shift = rng.uniform(0.2, 0.8), torch.from_numpy(rng.normal(size=3))

    def denoise(x: Tensor) -> Tensor:
        return gain * torch.as_tensor(x) + shift * torch.cos(torch.as_tensor(x))

    oracle = Oracle(denoise)
    given = candidate.call(oracle, x, noise_scale)
    expect.close(given, slope(denoise, x, noise_scale), f"{NAME} of another denoiser")
    expect_batches(oracle, x)
    asked = torch.cat([torch.as_tensor(q[0]).double().reshape(-1, 3) for q in oracle.questions])
    expect.true(
        len(asked) == len(x) and torch.allclose(asked, x, atol=1e-6),
        f"denoise was asked about {len(asked)} points; expected the {len(x)} points of x",
    )


@SCORE_FROM_DENOISER.check
def works_for_images(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for images of any shape and in single precision."""
    x = torch.from_numpy(rng.uniform(size=(3, 1, 4, 5))).float()
    noise_scale = float(rng.uniform(0.2, 0.5))
    exact = slope(lambda x: 0.5 * x**2, x.double(), noise_scale)
    oracle = Oracle(lambda x: 0.5 * x**2)
    given = candidate.call(oracle, x, noise_scale)
    expect.close(given, exact, f"{NAME} for images in float32")
    expect_batches(oracle, x)


@SCORE_FROM_DENOISER.edge_check
def small_noise_is_no_trouble(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for noise of one part in ten thousand, whose repairs are tiny."""
    x = draw_points(rng, 5, 2)
    given = candidate.call(Oracle(lambda x: x + 1e-8 * torch.sin(3 * x)), x, 1e-4)
    expect.close(given, torch.sin(3 * x), f"{NAME} for σ = 0.0001", rtol=1e-3, atol=1e-5)
    given = candidate.call(Oracle(lambda x: x + 1e-4 * torch.sin(3 * x)), x, 1e-4)
    what = f"{NAME} for σ = 0.0001 and repairs as long as the noise"
    expect.close(given, 1e4 * torch.sin(3 * x), what, rtol=1e-3, atol=1e-3)
