"""`reparameterize(loc, log_var, generator)`: a draw from q that a gradient can follow.

Draws are random, so what they are compared with leaves room for chance: a right answer fails such a
comparison with a probability of about 1e-9. The gradients leave none: the draw itself says what
they must be.
"""

import math

import numpy as np
import scipy.stats
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Seed
from autograder.exercise import Exercise

MANY = 2000  # points in a call whose draws are judged as a sample


def draw_z(loc: Tensor, log_var: Tensor, generator: torch.Generator) -> Tensor:
    noise = torch.randn(loc.shape, generator=generator, dtype=loc.dtype)
    return loc + (log_var / 2).exp() * noise


REPARAMETERIZE = Exercise(
    name="reparameterize",
    unit="05_vae",
    title="A draw that the gradient can follow",
    points=2,
    difficulty=2,
    minutes=15,
    reference=draw_z,
    deterministic=False,
    hints=(
        "**Principle.** The encoder says where the hidden value of each point lies and how sure it "
        "is. You need a draw from that Gaussian, and you need to know how the draw moves when the "
        "encoder changes its mind. So take all the chance out of the parameters: draw ε from the "
        "standard normal, which has no parameters, and compute z from it by plain arithmetic. A "
        "unit step of μ moves z by one; a step of σ moves it by ε. Every value of every point "
        "needs an ε of its own, otherwise the draws of a batch hang together and their noise no "
        "longer averages out.",
        "**Place.** z = μ + σ ⊙ ε. The argument is log σ², so σ is the exponential of **half** of "
        "it. Halve first: `exp(log_var)` overflows long before `exp(log_var / 2)`. "
        "`torch.randn(loc.shape, generator=generator, dtype=loc.dtype)` gives the noise; "
        "`torch.randn_like` takes no generator. Nothing may cut the path from the arguments to "
        "the result: no `detach`, no `no_grad`, no `.sample()` of a distribution. Test yourself: "
        "with `log_var = torch.zeros(...)` the spread is one, and with log 4 everywhere it is "
        "two; the mean of many draws is `loc` in both cases.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "noise = torch.randn(..., generator=..., dtype=loc.dtype)   # one for each value\n"
        "scale = torch.exp(... * log_var)\n"
        "return ... + scale * noise\n"
        "```\n\n"
        "The gaps are the shape of the mean, the generator that you were given, one half, and the "
        "mean. If the spread at log σ² = 2 log 3 is nine instead of three, the half is missing. "
        "If two calls with generators of the same seed differ, the noise came from somewhere "
        "else. If the check says that a gradient is missing, look for what cuts the path: a draw "
        "must be arithmetic on the parameters, not a number that merely came out of them.",
    ),
)


def draw_q(rng: np.random.Generator, num_points: int, latent_dim: int) -> tuple[Tensor, Tensor]:
    """Means away from zero and log variances far from it, with either sign."""
    shape = num_points, latent_dim
    signs = rng.choice([-1.0, 1.0], size=(2, *shape))
    loc = signs[0] * rng.uniform(1.0, 3.0, size=shape)
    return torch.from_numpy(loc), torch.from_numpy(signs[1] * rng.uniform(0.8, 3.2, size=shape))


def seed(rng: np.random.Generator) -> Seed:
    return Seed(int(rng.integers(2**30)))


def noise_of(z: Tensor, loc: Tensor, log_var: Tensor) -> Tensor:
    """The ε that a draw was made with, if it was made rightly."""
    return (z.double() - loc.double()) * torch.exp(-0.5 * log_var.double())


def _draw(candidate: Candidate, loc: Tensor, log_var: Tensor, given: Seed) -> Tensor:
    shape = tuple(loc.shape)
    return expect.tensor(candidate.call(loc, log_var, given), shape, f"reparameterize for {shape}")


@REPARAMETERIZE.check
def is_a_draw_from_q(candidate: Candidate, rng: np.random.Generator) -> None:
    """Each value has the mean and the spread it should have, and the shape of a Gaussian."""
    loc, log_var = draw_q(rng, MANY, 3)
    noise = noise_of(_draw(candidate, loc, log_var, seed(rng)), loc, log_var)
    for name, part in (("below", log_var < 0), ("above", log_var > 0)):
        values = noise[part]
        spread = values.square().mean().sqrt().item()
        expect.true(
            abs(spread**2 - 1) < 6.5 * math.sqrt(2 / len(values)),
            f"where log σ² is {name} zero, (z − μ)/σ has the root mean square {spread:.3g}; "
            "expected about 1",
        )
        mean = values.mean().item()
        expect.true(
            abs(mean) < 6.5 / math.sqrt(len(values)),
            f"where log σ² is {name} zero, (z − μ)/σ averages to {mean:+.3g}; expected about 0",
        )
    distance = scipy.stats.kstest(noise.flatten().numpy(), "norm").statistic
    expect.true(
        distance < 3.5 / math.sqrt(noise.numel()),
        f"(z − μ)/σ is not normally distributed: shares are off by up to {distance:.2f}",
    )


