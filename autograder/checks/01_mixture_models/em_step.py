"""`em_step(x, weights, loc, covariance)`: one E step and one M step, with full covariances."""

import math

import numpy as np
import scipy.special
import scipy.stats
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._parameters import Parameters, expect_sound, log_joint, log_likelihoods, unpack


def reference(x: Tensor, weights: Tensor, loc: Tensor, covariance: Tensor) -> Parameters:
    return m_step(x, torch.softmax(log_joint(x, weights, loc, covariance), 1))


def m_step(x: Tensor, resp: Tensor) -> Parameters:
    counts = resp.sum(0)
    loc = resp.T @ x / counts[:, None]
    return counts / len(x), loc, scatter(x, resp, loc) / counts[:, None, None]


def scatter(x: Tensor, resp: Tensor, loc: Tensor) -> Tensor:
    """Sum over the points of r (x − μ)(x − μ)ᵀ, shape (K, D, D)."""
    centred = x - loc[:, None, :]  # (K, N, D)
    return (resp.T[:, :, None] * centred).mT @ centred


EM_STEP = Exercise(
    name="em_step",
    unit="01_mixture_models",
    title="One step of EM",
    points=5,
    difficulty=3,
    minutes=30,
    reference=reference,
    needs=("responsibilities", "log_gaussian_full"),
    hints=(
        (
            "**Principle.** If you knew which component made each point, you would fit every "
            "component to its own points: a fraction, an average, a covariance. You do not know "
            "it, so every point counts for every component, with the probability that the "
            "component made it. Those probabilities are the responsibilities $r_{nk}$, and they "
            "come from the *old* parameters (the E step). The M step then computes a weighted "
            "fraction, weighted averages and weighted covariances. Let $N_k = \\sum_n r_{nk}$ be "
            "the number of points that component $k$ holds. Whatever you average for component "
            "$k$ is divided by $N_k$. The two steps together can never lower the log-likelihood, "
            "and your function is tested for exactly that."
        ),
        (
            "**Place.** E step: for every point and component add `weights.log()` and the "
            "log-density of the Gaussian with that component's mean and covariance. You get an "
            "array of shape (N, K). Its softmax over the components, `dim=1`, is the array of "
            "responsibilities, and softmax does not underflow for points far away. M step: sum "
            "the responsibilities over the points, `dim=0`, to get $N_k$, shape (K,). The new "
            "weight is $N_k/N$. The new mean is $\\sum_n r_{nk} x_n / N_k$. The new covariance is "
            "$\\sum_n r_{nk} (x_n-\\mu_k)(x_n-\\mu_k)^\\top / N_k$, with the *new* mean. Test "
            "yourself: with one component the result is the mean and the covariance of the data, "
            "whatever the start."
        ),
        (
            "**Nearly the code.** Loop over the components for the densities, and for the "
            "covariances:\n\n"
            "```python\n"
            "columns = [... for k in range(len(weights))]      # each (N,): log weight + "
            "log-density\n"
            "resp = torch.softmax(torch.stack(columns, dim=1), dim=...)   # (N, K)\n"
            "counts = resp.sum(dim=...)                        # (K,)\n"
            "new_loc = resp.T @ x / ...                        # (K, D)\n"
            "for k in range(len(weights)):\n"
            "    centred = x - new_loc[k]                      # (N, D)\n"
            "    new_covariance[k] = (resp[:, k, None] * centred).T @ centred / ...\n"
            "```\n\n"
            "For the log-density you can use `torch.distributions.MultivariateNormal(loc[k], "
            "covariance[k])` or your own `log_gaussian_full` with "
            "`torch.linalg.cholesky(covariance[k])`. The two gaps in the divisions are `counts`; "
            "for the means it needs a second axis of length one."
        ),
    ),
)


def _draw(rng: np.random.Generator, count: int, num_components: int, dim: int) -> Parameters:
    """Overlapping, strongly correlated components away from the origin, and points around them.

    Every component holds at least a fifth of a point: division by less is another exercise.
    """
    while True:
        args = _draw_any(rng, count, num_components, dim)
        if torch.softmax(log_joint(*args), 1).sum(0).min() > 0.2:
            return args


