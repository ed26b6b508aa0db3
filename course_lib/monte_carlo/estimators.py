r"""Estimates of log p(x) by naive Monte Carlo and importance sampling, and what they draw."""

import contextlib
import math
from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Independent, MultivariateNormal, Uniform

from course_lib.mixture.params import check_finite, check_points, check_same_kind
from course_lib.monte_carlo.checks import (
    check_draws,
    check_log_values,
    check_positive,
    relative_weights,
)

PointsArray = Float[Tensor, "n d"]
LogJoint = Callable[[Float[Tensor, "n d"], Float[Tensor, "s n m"]], Float[Tensor, "s n"]]

CHUNK_SIZE = 16_384  # pairs of a draw and a point handed to log_joint at once
NUMBERS_PER_BLOCK = 2**22  # random numbers drawn at once: 32 MB in float64


def log_mean_exp(a: Float[Tensor, "..."], dim: int = 0) -> Float[Tensor, "..."]:
    r"""The logarithm of a mean, from logarithms.

    .. math:: \log \frac1S \sum_s \exp a_s

    Args:
        a: Logarithms, of any size: nothing overflows. -inf stands for a zero.
        dim: The dimension to average over.

    Returns:
        The shape of `a` without `dim`, in nats.

    Raises:
        ValueError: There is nothing to average.

    Example:
        >>> log_mean_exp(torch.tensor([-1000.0, -1000.0]))
        tensor(-1000.)
    """
    check_draws("a", a, dim)
    return torch.logsumexp(a, dim) - math.log(a.shape[dim])


def naive_log_marginal(
    x: PointsArray,
    log_likelihood: LogJoint,
    prior: Distribution,
    num_samples: int,
    *,
    chunk_size: int = CHUNK_SIZE,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " n"]:
    r"""\log p(x) by averaging the likelihood over draws from the prior.

    .. math:: \log \hat p(x) = \log \frac1S \sum_s p(x \mid z_s), \qquad z_s \sim p(z)

    The mean is unbiased; its logarithm is too low on average.

    Args:
        x: Points, shape (N, D).
        log_likelihood: (x, z) to \log p(x_n | z_{sn}), shape (S, N).
        prior: p(z), event shape (M,), batch shape () or (N,).
        num_samples: S, for every point its own draws.
        chunk_size: At most this many pairs of a draw and a point reach `log_likelihood` at once. It
            changes the memory, not the draws.
        generator: Of the draws.

    Returns:
        One estimate per point, shape (N,), in nats; -inf if no draw has a likelihood above 0.

    Raises:
        ValueError: An argument is malformed, or `log_likelihood` returns a wrong shape, NaN or
            +inf.
    """
    return _stream(x, log_likelihood, prior, False, num_samples, chunk_size, generator)


def importance_log_marginal(
    x: PointsArray,
    log_joint: LogJoint,
    proposal: Distribution,
    num_samples: int,
    *,
    chunk_size: int = CHUNK_SIZE,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " n"]:
    r"""\log p(x) by importance sampling.

    .. math:: \log \hat p(x) = \log \frac1S \sum_s \frac{p(x, z_s)}{q(z_s)}, \qquad z_s \sim q(z)

    With the posterior as proposal every weight equals p(x), and one draw is exact.

    Args:
        x: Points, shape (N, D).
        log_joint: (x, z) to \log p(x_n, z_{sn}), shape (S, N).
        proposal: q, event shape (M,), batch shape (N,), or () for the same one at every point.
        num_samples: S, for every point its own draws.
        chunk_size: At most this many pairs of a draw and a point reach `log_joint` at once. It
            changes the memory, not the draws.
        generator: Of the draws.

    Returns:
        One estimate per point, shape (N,), in nats.

    Raises:
        ValueError: An argument is malformed, or `log_joint` returns a wrong shape, NaN or +inf.

    Reference:
        Owen (2013), "Monte Carlo theory, methods and examples", chapter 9.
    """
    return _stream(x, log_joint, proposal, True, num_samples, chunk_size, generator)


