r"""What says whether to believe a Monte Carlo estimate, and how many draws it will take."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.monte_carlo.checks import check_positive, relative_weights

MIN_TAIL = 5  # fewer of the largest weights say nothing about their tail


def effective_sample_size(log_weights: Float[Tensor, "..."], dim: int = 0) -> Float[Tensor, "..."]:
    r"""How many equally weighted draws the weighted ones are worth.

    .. math:: \mathrm{ESS} = \frac{(\sum_s w_s)^2}{\sum_s w_s^2}

    S for equal weights, 1 if one draw has all the weight, 0 if none has any. A large value is no
    proof: draws that never reach the posterior can have equal weights. See `pareto_k`.

    Args:
        log_weights: In nats, normalised or not; -inf for no weight.
        dim: The dimension of the draws.

    Returns:
        The shape of `log_weights` without `dim`.

    Raises:
        ValueError: There are no draws, or a log weight is NaN or +inf.

    Reference:
        Kong (1992), "A note on importance sampling using standardized weights", University of
        Chicago, Technical Report 348.

    Example:
        >>> effective_sample_size(torch.tensor([0.0, 0.0, -torch.inf]))
        tensor(2.)
    """
    weights = relative_weights(log_weights, dim)
    largest_sq = weights.square().sum(dim)  # at least 1, unless all weights are 0
    return weights.sum(dim).square() / largest_sq.clamp(min=1)


def standard_error(log_weights: Float[Tensor, "..."], dim: int = 0) -> Float[Tensor, "..."]:
    r"""The standard error of `log_mean_exp(log_weights)`, by the delta method.

    .. math:: \mathrm{se} = \frac{1}{\bar w} \sqrt{\frac{1}{S (S - 1)} \sum_s (w_s - \bar w)^2}

    It is the relative standard error of the mean weight. Where the weights have a heavy tail it is
    too small itself: look at `pareto_k` first.

    Returns:
        The shape of `log_weights` without `dim`, in nats; NaN if no draw has any weight.

    Raises:
        ValueError: There are fewer than two draws, or a log weight is NaN or +inf.
    """
    num_samples = log_weights.shape[dim] if log_weights.ndim else 0
    if num_samples < 2:
        raise ValueError(
            f"log_weights has shape {tuple(log_weights.shape)} and dim is {dim}; expected at least "
            "two draws: one says nothing about its error"
        )
    weights = relative_weights(log_weights, dim)
    weights = weights / weights.mean(dim, keepdim=True)
    return weights.std(dim) / math.sqrt(num_samples)


def log_bias(log_weights: Float[Tensor, "..."], dim: int = 0) -> Float[Tensor, "..."]:
    r"""How much too low `log_mean_exp(log_weights)` is on average, to first order in 1/S.

    .. math:: \mathbb E[\log \hat p] - \log p \approx -\frac{\mathrm{Var}[w]}{2 S \, p^2}

    Returns:
        The shape of `log_weights` without `dim`, in nats, never positive.

    Raises:
        ValueError: As for `standard_error`.
    """
    return -0.5 * standard_error(log_weights, dim).square()


def pareto_k(log_weights: Float[Tensor, "..."], dim: int = 0) -> Float[Tensor, "..."]:
    r"""The shape k of the generalised Pareto distribution that fits the largest weights.

    Weights with k above 1/2 have no variance, above 1 no mean. The estimates are good in practice
    up to about 0.7. The fit uses the largest min(S / 5, 3 \sqrt S) weights, and draws k towards 1/2
    as ten more of them would.

    Args:
        log_weights: In nats, normalised or not; -inf for no weight.
        dim: The dimension of the draws, at least 25 of them.

    Returns:
        The shape of `log_weights` without `dim`. -inf where the largest weights are equal: there is
        no tail. +inf where fewer draws have weight than the fit needs.

    Raises:
        ValueError: There are too few draws, or a log weight is NaN or +inf.

    Reference:
        Zhang and Stephens (2009), "A new and efficient estimation method for the generalized Pareto
        distribution", Technometrics 51; Vehtari, Simpson, Gelman, Yao and Gabry (2024), "Pareto
        smoothed importance sampling", JMLR 25, arXiv:1507.02646.
    """
    num_samples = log_weights.shape[dim] if log_weights.ndim else 0
    tail = math.ceil(min(num_samples / 5, 3 * math.sqrt(num_samples)))
    if tail < MIN_TAIL:
        raise ValueError(
            f"log_weights has shape {tuple(log_weights.shape)} and dim is {dim}; expected at least "
            f"{5 * MIN_TAIL - 4} draws: a tail of fewer than {MIN_TAIL} weights says nothing"
        )
    weights = relative_weights(log_weights.double(), dim).movedim(dim, -1)
    largest = weights.topk(tail + 1, -1).values.flip(-1)  # rising
    threshold = largest[..., :1]
    shape = _fit_generalised_pareto(largest[..., 1:] - threshold)
    rounding = 8 * torch.finfo(log_weights.dtype).eps
    magnitude = torch.amax(log_weights, dim).abs().clamp(min=1).double()
    no_tail = 1 - threshold[..., 0] <= rounding * magnitude
    return torch.where(no_tail, -torch.inf, shape).to(log_weights.dtype)


def _fit_generalised_pareto(excess: Float[Tensor, "*batch t"]) -> Float[Tensor, "*batch"]:
    r"""k of a sample in rising order, as a mean over a grid of candidates for b = -k / \sigma.

    Each candidate counts as the profile likelihood says, which is the method of Zhang and Stephens;
    the last line is the weak prior of Vehtari et al. (2024), appendix C. (Zhang and Stephens write
    -k for k.)
    """
    num_excess = excess.shape[-1]
    num_candidates = 30 + math.isqrt(num_excess)
    place = torch.arange(1, num_candidates + 1, dtype=excess.dtype, device=excess.device) - 0.5
    quartile = excess[..., math.floor(num_excess / 4 + 0.5) - 1, None]
    largest = excess[..., -1:]
    b = 1 / largest + (1 - (num_candidates / place).sqrt()) / (3 * quartile)  # (*B, candidates)
    k = torch.log1p(-b[..., None] * excess[..., None, :]).mean(-1)  # (*B, candidates)
    log_profile = num_excess * ((-b / k).log() - k - 1)
    best = (log_profile.softmax(-1) * b).sum(-1, keepdim=True)
    shape = torch.log1p(-best * excess).mean(-1)
    shape = (num_excess * shape + 10 * 0.5) / (num_excess + 10)
    return torch.where(quartile[..., 0] > 0, shape, torch.inf)


def samples_needed(latent_dim: int, relative_error: float, *, scale: float = 0.5) -> float:
    r"""How many draws from the prior naive Monte Carlo needs, by theory.

    For the model in which each of M observed values is one hidden value plus noise of standard
    deviation \sigma, and a point of typical length, ‖x‖² = M (1 + \sigma²),

    .. math:: S = \frac{\rho^M - 1}{\epsilon^2}, \qquad
        \log \rho = \log \frac{1 + \sigma^2}{\sigma \sqrt{2 + \sigma^2}} + \frac{1}{2 + \sigma^2}

    which is the relative variance of one draw (see
    `course_lib.linear_gaussian.naive_log_relative_variance`) divided by \epsilon². It grows
    exponentially with M.

    Args:
        latent_dim: M.
        relative_error: \epsilon, the standard deviation of \hat p(x) / p(x).
        scale: \sigma.

    Returns:
        S, not rounded; inf if it is beyond the largest number.

    Raises:
        ValueError: An argument is not positive.

    Example:
        >>> round(samples_needed(1, 0.1)), round(samples_needed(10, 0.1))
        (160, 1408168)
    """
    check_positive(latent_dim=latent_dim, relative_error=relative_error, scale=scale)
    var = scale * scale
    log_rho = math.log((1 + var) / math.sqrt(var * (2 + var))) + 1 / (2 + var)
    try:
        return math.expm1(latent_dim * log_rho) / relative_error**2
    except OverflowError:
        return math.inf
