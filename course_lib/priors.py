r"""Priors p(z) that are learned with the rest of a VAE.

A prior is a module that takes nothing and returns a distribution with event shape (M,):
`VAE(784, 20, prior=MixturePrior(20, 50))`. Its KL from q has no closed form, so `negative_elbo`
estimates it from the draws.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from course_lib.monte_carlo.checks import check_positive


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

    def forward(self) -> MixtureSameFamily:
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

    def forward(self) -> MixtureSameFamily:
        r"""p(z), event shape (M,)."""
        return _mixture(self.logits, self.encoder(self.pseudo_inputs()))


def _mixture(logits: Float[Tensor, " k"], components: Independent) -> MixtureSameFamily:
    weights = Categorical(logits=logits, validate_args=False)
    return MixtureSameFamily(weights, components, validate_args=False)
