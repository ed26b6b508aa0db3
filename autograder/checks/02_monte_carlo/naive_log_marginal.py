"""`naive_log_marginal(x, log_joint, low, high, num_samples, generator)`: uniform guesses.

The student's code asks `log_joint`, and the checks read its questions: whatever was drawn, the
answer must be the logarithm of the volume times the average of what was told, and what was drawn
must fill the box evenly. Statistical limits fail a right answer with a probability of about 1e-10.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle, Seed
from autograder.exercise import Exercise

from ._gaussian import Model, draw_model
from ._questions import asked

LogJoint = Callable[[Tensor, Tensor], Tensor]


def reference(
    x: Tensor,
    log_joint: LogJoint,
    low: Tensor,
    high: Tensor,
    num_samples: int,
    generator: torch.Generator,
) -> Tensor:
    u = torch.rand(num_samples, len(x), len(low), generator=generator, dtype=x.dtype)
    log_values = log_joint(x, low + (high - low) * u)
    return (high - low).log().sum() + torch.logsumexp(log_values, 0) - math.log(num_samples)


NAIVE_LOG_MARGINAL = Exercise(
    name="naive_log_marginal",
    unit="02_monte_carlo",
    title="The evidence by uniform guesses",
    points=4,
    difficulty=2,
    minutes=20,
    reference=reference,
    needs=("log_mean_exp",),
    deterministic=False,
    hints=(
        "**Principle.** An integral over a box is the volume of the box times the average height "
        "of the integrand in it. You do not know the average height, but you can estimate it: go "
        "to random places, each as likely as any other, look up the height there, and average. "
        "The height is the joint density p(x, z) at the place z. What you may average is the "
        "density itself, not its logarithm. The estimate is wrong by chance, and on average it is "
        "right, whatever the number of places. Its logarithm is what you return, because the "
        "density itself underflows. The volume matters: a box twice as long in one direction "
        "doubles the integral of a constant.",
        "**Place.** `torch.rand` draws from 0 to 1; stretch it to each side of the box and move "
        "it: low plus (high minus low) times u. Draw S values of z for every point, with "
        "the shape (S, N, M), from the given `generator` and with `dtype=x.dtype`. One call of "
        "`log_joint(x, z)` gives all S times N log heights. Average them over the draws with your "
        "`log_mean_exp` along axis 0. The volume is the product of the M sides, so its logarithm "
        "is the sum of the logarithms of the sides; add it. Test yourself: if `log_joint` "
        "returns zeros, the answer is the logarithm of the volume, with any number of draws.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "u = torch.rand(num_samples, len(x), ..., generator=generator, dtype=x.dtype)\n"
        "z = low + ... * u                          # (S, N, M)\n"
        "log_volume = (high - low).log()...         # one number\n"
        "return log_volume + log_mean_exp(log_joint(x, z), dim=...)\n"
        "```\n\n"
        "The first gap is the number of hidden values, the second the sides of the box, the third "
        "a sum, the fourth the axis of the draws. If your answer is too low by the same amount "
        "everywhere, the volume is missing. If it is too high by log S, you summed instead of "
        "averaging. If it is too low by an amount that varies, you averaged logarithms. If two "
        "calls with the same seed differ, something was drawn without `generator=generator`.",
    ),
)


def draw_box(rng: np.random.Generator, latent_dim: int) -> tuple[Tensor, Tensor]:
    """A box around the prior's mass that is not centred, with sides of different lengths."""
    low = torch.from_numpy(rng.uniform(-6.0, -4.0, size=latent_dim))
    high = torch.from_numpy(rng.uniform(3.0, 5.0, size=latent_dim)) + 2.5 * torch.arange(latent_dim)
    return low, high


def shifted(model: Model, shift: float) -> Oracle:
    """The model's log joint density plus a constant, as a function to ask."""
    return Oracle(lambda x, z: model.log_joint(x, z) + shift)


def _seed(rng: np.random.Generator) -> Seed:
    return Seed(int(rng.integers(2**31)))


def _expect_own_average(
    candidate: Candidate, rng: np.random.Generator, sizes: tuple[int, int, int], shift: float = 0.0
) -> None:
    """The answer is log volume + log mean exp of what the student's code was told."""
    num_samples, num_points, latent_dim = sizes
    model = draw_model(rng, 2, latent_dim, (0.8, 1.2))
    x, oracle = model.sample(rng, num_points), shifted(model, shift)
    low, high = draw_box(rng, latent_dim)
    value = candidate.call(x, oracle, low, high, num_samples, _seed(rng))
    what = f"naive_log_marginal with S = {num_samples}, N = {num_points}, M = {latent_dim}"
    value = expect.tensor(value, (num_points,), what)
    told = asked(oracle, x)
    expect.true(
        all(count == num_samples for count in told.counts),
        f"log_joint was asked about {told.counts[0]} values of z for a point; expected "
        f"num_samples = {num_samples}",
    )
    log_mean = torch.stack([a.logsumexp(0) for a in told.values]) - math.log(num_samples)
    expected = (high - low).log().sum() + log_mean
    expect.close(value, expected, f"{what} (expected from what log_joint told you)")


