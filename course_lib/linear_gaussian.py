r"""Probabilistic principal component analysis: a latent variable model whose every term is known.

.. math:: z \sim N(0, I_M), \qquad x \mid z \sim N(W z + b, \sigma^2 I_D)

The evidence p(x) and the posterior p(z | x) are Gaussians in closed form, so this model is the one
that estimators and bounds are measured against. Everything is in nats.

Reference: Tipping and Bishop (1999), "Probabilistic principal component analysis", Journal of the
Royal Statistical Society B 61; equation numbers below are those of that paper.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.distributions import (
    Independent,
    LowRankMultivariateNormal,
    MultivariateNormal,
    Normal,
)

from course_lib.mixture.params import check_finite, check_points, check_same_kind

LOG_TWO_PI = math.log(2 * math.pi)
PointsArray = Float[Tensor, "n d"]


class LinearGaussian(nn.Module):
    r"""Probabilistic PCA with M hidden values and D observed ones.

    The parameters start without gradients, because the model is mostly used as the known truth;
    `model.requires_grad_()` turns them on.

    Attributes:
        weight: W, shape (D, M).
        bias: b, shape (D,).
        log_scale: \log \sigma, a single number.

    Raises:
        ValueError: The shapes do not fit, a value is not finite, or `scale` is not positive.

    Example:
        >>> model = LinearGaussian(torch.ones(2, 1), torch.zeros(2), 1.0)
        >>> model.log_marginal(torch.zeros(1, 2))
        tensor([-2.3872])
    """

    def __init__(
        self,
        weight: Float[Tensor, "d m"],
        bias: Float[Tensor, " d"],
        scale: float | Float[Tensor, ""],
    ) -> None:
        super().__init__()
        if weight.ndim != 2 or weight.numel() == 0 or bias.shape != weight.shape[:1]:
            raise ValueError(
                f"weight and bias have shapes {tuple(weight.shape)} and {tuple(bias.shape)}; "
                "expected (D, M) and (D,), with at least one observed and one hidden value"
            )
        check_same_kind(weight=weight, bias=bias)
        scale = torch.as_tensor(scale, dtype=weight.dtype, device=weight.device)
        check_finite(weight=weight, bias=bias, scale=scale)
        if scale.ndim or not scale > 0:
            raise ValueError(
                f"scale is {scale.tolist()}; expected one positive number, the standard deviation "
                "of the noise in the unit of x"
            )
        self.weight = _fixed(weight)
        self.bias = _fixed(bias)
        self.log_scale = _fixed(scale.log())

    @property
    def scale(self) -> Float[Tensor, ""]:
        r"""\sigma, the standard deviation of the noise."""
        return self.log_scale.exp()

    @property
    def dim(self) -> int:
        r"""D."""
        return self.weight.shape[0]

    @property
    def latent_dim(self) -> int:
        r"""M."""
        return self.weight.shape[1]

    def prior(self) -> Independent:
        r"""p(z), event shape (M,)."""
        zeros = torch.zeros_like(self.weight[0])
        return Independent(Normal(zeros, torch.ones_like(zeros)), 1)

    def likelihood(self, z: Float[Tensor, "*batch m"]) -> Independent:
        r"""p(x | z), batch shape *B, event shape (D,)."""
        return Independent(Normal(z @ self.weight.mT + self.bias, self.scale), 1)

    def marginal(self) -> LowRankMultivariateNormal:
        r"""p(x) = N(b, W Wᵀ + \sigma^2 I), event shape (D,); equation (4) and the text below it."""
        noise_var = (2 * self.log_scale).exp().expand(self.dim)
        return LowRankMultivariateNormal(self.bias, self.weight, noise_var)

    def posterior_precision(self) -> Float[Tensor, "m m"]:
        r"""The inverse covariance of p(z | x), I + Wᵀ W / \sigma^2, the same for every x."""
        scaled = self.weight / self.scale
        return torch.eye(self.latent_dim, dtype=scaled.dtype, device=scaled.device) + (
            scaled.mT @ scaled
        )

    def posterior(self, x: PointsArray) -> MultivariateNormal:
        r"""p(z | x), batch shape (N,), event shape (M,); equation (6).

        Raises:
            ValueError: `x` is malformed.
        """
        self._check(x)
        scale_tril = _tril_of_inverse(self.posterior_precision())
        scores = (x - self.bias) / self.scale @ (self.weight / self.scale)  # (N, M)
        return MultivariateNormal(scores @ scale_tril @ scale_tril.mT, scale_tril=scale_tril)

    def log_likelihood(
        self, x: PointsArray, z: Float[Tensor, "*samples n m"]
    ) -> Float[Tensor, "*samples n"]:
        r"""\log p(x_n | z_{sn}), shape (*S, N), in nats.

        Raises:
            ValueError: `x` or `z` is malformed.
        """
        self._check(x, z)
        normaliser = self.dim * (self.log_scale + 0.5 * LOG_TWO_PI)
        return -0.5 * self._squared_distance(x, z) * torch.exp(-2 * self.log_scale) - normaliser

    def log_joint(
        self, x: PointsArray, z: Float[Tensor, "*samples n m"]
    ) -> Float[Tensor, "*samples n"]:
        r"""\log p(x_n, z_{sn}) = \log p(z_{sn}) + \log p(x_n | z_{sn}), shape (*S, N), in nats.

        Raises:
            ValueError: `x` or `z` is malformed.
        """
        log_prior = -0.5 * z.square().sum(-1) - 0.5 * self.latent_dim * LOG_TWO_PI
        return log_prior + self.log_likelihood(x, z)

    def log_marginal(self, x: PointsArray) -> Float[Tensor, " n"]:
        r"""The exact evidence \log p(x_n), shape (N,), in nats; no D x D matrix is formed.

        Bayes' rule holds at every z, so at the posterior mean m too:

        .. math:: \log p(x) = \log p(x, m) - \log p(m \mid x)

        Its quadratic terms are all negative there: nothing cancels.

        Raises:
            ValueError: `x` is malformed.
        """
        posterior = self.posterior(x)
        loc = posterior.loc
        return self.log_joint(x, loc) - posterior.log_prob(loc)

    @torch.no_grad()
    def sample(
        self, num_samples: int, *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n m"]]:
        r"""Draw (x, z), shapes (num_samples, D) and (num_samples, M)."""
        kind = {"dtype": self.weight.dtype, "device": self.weight.device, "generator": generator}
        z = torch.randn(num_samples, self.latent_dim, **kind)
        noise = torch.randn(num_samples, self.dim, **kind)
        return z @ self.weight.mT + self.bias + self.scale * noise, z

    def observe(self, index: Int[Tensor, " k"] | Bool[Tensor, " d"]) -> "LinearGaussian":
        r"""The model of some of the observed values only; the others are integrated out.

        Args:
            index: Which values of x to keep: their numbers, or a mask of shape (D,).

        Example:
            >>> model = LinearGaussian(torch.ones(4, 1), torch.zeros(4), 1.0)
            >>> model.observe(torch.tensor([True, True, False, False])).dim
            2
        """
        return type(self)(self.weight[index], self.bias[index], self.scale)

    def _squared_distance(
        self, x: PointsArray, z: Float[Tensor, "*samples n m"]
    ) -> Float[Tensor, "*samples n"]:
        r"""‖x − b − W z‖², shape (*S, N)."""
        residual = x - self.bias
        if self.weight.requires_grad or self.dim <= self.latent_dim:
            return (residual - z @ self.weight.mT).square().sum(-1)
        # W = Q R: what lies outside of W's columns is the same for every z, so D values per draw
        # become M. (The gradient through Q would fail where W has dependent columns.)
        basis, reduced = torch.linalg.qr(self.weight)
        inside = residual @ basis  # (N, M)
        outside_sq = (residual - inside @ basis.mT).square().sum(-1)
        return outside_sq + (inside - z @ reduced.mT).square().sum(-1)

    def _check(self, x: Tensor, z: Tensor | None = None) -> None:
        check_points(x, self.dim)
        check_same_kind(x=x, weight=self.weight)
        if z is None:
            return
        if z.ndim < 2 or tuple(z.shape[-2:]) != (len(x), self.latent_dim):
            raise ValueError(
                f"z has shape {tuple(z.shape)}; expected (N, M) = ({len(x)}, {self.latent_dim}), "
                "or (S, N, M) with the draws first"
            )
        check_same_kind(z=z, weight=self.weight)


def fit_maximum_likelihood(x: PointsArray, latent_dim: int) -> LinearGaussian:
    r"""The maximum of the likelihood over W, b and \sigma, in closed form.

    .. math:: b = \bar x, \qquad \sigma^2 = \frac{1}{D - M} \sum_{d > M} \lambda_d, \qquad
        W = U_M (\Lambda_M - \sigma^2 I)^{1/2}

    with the eigenvalues \lambda_1 \ge \lambda_2 \ge … of the covariance of the data (divided by N)
    and their eigenvectors U. W is unique up to a rotation of z; here its columns are orthogonal,
    and in each the entry of largest size is positive.

    Args:
        x: Points, shape (N, D).
        latent_dim: M, at least 1 and smaller than D.

    Raises:
        ValueError: `x` is malformed, `latent_dim` is out of range, or M directions explain all of
            the data, so that \sigma would be 0 and the likelihood has no maximum.

    Reference:
        Tipping and Bishop (1999), equations (7) and (8).
    """
    check_points(x)
    num_points, dim = x.shape
    if not 1 <= latent_dim < dim:
        raise ValueError(
            f"latent_dim is {latent_dim} for points of {dim} values; expected at least 1 and at "
            f"most {dim - 1}, so that some variance is left for the noise"
        )
    bias = x.mean(0)
    _, singular, directions = torch.linalg.svd(x - bias, full_matrices=False)
    variance = singular.square() / num_points  # in falling order; those beyond N are 0
    noise_var = variance[latent_dim:].sum() / (dim - latent_dim)
    if not noise_var > torch.finfo(x.dtype).eps * variance.sum():
        raise ValueError(
            f"{latent_dim} directions explain all of the {num_points} points, so the noise would "
            "be 0 and the likelihood infinite: take a smaller latent_dim or more points"
        )
    weight = directions[:latent_dim].mT * (variance[:latent_dim] - noise_var).clamp(min=0).sqrt()
    largest = weight.gather(0, weight.abs().argmax(0, keepdim=True))
    return LinearGaussian(weight * torch.where(largest < 0, -1, 1), bias, noise_var.sqrt())


def mean_field_optimum(
    model: LinearGaussian, x: PointsArray
) -> tuple[Float[Tensor, "n m"], Float[Tensor, " m"]]:
    r"""The Gaussian with independent coordinates that is closest to the posterior.

    It minimises KL(q‖p(z | x)): its means are exact, and its variances are one over the diagonal of
    the posterior's precision, never more than the posterior's own.

    Returns:
        The means, shape (N, M), and the standard deviations, shape (M,), the same for every x.

    Reference:
        Bishop (2006), "Pattern Recognition and Machine Learning", section 10.1.2.
    """
    return model.posterior(x).loc, model.posterior_precision().diagonal().rsqrt()


def naive_log_relative_variance(model: LinearGaussian, x: PointsArray) -> Float[Tensor, " n"]:
    r"""How much one draw of naive Monte Carlo varies: the logarithm of its relative variance.

    .. math:: \log \frac{\mathrm{Var}_{p(z)}[p(x \mid z)]}{p(x)^2}
        = \log\Big( \frac{\mathbb E_{p(z)}[p(x \mid z)^2]}{p(x)^2} - 1 \Big)

    The square of a Gaussian is a Gaussian of half the variance, times (4 \pi \sigma^2)^{-D/2}, so
    the mean of the square is the evidence of a second linear-Gaussian model. With S draws the
    relative error is about \exp(…/2) / \sqrt S.

    Returns:
        Shape (N,), a pure number; -inf where one draw is exact (W = 0).
    """
    halved = LinearGaussian(model.weight, model.bias, model.scale / math.sqrt(2))
    log_factor = -0.5 * model.dim * (2 * model.log_scale + math.log(4 * math.pi))
    log_ratio = log_factor + halved.log_marginal(x) - 2 * model.log_marginal(x)
    log_ratio = log_ratio.clamp(min=0)  # E[w^2] >= E[w]^2; rounding may say otherwise
    return log_ratio + torch.log(-torch.expm1(-log_ratio))


def _fixed(value: Tensor) -> nn.Parameter:
    return nn.Parameter(value.detach().clone(), requires_grad=False)


def _tril_of_inverse(precision: Float[Tensor, "m m"]) -> Float[Tensor, "m m"]:
    r"""The lower triangular L with L Lᵀ = P⁻¹, without forming the inverse.

    With rows and columns in reverse order, a lower factor of P becomes an upper one, P = U Uᵀ; then
    L is the transposed inverse of U.
    """
    upper = torch.linalg.cholesky(precision.flip(-2, -1)).flip(-2, -1)
    identity = torch.eye(len(upper), dtype=upper.dtype, device=upper.device)
    return torch.linalg.solve_triangular(upper.mT, identity, upper=False)
