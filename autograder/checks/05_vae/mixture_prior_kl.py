"""`mixture_prior_kl(loc, log_var, noise, logits, prior_loc, prior_log_scale)`: a KL to estimate.

The noise is laid so evenly that every consistent estimate, whichever terms it takes in closed form,
comes close to the integral.
"""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._mixture import Mixture, draw_mixture, even_noise, exact_kl
from .mixture_prior_log_prob import reference as log_prior

TOLERANCE = 0.03  # of the value or the gradient, plus as many nats


def reference(
    loc: Tensor,
    log_var: Tensor,
    noise: Tensor,
    logits: Tensor,
    prior_loc: Tensor,
    prior_log_scale: Tensor,
) -> Tensor:
    z = loc + (0.5 * log_var).exp() * noise
    log_q = -0.5 * (noise.square() + log_var + np.log(2 * np.pi)).sum(-1)
    return (log_q - log_prior(z, logits, prior_loc, prior_log_scale)).mean(0)


MIXTURE_PRIOR_KL = Exercise(
    name="mixture_prior_kl",
    unit="05_vae",
    title="The divergence from a learned prior",
    points=3,
    difficulty=3,
    minutes=25,
    reference=reference,
    needs=("mixture_prior_log_prob",),
    deterministic=False,
    hints=(
        "**Principle.** Between two Gaussians the divergence has a closed form. Between a Gaussian "
        "and a mixture it has none, because the logarithm of a sum does not simplify. But the "
        "divergence is a mean under q: KL(q ‖ p) = E_q[log q(z) − log p(z)]. A mean can be "
        "estimated by draws from q, and with z = μ + σ ε the estimate can be differentiated, so "
        "the encoder and the prior learn from it at the same time. A single estimate may be "
        "negative, although the divergence is not; that is noise, so do not clamp it.",
        "**Place.** First the draws, (S, N, M): z = μ + exp(½ log σ²) ε with the noise you are "
        "given. Then the two log-densities at the same z, (S, N) each. For q it is the normal "
        "log-density with the point's own μ and σ, summed over the M values. For the prior it is "
        "`mixture_prior_log_prob`. Subtract, then take the mean over the draws, axis 0. You may "
        "also take −H(q) in closed form for the first term. Nothing may be detached: the gradient "
        "with respect to μ and log σ² goes through z into the prior's density.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "scale = torch.exp(0.5 * log_var)\n"
        "z = loc + scale * ...                                              # (S, N, M)\n"
        "log_q = torch.distributions.Normal(loc, scale).log_prob(z).sum(-1)  # (S, N)\n"
        "log_p = mixture_prior_log_prob(z, logits, prior_loc, prior_log_scale)\n"
        "return (... - ...).mean(dim=...)                                   # (N,)\n"
        "```\n\n"
        "The gaps are the noise, `log_q`, `log_p` and the axis of the draws. Test yourself with a "
        "prior of one component at 0 with σ = 1: the answer must come near the closed form of the "
        "standard normal prior, ½ Σ (μ² + σ² − 1 − log σ²). If it is its negative, you subtracted "
        "the wrong way round.",
    ),
)


def draw_q(rng: np.random.Generator, num_points: int, latent_dim: int) -> tuple[Tensor, Tensor]:
    loc = torch.from_numpy(rng.normal(0, 1.2, size=(num_points, latent_dim)))
    log_var = torch.from_numpy(rng.uniform(-2.2, 0.4, size=(num_points, latent_dim)))
    return loc, log_var


def _expect(given: Tensor, right: Tensor, what: str) -> None:
    expect.close(given, right, what, rtol=TOLERANCE, atol=TOLERANCE)


@MIXTURE_PRIOR_KL.check
def equals_the_integral(candidate: Candidate, rng: np.random.Generator) -> None:
    """Comes to the exact divergence when the draws lie evenly, for each point."""
    for latent_dim, side, num_points in ((1, 160, 5), (2, 15, 3)):
        prior = draw_mixture(rng, 3, latent_dim)
        loc, log_var = draw_q(rng, num_points, latent_dim)
        noise = even_noise(rng, side, num_points, latent_dim)
        what = f"mixture_prior_kl with {len(noise)} even draws and M = {latent_dim}"
        _expect(candidate.call(loc, log_var, noise, *prior), exact_kl(loc, log_var, prior), what)


