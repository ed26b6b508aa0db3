"""Right answers to `fit_without_collapse`: a floor, a ridge, a prior, a restart of what
collapsed."""

import torch
from torch.distributions import MultivariateNormal

from ._parameters import log_joint, symmetric
from .em_step import m_step, scatter
from .fit_without_collapse import floored_em, raise_eigenvalues
from .fit_without_collapse_bank import FIT_WITHOUT_COLLAPSE


@FIT_WITHOUT_COLLAPSE.variant
def small_ridge(x, weights, loc, covariance, num_steps):
    ridge = 1e-6 * x.var(0).mean() * torch.eye(x.shape[1], dtype=x.dtype)
    for _ in range(num_steps):
        columns = [
            weights[k].log() + MultivariateNormal(loc[k], covariance[k]).log_prob(x)
            for k in range(len(weights))
        ]
        resp = torch.softmax(torch.stack(columns, 1), 1)
        counts = resp.sum(0) + 1e-10
        loc = resp.T @ x / counts[:, None]
        covariance = scatter(x, resp, loc) / counts[:, None, None] + ridge
        weights = counts / counts.sum()
    return weights, loc, covariance


@FIT_WITHOUT_COLLAPSE.variant
def weak_prior(x, weights, loc, covariance, num_steps):
    """An inverse Wishart prior worth a hundredth of a point: its mode is added to the scatter."""
    prior = 1e-4 * x.var(0).mean() * torch.eye(x.shape[1], dtype=x.dtype)
    for _ in range(num_steps):
        resp = torch.softmax(log_joint(x, weights, loc, covariance), 1)
        counts = resp.sum(0)
        loc = (resp.T @ x + 1e-8 * loc) / (counts + 1e-8)[:, None]
        covariance = (scatter(x, resp, loc) + prior) / (counts + 0.01)[:, None, None]
        weights = counts / len(x)
    return weights, loc, covariance


@FIT_WITHOUT_COLLAPSE.variant
def standardised_with_fixed_floor(x, weights, loc, covariance, num_steps):
    shift, unit = x.mean(0), x.std(0)
    z, units = (x - shift) / unit, unit[:, None] * unit
    result = floored_em(z, weights, (loc - shift) / unit, covariance / units, num_steps)
    return result[0], result[1] * unit + shift, result[2] * units


@FIT_WITHOUT_COLLAPSE.variant
def collapsed_component_made_wide_again(x, weights, loc, covariance, num_steps):
    pooled = x.T.cov(correction=0).reshape(x.shape[1], -1)
    pooled = pooled + 1e-6 * x.var(0).mean() * torch.eye(x.shape[1], dtype=x.dtype)
    least = 1e-6 * x.var(0).mean()
    for _ in range(num_steps):
        resp = torch.softmax(log_joint(x, weights, loc, covariance), 1)
        counts = resp.sum(0)
        weights, loc, covariance = (
            (counts + 1e-6) / (counts + 1e-6).sum(),
            loc.clone(),
            covariance.clone(),
        )
        for k in range(len(loc)):
            if counts[k] < 1e-3:
                loc[k], covariance[k] = x.mean(0), pooled
                continue
            loc[k] = resp[:, k] @ x / counts[k]
            centred = x - loc[k]
            covariance[k] = (resp[:, k, None] * centred).T @ centred / counts[k]
            if torch.linalg.eigvalsh(symmetric(covariance[k]))[0] < least:
                covariance[k] = pooled
    return weights, loc, covariance


@FIT_WITHOUT_COLLAPSE.variant
def stops_when_settled(x, weights, loc, covariance, num_steps):
    for _ in range(num_steps):
        before = loc
        weights, loc, covariance = floored_em(x, weights, loc, covariance, 1)
        if (loc - before).abs().max() < 1e-9 * x.std():
            break
    return [weights, loc, covariance]


@FIT_WITHOUT_COLLAPSE.variant
def uniform_share_for_every_component(x, weights, loc, covariance, num_steps):
    """Every component keeps a trace of every point, and so of the pooled covariance, and a
    floor."""
    floor = 1e-6 * x.var(0).min()
    for _ in range(num_steps):
        resp = torch.softmax(log_joint(x, weights, loc, covariance), 1)
        resp = (resp + 1e-9) / (1 + 1e-9 * len(weights))
        weights, loc, covariance = m_step(x, resp)
        covariance = raise_eigenvalues(covariance, floor)
    return weights, loc, covariance