def _draw_any(rng: np.random.Generator, count: int, num_components: int, dim: int) -> Parameters:
    centre = rng.normal(size=dim) * 4
    loc = centre + rng.normal(size=(num_components, dim)) * 1.5
    scale = rng.uniform(0.5, 2.0, size=(num_components, dim))
    correlation = rng.choice([-0.7, 0.7]) if dim > 1 else 0.0
    sign = np.sign(correlation) ** np.abs(np.subtract.outer(np.arange(dim), np.arange(dim)))
    matrix = np.where(np.eye(dim) > 0, 1.0, abs(correlation)) * sign
    covariance = scale[:, :, None] * scale[:, None, :] * matrix
    weights = rng.permutation(
        np.arange(1, num_components + 1) + rng.uniform(0, 0.5, num_components)
    )
    labels = np.arange(count) % num_components
    x = loc[labels] + rng.normal(size=(count, dim)) * scale[labels] * 1.5
    arrays = x, weights / weights.sum(), loc, covariance
    return tuple(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)


def _exact(x: Tensor, weights: Tensor, loc: Tensor, covariance: Tensor) -> Parameters:
    """The updates written with scipy and numpy, one component at a time."""
    x, weights, loc, covariance = (a.double().numpy() for a in (x, weights, loc, covariance))
    columns = [
        np.log(weights[k])
        + scipy.stats.multivariate_normal.logpdf(x, loc[k], covariance[k]).reshape(-1)
        for k in range(len(weights))
    ]
    resp = scipy.special.softmax(np.stack(columns, axis=1), axis=1)
    new_loc = [np.average(x, axis=0, weights=column) for column in resp.T]
    new_covariance = [
        np.einsum("n,nd,ne->de", column / column.sum(), x - mean, x - mean)
        for column, mean in zip(resp.T, new_loc, strict=True)
    ]
    arrays = resp.mean(0), np.stack(new_loc), np.stack(new_covariance)
    return tuple(map(torch.from_numpy, arrays))


def _expect_exact(candidate: Candidate, args: Parameters, where: str, rtol: float = 1e-4) -> None:
    num_components, dim = args[2].shape
    actual = unpack(candidate.call(*args), num_components, dim, "em_step")
    for name, given, right in zip(
        ("weights", "loc", "covariance"), actual, _exact(*args), strict=True
    ):
        tolerance = max(1e-5, rtol * right.abs().max().item())
        expect.close(given, right, f"{name} {where}", rtol=rtol, atol=tolerance)


@EM_STEP.check
def equals_exact_update(candidate: Candidate, rng: np.random.Generator) -> None:
    """One step gives the exact new weights, means and covariances, in one, two and three
    dimensions."""
    for count, num_components, dim in ((9, 2, 1), (20, 3, 2), (14, 2, 3)):
        args = _draw(rng, count, num_components, dim)
        _expect_exact(candidate, args, f"after a step with D = {dim}")


