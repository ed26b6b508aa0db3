"""Right answers to `rate_distortion_curve`, written in other ways."""

import torch

from .rate_distortion_curve import measure
from .rate_distortion_curve_bank import RATE_DISTORTION_CURVE

variant = RATE_DISTORTION_CURVE.variant


@variant
def in_two_loops(train, betas):
    runs = []
    for beta in betas.tolist():
        distortion, loc, log_var = train(beta)
        prior = torch.distributions.Normal(torch.zeros_like(loc), torch.ones_like(loc))
        q = torch.distributions.Normal(loc, (0.5 * log_var).exp())
        rate = torch.distributions.kl_divergence(q, prior).sum(1).mean().item()
        runs.append((rate, distortion.sum(1).mean().item()))
    chosen = [min(runs, key=lambda run: run[1] + b * run[0]) for b in sorted(betas.tolist())]
    rates, distortions = zip(*chosen, strict=True)
    return torch.tensor(rates), torch.tensor(distortions)


@variant
def trained_from_the_largest(train, betas):
    down, rates, distortions = [], [], []
    for beta in betas.sort(descending=True).values:
        distortion, loc, log_var = train(beta)
        down.append(beta)
        rates.append(0.5 * (loc**2 + log_var.exp() - 1 - log_var).sum() / len(loc))
        distortions.append(distortion.sum() / len(loc))
    down, rates, distortions = map(torch.stack, (down, rates, distortions))
    best = (distortions[None] + down[:, None] * rates[None]).min(dim=1).indices
    return rates[best].flip(0), distortions[best].flip(0)


@variant
def one_model_after_the_other(train, betas):
    betas, rates, distortions = measure(train, betas)
    best_rates, best_distortions = rates.clone(), distortions.clone()
    for rate, distortion in zip(rates, distortions, strict=True):
        better = distortion + betas * rate < best_distortions + betas * best_rates
        best_rates = torch.where(better, rate, best_rates)
        best_distortions = torch.where(better, distortion, best_distortions)
    return best_rates, best_distortions


@variant
def with_a_dictionary(train, betas):
    runs = {float(beta): train(float(beta)) for beta in betas}
    cost = {
        beta: (
            0.5 * (loc**2 + log_var.exp() - log_var - 1).sum(1).mean(),
            distortion.sum(1).mean(),
        )
        for beta, (distortion, loc, log_var) in runs.items()
    }
    order = sorted(cost)
    table = torch.tensor([[cost[j][1] + i * cost[j][0] for j in order] for i in order])
    best = [order[j] for j in table.argmin(1)]
    return [torch.stack([cost[b][i] for b in best]) for i in (0, 1)]


@variant
def by_scores(train, betas):
    betas, rates, distortions = measure(train, betas)
    best = torch.addmm(distortions[None], betas[:, None], rates[None]).argmin(-1)
    return rates[best], distortions[best]
