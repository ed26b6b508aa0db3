"""`iwae_evaluate(x, encode, log_joint, num_samples, generator)`: how good is a trained model?

Whatever order the draws come in, the answer must be the logarithm of the mean weight of the draws
that the model was asked about, and these must come from q.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle, Seed
from autograder.exercise import Exercise

from ._exact import LOG_2PI, ExactModel, draw_model, with_encoder

MANY, MANY_POINTS = 400, 10  # draws and points of the statistical check; two hidden values


def weights_of(
    x: Tensor, encode: Any, log_joint: Any, num_samples: int, generator: torch.Generator
) -> Tensor:
    """Log importance weights of draws from the encoder's q, (S, N)."""
    loc, log_var = encode(x)
    noise = torch.randn(num_samples, *loc.shape, generator=generator, dtype=loc.dtype)
    log_q = -0.5 * (noise.square() + log_var + LOG_2PI).sum(-1)
    return log_joint(x, loc + (0.5 * log_var).exp() * noise) - log_q


def reference(
    x: Tensor, encode: Any, log_joint: Any, num_samples: int, generator: torch.Generator
) -> Tensor:
    """Burda, Grosse & Salakhutdinov 2016, equation (8), with the trained encoder as proposal."""
    log_weights = weights_of(x, encode, log_joint, num_samples, generator)
    return log_weights.logsumexp(0) - math.log(num_samples)


IWAE_EVALUATE = Exercise(
    name="iwae_evaluate",
    unit="05_vae",
    title="How likely is the data under a trained VAE?",
    points=3,
    difficulty=3,
    minutes=25,
    reference=reference,
    deterministic=False,
    hints=(
        "**Principle.** The ELBO mixes two things: how good the model is, and how good its encoder "
        "is. To judge the model, estimate log p(x) itself. The encoder's q is the best proposal "
        "for importance sampling that you have. Draw many z from it, weigh each with p(x, z)/q(z "
        "| x), average the weights, and take the logarithm last. That is the bound of unit 03 "
        "with S draws. It stays below log p(x) on average and comes nearer with every draw, so "
        "two models can be compared even if one of them has the worse encoder. State S whenever "
        "you report such a number.",
        "**Place.** Ask `encode(x)` once: it gives the mean and the log variance, (N, M) each. "
        "Draw noise of the shape (S, N, M) with `generator`, and set z = μ + exp(½ log σ²) ε. Ask "
        "`log_joint(x, z)`, (S, N). Subtract log q(z | x), which is the normal log density summed "
        "over the M values; it has a ½ log 2π for each of them, and it changes with every draw, "
        "so the entropy cannot stand in for it. Then the mean over the draws inside the "
        "logarithm: `torch.logsumexp(…, dim=0)` minus log S. One number for each image remains.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "loc, log_var = encode(x)\n"
        "scale = torch.exp(... * log_var)\n"
        "noise = torch.randn(num_samples, *loc.shape, generator=generator, dtype=x.dtype)\n"
        "z = loc + scale * noise\n"
        "log_q = torch.distributions.Normal(loc, ...).log_prob(z).sum(-1)      # (S, N)\n"
        "log_weights = log_joint(x, z) - ...\n"
        "return torch.logsumexp(log_weights, dim=...) - math.log(...)\n"
        "```\n\n"
        "The gaps are one half, `scale`, `log_q`, the axis of the draws and `num_samples`. With "
        "the exact posterior as encoder all weights are p(x), so that one draw gives what a "
        "thousand give; if it does not, a term is missing.",
    ),
)


@dataclass(frozen=True, eq=False)
class Evaluated:
    """One call: the model, the answer, and the draws for each point as far as they can be read.

    Attributes:
        model: What was evaluated.
        num_samples: Draws that were asked for.
        given: What came back.
        z: Draws that the model was asked about: for each point (S, M).
        log_joint: What it answered: for each point (S,).
    """

    model: ExactModel
    num_samples: int
    given: Any
    z: list[Tensor]
    log_joint: list[Tensor]

    @property
    def log_weights(self) -> list[Tensor]:
        rows = zip(self.z, self.log_joint, self.model.loc, self.model.log_var, strict=True)
        return [p - log_q(z, loc, log_var) for z, p, loc, log_var in rows]

    @property
    def bound(self) -> Tensor:
        """What these draws give when they are all used as they should be."""
        return torch.stack([w.logsumexp(0) - math.log(len(w)) for w in self.log_weights])

    @property
    def noise(self) -> Tensor:
        """The draws in units of q, all points together: standard normal if they come from q."""
        rows = zip(self.z, self.model.loc, self.model.log_var, strict=True)
        return torch.stack([(z - loc) * (-0.5 * log_var).exp() for z, loc, log_var in rows], 1)


