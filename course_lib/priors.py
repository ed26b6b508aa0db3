r"""Priors p(z) that are learned with the rest of a VAE.

A prior is a module that takes nothing and returns a distribution with event shape (M,):
`VAE(784, 20, prior=MixturePrior(20, 50))`. Its KL from q has no closed form, so `negative_elbo`
estimates it from the draws.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from course_lib.monte_carlo.checks import check_positive


class DiagonalMixture(MixtureSameFamily):
    r"""A mixture of Gaussians with independent coordinates, whose density is two products.

    (z - \mu)^2 / \sigma^2 is multiplied out, so that no tensor of N times K times M values is
    made. The terms can be far larger than their sum; hence float64 inside, whatever comes in.
    """

    def log_prob(self, value: Float[Tensor, "*s m"]) -> Float[Tensor, "*s"]:
        r"""log p(z) in nats, shape (...,), in the dtype of the components."""
        components = self.component_distribution.base_dist
        z, loc, scale = (part.double() for part in (value, components.loc, components.scale))
        precision = scale**-2
        squares = z**2 @ precision.mT - 2 * z @ (precision * loc).mT  # (..., K)
        constant = (precision * loc**2 + 2 * scale.log() + math.log(2 * math.pi)).sum(-1)
        log_joint = self.mixture_distribution.logits.double() - 0.5 * (squares + constant)
        return log_joint.logsumexp(-1).to(components.loc.dtype)


class MixturePrior(nn.Module):
    r"""A mixture of K Gaussians with independent coordinates.

    .. math:: p(z) = \sum_k \pi_k \prod_m \mathcal N(z_m \mid \mu_{km}, \sigma_{km}), \qquad
        \pi = \mathrm{softmax}(\eta)

    Attributes:
        logits: \eta, shape (K,).
        loc: \mu, shape (K, M).
        log_scale: \log \sigma, shape (K, M).

    Raises:
        ValueError: A size is not positive.

    Example:
        >>> MixturePrior(2, 5)().log_prob(torch.zeros(3, 2)).shape
        torch.Size([3])
    """

    def __init__(self, latent_dim: int, num_components: int) -> None:
        super().__init__()
        check_positive(latent_dim=latent_dim, num_components=num_components)
        self.logits = nn.Parameter(torch.zeros(num_components))
        self.loc = nn.Parameter(torch.randn(num_components, latent_dim))
        self.log_scale = nn.Parameter(torch.zeros(num_components, latent_dim))

    def forward(self) -> DiagonalMixture:
        r"""p(z), event shape (M,)."""
        normal = Normal(self.loc, self.log_scale.exp(), validate_args=False)
        return _mixture(self.logits, Independent(normal, 1, validate_args=False))


class VampPrior(nn.Module):
    r"""The mean of q over K learned pseudo-inputs: a mixture with the encoder's own components.

    .. math:: p(z) = \sum_k \pi_k\, q_\phi(z \mid u_k)

    The encoder belongs to the VAE, which must exist first:

    >>> from course_lib.vae import VAE
    >>> vae = VAE(784, 20)
    >>> vae.learned_prior = VampPrior(vae.posterior, 50, 784)

    Attributes:
        raw: Pseudo-inputs before a sigmoid brings them into [0, 1], shape (K, D).
        logits: Of the weights, shape (K,).

    Args:
        encoder: From points (K, D) in [0, 1] to q, batch shape (K,): a method `posterior`. (A
            module is taken too, and becomes a part of this one.)
        num_pseudo: K.
        dim: D.

    Raises:
        ValueError: A size is not positive.

    Reference:
        Tomczak and Welling (2018), "VAE with a VampPrior", equation (9), arXiv:1705.07120. Its
        weights are all 1/K; here they are learned too.
    """

    def __init__(self, encoder: Callable[[Tensor], Independent], num_pseudo: int, dim: int) -> None:
        super().__init__()
        check_positive(num_pseudo=num_pseudo, dim=dim)
        self.encoder = encoder
        self.raw = nn.Parameter(torch.randn(num_pseudo, dim))
        self.logits = nn.Parameter(torch.zeros(num_pseudo))

    def pseudo_inputs(self) -> Float[Tensor, "k d"]:
        r"""u, shape (K, D), in [0, 1]."""
        return self.raw.sigmoid()

    @torch.no_grad()
    def start_from(self, x: Float[Tensor, "k d"]) -> None:
        r"""Put the pseudo-inputs at K points, for instance training images.

        Raises:
            ValueError: `x` has another shape, or values outside [0, 1].
        """
        if x.shape != self.raw.shape or not ((x >= 0) & (x <= 1)).all():
            raise ValueError(
                f"x has shape {tuple(x.shape)}; expected {tuple(self.raw.shape)} with values in "
                "[0, 1]"
            )
        self.raw.copy_(x.logit(eps=0.02))  # at 0 or 1 itself the sigmoid would have no gradient

    def forward(self) -> DiagonalMixture:
        r"""p(z), event shape (M,)."""
        return _mixture(self.logits, self.encoder(self.pseudo_inputs()))


def _mixture(logits: Float[Tensor, " k"], components: Independent) -> DiagonalMixture:
    weights = Categorical(logits=logits, validate_args=False)
    return DiagonalMixture(weights, components, validate_args=False)