@MIXTURE_PRIOR_KL.check
def one_component_has_a_closed_form(candidate: Candidate, rng: np.random.Generator) -> None:
    """Where the prior is one Gaussian, and q is that Gaussian too for one point, is the closed form
    and zero there.
    """
    prior = draw_mixture(rng, 1, 2)
    loc, log_var = draw_q(rng, 4, 2)
    loc[2], log_var[2] = prior[1][0], 2 * prior[2][0]
    noise = even_noise(rng, 8, 4, 2)
    right = exact_kl(loc, log_var, prior)
    _expect(candidate.call(loc, log_var, noise, *prior), right, "mixture_prior_kl")


@MIXTURE_PRIOR_KL.check
def everything_can_learn(candidate: Candidate, rng: np.random.Generator) -> None:
    """Its gradient is that of the divergence, for q and for the prior's parameters."""
    prior = draw_mixture(rng, 2, 1)
    loc, log_var = draw_q(rng, 3, 1)
    arguments = (loc, log_var, even_noise(rng, 200, 3, 1), *prior)
    right = _exact_gradient(loc, log_var, prior)
    given = candidate.gradient(*arguments, wrt=(0, 1, 3, 4, 5, 2))
    names = ("loc", "log_var", "logits", "prior_loc", "prior_log_scale")
    for name, value, wanted in zip(names, given, right, strict=False):
        _expect(value, wanted, f"the gradient of mixture_prior_kl with respect to {name}")
    unused = (given[-1] == 0).sum().item()
    expect.true(
        unused < 10,
        f"{unused} of the {given[-1].numel()} numbers in `noise` do not enter the result; expected "
        "every point to use all of its own draws",
    )


@MIXTURE_PRIOR_KL.check
def each_point_has_its_own_draws(candidate: Candidate, rng: np.random.Generator) -> None:
    """The estimate of a point depends on all of its own draws, and on no other point's."""
    loc, log_var = draw_q(rng, 3, 1)
    arguments = (loc, log_var, even_noise(rng, 8, 3, 1), *draw_mixture(rng, 2, 1))
    one = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    (given,) = candidate.gradient(*arguments, wrt=(2,), outer=one)
    used = (given[..., 0] != 0).sum(0).tolist()
    expect.true(
        used[0] == used[2] == 0 and used[1] >= 7,
        f"the estimate of point 1 of 3 depends on {used} of the 8 draws of the three points; "
        "expected [0, 8, 0]",
    )


@MIXTURE_PRIOR_KL.check
def a_lucky_estimate_is_negative(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is negative where the one draw lies where the prior is high: noise is not cut off."""
    place = 3.0 + torch.from_numpy(rng.uniform(-0.3, 0.3, size=(1, 1)))
    prior = torch.zeros(1).double(), place, torch.full((1, 1), -1.5).double()
    zeros = torch.zeros(1, 1, dtype=torch.float64)
    given = candidate.call(zeros, zeros, place[None], *prior)
    given = expect.tensor(given, (1,), "mixture_prior_kl of one draw").item()
    expect.true(
        given < -0.5,
        f"one draw at the prior's peak gives {given:.3g} nats; expected a negative estimate, "
        "because only the mean over many draws is not negative",
    )


@MIXTURE_PRIOR_KL.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    prior = draw_mixture(rng, 3, 1)
    loc, log_var = draw_q(rng, 4, 1)
    arguments = (loc, log_var, even_noise(rng, 120, 4, 1), *prior)
    given = candidate.call(*(value.float() for value in arguments))
    _expect(given, exact_kl(loc, log_var, prior), "mixture_prior_kl in float32")


def _exact_gradient(loc: Tensor, log_var: Tensor, prior: Mixture) -> tuple[Tensor, ...]:
    leaves = [value.clone().requires_grad_() for value in (loc, log_var, *prior)]
    value = exact_kl(leaves[0], leaves[1], tuple(leaves[2:]))
    return torch.autograd.grad(value.sum(), leaves)
