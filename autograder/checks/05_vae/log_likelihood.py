"""`log_likelihood(kind, x, *params)`: four likelihoods, each with its mass of exactly one."""

import itertools
from typing import Any

import numpy as np
import scipy.special
import scipy.stats
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

KINDS = ("bernoulli", "continuous_bernoulli", "gaussian", "categorical")
Args = tuple[str, *tuple[Tensor, ...]]


def log_normalizer(logits: Tensor) -> Tensor:
    """log ∫₀¹ exp(η x) dx = η/2 + log(sinh(η/2) / (η/2)); a series near zero."""
    half = (logits / 2).abs()
    far = half.clamp(min=1e-2)
    log_sinhc = far + torch.log(-torch.expm1(-2 * far)) - torch.log(2 * far)
    return logits / 2 + torch.where(half < 1e-2, half**2 / 6 - half**4 / 180, log_sinhc)


def each(kind: str, x: Tensor, *params: Tensor) -> Tensor:
    """Log probability of each value, (N, D)."""
    match kind:
        case "bernoulli":
            (logits,) = params
            return -torch.nn.functional.softplus((1 - 2 * x) * logits)
        case "continuous_bernoulli":
            (logits,) = params
            return x * logits - log_normalizer(logits)
        case "gaussian":
            loc, log_scale = params
            noise = (x - loc) * (-log_scale).exp()
            return -0.5 * noise**2 - log_scale - 0.5 * np.log(2 * np.pi)
        case "categorical":
            (logits,) = params
            return torch.log_softmax(logits, -1).gather(-1, x[..., None])[..., 0]
    raise ValueError(f"there is no likelihood called {kind!r}")


def reference(kind: str, x: Tensor, *params: Tensor) -> Tensor:
    return each(kind, x, *params).sum(-1)


LOG_LIKELIHOOD = Exercise(
    name="log_likelihood",
    unit="05_vae",
    title="Four likelihoods",
    points=4,
    difficulty=3,
    minutes=30,
    reference=reference,
    hints=(
        "**Principle.** A likelihood is a promise: over everything that x could have been, the "
        "probabilities sum to one, or the density integrates to one. Whoever breaks the promise "
        "gets numbers that look like nats and cannot be compared with anything. So each formula "
        "has a part that looks at x and a part that only sees to the promise: ½ log 2π + log σ of "
        "the Gaussian, the log-sum-exp of the categorical, log C of the continuous Bernoulli. The "
        "second part depends on the parameters, so dropping it also changes what the decoder "
        "learns. Values are independent given z: their log probabilities add up over D.",
        "**Place.** Bernoulli: x log p + (1 − x) log(1 − p) with log p = `logsigmoid(logits)` and "
        "log(1 − p) = `logsigmoid(-logits)`. Continuous Bernoulli: the same expression, which "
        "simplifies to η x − softplus(η), plus the constant log C(η) that makes it integrate to "
        "one over [0, 1]; `torch.distributions` knows it. Gaussian: the argument is log σ, and "
        "the density of D values has D constants. Categorical: `log_softmax` over the last axis, "
        "then pick the entry of the level that was seen (`gather`). Test yourself: sum or "
        "integrate the exponential over x for D = 1.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "if kind == 'bernoulli':\n"
        "    each = x * F.logsigmoid(params[0]) + (1 - x) * F.logsigmoid(...)\n"
        "elif kind == 'continuous_bernoulli':\n"
        "    each = torch.distributions.ContinuousBernoulli(logits=...).log_prob(x)\n"
        "elif kind == 'gaussian':\n"
        "    loc, log_scale = params\n"
        "    each = -0.5 * ((x - loc) / log_scale.exp()) ** 2 - ... - 0.5 * math.log(...)\n"
        "else:\n"
        "    each = params[0].log_softmax(-1).gather(-1, x[..., None]).squeeze(-1)\n"
        "return each.sum(...)\n"
        "```\n\n"
        "With `import torch.nn.functional as F`. The gaps: minus the logits, the logits, log σ, "
        "2π, and the last axis. Nothing is averaged.",
    ),
)


def signed(rng: np.random.Generator, shape: Any, low: float, high: float) -> Tensor:
    """Numbers away from zero, with either sign."""
    return torch.from_numpy(rng.choice([-1.0, 1.0], size=shape) * rng.uniform(low, high, shape))


