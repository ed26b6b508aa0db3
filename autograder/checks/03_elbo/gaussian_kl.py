"""`gaussian_kl(loc_q, log_scale_q, loc_p, log_scale_p)`: the divergence in closed form."""

import numpy as np
import scipy.stats
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

Arguments = tuple[Tensor, Tensor, Tensor, Tensor]


def kl(loc_q: Tensor, log_scale_q: Tensor, loc_p: Tensor, log_scale_p: Tensor) -> Tensor:
    """Kingma & Welling 2014, appendix B, for any p with independent coordinates."""
    log_ratio = log_scale_q - log_scale_p
    shift = (loc_q - loc_p) / log_scale_p.exp()
    return (0.5 * ((2 * log_ratio).exp() + shift**2 - 1) - log_ratio).sum(-1)


GAUSSIAN_KL = Exercise(
    name="gaussian_kl",
    unit="03_elbo",
    title="The divergence of two Gaussians",
    points=3,
    difficulty=2,
    minutes=15,
    reference=kl,
    hints=(
        "**Principle.** KL(q‖p) is the mean of log q − log p **under q**. It is zero only if the "
        "two agree, it is never negative, and it is not symmetric: q says where to look, p is "
        "punished for missing what is there. For Gaussians three things enter. The mean of "
        "(z − μ_p)² under q, which is σ_q² + (μ_q − μ_p)², measured in units of p's variance. The "
        "mean of (z − μ_q)² under q in units of q's own variance, which is one. And the "
        "difference of the two log normalisers, log σ_p − log σ_q. With independent coordinates "
        "the divergences of the coordinates add up; every point keeps its own.",
        "**Place.** The arguments hold log σ, so σ is `log_scale.exp()` and σ² is "
        "`(2 * log_scale).exp()`. For each coordinate write ½ (σ_q²/σ_p² + (μ_q − μ_p)²/σ_p² − 1) "
        "plus log σ_p − log σ_q. Mind what is inside the factor ½: the three quadratic terms are, "
        "the two log σ are not (½ log σ² = log σ). Then sum over the last axis, and only over "
        "that one. Test yourself: equal arguments give 0. For μ_q = 0, log σ_q = 1 against a "
        "standard normal the value is 2.1945; the other direction gives 0.5677. If you get 0.359, "
        "you read log σ as log σ².",
        "**Nearly the code.**\n\n"
        "```python\n"
        "var_ratio = torch.exp(2 * (log_scale_q - ...))                  # σ_q² / σ_p²\n"
        "shift_sq = ((loc_q - loc_p) / torch.exp(...)) ** 2               # in units of p\n"
        "each = 0.5 * (var_ratio + shift_sq - 1) + ... - ...              # (N, M)\n"
        "return each.sum(dim=...)                                         # (N,)\n"
        "```\n\n"
        "The first two gaps are p's log σ. The last two terms of the third line are log σ_p and "
        "log σ_q, in the order that makes a narrow q expensive: if q is a needle, KL(q‖p) must "
        "grow. Check it with a very negative `log_scale_q`. The sum runs over the coordinates, so "
        "that one number for each point is left.",
    ),
)


def draw(rng: np.random.Generator, num_points: int, latent_dim: int) -> Arguments:
    """Parameters that differ in every coordinate, with log σ well away from zero."""
    shape = num_points, latent_dim
    log_scale_q, log_scale_p = (
        rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.3, 1.1, size=shape) for _ in range(2)
    )
    loc_q = rng.normal(size=shape)
    loc_p = loc_q + rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.4, 1.5, size=shape)
    return tuple(map(torch.from_numpy, (loc_q, log_scale_q, loc_p, log_scale_p)))


def _integral(args: Arguments) -> Tensor:
    """∫ q (log q − log p) dz coordinate by coordinate, on a grid of 16 standard deviations."""
    loc_q, log_scale_q, loc_p, log_scale_p = (a.numpy() for a in args)
    steps = np.linspace(-8, 8, 400)[:, None, None]
    z = loc_q + np.exp(log_scale_q) * steps
    log_q = scipy.stats.norm.logpdf(z, loc_q, np.exp(log_scale_q))
    log_p = scipy.stats.norm.logpdf(z, loc_p, np.exp(log_scale_p))
    mass = scipy.stats.norm.pdf(steps) * (steps[1] - steps[0])
    return torch.from_numpy((mass * (log_q - log_p)).sum((0, 2)))


@GAUSSIAN_KL.check
def equals_the_integral(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the integral of q (log q − log p), computed on a grid."""
    for num_points, latent_dim in ((5, 3), (6, 1)):
        args = draw(rng, num_points, latent_dim)
        what = f"gaussian_kl for N = {num_points}, M = {latent_dim}"
        expect.close(candidate.call(*args), _integral(args), what)


@GAUSSIAN_KL.check
def works_when_sizes_coincide(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one point, and when the numbers of points and of coordinates agree."""
    for num_points, latent_dim in ((1, 4), (3, 3), (1, 1)):
        args = draw(rng, num_points, latent_dim)
        what = f"gaussian_kl for N = {num_points}, M = {latent_dim}"
        expect.close(candidate.call(*args), kl(*args), what)


@GAUSSIAN_KL.check
def is_zero_for_equal_arguments(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is zero where q and p are equal, and positive where they differ."""
    loc_q, log_scale_q, loc_p, log_scale_p = draw(rng, 4, 2)
    # two rows of equal distributions, one that differs in its mean only, one in its scale only
    loc_p[:3:2], loc_p[3] = loc_q[:3:2], loc_q[3]
    log_scale_p[:3] = log_scale_q[:3]
    args = loc_q, log_scale_q, loc_p, log_scale_p
    expect.close(candidate.call(*args), kl(*args), "gaussian_kl where some arguments are equal")


@GAUSSIAN_KL.check
def has_no_unit(candidate: Candidate, rng: np.random.Generator) -> None:
    """Does not change when both are moved and stretched alike, because nats have no other unit."""
    args = loc_q, log_scale_q, loc_p, log_scale_p = draw(rng, 4, 2)
    for shift, factor in ((rng.uniform(2, 9), rng.uniform(2, 5)), (-3.0, rng.uniform(0.05, 0.2))):
        moved = (
            shift + factor * loc_q,
            log_scale_q + np.log(factor),
            shift + factor * loc_p,
            log_scale_p + np.log(factor),
        )
        expect.close(candidate.call(*moved), kl(*args), f"gaussian_kl in a unit {factor:.2g} times")


@GAUSSIAN_KL.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    args = tuple(a.float() for a in draw(rng, 5, 2))
    expect.close(candidate.call(*args), kl(*(a.double() for a in args)), "gaussian_kl in float32")


@GAUSSIAN_KL.edge_check
def stays_finite_for_needles(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays right for scales from e⁻²⁰ to e²⁰, of q alone, of p alone, and of both."""
    loc_q, log_scale_q, loc_p, _ = draw(rng, 4, 1)
    ends = torch.tensor([[-20.0], [20.0], [-20.0], [0.0]], dtype=torch.float64)
    other = torch.tensor([[0.0], [20.0], [-20.0], [20.0]], dtype=torch.float64)
    loc_p[2] = loc_q[2]
    log_scale_q, log_scale_p = 0.1 * log_scale_q + ends, other
    args = loc_q, log_scale_q.clamp(-20, 20), loc_p, log_scale_p
    expect.close(candidate.call(*args), kl(*args), "gaussian_kl of very narrow and wide ones")
