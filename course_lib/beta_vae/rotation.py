r"""The same model in other coordinates of its latent space."""

import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import MultivariateNormal

from course_lib.beta_vae.objectives import check_standard_normal
from course_lib.vae import VAE
from course_lib.vae.models import PointsArray, VAEOutput


def rotate_latent(vae: VAE, rotation: Float[Tensor, "m m"]) -> "RotatedVAE":
    r"""The same model of x, with z' = R z for its code.

    .. math:: p(x \mid z') = p(x \mid g_\theta(R^\top z')), \qquad
        q(z' \mid x) = \mathcal N(R \mu, R\, \mathrm{diag}(\sigma^2)\, R^\top)

    A standard normal prior does not notice a rotation, so nothing that data could tell differs: the
    same p(x), the same rate and distortion of each point (with the same generator even the same
    draws, turned), the same ELBO. The code differs, and with it every measure of
    disentanglement. So the likelihood of data alone cannot prefer one to the other.

    The posterior has a full covariance. An encoder that is bound to independent dimensions does
    prefer some rotations; where its standard deviations are the same in all dimensions, it has none
    to prefer.

    Args:
        vae: The model; it stays as it is, and shares no parameters with the result.
        rotation: R, orthogonal, shape (M, M). Reflections and permutations are among them.

    Raises:
        ValueError: R is not orthogonal or of another shape, or the prior is learned.

    Reference:
        Locatello et al. (2019), "Challenging common assumptions in the unsupervised learning of
        disentangled representations", theorem 1, arXiv:1811.12359.
    """
    check_standard_normal(vae)
    shape = (vae.latent_dim, vae.latent_dim)
    rounding = 1e3 * torch.finfo(rotation.dtype).eps
    if rotation.shape != shape or not torch.allclose(
        rotation @ rotation.mT, torch.eye(*shape).to(rotation), atol=rounding
    ):
        raise ValueError(
            f"rotation has shape {tuple(rotation.shape)}; expected an orthogonal matrix {shape}, "
            "whose product with its transpose is the identity: torch.linalg.qr(…)[0] gives one"
        )
    return RotatedVAE(vae, rotation)


class RotatedVAE(VAE):
    r"""What `rotate_latent` returns: a VAE whose posterior is a `MultivariateNormal`.

    Attributes:
        rotation: R, shape (M, M).
    """

    def __init__(self, vae: VAE, rotation: Float[Tensor, "m m"]) -> None:
        nn.Module.__init__(self)
        inner = copy.deepcopy(vae)
        self.dim, self.latent_dim, self.learned_prior = vae.dim, vae.latent_dim, None
        self.encoder, self._likelihood = inner.encoder, inner._likelihood
        self.register_parameter("log_scale", inner.log_scale)
        self.register_buffer("rotation", rotation.detach().clone())
        back = nn.Linear(vae.latent_dim, vae.latent_dim, bias=False).to(rotation)
        back.weight = nn.Parameter(rotation.mT.detach().clone(), requires_grad=False)
        self.decoder = nn.Sequential(back, inner.decoder)

    def posterior(self, x: PointsArray) -> MultivariateNormal:
        r"""q(z | x), batch shape (N,), event shape (M,).

        Raises:
            ValueError: `x` is not of shape (N, D) or not floating point.
        """
        loc, scale = self._before(x)
        # R diag(σ) = (Q U)ᵀ = Uᵀ Qᵀ, so Uᵀ is a triangular root, got without squaring σ
        upper = torch.linalg.qr((self.rotation * scale[:, None, :]).mT).R
        signs = upper.diagonal(dim1=-2, dim2=-1).sign()
        root = upper.mT * signs[:, None, :]
        return MultivariateNormal(loc @ self.rotation.mT, scale_tril=root, validate_args=False)

    def forward(
        self,
        x: PointsArray,
        *,
        noise: Float[Tensor, "s n m"] | None = None,
        generator: torch.Generator | None = None,
    ) -> VAEOutput:
        r"""As `VAE.forward`; the same noise gives the draws of the model before, turned by R."""
        loc, scale = self._before(x)
        if noise is None:
            kind = {"dtype": x.dtype, "device": x.device, "generator": generator}
            noise = torch.randn(loc.shape, **kind)
        z = (loc + scale * noise) @ self.rotation.mT
        return VAEOutput(self.posterior(x), self.likelihood(z))

    def _before(self, x: PointsArray) -> tuple[Float[Tensor, "n m"], Float[Tensor, "n m"]]:
        r"""Mean and standard deviations of q in the coordinates of the model before."""
        normal = VAE.posterior(self, x).base_dist
        return normal.loc, normal.scale
