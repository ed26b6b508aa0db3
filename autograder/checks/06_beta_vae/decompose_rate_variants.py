"""Right answers to `decompose_rate`, written in other ways."""

import math

import torch

from .decompose_rate import densities, tables
from .decompose_rate_bank import DECOMPOSE_RATE

variant = DECOMPOSE_RATE.variant


@variant
def by_torch_distributions(loc, log_var, noise):
    normal = torch.distributions.Normal(loc, torch.exp(0.5 * log_var))
    z = loc + normal.scale * noise
    table = normal.log_prob(z[:, :, None])
    log_n = math.log(len(loc))
    own = normal.log_prob(z).sum(-1).mean()
    joint = (table.sum(-1).logsumexp(-1) - log_n).mean()
    margins = (table.logsumexp(-2) - log_n).sum(-1).mean()
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1).mean()
    return own - joint, joint - margins, margins - prior


@variant
def in_loops(loc, log_var, noise):
    scale = torch.exp(log_var / 2)
    parts = torch.zeros(3, dtype=loc.dtype)
    for draws in noise:
        for n, e in enumerate(draws):
            z = loc[n] + scale[n] * e
            each = torch.distributions.Normal(loc, scale).log_prob(z)  # (N, M)
            joint = torch.logsumexp(each.sum(1), 0) - math.log(len(loc))
            margins = (torch.logsumexp(each, 0) - math.log(len(loc))).sum()
            prior = -0.5 * (z**2 + math.log(2 * math.pi)).sum()
            parts += torch.stack((each[n].sum() - joint, joint - margins, margins - prior))
    return tuple((parts / noise[..., 0].numel()).tolist())


@variant
def own_density_from_the_noise(loc, log_var, noise):
    z, table = tables(loc, log_var, noise)
    own = -0.5 * (noise**2 + log_var + math.log(2 * math.pi)).sum(-1)
    weights = torch.full((len(loc),), 1 / len(loc), dtype=loc.dtype).log()
    joint = torch.logsumexp(table.sum(-1) + weights, -1)
    margins = torch.logsumexp(table + weights[:, None], -2).sum(-1)
    prior = -0.5 * (z**2 + math.log(2 * math.pi)).sum(-1)
    return [(own - joint).mean(), (joint - margins).mean(), (margins - prior).mean()]


@variant
def with_the_diagonal_of_the_table(loc, log_var, noise):
    z, table = tables(loc, log_var, noise)
    own = table.sum(-1).diagonal(dim1=1, dim2=2)
    joint = torch.log_softmax(table.sum(-1), dim=-1).diagonal(dim1=1, dim2=2)
    information = joint.mean() + math.log(len(loc))
    margins = (table.logsumexp(2) - math.log(len(loc))).sum(-1).mean()
    rate = (own + 0.5 * (z**2 + math.log(2 * math.pi)).sum(-1)).mean()
    dimensions = margins + 0.5 * (z**2 + math.log(2 * math.pi)).sum(-1).mean()
    return information, rate - information - dimensions, dimensions


@variant
def by_mixtures(loc, log_var, noise):
    scale = (0.5 * log_var).exp()
    z = loc + scale * noise
    equal = torch.distributions.Categorical(torch.ones(len(loc), dtype=loc.dtype))
    whole = torch.distributions.MultivariateNormal(loc, scale_tril=scale.diag_embed())
    joint = torch.distributions.MixtureSameFamily(equal, whole).log_prob(z)
    margins = torch.zeros_like(joint)
    for m in range(loc.shape[1]):
        normal = torch.distributions.Normal(loc[:, m], scale[:, m])
        margins += torch.distributions.MixtureSameFamily(equal, normal).log_prob(z[..., m])
    own, _, _, prior = densities(loc, log_var, noise)
    return (own - joint).mean(), (joint - margins).mean(), (margins - prior).mean()
