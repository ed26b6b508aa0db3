r"""How good is a VAE? Its evidence, its latent dimensions, and what its encoder gives away.

All values are in nats.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Independent, Normal

from course_lib.mixture.params import check_points
from course_lib.monte_carlo import importance_log_marginal
from course_lib.monte_carlo.checks import check_positive
from course_lib.monte_carlo.estimators import seeded
from course_lib.vae import VAE
from course_lib.vae.models import PointsArray
from course_lib.vae.objectives import kl_terms, loc_and_log_var

CHUNK_SIZE = 2_500  # pairs of a draw and a point: 8 MB of logits for 784 pixels


def log_marginal(
    vae: VAE,
    x: PointsArray,
    num_samples: int,
    *,
    chunk_size: int = CHUNK_SIZE,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " n"]:
    r"""\log p(x) of each point, by importance sampling from q.

    .. math:: \log \hat p(x) = \log \frac1S \sum_s \frac{p(x, z_s)}{q(z_s \mid x)}

    On average too low, and less so with more draws: with S = 1 it is the ELBO. The draws are worked
    through in pieces, so the memory does not grow with their number.

    Args:
        vae: The model.
        x: Points, shape (N, D).
        num_samples: S; 5 000 is usual in papers, 500 within a tenth of a nat of it on digits.
        chunk_size: At most this many pairs of a draw and a point are decoded at once.
        generator: Of the draws.

    Returns:
        Shape (N,), without gradients.

    Raises:
        ValueError: `x` or `num_samples` is malformed, or a density is NaN.

    Reference:
        Burda, Grosse and Salakhutdinov (2016), section 5, arXiv:1509.00519.
    """
    with torch.no_grad():
        options = {"chunk_size": chunk_size, "generator": generator}
        return importance_log_marginal(x, vae.log_joint, vae.posterior(x), num_samples, **options)


@torch.no_grad()
def kl_per_dimension(vae: VAE, x: PointsArray) -> Float[Tensor, " m"]:
    r"""The KL of each latent dimension to the standard normal, mean over points, shape (M,).

    0 means that the dimension is not used: its posterior is the prior.

    Raises:
        ValueError: `x` is malformed, or the prior is learned: then the KL is no sum over
            dimensions.
    """
    check_points(x, vae.dim)
    if vae.learned_prior is not None:
        raise ValueError(
            "the prior of this model is learned, so its KL is no sum over dimensions: use "
            "elbo_terms for the whole of it, or active_units"
        )
    return kl_terms(*loc_and_log_var(vae.posterior(x))).mean(0)


@torch.no_grad()
def active_units(vae: VAE, x: PointsArray, *, threshold: float = 0.01) -> int:
    r"""How many latent dimensions say something about x.

    .. math:: A_m = \mathrm{Var}_x \big[ \mathbb E_{q(z \mid x)}[z_m] \big] > 0.01

    Raises:
        ValueError: `x` is malformed or holds a single point.

    Reference:
        Burda, Grosse and Salakhutdinov (2016), section 5.2, arXiv:1509.00519.
    """
    check_points(x, vae.dim)
    if len(x) < 2:
        raise ValueError(f"x holds {len(x)} point; expected at least two, to have a variance")
    return int((vae.encode(x).var(0) > threshold).sum())


def amortization_gap(
    vae: VAE,
    x: PointsArray,
    num_steps: int,
    *,
    num_samples: int = 16,
    num_eval_samples: int = 500,
    learning_rate: float = 0.1,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " n"]:
    r"""What each point would gain from a q of its own, instead of the encoder's.

    .. math:: \max_{\mu, \sigma} \mathcal L(x; \mu, \sigma) -
        \mathcal L(x; \mu_\phi(x), \sigma_\phi(x)) \ge 0

    The best Gaussian with independent coordinates is searched by Adam from the encoder's, with a
    rate that falls to 0. Both bounds are then measured at the same noise, so most of its error
    cancels; where the search found nothing better, the answer is 0.

    Args:
        vae: The model; its parameters stay as they are.
        x: Points, shape (N, D).
        num_steps: Of the search.
        num_samples: Draws for each point and step, in pairs ±\varepsilon.
        num_eval_samples: Draws for each point to measure the two bounds with.
        learning_rate: Of the first step, in standard deviations of the encoder's q.
        generator: Of the draws.

    Returns:
        Shape (N,), at least 0.

    Raises:
        ValueError: An argument is malformed.

    Reference:
        Cremer, Li and Duvenaud (2018), "Inference suboptimality in variational autoencoders",
        section 3, arXiv:1801.03558.
    """
    check_points(x, vae.dim)
    check_positive(
        num_steps=num_steps,
        num_samples=num_samples,
        num_eval_samples=num_eval_samples,
        learning_rate=learning_rate,
    )
    with torch.no_grad(), seeded(generator):
        amortised = vae.posterior(x).base_dist
    shift = torch.zeros_like(amortised.loc).requires_grad_()  # in the encoder's own units
    log_factor = torch.zeros_like(shift).requires_grad_()
    # a small eps would turn the last digits of a gradient of 0 into steps of full length
    optimizer = torch.optim.Adam([shift, log_factor], lr=learning_rate, eps=0.1)
    kind = {"dtype": x.dtype, "device": x.device, "generator": generator}
    for step in range(num_steps):
        noise = torch.randn((math.ceil(num_samples / 2), *shift.shape), **kind)
        for group in optimizer.param_groups:
            group["lr"] = 0.5 * learning_rate * (1 + math.cos(math.pi * step / num_steps))
        bound = _bound(vae, x, _moved(amortised, shift, log_factor), torch.cat([noise, -noise]))
        gradients = torch.autograd.grad(-bound.sum(), [shift, log_factor])
        shift.grad, log_factor.grad = gradients  # the model gets none
        optimizer.step()
    with torch.no_grad():
        own = _moved(amortised, shift, log_factor)
        gain, size = torch.zeros_like(x[:, 0]), math.ceil(CHUNK_SIZE / len(x))
        for done in range(0, num_eval_samples, size):
            noise = torch.randn((min(size, num_eval_samples - done), *shift.shape), **kind)
            difference = _bound(vae, x, own, noise) - _bound(vae, x, amortised, noise)
            gain += difference * len(noise) / num_eval_samples
    return gain.clamp(min=0)


def _moved(normal: Normal, shift: Tensor, log_factor: Tensor) -> Normal:
    loc, scale = normal.loc + normal.scale * shift, normal.scale * log_factor.exp()
    return Normal(loc, scale, validate_args=False)


def _bound(vae: VAE, x: PointsArray, q: Normal, noise: Tensor) -> Float[Tensor, " n"]:
    r"""The ELBO of q from draws loc + scale · noise; \log q counts only through them.

    (Roeder, Wu and Duvenaud 2017: at a q that is the posterior, no noise is left in the gradient.)
    """
    z = q.loc + q.scale * noise
    fixed = Independent(Normal(q.loc.detach(), q.scale.detach(), validate_args=False), 1)
    return (vae.log_joint(x, z) - fixed.log_prob(z)).mean(0)