def draw(rng: np.random.Generator, kind: str, num_points: int, dim: int, levels: int = 5) -> Args:
    """Data of the right kind, with parameters."""
    shape = num_points, dim
    if kind == "gaussian":
        loc, log_scale = signed(rng, shape, 0.5, 3.0), signed(rng, shape, 0.3, 1.2)
        return (
            kind,
            loc + log_scale.exp() * torch.from_numpy(rng.normal(size=shape)),
            loc,
            log_scale,
        )
    if kind == "categorical":
        x = torch.from_numpy(rng.integers(levels, size=shape))
        return kind, x, signed(rng, (*shape, levels), 0.5, 3.0)
    x = torch.from_numpy(rng.uniform(size=shape))
    return kind, x.round() if kind == "bernoulli" else x, signed(rng, shape, 0.5, 4.0)


def exact(kind: str, x: Tensor, *params: Tensor) -> Tensor:
    """The same from scipy, and by quadrature where scipy has nothing."""
    if kind == "gaussian":
        loc, log_scale = (p.numpy() for p in params)
        values = scipy.stats.norm.logpdf(x.numpy(), loc, np.exp(log_scale))
    elif kind == "categorical":
        table = scipy.special.log_softmax(params[0].numpy(), axis=-1)
        values = np.take_along_axis(table, x.numpy()[..., None], -1)[..., 0]
    elif kind == "bernoulli":
        values = scipy.stats.bernoulli.logpmf(x.numpy(), scipy.special.expit(params[0].numpy()))
    else:
        logits = params[0].numpy()
        nodes, weights = np.polynomial.legendre.leggauss(40)
        mass = (np.exp(logits[..., None] * (nodes + 1) / 2) * weights / 2).sum(-1)
        values = x.numpy() * logits - np.log(mass)
    return torch.from_numpy(values).sum(-1)


@LOG_LIKELIHOOD.check
def binary_images_sum_to_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """Bernoulli: the probabilities of all binary images sum to 1."""
    x = torch.tensor(list(itertools.product((0.0, 1.0), repeat=4)), dtype=torch.float64)
    logits = signed(rng, (1, 4), 0.5, 3.0).repeat(16, 1)
    total = _mass(candidate, torch.ones(16), "bernoulli", x, logits)
    expect.true(
        abs(total - 1) < 1e-4,
        f"the probabilities of all binary images of D = 4 values sum to {total:.4g}; expected 1",
    )


@LOG_LIKELIHOOD.check
def categories_sum_to_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """Categorical: the probabilities of all images of three values with four levels sum to 1."""
    x = torch.tensor(list(itertools.product(range(4), repeat=3)))
    logits = signed(rng, (1, 3, 4), 0.5, 3.0).repeat(64, 1, 1)
    total = _mass(candidate, torch.ones(64), "categorical", x, logits)
    expect.true(
        abs(total - 1) < 1e-4,
        f"the probabilities of all 64 images of D = 3 values with K = 4 levels sum to "
        f"{total:.4g}; expected 1",
    )


@LOG_LIKELIHOOD.check
def grey_levels_integrate_to_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """Continuous Bernoulli: the density integrates to 1 over all grey images."""
    nodes, weights = np.polynomial.legendre.leggauss(16)
    x, mass = _square((nodes + 1) / 2, weights / 2)
    logits = signed(rng, (1, 2), 1.0, 4.0).repeat(len(x), 1)
    total = _mass(candidate, mass, "continuous_bernoulli", x, logits)
    expect.true(
        abs(total - 1) < 1e-4,
        f"the density of D = 2 grey values integrates to {total:.4g} over the unit square; "
        "expected 1",
    )


@LOG_LIKELIHOOD.check
def gaussian_integrates_to_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gaussian: the density integrates to 1 over the plane."""
    loc, log_scale = signed(rng, (1, 2), 0.5, 3.0), signed(rng, (1, 2), 0.3, 1.0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(16)
    steps, mass = _square(nodes, weights * np.exp(nodes**2 / 2))
    x = loc + log_scale.exp() * steps
    args = loc.repeat(len(x), 1), log_scale.repeat(len(x), 1)
    total = _mass(candidate, mass * log_scale.exp().prod(), "gaussian", x, *args)
    expect.true(
        abs(total - 1) < 1e-4,
        f"the density of D = 2 values integrates to {total:.4g} over the plane; expected 1",
    )


def _square(nodes: np.ndarray, weights: np.ndarray) -> tuple[Tensor, Tensor]:
    """The product rule in two dimensions: places (G², 2) and weights (G²,)."""
    x = np.array(list(itertools.product(nodes, repeat=2)))
    return torch.from_numpy(x), torch.from_numpy(np.outer(weights, weights).reshape(-1))


def _mass(candidate: Candidate, weights: Tensor, *args: Any) -> float:
    what = f"log_likelihood({args[0]!r}, …)"
    return float((expect.tensor(candidate.call(*args), weights.shape, what).exp() * weights).sum())


@LOG_LIKELIHOOD.check
def equals_the_exact_value(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the exact value for each kind, summed over the values of each point."""
    for kind in KINDS:
        args = draw(rng, kind, 4, 6)
        what = f"log_likelihood({kind!r}, …) for N = 4, D = 6"
        expect.close(candidate.call(*args), exact(*args), what)