@NAIVE_LOG_MARGINAL.check
def is_volume_times_average(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the logarithm of the volume times the average of the densities at the drawn places."""
    for sizes in ((60, 3, 2), (40, 2, 1), (4, 4, 4), (1, 1, 2)):
        _expect_own_average(candidate, rng, sizes)


@NAIVE_LOG_MARGINAL.check
def a_constant_gives_the_volume(candidate: Candidate, rng: np.random.Generator) -> None:
    """A density that is the same everywhere gives itself times the volume, for any draws."""
    low, high = draw_box(rng, 3)
    height = float(rng.uniform(0.5, 1.5))
    x = torch.from_numpy(rng.normal(size=(2, 4)))
    oracle = Oracle(lambda x, z: torch.full((len(z), len(x)), height, dtype=torch.float64))
    value = candidate.call(x, oracle, low, high, 25, _seed(rng))
    expected = ((high - low).log().sum() + height).expand(2)
    expect.close(value, expected, "naive_log_marginal of a constant density")


@NAIVE_LOG_MARGINAL.check
def draws_fill_the_box(candidate: Candidate, rng: np.random.Generator) -> None:
    """The places are drawn evenly from the whole box, each coordinate on its own."""
    model, count = draw_model(rng, 2, 2), 3000
    x, oracle = model.sample(rng, 1), shifted(model, 0.0)
    low, high = draw_box(rng, 2)
    candidate.call(x, oracle, low, high, count, _seed(rng))
    u = (asked(oracle, x).z[0] - low) / (high - low)
    expect.true(
        (u > -1e-5).all() and (u < 1 + 1e-5).all(),
        f"some draws lie outside the box: {int(((u < 0) | (u > 1)).any(1).sum())} of {len(u)}",
    )
    different = min(len(column.unique()) for column in u.T)
    expect.true(
        different > 0.99 * len(u), f"only {different} of {len(u)} draws differ from each other"
    )
    steps = torch.arange(len(u), dtype=torch.float64)[:, None] / len(u)
    distance = (u.sort(0).values - steps).abs().amax().item()
    expect.true(
        distance < 3.5 / math.sqrt(len(u)),
        "the draws do not fill the box evenly: the share below some value is off by up to "
        f"{distance:.3f} in {len(u)} draws",
    )
    excess = (u.var(0) - 1 / 12).abs().max().item()
    expect.true(
        excess < 6.7 * math.sqrt((1 / 80 - 1 / 144) / len(u)),
        f"the variance of the draws, in units of the side, is off from 1/12 by {excess:.3f}",
    )
    correlation = float(torch.corrcoef(u.T)[0, 1])
    expect.true(
        abs(correlation) < 6.7 / math.sqrt(len(u)),
        f"the two coordinates of z have the correlation {correlation:+.2f}; expected 0",
    )


@NAIVE_LOG_MARGINAL.check
def estimates_are_unbiased(candidate: Candidate, rng: np.random.Generator) -> None:
    """The estimated density, not its logarithm, is right on average (z-test)."""
    model, calls, count = draw_model(rng, 2, 1, (0.8, 1.2)), 4, 500
    x = model.sample(rng, 1)
    low, high = -torch.full((1,), 7.0).double(), torch.full((1,), 8.0).double()
    values = [
        candidate.call(x, shifted(model, 0.0), low, high, count, _seed(rng)) for _ in range(calls)
    ]
    estimates = torch.cat([expect.tensor(v, (1,), "naive_log_marginal") for v in values]).exp()
    z = torch.linspace(-7, 8, 3001, dtype=torch.float64)
    density = model.log_joint(x, z[:, None, None])[:, 0].exp()
    mean = 15 * density.mean().item()
    deviation = math.sqrt((225 * density.square().mean().item() - mean**2) / (calls * count))
    score = (estimates.mean().item() - mean) / deviation
    expect.true(
        abs(score) < 7,
        f"the average of {calls} estimates is {estimates.mean():.4g}, and p(x) is {mean:.4g}: "
        f"{score:+.0f} standard errors apart",
    )


@NAIVE_LOG_MARGINAL.check
def generator_decides(candidate: Candidate, rng: np.random.Generator) -> None:
    """The generator decides the draws: the same seed repeats the answer, another changes it."""
    model = draw_model(rng, 2, 2)
    x, (low, high), seed = model.sample(rng, 2), draw_box(rng, 2), int(rng.integers(2**30))
    one, again, other = (
        expect.tensor(
            candidate.call(x, shifted(model, 0.0), low, high, 30, Seed(s)), (2,), "the answer"
        )
        for s in (seed, seed, seed + 1)
    )
    expect.true(
        torch.allclose(one, again),
        "two generators with the same seed give two different answers; draw with "
        "`generator=generator`",
    )
    expect.true(
        not torch.allclose(one, other),
        "two generators with different seeds give the same answer; draw with "
        "`generator=generator`, and at random",
    )


@NAIVE_LOG_MARGINAL.edge_check
def survives_tiny_densities(candidate: Candidate, rng: np.random.Generator) -> None:
    """Right where every density underflows to zero, or overflows."""
    for shift in (-2000.0, 1500.0):
        _expect_own_average(candidate, rng, (20, 2, 2), shift)
