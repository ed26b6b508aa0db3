"""Right answers to `fit_gaussian_vi`: other climbers, other parameters, other noise."""

import torch

from .fit_gaussian_vi import FIT_GAUSSIAN_VI, climb, whitened_noise
from .fit_gaussian_vi_bank import mode


def leaves(latent_dim, *, scale=1.0):
    loc = torch.zeros(latent_dim, dtype=torch.float64, requires_grad=True)
    log_diag = torch.full_like(loc, scale).log().detach().requires_grad_()
    below = torch.zeros(latent_dim, latent_dim, dtype=torch.float64, requires_grad=True)
    return loc, log_diag, below


def factor(log_diag, below, full):
    tril = torch.diag_embed(log_diag.exp())
    return tril + below.tril(-1) if full else tril


@FIT_GAUSSIAN_VI.variant
def adam_with_a_falling_rate(log_joint, latent_dim, full, generator):
    loc, log_diag, below = leaves(latent_dim)
    optimiser = torch.optim.Adam([loc, log_diag, below], lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 500)
    for _ in range(500):
        noise = torch.randn(16, latent_dim, generator=generator, dtype=torch.float64)
        z = loc + noise @ factor(log_diag, below, full).T
        _, slope = log_joint(z.detach())
        loss = -((z * slope).sum(-1).mean() + log_diag.sum())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return loc.detach(), factor(log_diag, below, full).detach()


@FIT_GAUSSIAN_VI.variant
def averaged_iterates(log_joint, latent_dim, full, generator):
    loc = torch.zeros(latent_dim, dtype=torch.float64)
    tril = 0.5 * torch.eye(latent_dim, dtype=torch.float64)
    total_loc, total_tril, count = torch.zeros_like(loc), torch.zeros_like(tril), 0
    for step in range(700):
        noise = torch.randn(24, latent_dim, generator=generator, dtype=torch.float64)
        _, slope = log_joint(loc + noise @ tril.T)
        pull = (slope.T @ noise / len(noise)).tril()
        if not full:
            pull = pull.diagonal().diag_embed()
        # the natural gradient of a factor: L times the lower triangle of Lᵀ ∇L, diagonal halved
        inner = (tril.T @ (pull + tril.diagonal().reciprocal().diag_embed())).tril()
        inner = inner - 0.5 * inner.diagonal().diag_embed()
        rate = 0.2 if step < 100 else 0.05
        loc = loc + rate * tril @ (tril.T @ slope.mean(0))
        tril = tril + rate * tril @ inner.clamp(-1, 1)
        if step >= 300:
            total_loc, total_tril, count = total_loc + loc, total_tril + tril, count + 1
    return total_loc / count, total_tril / count


@FIT_GAUSSIAN_VI.variant
def fixed_noise_and_line_search(log_joint, latent_dim, full, generator):
    noise = whitened_noise(latent_dim, generator)
    start, precision = mode(log_joint, latent_dim)
    loc, log_diag, below = leaves(latent_dim)
    with torch.no_grad():
        loc += start
        log_diag += -0.5 * precision.diagonal().log()
    optimiser = torch.optim.LBFGS(
        [loc, log_diag, below], max_iter=60, line_search_fn="strong_wolfe"
    )

    def loss():
        optimiser.zero_grad()
        z = loc + noise @ factor(log_diag, below, full).T
        value, slope = log_joint(z.detach())
        linear = (z * slope).sum(-1)
        # the value of log p, with the gradient of the linear stand-in
        bound = (linear + (value - linear).detach()).mean() + log_diag.sum()
        (-bound).backward()
        return -bound

    optimiser.step(loss)
    return loc.detach(), factor(log_diag, below, full).detach()


@FIT_GAUSSIAN_VI.variant
def as_a_list_in_single_precision(log_joint, latent_dim, full, generator):
    return [part.float() for part in climb(log_joint, latent_dim, full, generator)]


@FIT_GAUSSIAN_VI.variant
def mirrored_draws(log_joint, latent_dim, full, generator):
    loc, log_diag, below = leaves(latent_dim, scale=0.5)
    optimiser = torch.optim.Adam([loc, log_diag, below], lr=0.1)
    for step in range(400):
        optimiser.param_groups[0]["lr"] = 0.1 * (1 - step / 400)
        noise = torch.randn(8, latent_dim, generator=generator, dtype=torch.float64)
        noise = torch.cat((noise, -noise))
        tril = factor(log_diag, below, full).detach()
        _, slope = log_joint(loc.detach() + noise @ tril.T)
        pull = slope.T @ noise / len(noise)
        loc.grad, below.grad = -slope.mean(0), -pull.tril(-1)
        log_diag.grad = -(pull.diagonal() * tril.diagonal() + 1)
        optimiser.step()
    return loc.detach(), factor(log_diag, below, full).detach()