@REPARAMETERIZE.check
def every_value_has_its_own_noise(candidate: Candidate, rng: np.random.Generator) -> None:
    """Every value of every point has a noise of its own."""
    loc, log_var = draw_q(rng, MANY, 2)
    noise = noise_of(_draw(candidate, loc, log_var, seed(rng)), loc, log_var)
    different = len(noise[:, 0].round(decimals=9).unique())
    expect.true(
        different > 0.99 * MANY, f"only {different} of {MANY} points have a noise of their own"
    )
    expect.true(
        noise.mean(0).abs().max() > 1e-10,
        "the noise of the whole batch averages to exactly zero; use it as it comes, so that no "
        "point's draw depends on the others",
    )
    limit = 6.5 / math.sqrt(MANY)
    for one, other, which in (
        (noise[:, 0], noise[:, 1], "the two values of a point"),
        (noise[:-1, 0], noise[1:, 0], "neighbouring points"),
    ):
        together = float((one * other).mean())
        expect.true(
            abs(together) < limit,
            f"the noise of {which} has the correlation {together:+.2f}; expected 0",
        )


@REPARAMETERIZE.check
def gradient_follows_the_draw(candidate: Candidate, rng: np.random.Generator) -> None:
    """A step of μ moves the draw by as much, and a step of log σ² moves it by half of z − μ."""
    (loc, log_var), given = draw_q(rng, 4, 3), seed(rng)
    z = _draw(candidate, loc, log_var, given)
    by_loc, by_log_var = candidate.gradient(loc, log_var, given, wrt=(0, 1))
    expect.close(by_loc, torch.ones_like(loc), "the derivative of z with respect to loc")
    what = "the derivative of z with respect to log_var"
    expect.close(by_log_var, (z - loc) / 2, what)


@REPARAMETERIZE.check
def generator_decides(candidate: Candidate, rng: np.random.Generator) -> None:
    """The generator decides the draw: the same seed repeats it; another seed, or a second call
    with the same generator, changes all of it.
    """
    (loc, log_var), given = draw_q(rng, 5, 2), seed(rng)
    seeds = given, given, Seed(given.value + 1), Seed(given.value, used=True)
    one, again, other, later = (_draw(candidate, loc, log_var, s) for s in seeds)
    expect.true(
        torch.allclose(one, again),
        "two generators with the same seed give two different draws; draw with "
        "`generator=generator`",
    )
    expect.true(
        ((one - other).abs() > 1e-12).all(),
        "two generators with different seeds give the same draw; draw with `generator=generator`, "
        "as it comes",
    )
    expect.true(
        ((one - later).abs() > 1e-12).all(),
        "a generator gives the same draw after numbers were drawn from it as before; draw with "
        "`generator=generator`, and do not start again from its seed",
    )


@REPARAMETERIZE.check
def works_when_sizes_coincide(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one point, for one value, and when the numbers of points and of values agree."""
    for num_points, latent_dim in ((1, 4), (4, 1), (3, 3), (1, 1)):
        loc, log_var = draw_q(rng, num_points, latent_dim)
        noise = noise_of(_draw(candidate, loc, log_var, seed(rng)), loc, log_var)
        size = noise.abs().max().item()
        expect.true(size < 8, f"for one call (z − μ)/σ is as large as {size:.3g}; expected about 1")
        expect.true(len(noise.flatten().unique()) == noise.numel(), "some values share their noise")


@REPARAMETERIZE.check
def keeps_the_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives double precision back for double precision, and single for single."""
    double = candidate.call(*draw_q(rng, 100, 2), seed(rng))
    expect.tensor(double, (100, 2), "reparameterize")
    expect.true(
        double.dtype == torch.float64,
        f"double precision came in, and {double.dtype} came out; keep the type of `loc`",
    )
    loc, log_var = (part.float() for part in draw_q(rng, 100, 2))
    value = candidate.call(loc, log_var, seed(rng))
    noise = noise_of(expect.tensor(value, (100, 2), "reparameterize"), loc, log_var)
    expect.true(
        value.dtype == torch.float32,
        f"single precision came in, and {value.dtype} came out; draw the noise with "
        "`dtype=loc.dtype`",
    )
    spread = noise.square().mean().item()
    expect.true(0.2 < spread < 2.5, f"(z − μ)/σ has the variance {spread:.3g} in single precision")


@REPARAMETERIZE.edge_check
def survives_extreme_log_variances(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is finite and of the right size for log σ² from −150 to 150 in single precision."""
    log_var = torch.tensor([-150.0, -100.0, 100.0, 150.0]).expand(50, 4)
    z = expect.tensor(
        candidate.call(torch.zeros(50, 4), log_var, seed(rng)), (50, 4), "reparameterize"
    )
    expect.finite(z, "reparameterize at log σ² between −150 and 150")
    spread = noise_of(z, torch.zeros(50, 4), log_var).square().mean(0)
    expect.true(
        ((spread > 0.05) & (spread < 4)).all(),
        "at log σ² = −150, −100, 100 and 150 the variance of (z − μ)/σ is "
        f"{', '.join(f'{s:.3g}' for s in spread)}; expected about 1",
    )
