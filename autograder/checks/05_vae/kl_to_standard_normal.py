"""`kl_to_standard_normal(loc, log_var)`: the rate of each point, in closed form."""

import numpy as np
import scipy.stats
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from .reparameterize import draw_q


def kl(loc: Tensor, log_var: Tensor) -> Tensor:
    """Kingma & Welling 2014, appendix B."""
    return 0.5 * (loc.square() + torch.expm1(log_var) - log_var).sum(-1)


KL_TO_STANDARD_NORMAL = Exercise(
    name="kl_to_standard_normal",
    unit="05_vae",
    title="The price of a code, in closed form",
    points=2,
    difficulty=1,
    minutes=10,
    reference=kl,
    hints=(
        "**Principle.** The divergence says how many nats the encoder spends on a point: how far "
        "its q has moved away from the prior, which is the standard normal and knows nothing of "
        "the point. It costs to move the mean, on either side. It costs to be sure: a q narrower "
        "than the prior says something. It costs to be wider than the prior, too. Only q = prior "
        "is free. For independent coordinates the prices add up over the coordinates. They do not "
        "add up over the points: every point has a price of its own, and what to do with the "
        "batch is decided later.",
        "**Place.** For each coordinate KL = ½ (μ² + σ² − log σ² − 1). Here the argument is "
        "already log σ², so σ² is `log_var.exp()` and log σ² is `log_var` itself: everything is "
        "inside the factor ½, unlike in unit 03, where the argument was log σ. Sum over the last "
        "axis and only over that one. Test yourself: zeros give 0; μ = 0 and log σ² = 2 give "
        "2.1945; μ = 2 and log σ² = 0 give 2. If log σ² = 2 gives you 24.8, you exponentiated as "
        "if it were log σ.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "each = 0.5 * (loc ** ... + torch.exp(...) - ... - 1)     # (N, M)\n"
        "return each.sum(dim=...)                                 # (N,)\n"
        "```\n\n"
        "The gaps are a power, the log variance twice, and the axis of the hidden values. The "
        "formula you often see, `-0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp())`, is the "
        "same, with a minus in front, except for one thing: `torch.sum` without an axis adds up "
        "the whole batch. There the price depends on the batch size, and that is how a β that "
        "nobody chose gets into a loss. Keep the points apart.",
    ),
)


def _integral(loc: Tensor, log_var: Tensor) -> Tensor:
    """∫ q (log q − log p) dz coordinate by coordinate, on a grid of 16 standard deviations."""
    loc, scale = loc.numpy(), np.exp(log_var.numpy() / 2)
    steps = np.linspace(-8, 8, 400)[:, None, None]
    z = loc + scale * steps
    log_ratio = scipy.stats.norm.logpdf(z, loc, scale) - scipy.stats.norm.logpdf(z)
    mass = scipy.stats.norm.pdf(steps) * (steps[1] - steps[0])
    return torch.from_numpy((mass * log_ratio).sum((0, 2)))


@KL_TO_STANDARD_NORMAL.check
def equals_the_integral(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the integral of q (log q − log p), computed on a grid."""
    for num_points, latent_dim in ((5, 3), (6, 1)):
        loc, log_var = draw_q(rng, num_points, latent_dim)
        what = f"kl_to_standard_normal for N = {num_points}, M = {latent_dim}"
        expect.close(candidate.call(loc, log_var), _integral(loc, log_var), what)


@KL_TO_STANDARD_NORMAL.check
def is_zero_for_the_prior(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is zero where q is the prior, and positive where only its mean or only its width differs."""
    loc, log_var = draw_q(rng, 4, 2)
    loc[:3:2], log_var[:2] = 0.0, 0.0
    loc[0], log_var[2, 0] = 0.0, 0.0
    value = candidate.call(loc, log_var)
    expect.close(value, kl(loc, log_var), "kl_to_standard_normal where q touches the prior")


@KL_TO_STANDARD_NORMAL.check
def works_when_sizes_coincide(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one point, and when the numbers of points and of hidden values agree."""
    for num_points, latent_dim in ((1, 4), (3, 3), (1, 1)):
        args = draw_q(rng, num_points, latent_dim)
        what = f"kl_to_standard_normal for N = {num_points}, M = {latent_dim}"
        expect.close(candidate.call(*args), kl(*args), what)


@KL_TO_STANDARD_NORMAL.check
def gradient_pulls_towards_the_prior(candidate: Candidate, rng: np.random.Generator) -> None:
    """Its gradient is μ for the mean and ½ (σ² − 1) for log σ²: it pulls towards the prior."""
    loc, log_var = draw_q(rng, 4, 3)
    by_loc, by_log_var = candidate.gradient(loc, log_var, wrt=(0, 1))
    expect.close(by_loc, loc, "the gradient for loc")
    expect.close(by_log_var, torch.expm1(log_var) / 2, "the gradient for log_var")


@KL_TO_STANDARD_NORMAL.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    args = tuple(part.float() for part in draw_q(rng, 5, 2))
    right = kl(*(part.double() for part in args))
    expect.close(candidate.call(*args), right, "kl_to_standard_normal in single precision")


@KL_TO_STANDARD_NORMAL.edge_check
def survives_extreme_widths(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays right for log σ² from −60 to 40 and means up to 1000."""
    loc, log_var = draw_q(rng, 4, 1)
    log_var = log_var + torch.tensor([[-55.0], [-30.0], [36.0], [0.0]])
    loc = loc * torch.tensor([[1.0], [300.0], [1.0], [300.0]])
    value = candidate.call(loc, log_var)
    expect.close(value, kl(loc, log_var), "kl_to_standard_normal of extreme ones")