def log_q(z: Tensor, loc: Tensor, log_var: Tensor) -> Tensor:
    u = (z - loc) * (-0.5 * log_var).exp()
    return -0.5 * (u.square() + log_var + LOG_2PI).sum(-1)


def read(model: ExactModel, num_samples: int, oracle: Oracle, given: Any) -> Evaluated:
    """Sort what was asked by point; questions may hold parts of the draws or of the points."""
    z: list[list[Tensor]] = [[] for _ in model.x]
    values: list[list[Tensor]] = [[] for _ in model.x]
    for points, hidden in _joined(oracle.questions):
        hidden = hidden.double()
        answer = oracle.function(points, hidden)
        hidden = hidden.expand(*answer.shape[:-1], len(points), model.latent_dim)
        for column, n in enumerate(model._rows(points)):
            z[n].append(hidden[..., column, :].reshape(-1, model.latent_dim))
            values[n].append(answer[..., column].reshape(-1))
    return Evaluated(
        model, num_samples, given, [torch.cat(rows) for rows in z], [torch.cat(v) for v in values]
    )


def _joined(questions: list[tuple[Any, ...]]) -> list[tuple[Tensor, Tensor]]:
    """The questions, those joined to one that follow each other and are about the same points."""
    groups: list[tuple[Tensor, list[Tensor]]] = []
    for points, hidden in questions:
        last = groups[-1] if groups else None
        alike = last and hidden.ndim == 3 and last[1][0].shape[1:] == hidden.shape[1:]
        if alike and torch.equal(last[0], points):
            last[1].append(hidden)
        else:
            groups.append((points, [hidden]))
    return [(points, torch.cat(parts)) for points, parts in groups]


def ask(
    candidate: Candidate, rng: np.random.Generator, model: ExactModel, num_samples: int, seed: Seed
) -> Evaluated:
    oracle = Oracle(model.log_joint)
    given = candidate.call(model.x, Oracle(model.encode), oracle, num_samples, seed)
    what = f"iwae_evaluate for {num_samples} draws and {len(model.x)} points"
    given = expect.tensor(given, (len(model.x),), what)
    expect.true(
        oracle.questions, "log_joint was never asked; the weight of a draw is p(x, z) / q(z)"
    )
    evaluated = read(model, num_samples, oracle, given)
    counts = sorted({len(rows) for rows in evaluated.z})
    expect.true(
        counts == [num_samples],
        f"log_joint was asked about {' and '.join(map(str, counts))} draws for a point; expected "
        f"num_samples = {num_samples} for each",
    )
    return evaluated


def draw_off(rng: np.random.Generator, num_points: int, latent_dim: int) -> ExactModel:
    """An encoder that is off: shifted, and wider than the posterior or narrower."""
    model = draw_model(rng, num_points, latent_dim, tilt=0.2)
    scale = (0.5 * model.log_var).exp()
    shift = scale * torch.from_numpy(rng.uniform(0.3, 0.8, size=model.loc.shape))
    wider = torch.from_numpy(rng.uniform(0.6, 1.2, size=model.loc.shape))
    return with_encoder(model, model.loc + shift, model.log_var + wider)


