r"""The networks: dense, convolutional, and a linear one whose every term is known."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from course_lib.likelihoods import (
    DiscretizedLogistic,
    bernoulli,
    continuous_bernoulli,
    gaussian,
)
from course_lib.linear_gaussian import LinearGaussian
from course_lib.monte_carlo import draw
from course_lib.monte_carlo.checks import check_flat, check_positive

PointsArray = Float[Tensor, "n d"]
LIKELIHOODS: dict[str, Callable[[Tensor, Tensor], Distribution]] = {
    "bernoulli": lambda output, log_scale: bernoulli(output),
    "continuous_bernoulli": lambda output, log_scale: continuous_bernoulli(output),
    "gaussian": gaussian,
    "discretized_logistic": DiscretizedLogistic,
}
START_LOG_SCALE = {"gaussian": 0.0, "discretized_logistic": -2.0}


class VAEOutput(NamedTuple):
    r"""What `VAE.forward` returns.

    Attributes:
        posterior: q(z | x), batch shape (N,), event shape (M,).
        likelihood: p(x | z) at draws from it, batch shape (N,) or (S, N), event shape (D,).
    """

    posterior: Independent
    likelihood: Distribution


class VAE(nn.Module):
    r"""A latent variable model with a network g from z to p(x | z), and one from x to q(z | x).

    .. math:: z \sim p(z), \qquad x \mid z \sim p(x \mid g_\theta(z)), \qquad
        q_\phi(z \mid x) = \mathcal N(\mu_\phi(x), \sigma_\phi(x))

    Attributes:
        dim: D.
        latent_dim: M.
        encoder: From x (N, D) to the mean and the log variance of q side by side, (N, 2M).
        decoder: From z (…, M) to the D numbers that the likelihood takes: logits, or means.
        log_scale: \log of \sigma (Gaussian) or s (discretised logistic), one number for all values
            of x, learned; `None` for the other likelihoods.
        learned_prior: A module that returns p(z), or `None` for the standard normal.

    Args:
        dim: D, values in one example; images are flat, (N, D).
        latent_dim: M.
        hidden: Widths of the encoder's layers; the decoder has them in reverse order.
        likelihood: "bernoulli" (x is 0 or 1), "continuous_bernoulli" (in [0, 1]), "gaussian" (any
            number) or "discretized_logistic" (k/255): see `course_lib.likelihoods`.
        prior: A module from `course_lib.priors`; `None` is the standard normal.

    Raises:
        ValueError: A size is not positive, or there is no such likelihood.

    Reference:
        Kingma and Welling (2014), "Auto-encoding variational Bayes", section 3 and appendix C,
        arXiv:1312.6114.

    Example:
        >>> vae = VAE(784, 2)
        >>> posterior, likelihood = vae(torch.rand(5, 784))
        >>> posterior.rsample().shape, likelihood.log_prob(torch.rand(5, 784)).shape
        (torch.Size([5, 2]), torch.Size([5]))
    """

    def __init__(
        self,
        dim: int,
        latent_dim: int,
        *,
        hidden: Sequence[int] = (400,),
        likelihood: str = "bernoulli",
        prior: nn.Module | None = None,
    ) -> None:
        super().__init__()
        check_positive(dim=dim, latent_dim=latent_dim, **_named(hidden))
        if likelihood not in LIKELIHOODS:
            raise ValueError(
                f"likelihood is {likelihood!r}; expected one of {', '.join(LIKELIHOODS)}"
            )
        self.dim, self.latent_dim = dim, latent_dim
        self.encoder = dense(dim, *hidden, 2 * latent_dim)  # one head for both parameters of q
        self.decoder = dense(latent_dim, *reversed(hidden), dim)
        self._likelihood = LIKELIHOODS[likelihood]
        start = START_LOG_SCALE.get(likelihood)
        log_scale = None if start is None else nn.Parameter(torch.tensor(start))
        self.register_parameter("log_scale", log_scale)
        self.learned_prior = prior

    def prior(self) -> Distribution:
        r"""p(z), batch shape (), event shape (M,)."""
        if self.learned_prior is not None:
            return self.learned_prior()
        zeros = next(self.decoder.parameters()).new_zeros(self.latent_dim)
        return Independent(Normal(zeros, torch.ones_like(zeros), validate_args=False), 1)

    def posterior(self, x: PointsArray) -> Independent:
        r"""q(z | x), batch shape (N,), event shape (M,).

        Raises:
            ValueError: `x` is not of shape (N, D) or not floating point.
        """
        self.check_batch(x)
        loc, log_var = self.encoder(x).to(x.dtype).chunk(2, -1)
        scale = (0.5 * log_var).exp()
        return Independent(Normal(loc, scale, validate_args=False), 1, validate_args=False)

    def likelihood(self, z: Float[Tensor, "*batch m"]) -> Distribution:
        r"""p(x | z), batch shape (*B,), event shape (D,)."""
        output = self.decoder(z).to(z.dtype)  # no smaller type outlives the network
        return self._likelihood(output, self.log_scale)

    def forward(
        self,
        x: PointsArray,
        *,
        noise: Float[Tensor, "s n m"] | None = None,
        generator: torch.Generator | None = None,
    ) -> VAEOutput:
        r"""q(z | x), and p(x | z) at draws z = \mu + \sigma \odot \varepsilon from it.

        Args:
            x: Points, shape (N, D).
            noise: \varepsilon, shape (S, N, M), for S draws of each point; `None` draws one each.
            generator: Of the draws where `noise` is `None`, on the device of `x`.

        Raises:
            ValueError: `x` is not of shape (N, D) or not floating point.
        """
        posterior = self.posterior(x)
        loc, scale = posterior.base_dist.loc, posterior.base_dist.scale
        if noise is None:
            kind = {"dtype": x.dtype, "device": x.device, "generator": generator}
            noise = torch.randn(loc.shape, **kind)
        return VAEOutput(posterior, self.likelihood(loc + scale * noise))

    def log_joint(self, x: PointsArray, z: Float[Tensor, "s n m"]) -> Float[Tensor, "s n"]:
        r"""\log p(x_n, z_{sn}) = \log p(z_{sn}) + \log p(x_n | z_{sn}), shape (S, N), in nats.

        Raises:
            ValueError: `x` is malformed, or `z` does not fit it.
        """
        self.check_batch(x)
        if z.ndim < 2 or tuple(z.shape[-2:]) != (len(x), self.latent_dim):
            raise ValueError(
                f"z has shape {tuple(z.shape)}; expected (S, N, M) with N = {len(x)} and "
                f"M = {self.latent_dim}, the draws first"
            )
        return self.prior().log_prob(z) + self.likelihood(z).log_prob(x)

    def encode(self, x: PointsArray) -> Float[Tensor, "n m"]:
        r"""The posterior mean, shape (N, M)."""
        return self.posterior(x).mean

    def decode(self, z: Float[Tensor, "*batch m"]) -> Float[Tensor, "*batch d"]:
        r"""The mean of p(x | z), shape (*B, D)."""
        return self.likelihood(z).mean

    @torch.no_grad()
    def sample(
        self, num_samples: int, *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "s d"], Float[Tensor, "s m"]]:
        r"""Draw z from the prior; returns the mean of p(x | z), and z.

        For draws of x itself: `vae.likelihood(z).sample()`.

        Raises:
            ValueError: `num_samples` is not positive.
        """
        check_positive(num_samples=num_samples)
        z = draw(self.prior(), (num_samples,), generator=generator)
        return self.decode(z), z

    def check_batch(self, x: Tensor) -> None:
        r"""Refuse points of a wrong shape or type."""
        check_flat(x, self.dim)


class ConvVAE(VAE):
    r"""A VAE of images with two convolutions of stride 2 each way; x stays flat, (N, C·size²).

    Args:
        latent_dim: M.
        size: Height and width of an image, a multiple of 4.
        num_channels: C.
        width: Channels of the first convolution; the second has twice as many.
        likelihood: As in `VAE`.
        prior: As in `VAE`.

    Raises:
        ValueError: `size` is not a multiple of 4, or as in `VAE`.

    Example:
        >>> vae = ConvVAE(16, size=32, num_channels=3)
        >>> vae.dim, vae.decode(torch.zeros(5, 16)).shape
        (3072, torch.Size([5, 3072]))
    """

    def __init__(
        self,
        latent_dim: int,
        *,
        size: int = 28,
        num_channels: int = 1,
        width: int = 32,
        likelihood: str = "bernoulli",
        prior: nn.Module | None = None,
    ) -> None:
        check_positive(size=size, num_channels=num_channels, width=width)
        if size % 4:
            raise ValueError(f"size is {size}; expected a multiple of 4: pad or crop the images")
        dim, side = num_channels * size**2, size // 4
        super().__init__(dim, latent_dim, hidden=(), likelihood=likelihood, prior=prior)
        self.encoder = nn.Sequential(
            nn.Unflatten(1, (num_channels, size, size)),
            nn.Conv2d(num_channels, width, 4, stride=2, padding=1),  # (N, width, size/2, size/2)
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),  # (N, 2 width, size/4, size/4)
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(2 * width * side**2, 2 * latent_dim),
        ).to(memory_format=torch.channels_last)
        self.decoder = Batched(
            nn.Linear(latent_dim, 2 * width * side**2),
            nn.ReLU(),
            nn.Unflatten(1, (2 * width, side, side)),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(width, num_channels, 4, stride=2, padding=1),
            nn.Flatten(),
        ).to(memory_format=torch.channels_last)


class LinearVAE(VAE):
    r"""Both networks linear, one \sigma, and a variance of q that is the same for every x.

    .. math:: x \mid z \sim \mathcal N(W z + b, \sigma^2 I), \qquad
        q(z \mid x) = \mathcal N(V x + a, \mathrm{diag}(s^2))

    The model is probabilistic PCA, so its evidence is known (`to_linear_gaussian`). The posterior
    has that form where the columns of W are orthogonal, and W may be rotated so: the best ELBO is
    the best log-likelihood, and every local maximum is global.

    Args:
        dim: D.
        latent_dim: M.

    Raises:
        ValueError: A size is not positive.

    Reference:
        Lucas, Tucker, Grosse and Norouzi (2019), "Don't blame the ELBO! A linear VAE perspective
        on posterior collapse", sections 3 and 4, arXiv:1911.02469.
    """

    def __init__(self, dim: int, latent_dim: int) -> None:
        super().__init__(dim, latent_dim, hidden=(), likelihood="gaussian")
        self.encoder = _LinearEncoder(dim, latent_dim)

    def to_linear_gaussian(self) -> LinearGaussian:
        r"""The same p(z) and p(x | z), with evidence and posterior in closed form; a copy."""
        (layer,) = self.decoder
        return LinearGaussian(layer.weight, layer.bias, self.log_scale.exp())


class _LinearEncoder(nn.Module):
    r"""V x + a, and next to it a log variance that does not look at x."""

    def __init__(self, dim: int, latent_dim: int) -> None:
        super().__init__()
        self.loc = nn.Linear(dim, latent_dim)
        self.log_var = nn.Parameter(torch.zeros(latent_dim))

    def forward(self, x: PointsArray) -> Float[Tensor, "n k"]:
        loc = self.loc(x)
        return torch.cat([loc, self.log_var.expand_as(loc)], -1)


class Batched(nn.Sequential):
    r"""Layers that take (N, M), for input of shape (*B, M)."""

    def forward(self, z: Float[Tensor, "*batch m"]) -> Float[Tensor, "*batch d"]:
        return super().forward(z.reshape(-1, z.shape[-1])).unflatten(0, z.shape[:-1])


def dense(*widths: int) -> nn.Sequential:
    r"""Linear layers of these widths with ReLU between them."""
    layers: list[nn.Module] = []
    for wide_in, wide_out in pairwise(widths):
        layers += [nn.Linear(wide_in, wide_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _named(hidden: Sequence[int]) -> dict[str, int]:
    return {f"hidden[{i}]": width for i, width in enumerate(hidden)}
