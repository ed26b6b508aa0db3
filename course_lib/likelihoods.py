r"""What a decoder can say about x: p(x | z) for five kinds of values.

Each function takes what a network puts out and returns a `torch.distributions` object whose event
is the D values of one example, so `log_prob` gives one number per example, in nats. Which one fits
is decided by the values that x can take:

====================  ============================  ==================
x                     likelihood                    `log_prob` is
====================  ============================  ==================
0 or 1                `bernoulli`                   a log-probability
any number in [0, 1]  `continuous_bernoulli`        a log-density
any number            `gaussian`                    a log-density
0, 1, …, 255          `categorical`                 a log-probability
0, 1/255, …, 1        `DiscretizedLogistic`         a log-probability
====================  ============================  ==================

Values outside that set are not refused, because one wrong choice is so common that the course
measures it: a Bernoulli of grey levels has a `log_prob`, the negative cross-entropy, but it is the
logarithm of nothing that sums or integrates to 1.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import (
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    Distribution,
    Independent,
    Normal,
    constraints,
)
from torch.nn.functional import logsigmoid, softplus

from course_lib.monte_carlo.checks import check_positive

NEAR_ZERO = 0.1  # logits below which a series is more exact than the closed form


def bernoulli(logits: Float[Tensor, "*batch d"]) -> Independent:
    r"""D independent pixels that are 0 or 1.

    .. math:: \log p(x) = \sum_d x_d a_d - \log(1 + e^{a_d})

    Args:
        logits: a, the logarithm of the odds that a pixel is 1, shape (*B, D).

    Returns:
        Batch shape (*B,), event shape (D,). The mean is sigmoid(a).

    Example:
        >>> bernoulli(torch.zeros(3)).log_prob(torch.tensor([0.0, 1.0, 1.0]))  # 3 log ½
        tensor(-2.0794)
    """
    return Independent(Bernoulli(logits=logits, validate_args=False), 1, validate_args=False)


def continuous_bernoulli(logits: Float[Tensor, "*batch d"]) -> Independent:
    r"""D independent pixels that are any number in [0, 1].

    .. math:: \log p(x) = \sum_d x_d a_d - \log(1 + e^{a_d}) + \log C(a_d), \qquad
        C(a) = \frac{a}{\tanh(a / 2)}

    C is what makes the Bernoulli's formula a density on [0, 1]; it is at least 2.

    Args:
        logits: a, shape (*B, D). The mean of a pixel is not sigmoid(a), but closer to one half.

    Returns:
        Batch shape (*B,), event shape (D,).

    Reference:
        Loaiza-Ganem and Cunningham (2019), "The continuous Bernoulli: fixing a pervasive error in
        variational autoencoders", arXiv:1907.06845.

    Example:
        >>> continuous_bernoulli(torch.zeros(3)).log_prob(torch.tensor([0.1, 0.5, 0.9]))
        tensor(0.)
    """
    return Independent(_ContinuousBernoulli(logits), 1, validate_args=False)


def gaussian(
    loc: Float[Tensor, "*batch d"], log_scale: float | Float[Tensor, "..."]
) -> Independent:
    r"""D independent values with standard deviation \exp(log_scale).

    .. math:: \log p(x) = -\sum_d \Big( \frac{(x_d - \mu_d)^2}{2 \sigma_d^2} + \log \sigma_d
        + \tfrac12 \log 2\pi \Big)

    Args:
        loc: \mu, shape (*B, D).
        log_scale: \log \sigma, a number or any shape that broadcasts with `loc`.

    Returns:
        Batch shape (*B,), event shape (D,).

    Example:
        >>> gaussian(torch.zeros(2), 0.0).log_prob(torch.zeros(2))  # −log 2π
        tensor(-1.8379)
    """
    scale = math.exp(log_scale) if isinstance(log_scale, float | int) else log_scale.exp()
    return Independent(Normal(loc, scale, validate_args=False), 1, validate_args=False)


def categorical(logits: Float[Tensor, "*batch d k"]) -> Independent:
    r"""D independent pixels with K levels 0, …, K−1, each with a probability of its own.

    Args:
        logits: Shape (*B, D, K); K is 256 for images of 8 bits.

    Returns:
        Batch shape (*B,), event shape (D,); `log_prob` takes whole numbers of any type.

    Example:
        >>> levels = torch.tensor([0, 17, 255])
        >>> round(bits_per_dim(-categorical(torch.zeros(3, 256)).log_prob(levels), 3).item(), 4)
        8.0
    """
    return Independent(Categorical(logits=logits, validate_args=False), 1, validate_args=False)


class DiscretizedLogistic(Distribution):
    r"""Values on the grid 0, 1/(L−1), …, 1: a logistic density summed over the cell of each.

    .. math:: p(x) = F\Big(\frac{x + \delta/2 - \mu}{s}\Big) - F\Big(\frac{x - \delta/2 -
        \mu}{s}\Big), \qquad F = \mathrm{sigmoid}, \quad \delta = \frac1{L - 1}

    The cells of 0 and of 1 reach to infinity, so the L probabilities sum to 1. The difference is
    computed as F(b) F(−a) (1 − e^{a − b}), in which nothing cancels however far x is from \mu.

    Args:
        loc: \mu, shape (*B, D), in the unit of x: images in [0, 1].
        log_scale: \log s, a number or any shape that broadcasts with `loc`.
        num_levels: L, 256 for images of 8 bits.

    Raises:
        ValueError: There are fewer than two levels.

    Reference:
        Kingma et al. (2016), "Improved variational inference with inverse autoregressive flow",
        arXiv:1606.04934; Salimans et al. (2017), "PixelCNN++", section 2.1, arXiv:1701.05517.

    Example:
        >>> levels = torch.arange(256.0)[:, None] / 255
        >>> DiscretizedLogistic(torch.full((1,), 0.3), -3.0).log_prob(levels).logsumexp(
        ...     0
        ... ).abs() < 1e-5
        tensor(True)
    """

    arg_constraints = {"loc": constraints.real_vector, "log_scale": constraints.real}  # noqa: RUF012
    support = constraints.independent(constraints.unit_interval, 1)

    def __init__(
        self,
        loc: Float[Tensor, "*batch d"],
        log_scale: float | Float[Tensor, "..."],
        num_levels: int = 256,
    ) -> None:
        if num_levels < 2:
            raise ValueError(f"num_levels is {num_levels}; expected at least 2")
        log_scale = torch.as_tensor(log_scale, dtype=loc.dtype, device=loc.device)
        self.loc, self.log_scale = torch.broadcast_tensors(loc, log_scale)
        self.num_levels = num_levels
        super().__init__(self.loc.shape[:-1], self.loc.shape[-1:], validate_args=False)

    @property
    def scale(self) -> Float[Tensor, "*batch d"]:
        r"""s, which is no standard deviation: that of a logistic density is 1.81 times as large."""
        return self.log_scale.exp()

    def expand(self, batch_shape: tuple[int, ...], _instance: None = None) -> "DiscretizedLogistic":
        shape = (*batch_shape, *self.event_shape)
        loc, log_scale = self.loc.expand(shape), self.log_scale.expand(shape)
        return type(self)(loc, log_scale, self.num_levels)

    def log_prob(self, value: Float[Tensor, "... d"]) -> Float[Tensor, "..."]:
        r"""The log-probability of values on the grid, summed over D, in nats."""
        inverse, half = (-self.log_scale).exp(), 0.5 / (self.num_levels - 1)
        centred = value - self.loc
        upper, lower = (centred + half) * inverse, (centred - half) * inverse
        below_upper, above_lower = logsigmoid(upper), logsigmoid(-lower)
        inside = below_upper + above_lower + torch.log(-torch.expm1(-2 * half * inverse))
        first, last = value < half, value > 1 - half
        inside = torch.where(first, below_upper, torch.where(last, above_lower, inside))
        return inside.sum(-1)

    @property
    def mean(self) -> Float[Tensor, "*batch d"]:
        r"""The exact mean: the sum over levels of the probability to be above each."""
        step, scale = 1 / (self.num_levels - 1), self.scale
        total = torch.zeros_like(self.loc)
        for level in range(self.num_levels - 1):  # one at a time: 255 copies would take gigabytes
            total = total + torch.sigmoid((self.loc - (level + 0.5) * step) / scale)
        return total * step

    @torch.no_grad()
    def sample(self, sample_shape: tuple[int, ...] = ()) -> Float[Tensor, "*samples d"]:
        r"""Draw from the logistic density, then take the level whose cell it is in."""
        shape = self._extended_shape(sample_shape)
        uniform = torch.rand(shape, dtype=self.loc.dtype, device=self.loc.device)
        draws = self.loc + self.scale * uniform.logit(eps=torch.finfo(uniform.dtype).tiny)
        return (draws * (self.num_levels - 1)).round().clamp(0, self.num_levels - 1) / (
            self.num_levels - 1
        )


def bits_per_dim(nll: float | Float[Tensor, "*batch"], dim: int) -> float | Float[Tensor, "*batch"]:
    r"""Bits per dimension, −\log p(x) / (D \log 2), from a negative log-likelihood in nats.

    It means a length of a code only where p is a probability; a density can be negative here, and
    changes with the unit of x.

    Raises:
        ValueError: `dim` is not positive.

    Example:
        >>> bits_per_dim(784 * math.log(256), 784)
        8.0
    """
    check_positive(dim=dim)
    return nll / (dim * math.log(2))


class _ContinuousBernoulli(ContinuousBernoulli):
    r"""torch's, computed from the logits: from probabilities, all beyond 1 − eps look the same."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__(logits=logits, validate_args=False)

    def expand(
        self, batch_shape: tuple[int, ...], _instance: None = None
    ) -> "_ContinuousBernoulli":
        return type(self)(self.logits.expand(batch_shape))

    @property
    def mean(self) -> Tensor:
        r"""½ + ½ coth(a/2) − 1/a."""
        a, far = self.logits, _away_from_zero(self.logits)
        exact = 0.5 + 0.5 / torch.tanh(0.5 * far) - 1 / far
        return torch.where(far == a, exact, 0.5 + a / 12 - a**3 / 720)

    def log_prob(self, value: Tensor) -> Tensor:
        a, far = self.logits, _away_from_zero(self.logits)
        log_c = torch.log(far / torch.tanh(0.5 * far))
        near = math.log(2) + a.square() / 12 - 7 * a**4 / 1440
        return value * a - softplus(a) + torch.where(far == a, log_c, near)

    def icdf(self, value: Tensor) -> Tensor:
        r"""\log(1 + u (e^a − 1)) / a; where a > 0, one minus the same of −a and 1 − u."""
        a, far = self.logits, _away_from_zero(self.logits, 1e-4)
        share = torch.where(far > 0, 1 - value, value)
        inverse = torch.log1p(share * torch.expm1(-far.abs())) / -far.abs()
        inverse = torch.where(far > 0, 1 - inverse, inverse)
        return torch.where(far == a, inverse, value + 0.5 * a * value * (1 - value))


def _away_from_zero(logits: Tensor, bound: float = NEAR_ZERO) -> Tensor:
    r"""The logits, but 1 where they are so near 0 that the closed forms divide 0 by 0."""
    return torch.where(logits.abs() < bound, torch.ones_like(logits), logits)