@IWAE_EVALUATE.check
def exact_with_the_posterior(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is exactly log p(x) for any number of draws where the encoder gives the posterior."""
    model = draw_model(rng, 4, 2)
    for num_samples in (1, 7):
        given = ask(candidate, rng, model, num_samples, _seed(rng)).given
        what = f"iwae_evaluate with the posterior as q and {num_samples} draws"
        expect.close(given, model.log_marginal(), what)


@IWAE_EVALUATE.check
def is_the_log_of_the_mean_weight(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the logarithm of the mean weight of its own draws, for each point."""
    for num_samples, num_points, latent_dim in ((30, 3, 2), (6, 5, 1), (1, 2, 3)):
        model = draw_off(rng, num_points, latent_dim)
        found = ask(candidate, rng, model, num_samples, _seed(rng))
        what = f"iwae_evaluate for {num_samples} draws, compared with their weights,"
        expect.close(found.given, found.bound, what)


@IWAE_EVALUATE.check
def draws_come_from_the_encoder(candidate: Candidate, rng: np.random.Generator) -> None:
    """Draws z from the encoder's q: its means, its variances, and independent for each value."""
    found = ask(candidate, rng, draw_off(rng, MANY_POINTS, 2), MANY, _seed(rng))
    u = found.noise.reshape(MANY, 2 * MANY_POINTS)
    mean, second = u.mean(0), u.square().mean(0)
    correlation = (u.T @ u / len(u)).fill_diagonal_(0.0).abs().max()
    step = MANY**-0.5  # standard deviation of a mean over the draws
    # 20 means, 20 variances and 190 products: false alarms of 1e-7 together, also if the draws
    # come in mirrored pairs, which makes the last two vary twice as much
    for name, value, right, sigma in (
        ("mean", mean, 0.0, step),
        ("variance", second, 1.0, 2.4 * step),  # √2 for χ², and its tail is heavier
    ):
        worst = value[(value - right).abs().argmax()].item()
        expect.true(
            abs(worst - right) < 6.2 * sigma,
            f"in units of q, your draws of a hidden value have the {name} {worst:.2f}; expected "
            f"{right:g}: draw z = μ + σ ε with the encoder's μ and σ",
        )
    expect.true(
        correlation < 9.4 * step,
        f"two of your hidden values have the correlation {correlation:.2f} over the draws; "
        "expected 0: every point and hidden value needs noise of its own",
    )
    _expect_normal(u)
    worst = (found.given - found.model.log_marginal()).abs().max().item()
    expect.true(worst < 1.5, f"your estimate is {worst:.2f} nats away from log p(x)")


def _expect_normal(u: Tensor) -> None:
    """Demand the shape of a Gaussian, and draws that do not lean on those before them."""
    distance = scipy.stats.kstest(u.flatten().numpy(), "norm").statistic
    fourth = u.pow(4).mean().item()  # 3 for a Gaussian, 1.8 for uniform noise
    expect.true(
        distance < 5.2 / math.sqrt(u.numel()) and 2.1 < fourth < 5,
        f"in units of q your draws are not normally distributed: shares are off by up to "
        f"{distance:.2f}, and the mean fourth power is {fourth:.2f}, for 3; take the noise from "
        "`torch.randn`",
    )
    different = len(u.round(decimals=6).unique())
    expect.true(
        different > 0.98 * u.numel(),
        f"only {different} of your {u.numel()} noises differ; draw each of them anew",
    )
    leaning = (u[1:] * u[:-1]).mean().item()
    expect.true(
        leaning < 6.5 / math.sqrt(u.numel()),
        f"neighbouring draws have the correlation {leaning:+.2f}; expected independent draws",
    )


@IWAE_EVALUATE.check
def draws_come_from_the_generator(candidate: Candidate, rng: np.random.Generator) -> None:
    """Takes all randomness from `generator`: the same seed gives the same draws, another seed or
    a second call with the same generator gives others.
    """
    model, seed = draw_off(rng, 3, 2), _seed(rng)
    seeds = seed, seed, Seed(seed.value + 1), Seed(seed.value, used=True)
    one, same, other, later = (
        ask(candidate, rng, model, 3, given).noise.flatten().sort().values for given in seeds
    )
    expect.true(
        torch.allclose(one, same, atol=1e-4),
        "the same generator gives other draws the second time; draw with `generator=generator`",
    )
    expect.true(
        not torch.allclose(one, other, atol=1e-4),
        "a generator with another seed gives the same draws; draw with `generator=generator`, and "
        "do not seed it yourself",
    )
    expect.true(
        not torch.allclose(one, later, atol=1e-4),
        "a generator gives the same draws after numbers were drawn from it as before; draw with "
        "`generator=generator`, and do not start again from its seed",
    )


def _seed(rng: np.random.Generator) -> Seed:
    return Seed(int(rng.integers(2**30)))


@IWAE_EVALUATE.edge_check
def survives_large_images(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays exact where log p(x, z) is so low or so high that every weight under- or overflows."""
    for shift in ((-3000.0, -3000.0, -3000.0), (2500.0, -2500.0, 0.0)):
        model, shifts = draw_off(rng, 3, 2), torch.tensor(shift).double()
        oracle = Oracle(lambda x, z, m=model, c=shifts: m.log_joint(x, z) + c[m._rows(x)])
        given = candidate.call(model.x, Oracle(model.encode), oracle, 8, _seed(rng))
        found = read(model, 8, oracle, given)
        what = f"iwae_evaluate where log p(x, z) is near {shift} for three points"
        expect.close(given, found.bound, what, rtol=1e-9, atol=1e-3)