@LOG_LIKELIHOOD.check
def works_when_sizes_coincide(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one point, for one value, and when all sizes agree."""
    for kind, sizes in zip(KINDS, ((1, 4), (3, 3), (3, 3), (3, 3, 3)), strict=True):
        args = draw(rng, kind, *sizes)
        what = f"log_likelihood({kind!r}, …) for the sizes {sizes}"
        expect.close(candidate.call(*args), exact(*args), what)


@LOG_LIKELIHOOD.check
def decoders_can_learn(candidate: Candidate, rng: np.random.Generator) -> None:
    """The gradients are right for all kinds: also the normalisers teach the decoder."""
    for kind in KINDS:
        args = draw(rng, kind, 3, 2)
        wrt = tuple(range(2, len(args)))
        leaves = [args[i].clone().requires_grad_() for i in wrt]
        right = torch.autograd.grad(each(*args[:2], *leaves).sum(), leaves)
        for given, known in zip(candidate.gradient(*args, wrt=wrt), right, strict=True):
            expect.close(given, known, f"a gradient of log_likelihood({kind!r}, …)")


@LOG_LIKELIHOOD.check
def grey_levels_of_small_logits(candidate: Candidate, rng: np.random.Generator) -> None:
    """Continuous Bernoulli: right for logits near zero as well, of either sign."""
    x = torch.from_numpy(rng.uniform(size=(6, 2)))
    sizes = np.array(
        [[0.45, 0.3], [0.2, 0.12], [0.07, 0.04], [0.02, 0.01], [3e-3, 1e-3], [1e-4, 0]]
    )
    logits = torch.from_numpy(sizes * rng.choice([-1.0, 1.0], size=(6, 2)))
    right = (x * logits - log_normalizer(logits)).sum(-1)
    what = "log_likelihood('continuous_bernoulli', …) for small logits"
    expect.close(candidate.call("continuous_bernoulli", x, logits), right, what)


@LOG_LIKELIHOOD.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    for kind in ("gaussian", "continuous_bernoulli"):
        args = draw(rng, kind, 3, 4)
        single = [part.float() for part in args[1:]]
        right = exact(kind, *(part.double() for part in single))
        what = f"log_likelihood({kind!r}, …) in single precision"
        expect.close(candidate.call(kind, *single), right, what)


@LOG_LIKELIHOOD.edge_check
def survives_extreme_parameters(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays right for logits of exactly 0 and up to ±1000, and for log σ from −20 to 20."""
    _, x, logits = draw(rng, "bernoulli", 2, 3)
    _expect_reference(candidate, "bernoulli", x, 200 * logits)
    _, x, logits = draw(rng, "categorical", 2, 3)
    _expect_reference(candidate, "categorical", x, 300 * logits)
    _, x, logits = draw(rng, "continuous_bernoulli", 2, 3)
    logits = logits * torch.tensor([0.0, 1e-3, 6.0])
    _expect_reference(candidate, "continuous_bernoulli", x, logits)
    log_scale = torch.tensor([[-20.0, 20.0, 0.0]], dtype=torch.float64)
    noise = signed(rng, (1, 3), 0.5, 2.0)
    _expect_reference(candidate, "gaussian", noise * log_scale.exp(), 0 * noise, log_scale)


@LOG_LIKELIHOOD.edge_check
def learns_from_logits_of_zero(candidate: Candidate, rng: np.random.Generator) -> None:
    """Continuous Bernoulli: the gradient is x − ½ where the logit is exactly 0."""
    x = torch.from_numpy(rng.uniform(size=(3, 2)))
    logits = torch.zeros(3, 2, dtype=torch.float64)
    (slope,) = candidate.gradient("continuous_bernoulli", x, logits, wrt=(2,))
    what = "the gradient of log_likelihood('continuous_bernoulli', …) at logits of 0"
    expect.close(slope, x - 0.5, what)


def _expect_reference(candidate: Candidate, *args: Any) -> None:
    what = f"log_likelihood({args[0]!r}, …) with extreme parameters"
    expect.close(candidate.call(*args), reference(*args), what)
