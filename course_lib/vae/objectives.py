r"""The loss of a VAE, its two terms, and what people do to them."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal

from course_lib.likelihoods import bernoulli
from course_lib.monte_carlo.checks import check_positive
from course_lib.vae.models import VAE, PointsArray


def reparameterize(
    loc: Float[Tensor, "*batch m"],
    log_var: Float[Tensor, "*batch m"],
    *,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "*batch m"]:
    r"""A draw from a Gaussian through which gradients flow.

    .. math:: z = \mu + \exp(\tfrac12 \log \sigma^2) \odot \varepsilon, \qquad
        \varepsilon \sim \mathcal N(0, I)

    Args:
        loc: \mu, shape (*B, M).
        log_var: \log \sigma^2, the logarithm of the variance, shape (*B, M).
        generator: Of the draws, on the device of `loc`.

    Returns:
        Shape (*B, M), for every entry its own \varepsilon.

    Raises:
        ValueError: The shapes differ.

    Reference:
        Kingma and Welling (2014), section 2.4, arXiv:1312.6114.
    """
    _check_pair(loc, log_var)
    kind = {"dtype": loc.dtype, "device": loc.device, "generator": generator}
    return loc + (0.5 * log_var).exp() * torch.randn(loc.shape, **kind)


def kl_to_standard_normal(
    loc: Float[Tensor, "*batch m"], log_var: Float[Tensor, "*batch m"]
) -> Float[Tensor, "*batch"]:
    r"""KL from a diagonal Gaussian to the standard normal, summed over its M values, in nats.

    .. math:: \mathrm{KL} = \tfrac12 \sum_m \big( \mu_m^2 + \sigma_m^2 - 1 - \log \sigma_m^2 \big)

    Args:
        loc: \mu, shape (*B, M).
        log_var: \log \sigma^2, the logarithm of the variance, shape (*B, M).

    Raises:
        ValueError: The shapes differ.

    Reference:
        Kingma and Welling (2014), appendix B.

    Example:
        >>> kl_to_standard_normal(torch.tensor([[1.0]]), torch.tensor([[2.0]]))
        tensor([2.6945])
    """
    _check_pair(loc, log_var)
    return kl_terms(loc, log_var).sum(-1)


def negative_elbo(
    vae: VAE,
    x: PointsArray,
    *,
    beta: float | Float[Tensor, ""] = 1.0,
    free_bits: float = 0.0,
    num_samples: int = 1,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " n"]:
    r"""The loss of each point, \Delta_n + \beta R_n; with \beta = 1 an upper bound of −\log p(x).

    .. math:: -\mathcal L_n = \mathbb E_q[-\log p(x_n \mid z)]
        + \beta\, \mathrm{KL}(q(z \mid x_n) \,\Vert\, p(z))

    The KL is exact where the prior is the standard normal, and estimated from the draws where it is
    learned. With free bits \lambda, the KL of a latent dimension counts as \lambda where its mean
    over the batch is smaller, so that the pressure to collapse ends there.

    Args:
        vae: The model.
        x: Points, shape (N, D).
        beta: \beta, 1 for the ELBO.
        free_bits: \lambda, nats per latent dimension, 0 for the ELBO.
        num_samples: S draws of z for each point; one is enough for training.
        generator: Of the draws, on the device of `x`.

    Returns:
        Shape (N,), in nats, summed over pixels and latent dimensions. Take the mean over points for
        a training loss: any other mean changes \beta.

    Raises:
        ValueError: An argument is out of range or malformed, or free bits are asked of a learned
            prior, whose KL is no sum over dimensions.

    Reference:
        Kingma et al. (2016), appendix C.8 (free bits), arXiv:1606.04934; Higgins et al. (2017),
        "β-VAE", equation (4).
    """
    if not (beta >= 0 and free_bits >= 0):
        raise ValueError(
            f"beta is {float(beta)} and free_bits is {free_bits}; expected both to be at least 0"
        )
    if not free_bits:
        rate, distortion = elbo_terms(vae, x, num_samples=num_samples, generator=generator)
        return distortion + beta * rate
    if vae.learned_prior is not None:
        raise ValueError(
            "free_bits needs the KL of each latent dimension, which a learned prior does not "
            "have: use the standard normal, or kl_schedule instead"
        )
    posterior, distortion, _ = encode_and_decode(vae, x, num_samples, generator)
    terms = kl_terms(*loc_and_log_var(posterior))  # (N, M)
    counted = torch.where(terms.mean(0) > free_bits, terms, free_bits)
    return distortion + beta * counted.sum(-1)


def elbo_terms(
    vae: VAE,
    x: PointsArray,
    *,
    num_samples: int = 1,
    generator: torch.Generator | None = None,
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    r"""The rate KL(q‖p(z)) and the distortion −E_q[\log p(x | z)] of each point, in nats.

    Their sum is the negative ELBO.

    Args:
        vae: The model.
        x: Points, shape (N, D).
        num_samples: S draws of z for each point, over which the distortion is averaged.
        generator: Of the draws, on the device of `x`.

    Returns:
        (rate, distortion), each of shape (N,).

    Raises:
        ValueError: `x` is malformed or `num_samples` is not positive.
    """
    posterior, distortion, noise = encode_and_decode(vae, x, num_samples, generator)
    if vae.learned_prior is None:
        return _rate(posterior), distortion
    z = posterior.base_dist.loc + posterior.base_dist.scale * noise
    return (posterior.log_prob(z) - vae.prior().log_prob(z)).mean(0), distortion


def kl_schedule(step: int, warmup_steps: int) -> float:
    r"""\beta while it warms up: from 0 at step 0 in a straight line to 1, where it stays.

    Args:
        step: Steps done.
        warmup_steps: The step at which \beta arrives at 1; 0 starts there.

    Raises:
        ValueError: One of them is negative.

    Reference:
        Bowman et al. (2016), "Generating sentences from a continuous space", section 3.1,
        arXiv:1511.06349.

    Example:
        >>> [kl_schedule(step, 4) for step in (0, 1, 4, 9)]
        [0.0, 0.25, 1.0, 1.0]
    """
    if step < 0 or warmup_steps < 0:
        raise ValueError(
            f"step is {step} and warmup_steps is {warmup_steps}; expected both to be at least 0"
        )
    return 1.0 if step >= warmup_steps else step / warmup_steps


def effective_beta(
    loss_fn: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor],
    x: PointsArray,
    output: Float[Tensor, "n d"],
    loc: Float[Tensor, "n m"],
    log_var: Float[Tensor, "n m"],
    *,
    likelihood: Callable[[Tensor], Distribution] = bernoulli,
) -> float:
    r"""The \beta that a loss really has, whatever it averages, sums or multiplies.

    A loss a \sum_n \Delta_n + b \sum_n R_n has the minima of the \beta-VAE loss with \beta = b / a.
    The gradient with respect to the decoder's output knows a, that with respect to the encoder's
    knows b.

    Args:
        loss_fn: (x, output, loc, log_var) to a scalar, differentiable.
        x: Points, shape (N, D).
        output: What the decoder puts out, shape (N, D): logits, or means; any values will do.
        loc: Mean of q, shape (N, M), not all 0.
        log_var: Log variance of q, shape (N, M).
        likelihood: From `output` to p(x | z), which defines \Delta.

    Returns:
        \beta. 1 is the ELBO.

    Raises:
        ValueError: The loss is no weighted sum of the two terms, so no \beta describes it.

    Example:
        >>> def loss_fn(x, logits, loc, log_var):  # a mean over pixels, a sum over latents
        ...     rate = kl_to_standard_normal(loc, log_var).mean()
        ...     return rate - bernoulli(logits).log_prob(x).mean() / x.shape[1]
        >>> pixels, latents = torch.ones(8, 784), torch.ones(8, 2)
        >>> round(effective_beta(loss_fn, pixels, 0 * pixels, latents, latents))
        784
    """
    leaves = [t.detach().clone().requires_grad_() for t in (output, loc, log_var)]
    distortion = -likelihood(leaves[0]).log_prob(x).sum()
    rate = kl_to_standard_normal(*leaves[1:]).sum()
    loss = loss_fn(x, *leaves)
    if loss.ndim:
        raise ValueError(f"loss_fn returned shape {tuple(loss.shape)}; expected a scalar")
    found = torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)
    (unit_distortion,) = torch.autograd.grad(distortion, leaves[:1])
    unit_rate = torch.cat(torch.autograd.grad(rate, leaves[1:]), -1)
    a = _coefficient("the decoder's output", found[0], unit_distortion)
    b = _coefficient("loc and log_var", torch.cat(found[1:], -1), unit_rate)
    if a == 0:
        raise ValueError("the loss does not depend on the decoder's output; expected a distortion")
    return b / a


def _coefficient(name: str, found: Tensor, unit: Tensor) -> float:
    r"""The number c with found = c · unit, which must hold in every entry."""
    found, unit = found.double(), unit.double()
    c = (found * unit).sum() / unit.square().sum()
    if not torch.allclose(found, c * unit, rtol=1e-3, atol=1e-3 * (c * unit).abs().max().item()):
        raise ValueError(
            f"the gradient with respect to {name} is not a multiple of that of its term; expected "
            "a loss that is a weighted sum of the distortion and the rate: give the likelihood "
            "that the loss uses, and loc and log_var that are not all 0"
        )
    return c.item()


def encode_and_decode(
    vae: VAE, x: PointsArray, num_samples: int, generator: torch.Generator | None
) -> tuple[Distribution, Float[Tensor, " n"], Float[Tensor, "s n m"]]:
    r"""q, the distortion, and the noise that its draws were made of.

    Everything with many parameters happens inside `vae(…)`, where Fabric sees to precision.

    Raises:
        ValueError: `x` is malformed or `num_samples` is not positive.
    """
    check_positive(num_samples=num_samples)
    vae.check_batch(x)
    shape = (num_samples, len(x), vae.latent_dim)
    kind = {"dtype": x.dtype, "device": x.device, "generator": generator}
    noise = torch.randn(shape, **kind)
    posterior, likelihood = vae(x, noise=noise)
    return posterior, -likelihood.log_prob(x).mean(0), noise


def _rate(posterior: Distribution) -> Float[Tensor, " n"]:
    r"""KL(q(z | x) ‖ N(0, I)), exact."""
    if isinstance(posterior, MultivariateNormal):  # a rotated model: `beta_vae.rotate_latent`
        root, square = posterior.scale_tril, posterior.loc.square().sum(-1)
        log_det = root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return 0.5 * (square + root.square().sum((-2, -1)) - root.shape[-1]) - log_det
    return kl_terms(*loc_and_log_var(posterior)).sum(-1)


def loc_and_log_var(posterior: Distribution) -> tuple[Tensor, Tensor]:
    r"""\mu and \log \sigma^2 of a q with independent latent dimensions, shape (N, M) each.

    Raises:
        ValueError: The latent dimensions of `posterior` are not independent.
    """
    if not isinstance(posterior, Independent):
        raise ValueError(
            f"q(z | x) is a {type(posterior).__name__}; expected independent latent dimensions, "
            "because the KL of others is no sum over them: take the whole of it from elbo_terms"
        )
    normal: Normal = posterior.base_dist
    return normal.loc, 2 * normal.scale.log()


def kl_terms(
    loc: Float[Tensor, "*batch m"], log_var: Float[Tensor, "*batch m"]
) -> Float[Tensor, "*batch m"]:
    r"""KL to the standard normal of each latent dimension, in nats."""
    # expm1 keeps what is left of σ² − 1 − log σ² where σ is near 1
    return 0.5 * (loc.square() + torch.expm1(log_var) - log_var)


def _check_pair(loc: Tensor, log_var: Tensor) -> None:
    if loc.shape != log_var.shape:
        raise ValueError(
            f"loc and log_var have shapes {tuple(loc.shape)} and {tuple(log_var.shape)}; expected "
            "the same shape (*B, M)"
        )
