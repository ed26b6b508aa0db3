"""`importance_log_marginal(x, log_likelihood, loc, scale_tril, noise)`: guesses where it counts."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from autograder import expect
from autograder.candidate import Candidate, Oracle
from autograder.exercise import Exercise

from ._gaussian import Model, draw_model, log_standard_normal

LogLikelihood = Callable[[Tensor, Tensor], Tensor]


def reference(
    x: Tensor, log_likelihood: LogLikelihood, loc: Tensor, scale_tril: Tensor, noise: Tensor
) -> Tensor:
    z = loc + (scale_tril @ noise[..., None])[..., 0]
    log_weights = log_likelihood(x, z) + log_standard_normal(z)
    log_weights = log_weights - MultivariateNormal(loc, scale_tril=scale_tril).log_prob(z)
    return torch.logsumexp(log_weights, 0) - math.log(len(noise))


IMPORTANCE_LOG_MARGINAL = Exercise(
    name="importance_log_marginal",
    unit="02_monte_carlo",
    title="The evidence by guesses where it counts",
    points=5,
    difficulty=3,
    minutes=30,
    reference=reference,
    needs=("log_mean_exp",),
    hints=(
        "**Principle.** You may draw z from any distribution q you like, as long as you correct "
        "for it. The integral of p(x, z) equals the mean under q of the ratio p(x, z) / q(z). So "
        "every draw gets the weight w = p(x | z) p(z) / q(z), and the estimate is the plain "
        "average of the weights: nothing is normalised. A place that q visits too often gets a "
        "small weight, and a place that q neglects gets a large one. If q is the posterior, then "
        "p(x, z) / q(z) = p(x) for every z: all weights are equal, and a single draw gives the "
        "exact answer. Use this to test your code, because a missing term shows at once.",
        "**Place.** Four steps. Draw: z = loc + L ε, one L for each point, with `noise` of shape "
        "(S, N, M) as ε. Log joint density: `log_likelihood(x, z)` plus the log-density of z "
        "under the standard normal prior, summed over the M values. Log density of the draw under "
        "q: half the squared length of ε, with a minus sign, minus the sum of the logarithms of "
        "the diagonal of L, minus (M/2) log 2π; `MultivariateNormal(loc, scale_tril=scale_tril)` "
        "has this too. Subtract: log w = log p(x | z) + log p(z) − log q(z). Last, `log_mean_exp` "
        "over the draws, axis 0. All log-densities have the shape (S, N) before that.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "z = loc + (scale_tril @ noise[..., None])[..., 0]                   # (S, N, M)\n"
        "log_prior = -0.5 * (... + math.log(2 * math.pi)).sum(-1)            # (S, N)\n"
        "q = torch.distributions.MultivariateNormal(loc, scale_tril=...)\n"
        "log_weights = log_likelihood(x, z) + ... - q.log_prob(...)          # (S, N)\n"
        "return log_mean_exp(log_weights, dim=...)                           # (N,)\n"
        "```\n\n"
        "The gaps are z squared, `scale_tril`, the log prior, z and 0. In the first line the noise "
        "becomes a column, is multiplied by the point's own factor, and becomes a row again. If "
        "the check with the posterior fails while the check with the prior passes, look at q: is "
        "its determinant there, and is its density subtracted? If both fail by the same amount, "
        "look at the prior.",
    ),
)


def draw_proposal(
    rng: np.random.Generator, model: Model, x: Tensor, wider: float = 1.3
) -> tuple[Tensor, Tensor]:
    """A Gaussian for each point that is near the posterior, off it, and correlated."""
    loc, factor = model.posterior(x)
    num_points, latent_dim = loc.shape
    shift = torch.from_numpy(rng.uniform(0.2, 0.5, size=loc.shape) * rng.choice([-1, 1], loc.shape))
    size = torch.from_numpy(rng.uniform(0.8, 1.2, size=(num_points, latent_dim, 1)))
    below = torch.from_numpy(rng.uniform(0.3, 0.6, size=(num_points, latent_dim, latent_dim)))
    return loc + shift, wider * size * factor + below.tril(-1)


def draw_noise(rng: np.random.Generator, *shape: int) -> Tensor:
    return torch.from_numpy(rng.normal(size=shape))


def _ask(
    candidate: Candidate,
    model: Model,
    x: Tensor,
    proposal: tuple[Tensor, Tensor],
    noise: Tensor,
    shift: float = 0.0,
) -> Tensor:
    oracle = Oracle(lambda points, z: model.log_likelihood(points, z) + shift)
    return candidate.call(x, oracle, *proposal, noise)


def _exact(
    model: Model, x: Tensor, proposal: tuple[Tensor, Tensor], noise: Tensor, shift: float = 0.0
) -> Tensor:
    """Weight by weight, in its own words: z = μ + L ε has log q = log N(ε | 0, I) − log |L|."""
    loc, factor = proposal
    z = loc + torch.einsum("nij,snj->sni", factor, noise)
    log_q = log_standard_normal(noise) - factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    log_weights = model.log_joint(x, z) + shift - log_q
    return log_weights.logsumexp(0) - math.log(len(noise))


@IMPORTANCE_LOG_MARGINAL.check
def is_the_average_weight(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the logarithm of the average weight p(x, z) / q(z) over the draws z = μ + L ε."""
    for sizes in ((40, 3, 2), (30, 2, 1), (3, 3, 3), (1, 1, 2)):
        num_samples, num_points, latent_dim = sizes
        model = draw_model(rng, 4, latent_dim)
        x = model.sample(rng, num_points)
        proposal = draw_proposal(rng, model, x)
        noise = draw_noise(rng, *sizes)
        what = f"importance_log_marginal with S = {num_samples}, N = {num_points}, M = {latent_dim}"
        actual = _ask(candidate, model, x, proposal, noise)
        expect.close(actual, _exact(model, x, proposal, noise), what)


