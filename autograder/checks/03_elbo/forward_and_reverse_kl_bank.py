"""Wrong and right answers to `forward_and_reverse_kl`."""

import math

import torch

from ._grids import divergence, normalise
from .forward_and_reverse_kl import FORWARD_AND_REVERSE_KL, both


def tables(log_p, log_q):
    """Normalised log shares of p and of q."""
    return normalise(log_p), normalise(log_q)


def step_of(grid):
    return (grid[-1] - grid[0]) / (len(grid) - 1)


@FORWARD_AND_REVERSE_KL.misconception(
    "You returned (reverse, forward). KL(p‖q), with the mean under p, comes first."
)
def swapped(grid, log_p, log_q):
    return both(grid, log_p, log_q)[::-1]


@FORWARD_AND_REVERSE_KL.misconception(
    "Both your numbers are KL(p‖q). The reverse one takes its mean under q."
)
def forward_twice(grid, log_p, log_q):
    return divergence(log_p, log_q), divergence(log_p, log_q)


@FORWARD_AND_REVERSE_KL.misconception(
    "Both your numbers are KL(q‖p). The forward one takes its mean under p."
)
def reverse_twice(grid, log_p, log_q):
    return divergence(log_q, log_p), divergence(log_q, log_p)


@FORWARD_AND_REVERSE_KL.misconception(
    "You believe that the divergence is symmetric and averaged both directions. They are two "
    "different numbers."
)
def symmetrised(grid, log_p, log_q):
    mean = (divergence(log_p, log_q) + divergence(log_q, log_p)) / 2
    return mean, mean


@FORWARD_AND_REVERSE_KL.misconception(
    "You took the log densities as they are. They are given up to a constant: normalise both."
)
def not_normalised(grid, log_p, log_q):
    step = step_of(grid)
    forward = (log_p.exp() * (log_p - log_q)).sum() * step
    return forward, (log_q.exp() * (log_q - log_p)).sum() * step


@FORWARD_AND_REVERSE_KL.misconception(
    "You normalised the weights and not the logarithms inside the brackets. The constants stay in "
    "the divergence."
)
def only_weights_normalised(grid, log_p, log_q):
    forward = (log_p.softmax(0) * (log_p - log_q)).sum()
    return forward, (log_q.softmax(0) * (log_q - log_p)).sum()


@FORWARD_AND_REVERSE_KL.misconception(
    "You normalised p and not q. Both are given up to a constant."
)
def only_p_normalised(grid, log_p, log_q):
    log_p = normalise(log_p) - step_of(grid).log()
    step = step_of(grid)
    forward = (log_p.exp() * (log_p - log_q)).sum() * step
    return forward, (log_q.exp() * (log_q - log_p)).sum() * step


@FORWARD_AND_REVERSE_KL.misconception(
    "You normalised q and not p. Both are given up to a constant."
)
def only_q_normalised(grid, log_p, log_q):
    return only_p_normalised(grid, log_q, log_p)[::-1]


@FORWARD_AND_REVERSE_KL.misconception(
    "Weights and logarithms do not belong together: under p the bracket is log p − log q, under q "
    "it is log q − log p. Yours are negative divergences in the other order."
)
def weights_crossed(grid, log_p, log_q):
    log_p, log_q = tables(log_p, log_q)
    forward = (log_q.exp() * (log_p - log_q)).sum()
    return forward, (log_p.exp() * (log_q - log_p)).sum()


@FORWARD_AND_REVERSE_KL.misconception(
    "Both numbers have the wrong sign. A divergence is never negative: log p − log q under p."
)
def negative(grid, log_p, log_q):
    return tuple(-value for value in both(grid, log_p, log_q))


@FORWARD_AND_REVERSE_KL.misconception(
    "You took the absolute difference of the logarithms at each point. The points where it is "
    "negative count as negative."
)
def absolute_differences(grid, log_p, log_q):
    log_p, log_q = tables(log_p, log_q)
    difference = (log_p - log_q).abs()
    return (log_p.exp() * difference).sum(), (log_q.exp() * difference).sum()


@FORWARD_AND_REVERSE_KL.misconception(
    "You averaged over the grid with equal weights. The weights are the density under which the "
    "mean is taken."
)
def equal_weights(grid, log_p, log_q):
    log_p, log_q = tables(log_p, log_q)
    return (log_p - log_q).mean(), (log_q - log_p).mean()


@FORWARD_AND_REVERSE_KL.misconception(
    "You divide the weighted sum by the number of grid points once more. The weights sum to one "
    "already."
)
def mean_of_weighted(grid, log_p, log_q):
    return tuple(value / len(grid) for value in both(grid, log_p, log_q))


@FORWARD_AND_REVERSE_KL.misconception(
    "The step of the grid counts once too often: shares that sum to one need no further factor."
)
def step_twice(grid, log_p, log_q):
    return tuple(value * step_of(grid) for value in both(grid, log_p, log_q))


@FORWARD_AND_REVERSE_KL.misconception(
    "The step of the grid is missing: you normalised the densities to the integral one and then "
    "added them up without the step."
)
def step_missing(grid, log_p, log_q):
    return tuple(value / step_of(grid) for value in both(grid, log_p, log_q))


