r"""The mixture as an `nn.Module` with unconstrained parameters, and its fit by gradient ascent."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
)

from course_lib.mixture.density import log_likelihood
from course_lib.mixture.em import FitResult
from course_lib.mixture.params import (
    MixtureParams,
    PointsArray,
    check_params,
    check_points,
    cholesky,
)


class GaussianMixture(nn.Module):
    r"""A mixture of K Gaussians whose parameters may take any real value.

    .. math:: \pi = \mathrm{softmax}(\eta), \qquad \Sigma_k = L_k L_k^\top, \qquad
        L_{kdd} = \exp(\lambda_{kd})

    Attributes:
        logits: \eta, shape (K,).
        loc: \mu, shape (K, D).
        log_scale: \lambda, the logarithm of the diagonal of L, shape (K, D).
        lower: What lies below the diagonal of L, shape (K, D, D), the other entries unused; `None`
            for a diagonal model.

    Example:
        >>> GaussianMixture(3, 2)().log_prob(torch.zeros(5, 2)).shape
        torch.Size([5])
    """

    def __init__(self, num_components: int, dim: int, *, diagonal: bool = False) -> None:
        super().__init__()
        if num_components < 1 or dim < 1:
            raise ValueError(
                f"given num_components={num_components} and dim={dim}; expected both to be at "
                "least 1"
            )
        self.logits = nn.Parameter(torch.zeros(num_components))
        self.loc = nn.Parameter(torch.randn(num_components, dim))
        self.log_scale = nn.Parameter(torch.zeros(num_components, dim))
        lower = None if diagonal else nn.Parameter(torch.zeros(num_components, dim, dim))
        self.register_parameter("lower", lower)

    @classmethod
    def from_params(cls, params: MixtureParams) -> "GaussianMixture":
        r"""The module that describes the same mixture, on its device and in its precision.

        Raises:
            ValueError: `params` has batch dimensions, a weight that is 0, or a singular covariance.
        """
        check_params(params)
        if params.batch_shape or (params.weights == 0).any():
            raise ValueError(
                f"given batch shape {tuple(params.batch_shape)} and weights "
                f"{params.weights.tolist()}; expected a single mixture with positive weights: a "
                "weight of 0 has no finite logit"
            )
        with torch.random.fork_rng(devices=[]):  # the random start is overwritten: draw nothing
            module = cls(params.num_components, params.dim, diagonal=params.is_diagonal)
        module.to(params.loc)
        with torch.no_grad():
            module.logits.copy_(params.weights.log())
            module.loc.copy_(params.loc)
            if params.is_diagonal:
                module.log_scale.copy_(0.5 * params.covariance.log())
            else:
                factor = cholesky(params.covariance)
                module.log_scale.copy_(factor.diagonal(dim1=-2, dim2=-1).log())
                module.lower.copy_(factor.tril(-1))
        return module

    @property
    def scale_tril(self) -> Float[Tensor, "k d d"]:
        r"""L, the Cholesky factors."""
        diagonal = self.log_scale.exp().diag_embed()
        return diagonal if self.lower is None else diagonal + self.lower.tril(-1)

    def params(self) -> MixtureParams:
        r"""The constrained parameters, cut off from the gradient."""
        with torch.no_grad():
            factor = self.scale_tril
            covariance = (2 * self.log_scale).exp() if self.lower is None else factor @ factor.mT
            return MixtureParams(
                weights=self.logits.softmax(0), loc=self.loc.clone(), covariance=covariance
            )

    def forward(self) -> MixtureSameFamily:
        r"""The distribution p(x); its `log_prob` takes points of shape (N, D)."""
        if self.lower is None:
            components = Independent(Normal(self.loc, self.log_scale.exp()), 1)
        else:
            components = MultivariateNormal(self.loc, scale_tril=self.scale_tril)
        return MixtureSameFamily(Categorical(logits=self.logits), components)


def fit_gradient(
    x: PointsArray,
    params: MixtureParams,
    *,
    num_steps: int = 1000,
    learning_rate: float = 0.05,
    progress: bool = False,
) -> FitResult:
    r"""Maximise the log-likelihood by Adam on all points, from a given start.

    The columns are standardised for the fit, so that one learning rate suits every unit, and the
    result is transformed back. The learning rate falls to 0 along a half cosine.

    Args:
        x: Points, shape (N, D).
        params: The start, a single mixture.
        num_steps: How many gradient steps to take.
        learning_rate: Of the first step, in standard deviations of the data.
        progress: Show a progress bar on stderr.

    Returns:
        `log_likelihoods` holds the start, then every step. `converged` says whether the last tenth
        of the steps gained less than 1e-6 nats per point.

    Raises:
        ValueError: `x` or `params` is malformed, or the likelihood diverged.
    """
    from course_lib.training import TrainSettings, cosine, train  # Fabric takes a second to import

    check_points(x)
    check_params(params, x)
    shift, scale = x.mean(0), x.std(0, correction=0)
    if (scale == 0).any():
        raise ValueError(
            f"the columns of x have standard deviations {scale.tolist()}; expected every column to "
            "vary: drop the constant ones"
        )
    model = GaussianMixture.from_params(_affine(params, -shift / scale, 1 / scale))
    settings = TrainSettings(
        num_steps=num_steps,
        learning_rate=learning_rate,
        schedule=cosine,
        accelerator=x.device.type,
        precision="64-true" if x.dtype == torch.float64 else "32-true",
        progress=progress,
    )
    losses = train(model, _negative_log_density, ((x - shift) / scale,), settings)
    fitted = _affine(model.params(), shift, scale)
    final = log_likelihood(x, fitted)
    history = -len(x) * (losses.to(x) + scale.log().sum())
    history = torch.cat([history, final[None]])
    gain = history[-1] - history[-1 - math.ceil(num_steps / 10)]
    return FitResult(
        params=fitted,
        log_likelihoods=history,
        converged=bool(gain.abs() < 1e-6 * len(x)),
        restart_log_likelihoods=final,
    )


def _negative_log_density(model: nn.Module, x: PointsArray) -> Float[Tensor, ""]:
    return -model().log_prob(x).mean()


def _affine(
    params: MixtureParams, shift: Float[Tensor, " d"], scale: Float[Tensor, " d"]
) -> MixtureParams:
    r"""The mixture of shift + scale · x when x follows `params`."""
    square = scale.square() if params.is_diagonal else scale[:, None] * scale
    return MixtureParams(
        weights=params.weights,
        loc=shift + scale * params.loc,
        covariance=square * params.covariance,
    )
