"""`decompose_rate(loc, log_var, noise)`: what the nats of a code are spent on.

Everything is a mean over the draws that the noise gives, so that the three parts are exact numbers
and their sum is the mean of log q(z | x) − log p(z) over the same draws.
"""

import math

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

LOG_2PI = math.log(2 * math.pi)
PARTS = "mutual information", "total correlation", "dimension-wise divergence"


def log_normal(z: Tensor, loc: Tensor, log_var: Tensor) -> Tensor:
    return -0.5 * ((z - loc).square() * (-log_var).exp() + log_var + LOG_2PI)


def tables(loc: Tensor, log_var: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """The draws (S, N, M), and log q(z_m | x_j) of each of them for every j, (S, N, N, M)."""
    z = loc + (0.5 * log_var).exp() * noise
    return z, log_normal(z[:, :, None], loc, log_var)


def densities(loc: Tensor, log_var: Tensor, noise: Tensor) -> tuple[Tensor, ...]:
    """log q(z | x), log q(z), Σ log q(z_m) and log p(z) of every draw, (S, N) each."""
    z, table = tables(loc, log_var, noise)
    own = log_normal(z, loc, log_var).sum(-1)
    log_n = math.log(len(loc))
    joint = table.sum(-1).logsumexp(2) - log_n
    margins = (table.logsumexp(2) - log_n).sum(-1)
    prior = log_normal(z, torch.zeros_like(z), torch.zeros_like(z)).sum(-1)
    return own, joint, margins, prior


def reference(loc: Tensor, log_var: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Chen et al. 2018, equation (2)."""
    own, joint, margins, prior = densities(loc, log_var, noise)
    return (own - joint).mean(), (joint - margins).mean(), (margins - prior).mean()


DECOMPOSE_RATE = Exercise(
    name="decompose_rate",
    unit="06_beta_vae",
    title="What the nats are spent on",
    points=4,
    difficulty=4,
    minutes=40,
    reference=reference,
    follow_up=(
        "Only the first part carries a message about x. A β-VAE taxes all three; to make the "
        "hidden values independent it is enough to tax the second."
    ),
    hints=(
        "**Principle.** Mix the codes of all N points with equal weights and you get the "
        "aggregate q(z), what the decoder sees in training as a whole. The rate compares q(z | x) "
        "with the prior. Go there in three steps: from q(z | x) to the aggregate, which costs what "
        "the code says about x; from the aggregate to the product of its margins, which costs what "
        "the hidden values say about each other; from there to the prior, which costs what is "
        "wrong with each hidden value by itself. Each step is a mean of a difference of two "
        "logarithms, so that the steps add up to the rate for any draws at all.",
        "**Place.** For every draw you need four numbers: log q(z | x) under its own Gaussian, "
        "log q(z), Σ_m log q(z_m), and log p(z). The middle two need each draw under the "
        "Gaussians of all N points, its own included: a table (S, N, N, M) of log densities, by "
        "`z[:, :, None]` against `loc` and `log_var`. For log q(z) first sum over the hidden "
        "values, then take the log mean over the N Gaussians. For the margins take the log mean "
        "first and sum over the hidden values then. The order is the whole difference. A log mean "
        "is `torch.logsumexp` minus log N.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "scale = torch.exp(0.5 * log_var)\n"
        "normal = torch.distributions.Normal(loc, scale)\n"
        "z = loc + scale * noise                                     # (S, N, M)\n"
        "own = normal.log_prob(z).sum(-1)                            # (S, N)\n"
        "table = normal.log_prob(z[:, :, None])                      # (S, N, N, M)\n"
        "joint = torch.logsumexp(table.sum(...), dim=2) - math.log(...)\n"
        "margins = (torch.logsumexp(..., dim=2) - math.log(len(loc))).sum(-1)\n"
        "prior = torch.distributions.Normal(0.0, 1.0).log_prob(...).sum(-1)\n"
        "return (own - joint).mean(), (joint - ...).mean(), (margins - ...).mean()\n"
        "```\n\n"
        "The gaps: the axis of the hidden values, the number of points, `table`, `z`, and two of "
        "the four names. With N = 1 the first part must be exactly 0, and with M = 1 the second. "
        "For points that lie far apart the first part is log N: the code names the point, and "
        "there is no more to say. The sum of the three is the mean of `own - prior`.",
    ),
)


def draw(
    rng: np.random.Generator, num_samples: int, num_points: int, latent_dim: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Overlapping q of different widths, with correlated means, and noise."""
    mixing = rng.normal(size=(latent_dim, latent_dim)) + np.eye(latent_dim)
    loc = rng.normal(size=(num_points, latent_dim)) @ mixing
    log_var = rng.uniform(-2.0, 0.5, size=(num_points, latent_dim))
    noise = rng.normal(size=(num_samples, num_points, latent_dim))
    return tuple(map(torch.from_numpy, (loc, log_var, noise)))


def _exact(loc: Tensor, log_var: Tensor, noise: Tensor) -> tuple[float, float, float]:
    """The same by torch's mixtures, apart from `reference`."""
    loc, log_var, noise = loc.double(), log_var.double(), noise.double()
    normal = torch.distributions.Normal(loc, (0.5 * log_var).exp())
    z = normal.mean + normal.stddev * noise
    equal = torch.distributions.Categorical(logits=torch.zeros(len(loc)).double())
    mixture = torch.distributions.MixtureSameFamily
    joint = mixture(equal, torch.distributions.Independent(normal, 1)).log_prob(z)
    margins = sum(
        mixture(equal, torch.distributions.Normal(normal.mean[:, m], normal.stddev[:, m])).log_prob(
            z[..., m]
        )
        for m in range(loc.shape[1])
    )
    own = normal.log_prob(z).sum(-1)
    prior = -0.5 * (z.square() + LOG_2PI).sum(-1)
    means = (own - joint, joint - margins, margins - prior)
    return tuple(float(part.mean()) for part in means)


def _ask(candidate: Candidate, args: tuple[Tensor, ...], what: str) -> list[float]:
    parts = expect.items(candidate.call(*args), 3, "decompose_rate")
    return [expect.number(v, f"the {name} {what}") for v, name in zip(parts, PARTS, strict=True)]


def _expect(
    candidate: Candidate,
    args: tuple[Tensor, ...],
    right: tuple[float, ...],
    what: str,
    rtol: float = 1e-3,
) -> None:
    for value, known, name in zip(_ask(candidate, args, what), right, PARTS, strict=True):
        expect.close(
            value,
            torch.tensor(known, dtype=torch.float64),
            f"the {name} {what}",
            rtol=rtol,
            atol=1e-4,
        )


@DECOMPOSE_RATE.check
def each_part_is_a_mean_over_the_draws(candidate: Candidate, rng: np.random.Generator) -> None:
    """Each of the three parts is right for the draws that the noise gives."""
    for sizes in ((3, 6, 2), (2, 4, 4), (1, 9, 3)):
        args = draw(rng, *sizes)
        what = f"for S, N, M = {', '.join(map(str, sizes))}"
        _expect(candidate, args, _exact(*args), what)


@DECOMPOSE_RATE.check
def parts_add_up_to_the_rate(candidate: Candidate, rng: np.random.Generator) -> None:
    """The parts add up to the mean of log q(z | x) − log p(z) over the same draws."""
    loc, log_var, noise = draw(rng, 4, 7, 3)
    total = sum(_ask(candidate, (loc, log_var, noise), "of 7 points"))
    own, _, _, prior = densities(loc, log_var, noise)
    right = float((own - prior).mean())
    expect.true(
        abs(total - right) < 1e-3 * (1 + abs(right)),
        f"your three parts add up to {total:.5g}; expected {right:.5g}, the mean of log q(z | x) − "
        "log p(z) over the draws",
    )


@DECOMPOSE_RATE.check
def a_lone_point_has_no_message(candidate: Candidate, rng: np.random.Generator) -> None:
    """For a single point there is no message, and for a single hidden value no correlation."""
    for sizes in ((4, 1, 3), (3, 5, 1)):
        args = draw(rng, *sizes)
        what = f"for S, N, M = {', '.join(map(str, sizes))}"
        _expect(candidate, args, _exact(*args), what)


@DECOMPOSE_RATE.check
def a_grid_is_independent(candidate: Candidate, rng: np.random.Generator) -> None:
    """Where the codes form a grid, far apart, the message is log N and the correlation 0."""
    rows, columns = (40 * np.arange(n) + rng.uniform(-3, 3, size=n) for n in (3, 4))
    loc = torch.from_numpy(np.stack(np.meshgrid(rows, columns), -1).reshape(12, 2))
    loc = loc[torch.from_numpy(rng.permutation(12))]
    log_var = torch.from_numpy(rng.uniform(-2, 0, size=2)).expand(12, 2).contiguous()
    noise = torch.from_numpy(rng.normal(size=(2, 12, 2)))
    right = _exact(loc, log_var, noise)
    _expect(candidate, (loc, log_var, noise), (math.log(12), 0.0, right[2]), "of a grid of 3 × 4")


@DECOMPOSE_RATE.check
def negative_parts_stay(candidate: Candidate, rng: np.random.Generator) -> None:
    """A part that is negative for the draws at hand is left as it is."""
    far = float(rng.uniform(1.8, 2.2))
    loc = torch.tensor([[far, far], [-far, -far]], dtype=torch.float64)
    flat = torch.zeros(2, 2, dtype=torch.float64)
    across = torch.tensor([[[0.2, -2 * far], [0.2, 2 * far]]], dtype=torch.float64)
    beyond = torch.full((1, 2, 2), -1.6 * far, dtype=torch.float64)
    beyond[0, 1] *= -1
    for noise, log_var, which in (
        (across, flat, "draws off the diagonal on which the codes lie"),
        (beyond, flat, "draws nearer to another point's mean than to their own"),
        (0 * across, flat + 5.0, "draws at the means of very wide codes"),
    ):
        _expect(candidate, (loc, log_var, noise), _exact(loc, log_var, noise), f"for {which}")


@DECOMPOSE_RATE.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    args = tuple(part.float() for part in draw(rng, 2, 5, 3))
    _expect(candidate, args, _exact(*args), "in single precision")


@DECOMPOSE_RATE.edge_check
def survives_sharp_codes(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays right for codes that are millions of their own widths apart, in 60 hidden values."""
    loc, log_var, noise = draw(rng, 2, 6, 60)
    args = loc, log_var - 28.0, noise
    _expect(candidate, args, _exact(*args), "for sharp codes far apart", rtol=1e-5)