@FORWARD_AND_REVERSE_KL.misconception(
    "Those are cross-entropies, −E_p[log q] and −E_q[log p]. Subtract the entropy."
)
def cross_entropies(grid, log_p, log_q):
    log_p, log_q = tables(log_p, log_q)
    return -(log_p.exp() * log_q).sum(), -(log_q.exp() * log_p).sum()


@FORWARD_AND_REVERSE_KL.misconception(
    "You divided the densities and did not take the logarithm of the ratio."
)
def ratio_without_logarithm(grid, log_p, log_q):
    log_p, log_q = tables(log_p, log_q)
    forward = (log_p.exp() * (log_p - log_q).exp()).sum()
    return forward, (log_q.exp() * (log_q - log_p).exp()).sum()


@FORWARD_AND_REVERSE_KL.misconception(
    "Your difference of densities is squared or absolute: that is a distance of curves, no "
    "divergence. Take the mean of log p − log q."
)
def squared_distance(grid, log_p, log_q):
    log_p, log_q = tables(log_p, log_q)
    distance = (log_p.exp() - log_q.exp()).square().sum() / step_of(grid)
    return distance, distance


@FORWARD_AND_REVERSE_KL.misconception("Your results are in bits. Use the natural logarithm.")
def in_bits(grid, log_p, log_q):
    return tuple(value / math.log(2) for value in both(grid, log_p, log_q))


@FORWARD_AND_REVERSE_KL.misconception(
    "You compare both with their mixture (Jensen–Shannon). Compare them with each other."
)
def with_the_mixture(grid, log_p, log_q):
    log_p, log_q = tables(log_p, log_q)
    middle = torch.logaddexp(log_p, log_q) - math.log(2)
    return (log_p.exp() * (log_p - middle)).sum(), (log_q.exp() * (log_q - middle)).sum()


@FORWARD_AND_REVERSE_KL.misconception(
    "You kept one value for each grid point. Add them up: two numbers."
)
def not_summed(grid, log_p, log_q):
    log_p, log_q = tables(log_p, log_q)
    return log_p.exp() * (log_p - log_q), log_q.exp() * (log_q - log_p)


@FORWARD_AND_REVERSE_KL.misconception("You returned one divergence. Return both, as a tuple.")
def one_only(grid, log_p, log_q):
    return divergence(log_p, log_q)


@FORWARD_AND_REVERSE_KL.misconception(
    "You exponentiate before you normalise. Far from zero that overflows or gives 0/0: use "
    "`log_softmax`."
)
def naive_exponentials(grid, log_p, log_q):
    p, q = log_p.exp(), log_q.exp()
    p, q = p / p.sum(), q / q.sum()
    return (p * (p.log() - q.log())).sum(), (q * (q.log() - p.log())).sum()


@FORWARD_AND_REVERSE_KL.variant
def by_trapezoids(grid, log_p, log_q):
    step = step_of(grid)
    log_p = log_p - log_p.max()
    log_q = log_q - log_q.max()
    log_p = log_p - torch.trapezoid(log_p.exp(), grid).log()
    log_q = log_q - torch.trapezoid(log_q.exp(), grid).log()
    forward = torch.trapezoid(log_p.exp() * (log_p - log_q), dx=step.item())
    return forward, torch.trapezoid(log_q.exp() * (log_q - log_p), grid)


@FORWARD_AND_REVERSE_KL.variant
def cross_entropy_minus_entropy(grid, log_p, log_q):
    log_p, log_q = tables(log_p, log_q)
    p, q = log_p.exp(), log_q.exp()
    return float(p @ log_p - p @ log_q), float(q @ log_q - q @ log_p)


@FORWARD_AND_REVERSE_KL.variant
def with_the_normalisers_apart(grid, log_p, log_q):
    difference = log_p - log_q
    offset = log_p.logsumexp(0) - log_q.logsumexp(0)
    forward = log_p.softmax(0) @ difference - offset
    return torch.stack((forward, offset - log_q.softmax(0) @ difference))


@FORWARD_AND_REVERSE_KL.variant
def by_torch(grid, log_p, log_q):
    log_p, log_q = tables(log_p, log_q)
    kl_div = torch.nn.functional.kl_div
    forward = kl_div(log_q, log_p, reduction="sum", log_target=True)
    return [forward, kl_div(log_p, log_q, reduction="sum", log_target=True)]


@FORWARD_AND_REVERSE_KL.misconception(
    "`Categorical` takes a probability that vanishes in floating point for zero, and the "
    "divergence for infinite. Stay with logarithms: `torch.log_softmax`."
)
def by_categorical(grid, log_p, log_q):
    p, q = (torch.distributions.Categorical(logits=logits) for logits in (log_p, log_q))
    kl = torch.distributions.kl_divergence
    return kl(p, q).item(), kl(q, p).item()


@FORWARD_AND_REVERSE_KL.misconception(
    "You take the logarithm of a softmax. Where a density vanishes in floating point that is the "
    "logarithm of zero: `torch.log_softmax` never leaves the logarithms."
)
def logarithm_of_softmax(grid, log_p, log_q):
    p, q = torch.softmax(log_p, 0), torch.softmax(log_q, 0)
    return (p * (p.log() - q.log())).sum(), (q * (q.log() - p.log())).sum()