def uniform_log_marginal(
    x: PointsArray,
    log_joint: LogJoint,
    low: Float[Tensor, " m"],
    high: Float[Tensor, " m"],
    num_samples: int,
    *,
    chunk_size: int = CHUNK_SIZE,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " n"]:
    r"""\log p(x) by uniform draws in a box: its volume times the mean of the joint density.

    .. math:: \log \hat p(x) = \log V + \log \frac1S \sum_s p(x, z_s), \qquad
        V = \prod_m (z^{\max}_m - z^{\min}_m)

    It estimates the integral over the box: what lies outside is missed, however large S.

    Args:
        x: Points, shape (N, D).
        log_joint: (x, z) to \log p(x_n, z_{sn}), shape (S, N).
        low: The lower corner of the box, shape (M,).
        high: The upper corner, shape (M,), larger in every coordinate.
        num_samples: S, for every point its own draws.
        chunk_size: As in `importance_log_marginal`.
        generator: Of the draws.

    Returns:
        One estimate per point, shape (N,), in nats.

    Raises:
        ValueError: The box is empty or malformed, or as in `importance_log_marginal`.
    """
    check_same_kind(low=low, high=high)
    check_finite(low=low, high=high)
    if low.ndim != 1 or low.shape != high.shape or not (low < high).all():
        raise ValueError(
            f"low is {low.tolist()} and high is {high.tolist()}; expected two corners of shape "
            "(M,), the first below the second in every coordinate"
        )
    box = Independent(Uniform(low, high), 1)
    return importance_log_marginal(
        x, log_joint, box, num_samples, chunk_size=chunk_size, generator=generator
    )


def log_weights(
    x: PointsArray,
    log_joint: LogJoint,
    proposal: Distribution,
    num_samples: int,
    *,
    generator: torch.Generator | None = None,
) -> tuple[Float[Tensor, "s n m"], Float[Tensor, "s n"]]:
    r"""Draws from a proposal and the logarithms of their importance weights.

    .. math:: \log w_{sn} = \log p(x_n, z_{sn}) - \log q_n(z_{sn}), \qquad z_{sn} \sim q_n

    The draws are reparameterised where the proposal can do so, so gradients flow into it.

    Args:
        x: Points, shape (N, D).
        log_joint: (x, z) to \log p(x_n, z_{sn}), shape (S, N).
        proposal: q, event shape (M,), batch shape (N,) or ().
        num_samples: S, for every point its own draws; all are held at once.
        generator: Of the draws.

    Returns:
        z, shape (S, N, M), and the log weights, shape (S, N), in nats.

    Raises:
        ValueError: An argument is malformed, or `log_joint` returns a wrong shape, NaN or +inf.
    """
    proposal = _per_point(proposal, x)
    check_positive(num_samples=num_samples)
    with seeded(generator):
        z = _sample(proposal, num_samples)
    return z, evaluate(log_joint, x, z) - proposal.log_prob(z)