@IMPORTANCE_LOG_MARGINAL.check
def exact_with_the_posterior(candidate: Candidate, rng: np.random.Generator) -> None:
    """With the exact posterior as q every weight is p(x): one draw is enough, and none differs."""
    model = draw_model(rng, 4, 2)
    x = model.sample(rng, 3)
    loc, factor = model.posterior(x)
    proposal = loc, factor.repeat(len(x), 1, 1)
    for num_samples in (1, 6):
        actual = _ask(candidate, model, x, proposal, draw_noise(rng, num_samples, len(x), 2))
        what = f"importance_log_marginal with the posterior as q and S = {num_samples}"
        expect.close(actual, model.log_marginal(x), what)


@IMPORTANCE_LOG_MARGINAL.check
def prior_gives_average_likelihood(candidate: Candidate, rng: np.random.Generator) -> None:
    """With the prior as q it is the average likelihood of the draws, as in naive Monte Carlo."""
    model = draw_model(rng, 3, 2)
    x = model.sample(rng, 2)
    noise = draw_noise(rng, 25, 2, 2)
    proposal = torch.zeros(2, 2).double(), torch.eye(2).double().repeat(2, 1, 1)
    expected = model.log_likelihood(x, noise).logsumexp(0) - math.log(25)
    actual = _ask(candidate, model, x, proposal, noise)
    expect.close(actual, expected, "importance_log_marginal with the prior as q")


@IMPORTANCE_LOG_MARGINAL.check
def every_draw_counts(candidate: Candidate, rng: np.random.Generator) -> None:
    """A single draw with an enormous weight decides the average, whatever the others say."""
    model = draw_model(rng, 6, 2, (0.3, 0.4))
    x = model.sample(rng, 3)
    loc, factor = model.posterior(x)
    # far too wide: most draws miss, a few hit
    proposal = loc, 6 * factor.repeat(len(x), 1, 1)
    noise = draw_noise(rng, 30, len(x), 2)
    noise[int(rng.integers(30))] *= 0.01
    actual = _ask(candidate, model, x, proposal, noise)
    what = "importance_log_marginal with a proposal that is six times too wide"
    expect.close(actual, _exact(model, x, proposal, noise), what)


@IMPORTANCE_LOG_MARGINAL.edge_check
def survives_tiny_weights(candidate: Candidate, rng: np.random.Generator) -> None:
    """Right where every weight underflows to zero, or overflows."""
    model = draw_model(rng, 3, 2)
    x = model.sample(rng, 2)
    proposal, noise = draw_proposal(rng, model, x), draw_noise(rng, 20, 2, 2)
    for shift in (-2000.0, 1500.0):
        actual = _ask(candidate, model, x, proposal, noise, shift)
        what = f"importance_log_marginal with log-likelihoods near {shift:+.0f}"
        expected = _exact(model, x, proposal, noise, shift)
        expect.finite(expect.tensor(actual, (2,), what), what)
        expect.close(actual, expected, what, rtol=1e-9, atol=1e-3)
