"""Right answers to `naive_log_marginal`."""

import math

import torch

from .naive_log_marginal_bank import NAIVE_LOG_MARGINAL
from .naive_log_marginal_draws_bank import draw, finish, log_values, log_volume


@NAIVE_LOG_MARGINAL.variant
def same_draws_for_all_points(x, log_joint, low, high, num_samples, generator):
    z = draw(x[:1], low, high, num_samples, generator)
    return finish(log_joint(x, z.expand(-1, len(x), -1)), low, high)


@NAIVE_LOG_MARGINAL.variant
def draws_without_the_axis_of_points(x, log_joint, low, high, num_samples, generator):
    z = torch.rand(num_samples, len(low), generator=generator, dtype=low.dtype)
    return finish(log_joint(x, (low + (high - low) * z)[:, None]), low, high)


@NAIVE_LOG_MARGINAL.variant
def point_by_point(x, log_joint, low, high, num_samples, generator):
    parts = [
        log_joint(point[None], draw(point[None], low, high, num_samples, generator)) for point in x
    ]
    return finish(torch.cat(parts, 1), low, high)


@NAIVE_LOG_MARGINAL.variant
def in_chunks(x, log_joint, low, high, num_samples, generator):
    total = torch.full((len(x),), -torch.inf, dtype=x.dtype)
    for start in range(0, num_samples, 16):
        count = min(16, num_samples - start)
        a = log_joint(x, draw(x, low, high, count, generator))
        total = torch.logaddexp(total, a.logsumexp(0))
    return total - math.log(num_samples) + log_volume(low, high)


@NAIVE_LOG_MARGINAL.variant
def with_uniform_filled_in_place(x, log_joint, low, high, num_samples, generator):
    z = torch.empty(num_samples, len(x), len(low), dtype=x.dtype)
    for m, (start, end) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        z[..., m].uniform_(start, end, generator=generator)
    a = log_joint(x, z)
    largest = a.amax(0)
    return (a - largest).exp().mean(0).log() + largest + math.log(math.prod((high - low).tolist()))


@NAIVE_LOG_MARGINAL.variant
def as_importance_weights(x, log_joint, low, high, num_samples, generator):
    log_weights = log_values(x, log_joint, low, high, num_samples, generator)
    log_weights = log_weights + log_volume(low, high)
    return torch.logsumexp(log_weights, 0) - math.log(num_samples)


@NAIVE_LOG_MARGINAL.variant
def with_stratified_draws(x, log_joint, low, high, num_samples, generator):
    """One draw in each of S slices of every coordinate, slices shuffled: right on average too."""
    shape = num_samples, len(x), len(low)
    slices = torch.rand(shape, generator=generator, dtype=x.dtype).argsort(0)
    u = (slices + torch.rand(shape, generator=generator, dtype=x.dtype)) / num_samples
    return finish(log_joint(x, low + (high - low) * u), low, high)


@NAIVE_LOG_MARGINAL.variant
def draws_in_single_precision(x, log_joint, low, high, num_samples, generator):
    u = torch.rand(num_samples, len(x), len(low), generator=generator)
    return finish(log_joint(x, low + (high - low) * u.double()), low, high)