@EM_STEP.check
def works_when_sizes_coincide(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works with as many points as components and coordinates, with one component, and in
    float32."""
    for count, num_components, dim in ((3, 3, 3), (6, 1, 2), (4, 4, 1)):
        args = _draw(rng, count, num_components, dim)
        _expect_exact(candidate, args, f"after a step with {count} points, K = {num_components}")
    single = tuple(array.float() for array in _draw(rng, 15, 2, 2))
    _expect_exact(candidate, single, "after a step in float32", rtol=1e-3)


@EM_STEP.edge_check
def adds_nothing(candidate: Candidate, rng: np.random.Generator) -> None:
    """Adds nothing to any result: right in tiny units, and for a component that owns little.

    A constant added to a covariance or a count, or a floor under a weight, shows nowhere else.
    """
    unit = 1e-4
    x, weights, loc, covariance = _draw(rng, 12, 2, 2)
    tiny = x * unit, weights, loc * unit, covariance * unit**2
    scale = torch.tensor([1.0, unit, unit**2], dtype=x.dtype)
    actual = unpack(candidate.call(*tiny), 2, 2, "em_step")
    for name, given, right, size in zip(
        ("weights", "loc", "covariance"), actual, _exact(*tiny), scale, strict=True
    ):
        what = f"the new {name} of data in units of {unit:g}, in these units,"
        expect.close(given / size, right / size, what, rtol=1e-3, atol=1e-4)
    little = torch.tensor([1 - 1e-4, 1e-4], dtype=x.dtype)
    counts = torch.softmax(log_joint(x, little, loc, covariance), 1).sum(0)
    if counts.min() > 1e-5:  # else rounding decides
        given = unpack(candidate.call(x, little, loc, covariance), 2, 2, "em_step")
        right = _exact(x, little, loc, covariance)
        expect.close(given[0], right[0], "the new weights", rtol=1e-3, atol=1e-7)
        expect.close(given[1], right[1], "the new loc of a component with a tiny weight", rtol=1e-3)


@EM_STEP.check
def keeps_totals(candidate: Candidate, rng: np.random.Generator) -> None:
    """After a step the mixture has exactly the mean and the second moments of the data."""
    args = _draw(rng, 25, 3, 2)
    weights, loc, covariance = unpack(candidate.call(*args), 3, 2, "em_step")
    x = args[0]
    total = weights.sum().item()
    expect.true(abs(total - 1) < 1e-4, f"the new weights sum to {total:.6g}; expected 1")
    expect.close(weights @ loc, x.mean(0), "the mixture's mean, sum of weight times mean,")
    second = covariance + loc[:, :, None] * loc[:, None, :]
    mixed = torch.einsum("k,kde->de", weights, second)
    expect.close(mixed, x.T @ x / len(x), "the mixture's second moment")


@EM_STEP.edge_check
def survives_far_points(candidate: Candidate, rng: np.random.Generator) -> None:
    """Points sixty standard deviations away count fully and do no harm."""
    x, weights, loc, covariance = _draw(rng, 12, 2, 2)
    angles = torch.from_numpy(rng.uniform(0, 2 * math.pi, size=40))
    ring = loc.mean(0) + 120 * torch.stack([angles.cos(), angles.sin()], 1)
    log_odds = log_joint(ring, weights, loc, covariance).diff(dim=1)[:, 0]
    far = ring[log_odds.abs().topk(3).indices]  # no near ties: rounding must not decide
    _expect_exact(candidate, (torch.cat([x, far]), weights, loc, covariance), "with far points")


@EM_STEP.check
def never_loses_likelihood(candidate: Candidate, rng: np.random.Generator) -> None:
    """Over fifty steps the log-likelihood never falls."""
    x, *_ = _draw(rng, 60, 2, 2)
    spread = x.T.cov(correction=0)
    apart = 0.7 * spread.diagonal().sqrt()
    loc = torch.stack([x.mean(0) - apart, x.mean(0) + apart])
    start = torch.tensor([0.4, 0.6], dtype=x.dtype), loc, spread.expand(2, 2, 2).clone()
    path = _walk(candidate, x, start, 50)
    levels = log_likelihoods(x, *path)
    falls = levels.diff() < -1e-4
    step = int(falls.int().argmax()) + 1
    expect.true(
        not falls.any(),
        f"step {step} lowers the log-likelihood from {levels[step - 1]:.5f} to {levels[step]:.5f}",
    )


def _walk(candidate: Candidate, x: Tensor, start: Parameters, num_steps: int) -> Parameters:
    """The parameters before and after each of so many steps, stacked along a new first axis."""
    path = [start]
    for _ in range(num_steps):
        path.append(unpack(candidate.call(x, *path[-1]), *start[1].shape, "em_step"))
    stacked = tuple(torch.stack(parts) for parts in zip(*path, strict=True))
    expect_sound(*stacked)
    return stacked


@EM_STEP.check
def settles_where_gradient_vanishes(candidate: Candidate, rng: np.random.Generator) -> None:
    """Where the steps settle, the gradient of the log-likelihood is zero."""
    _, weights, _, covariance = _draw(rng, 4, 2, 2)
    covariance = 0.25 * covariance  # far apart for their size, so that twelve steps suffice
    loc = torch.tensor([[0.0, 0.0], [9.0, -6.0]], dtype=torch.float64)
    labels = torch.arange(50) % 3 // 2
    noise = torch.from_numpy(rng.normal(size=(50, 2, 1)))
    x = loc[labels] + (torch.linalg.cholesky(covariance)[labels] @ noise)[..., 0]
    params = weights, loc + 0.5, covariance
    params = [part[-1] for part in _walk(candidate, x, params, 12)]
    logits, loc, covariance = (p.clone().requires_grad_() for p in (params[0].log(), *params[1:]))
    log_density = log_joint(x, torch.softmax(logits, 0), loc, covariance).logsumexp(1).mean()
    slopes = torch.autograd.grad(log_density, (logits, loc, covariance))
    for name, slope in zip(("weights", "means", "covariances"), slopes, strict=True):
        size = slope.abs().max().item()
        expect.true(
            size < 1e-3,
            f"after twelve steps the log-likelihood per point still rises along the {name} (slope "
            f"{size:.3g})",
        )