def draw(
    distribution: Distribution,
    shape: tuple[int, ...] = (),
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    r"""`distribution.sample(shape)`, from a generator.

    The generator may live on any device: it seeds these draws and nothing else.
    """
    with torch.no_grad(), seeded(generator):
        return distribution.sample(shape)


def resample(
    z: Float[Tensor, " s *batch m"],
    log_weights: Float[Tensor, " s *batch"],
    num_samples: int,
    *,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "t *batch m"]:
    r"""Draw from weighted draws with replacement, each in proportion to its weight.

    After importance sampling the result follows the posterior, as nearly as the effective sample
    size allows.

    Args:
        z: Draws, shape (S, *B, M).
        log_weights: Their log weights, shape (S, *B), in nats.
        num_samples: T, how many to draw for each entry of the batch.
        generator: Of the draws, on the device of `z`.

    Returns:
        Shape (T, *B, M).

    Raises:
        ValueError: The shapes do not fit, a log weight is NaN or +inf, or all are -inf.
    """
    check_positive(num_samples=num_samples)
    if tuple(z.shape[:-1]) != tuple(log_weights.shape):
        raise ValueError(
            f"z and log_weights have shapes {tuple(z.shape)} and {tuple(log_weights.shape)}; "
            "expected (S, *B, M) and (S, *B)"
        )
    weights = relative_weights(log_weights, 0).reshape(len(z), -1)  # (S, entries of the batch)
    if (weights.sum(0) == 0).any():
        raise ValueError("every log weight is -inf; expected a draw with some weight to take")
    index = torch.multinomial(weights.mT, num_samples, replacement=True, generator=generator).mT
    index = index.reshape(num_samples, *z.shape[1:-1], 1).expand(-1, *z.shape[1:])
    return z.gather(0, index)


@torch.no_grad()
def _stream(
    x: PointsArray,
    log_density: LogJoint,
    proposal: Distribution,
    weighted: bool,
    num_samples: int,
    chunk_size: int,
    generator: torch.Generator | None,
) -> Float[Tensor, " n"]:
    r"""log-mean-exp over draws of `log_density`, less \log q if `weighted`, piece by piece.

    The size of a block of draws does not depend on `chunk_size`, so neither do the draws.
    """
    check_positive(num_samples=num_samples, chunk_size=chunk_size)
    proposal = _per_point(proposal, x)
    block_size = max(1, NUMBERS_PER_BLOCK // max(1, len(x) * proposal.event_shape.numel()))
    largest = torch.full_like(x[:, 0], -torch.inf)
    total = torch.zeros_like(largest)  # of exp(log weight - largest)
    with seeded(generator):
        for done in range(0, num_samples, block_size):
            z = _sample(proposal, min(block_size, num_samples - done))
            log_q = proposal.log_prob(z) if weighted else None
            for rows, points in _chunks(len(z), len(x), chunk_size):
                log_w = evaluate(log_density, x[points], z[rows, points])
                log_w = log_w if log_q is None else log_w - log_q[rows, points]
                now = torch.maximum(largest[points], log_w.amax(0))
                shift = now.clamp(min=torch.finfo(x.dtype).min)  # -inf minus -inf would be NaN
                total[points] *= (largest[points] - shift).exp()
                total[points] += (log_w - shift).exp().sum(0)
                largest[points] = now
    return largest + total.log() - math.log(num_samples)


def _sample(proposal: Distribution, num_samples: int) -> Float[Tensor, "s n m"]:
    r"""Draws, reparameterised where the proposal can do so."""
    if type(proposal) is MultivariateNormal:
        # torch's own would copy every factor for every draw, which takes S N M² numbers
        loc = proposal.loc
        noise = torch.randn(*loc.shape, num_samples, dtype=loc.dtype, device=loc.device)
        return loc + (proposal.scale_tril @ noise).movedim(-1, 0)
    return (proposal.rsample if proposal.has_rsample else proposal.sample)((num_samples,))


def _chunks(num_rows: int, num_points: int, chunk_size: int) -> Iterator[tuple[slice, slice]]:
    r"""Rectangles of at most `chunk_size` pairs of a draw and a point.

    All draws of few points rather than few draws of all points: what a model computes from x alone
    is then computed once.
    """
    rows = min(num_rows, chunk_size)
    points = chunk_size // rows
    for point in range(0, num_points, points):
        for row in range(0, num_rows, rows):
            yield slice(row, row + rows), slice(point, point + points)


def evaluate(log_density: LogJoint, x: PointsArray, z: Tensor) -> Float[Tensor, "s n"]:
    values = log_density(x, z)
    expected = tuple(z.shape[:2])
    if tuple(values.shape) != expected:
        raise ValueError(
            f"the log density returned shape {tuple(values.shape)} for z of shape "
            f"{tuple(z.shape)}; expected (S, N) = {expected}, one value per draw and point: sum "
            "over the last dimension only"
        )
    check_log_values("the log density", values)
    return values


def _per_point(distribution: Distribution, x: PointsArray) -> Distribution:
    r"""The distribution with batch shape (N,), checked."""
    check_points(x)
    batch, event = tuple(distribution.batch_shape), tuple(distribution.event_shape)
    if len(event) != 1 or batch not in ((), (len(x),)):
        raise ValueError(
            f"the distribution has batch shape {batch} and event shape {event}; expected () or "
            f"(N,) = ({len(x)},) and (M,): torch.distributions.Independent(…, 1) makes the last "
            "dimension an event"
        )
    return distribution if batch else distribution.expand((len(x),))


@contextlib.contextmanager
def seeded(generator: torch.Generator | None) -> Iterator[None]:
    r"""Make torch.distributions, which takes no generator, draw from this one.

    The default generators are seeded from it, and afterwards are where they were before.
    """
    if generator is None:
        yield
        return
    seed = torch.randint(2**62, (), generator=generator, device=generator.device).item()
    on_gpu = torch.cuda.default_generators if torch.cuda.is_initialized() else ()
    defaults = [torch.default_generator, *on_gpu]
    states = [default.get_state() for default in defaults]
    try:
        for default in defaults:
            default.manual_seed(seed)
        yield
    finally:
        for default, state in zip(defaults, states, strict=True):
            default.set_state(state)
