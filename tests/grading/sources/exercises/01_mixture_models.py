# %% [markdown]
# # A small notebook of the first unit

# %% setup="imports"
import math

import torch

from autograder import check


# %% solution="log_gaussian"
def log_gaussian(x, loc, log_scale):
    """Log-density of each point."""
    ### BEGIN SOLUTION
    standardised = (x - loc) / torch.exp(log_scale)
    return (-0.5 * standardised**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(dim=-1)
    ### END SOLUTION


# %% tests="check-log_gaussian" points=2
check(log_gaussian)


# %% solution="log_mixture"
def log_mixture(x, logits, loc, log_scale):
    """Log-density of each point, for a mixture."""
    ### BEGIN SOLUTION
    components = [log_gaussian(x, *params) for params in zip(loc, log_scale, strict=True)]
    return torch.logsumexp(torch.log_softmax(logits, dim=-1) + torch.stack(components, 1), dim=-1)
    ### END SOLUTION


# %% tests="check-log_mixture" points=3
check(log_mixture)


# %% solution="bic"
def bic(log_likelihood, num_components, dim, num_points):
    """The Bayesian information criterion."""
    ### BEGIN SOLUTION
    per_component = dim + dim * (dim + 1) // 2
    num_parameters = num_components - 1 + num_components * per_component
    return -2 * log_likelihood + num_parameters * math.log(num_points)
    ### END SOLUTION


# %% tests="check-bic" points=2
check(bic)

# %% [markdown] manual="why" points=4
# ### BEGIN SOLUTION
# Because the evidence is a sum over the hidden variable.
# ### END SOLUTION
