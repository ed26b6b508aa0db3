"""Right answers to `best_gaussian_proposal`."""

import numpy as np
import scipy.optimize
import torch

from .best_gaussian_proposal import reference
from .best_gaussian_proposal_bank import BEST_GAUSSIAN_PROPOSAL


def _log_joint_on(z, x, decoder, scale):
    return -0.5 * z**2 - 0.5 * ((x - decoder(z)) / scale) ** 2


@BEST_GAUSSIAN_PROPOSAL.variant
def by_gradient(x, decoder, scale):
    z = torch.linspace(-8, 8, 1601, dtype=torch.float64)
    log_p = _log_joint_on(z, x, decoder, scale)
    p = torch.softmax(log_p, 0)
    mean = (p * z).sum()
    std = (p * (z - mean) ** 2).sum().sqrt()
    theta = torch.stack([mean, (1.2 * std).log()]).requires_grad_()
    optimiser = torch.optim.LBFGS([theta], max_iter=200, line_search_fn="strong_wolfe")

    def loss():
        optimiser.zero_grad()
        log_q = -0.5 * ((z - theta[0]) / theta[1].exp()) ** 2 - theta[1]
        value = torch.logsumexp(2 * log_p - log_q, 0)
        value.backward()
        return value

    optimiser.step(loss)
    return theta[0].item(), theta[1].exp().item()


@BEST_GAUSSIAN_PROPOSAL.variant
def by_nelder_and_mead(x, decoder, scale):
    z = np.linspace(-7, 7, 2001)
    log_p = _log_joint_on(torch.from_numpy(z), x, decoder, scale).numpy()

    def loss(theta):
        log_q = -0.5 * ((z - theta[0]) / np.exp(theta[1])) ** 2 - theta[1]
        exponent = 2 * log_p - log_q
        return exponent.max() + np.log(np.exp(exponent - exponent.max()).sum())

    found = scipy.optimize.minimize(loss, [0.0, 0.0], method="Nelder-Mead").x
    return torch.tensor([found[0]]), np.exp(found[1])


@BEST_GAUSSIAN_PROPOSAL.variant
def by_natural_parameters(x, decoder, scale):
    """Newton's method on log ∫ p² exp(A − a z + b z² / 2) dz, convex in (a, b)."""
    z = torch.linspace(-9, 9, 1801, dtype=torch.float64)
    log_p = _log_joint_on(z, x, decoder, scale)
    p = torch.softmax(log_p, 0)
    mean = (p * z).sum()
    variance = 1.4 * (p * (z - mean) ** 2).sum()
    theta = torch.stack([mean / variance, 1 / variance])

    def loss(theta):
        log_q = theta[0] * z - theta[1] * z**2 / 2 - theta[0] ** 2 / (2 * theta[1])
        return torch.logsumexp(2 * log_p - log_q - 0.5 * theta[1].log(), 0)

    for _ in range(12):
        gradient = torch.func.grad(loss)(theta)
        step = torch.linalg.solve(torch.func.hessian(loss)(theta), gradient)
        size = 1.0
        while theta[1] - size * step[1] <= 0 or loss(theta - size * step) > loss(theta):
            size /= 2
            if size < 1e-6:
                break
        theta = theta - size * step
    return theta[0] / theta[1], theta[1] ** -0.5


@BEST_GAUSSIAN_PROPOSAL.variant
def by_a_fine_grid(x, decoder, scale):
    z = torch.linspace(-6, 6, 401, dtype=torch.float64)
    log_p = _log_joint_on(z, x, decoder, scale)
    scales = torch.linspace(0.3, 1.8, 51, dtype=torch.float64)[:, None]
    found = []
    for loc in torch.linspace(-2, 2, 101, dtype=torch.float64):
        log_q = -0.5 * ((z - loc) / scales) ** 2 - scales.log()
        losses = torch.logsumexp(2 * log_p - log_q, 1)
        best = int(losses.argmin())
        found.append((losses[best].item(), loc.item(), scales[best].item()))
    return min(found)[1:]


@BEST_GAUSSIAN_PROPOSAL.variant
def as_a_list(x, decoder, scale):
    return list(reference(x, decoder, scale))
