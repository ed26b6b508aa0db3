"""`fit_mixture_by_gradient(x, weights, loc, covariance)`: maximum likelihood without EM."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from course_lib import mixture
from course_lib.data import old_faithful

from ._parameters import Parameters, expect_mixture, log_joint, log_likelihood

SHORTFALL = 0.05  # nats, over all points

Question = tuple[Tensor, Tensor, Tensor, Tensor]


def climb(x: Tensor, weights: Tensor, loc: Tensor, covariance: Tensor) -> Parameters:
    """L-BFGS on logits, means and Cholesky factors, all in units of the data's standard
    deviations."""
    shift, unit = x.mean(0), x.std(0)
    factor = torch.linalg.cholesky(covariance) / unit[:, None]
    log_scale = factor.diagonal(dim1=1, dim2=2).log()
    start = weights.log(), (loc - shift) / unit, log_scale, factor.tril(-1)
    free = [tensor.clone().requires_grad_() for tensor in start]

    def parameters() -> Parameters:
        logits, mean, log_scale, lower = free
        root = unit[:, None] * (lower.tril(-1) + log_scale.exp().diag_embed())
        return torch.softmax(logits, 0), shift + unit * mean, root @ root.mT

    optimiser = torch.optim.LBFGS(
        free, max_iter=200, tolerance_change=1e-10, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = -log_joint(x, *parameters()).logsumexp(1).mean()
        loss.backward()
        return loss

    optimiser.step(closure)
    return tuple(tensor.detach() for tensor in parameters())


FIT_MIXTURE_BY_GRADIENT = Exercise(
    name="fit_mixture_by_gradient",
    unit="01_mixture_models",
    title="The same optimum, by gradient",
    points=4,
    difficulty=4,
    minutes=35,
    reference=climb,
    needs=("log_gaussian_full",),
    deterministic=False,
    follow_up=(
        "You reached the optimum of EM without a single responsibility in your code. They are in "
        "the gradient: each component is pulled by the points in proportion to them."
    ),
    hints=(
        (
            "**Principle.** The log-likelihood is one number that depends smoothly on all "
            "parameters, so any optimiser can climb it; the gradient comes from autograd. What "
            "stands in the way is that not every array is a mixture. Weights must be positive and "
            "sum to one; covariances must be symmetric and positive definite. A gradient step "
            "knows nothing of that. So do not optimise the parameters themselves: optimise free "
            "numbers, and compute the parameters from them in a way that can only give a mixture. "
            "Softmax makes weights out of any K numbers. A triangular matrix with a positive "
            "diagonal, times its transpose, is a covariance."
        ),
        (
            "**Place.** Four leaf tensors: logits (K,), means (K, D), the logarithms of the "
            "diagonal of L (K, D), and a (K, D, D) array of which only the part below the "
            "diagonal is used. Start them from the arguments: `weights.log()`, `loc`, and "
            "`torch.linalg.cholesky(covariance)`. In every step build the parameters anew, "
            "compute minus the mean log-density of the points with `logsumexp` over the "
            "components, and let the optimiser lower it. Duration and waiting time have very "
            "different units: standardise the columns first, and transform the result back, or be "
            "patient. A thousand steps of Adam with a falling learning rate, or fifty of L-BFGS "
            "(which wants contiguous leaf tensors), come within 0.05 nats."
        ),
        (
            "**Nearly the code.**\n\n"
            "```python\n"
            "def build():\n"
            "    L = torch.tril(lower, -1) + torch.diag_embed(log_diagonal.exp())\n"
            "    return torch.softmax(...), means, L\n\n"
            "optimiser = torch.optim.Adam([logits, means, log_diagonal, lower], lr=0.05)\n"
            "schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 1000)\n"
            "for _ in range(1000):\n"
            "    w, m, L = build()\n"
            "    components = torch.distributions.MultivariateNormal(m, scale_tril=L)\n"
            "    log_joint = w.log() + components.log_prob(x[:, None, :])\n"
            "    loss = ...\n"
            "    optimiser.zero_grad(); loss.backward(); optimiser.step(); schedule.step()\n"
            "```\n\n"
            "At the end return weights, means and the *covariances*, detached. If you standardised "
            "`x`, undo it: means times the unit plus the shift, and rows and columns of each "
            "covariance times the unit."
        ),
    ),
)


def geyser(rng: np.random.Generator) -> Question:
    """Old Faithful, and a start with the two clusters roughly in place."""
    x = old_faithful()
    loc = torch.tensor([[2.3, 58.0], [4.1, 76.0]], dtype=x.dtype)
    loc += torch.from_numpy(rng.uniform(-1, 1, size=(2, 2)) * [0.15, 2.0])
    covariance = torch.tensor([[[0.3, 1.5], [1.5, 60.0]], [[0.4, 1.0], [1.0, 50.0]]], dtype=x.dtype)
    return x, torch.tensor([0.55, 0.45], dtype=x.dtype), loc, covariance


def synthetic(rng: np.random.Generator) -> Question:
    """Three overlapping, tilted clusters at the corners of a triangle, and a start nearby."""
    centre = torch.tensor([[0.0, 0.0], [4.0, 0.5], [1.5, 4.0]], dtype=torch.float64)
    factor = torch.tensor(
        [[[1.0, 0.0], [0.5, 0.7]], [[0.8, 0.0], [-0.5, 0.9]], [[0.9, 0.0], [0.4, 0.8]]],
        dtype=torch.float64,
    )
    labels = torch.arange(240) % 8 % 3  # 3 : 3 : 2
    noise = torch.from_numpy(rng.normal(size=(240, 2, 1)))
    x = centre[labels] + (factor[labels] @ noise)[..., 0] + torch.from_numpy(rng.normal(size=2)) * 3
    start = torch.from_numpy(rng.uniform(-0.3, 0.3, size=(3, 2)))
    loc = torch.stack([x[labels == k].mean(0) for k in range(3)]) + start
    covariance = torch.tensor([[[1.2, 0.1], [0.1, 1.4]]], dtype=x.dtype) * torch.tensor(
        [1.0, 1.1, 0.9], dtype=x.dtype
    ).reshape(3, 1, 1)
    return x, torch.tensor([0.25, 0.3, 0.45], dtype=x.dtype), loc, covariance


def optimum(x: Tensor, weights: Tensor, loc: Tensor, covariance: Tensor) -> Parameters:
    """Where EM ends from this start."""
    start = mixture.MixtureParams(weights=weights, loc=loc, covariance=covariance)
    best = mixture.fit_em(x, start, max_steps=400, tolerance=1e-8).params
    return best.weights, best.loc, best.covariance


def _expect_optimum(candidate: Candidate, args: Question, data: str) -> None:
    x, *start = args
    value = candidate.call(*args)
    fitted = expect_mixture(value, *start[1].shape, "fit_mixture_by_gradient")
    reached, best = log_likelihood(x, *fitted), log_likelihood(x, *optimum(*args))
    expect.true(
        reached >= best - SHORTFALL,
        f"on {data} your fit reaches a log-likelihood of {reached:.3f} nats, from a start at "
        f"{log_likelihood(x, *start):.3f}; expected the optimum, {best:.3f} (up to {SHORTFALL} "
        "nats)",
    )


@FIT_MIXTURE_BY_GRADIENT.check
def reaches_the_optimum_on_old_faithful(candidate: Candidate, rng: np.random.Generator) -> None:
    """On Old Faithful, reaches the optimum that EM finds, as a proper mixture."""
    _expect_optimum(candidate, geyser(rng), "Old Faithful")  # a second or so, if Adam does it


@FIT_MIXTURE_BY_GRADIENT.check
def reaches_the_optimum_on_other_data(candidate: Candidate, rng: np.random.Generator) -> None:
    """On other data with three overlapping components, reaches the optimum too."""
    _expect_optimum(candidate, synthetic(rng), "data with three components")
