"""Right answers to `fit_mixture_by_gradient`."""

import scipy.optimize
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from ._parameters import Parameters, log_joint
from .fit_mixture_by_gradient import FIT_MIXTURE_BY_GRADIENT, climb, optimum


def adam(x: Tensor, weights: Tensor, loc: Tensor, covariance: Tensor, num_steps: int) -> Parameters:
    """What most students write: Adam on standardised columns, with a falling learning rate."""
    shift, unit = x.mean(0), x.std(0)
    x = (x - shift) / unit
    factor = torch.linalg.cholesky(covariance / unit[:, None] / unit)
    start = weights.log(), (loc - shift) / unit, factor.diagonal(dim1=1, dim2=2).log(), factor
    logits, means, log_diagonal, lower = free = [s.clone().requires_grad_() for s in start]
    optimiser = torch.optim.Adam(free, lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, num_steps)
    for _ in range(num_steps):
        root = lower.tril(-1) + log_diagonal.exp().diag_embed()
        loss = -log_joint(x, torch.softmax(logits, 0), means, root @ root.mT).logsumexp(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    covariance = (root @ root.mT).detach() * unit[:, None] * unit
    return torch.softmax(logits, 0).detach(), means.detach() * unit + shift, covariance


@FIT_MIXTURE_BY_GRADIENT.variant
def adam_on_standardised_columns(x, weights, loc, covariance):
    return adam(x, weights, loc, covariance, num_steps=600)


@FIT_MIXTURE_BY_GRADIENT.variant
def expectation_maximisation(x, weights, loc, covariance):
    return optimum(x, weights, loc, covariance)


@FIT_MIXTURE_BY_GRADIENT.variant
def components_in_another_order(x, weights, loc, covariance):
    return [part.flip(0) for part in climb(x, weights, loc, covariance)]


@FIT_MIXTURE_BY_GRADIENT.variant
def in_single_precision(x, weights, loc, covariance):
    return climb(x.float(), weights.float(), loc.float(), covariance.float())


@FIT_MIXTURE_BY_GRADIENT.variant
def with_scipy_and_distributions(x, weights, loc, covariance):
    """BFGS on one flat vector, softplus for the diagonal, covariances from a free square root."""
    unit = x.std(0)
    count = len(weights)
    root = torch.linalg.cholesky(covariance) / unit[:, None]
    start = torch.cat([weights.log(), (loc / unit).flatten(), root.flatten()])

    def parameters(flat: Tensor) -> Parameters:
        logits, means, root = flat.split([count, loc.numel(), covariance.numel()])
        root = unit[:, None] * root.view_as(covariance)
        return torch.softmax(logits, 0), means.view_as(loc) * unit, root @ root.mT

    def loss(flat):
        flat = torch.tensor(flat, requires_grad=True)
        weights, means, covariance = parameters(flat)
        model = MixtureSameFamily(Categorical(weights), MultivariateNormal(means, covariance))
        value = -model.log_prob(x).mean()
        return value.item(), torch.autograd.grad(value, flat)[0].numpy()

    found = scipy.optimize.minimize(loss, start.numpy(), jac=True, method="BFGS")
    return parameters(torch.from_numpy(found.x))


@FIT_MIXTURE_BY_GRADIENT.variant
def better_start_of_its_own(x, weights, loc, covariance):
    pooled = x.T.cov() / len(weights)
    return climb(x, torch.full_like(weights, 1 / len(weights)), loc, pooled.expand_as(covariance))
