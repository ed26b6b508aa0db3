"""`fit_without_collapse(x, weights, loc, covariance, num_steps)`: EM that stays finite on any
data."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._parameters import Parameters, expect_mixture, log_joint, log_likelihood, symmetric
from .em_step import m_step, scatter
from .fit_mixture_by_gradient import geyser

HEALTHY_STEPS, SICK_STEPS = 60, 30
NUM_HEALTHY = 272
LEAST_SHARE = (
    1e-9  # of the smallest variance of a column; a floor of 1e-6 is what the prompt proposes
)
NUM_TWINS, NUM_SCALARS, NUM_ON_LINE, NUM_WITH_STRAY = 70, 50, 40, 60  # every data set its own size

Question = tuple[Tensor, Tensor, Tensor, Tensor, int]


def floored_em(
    x: Tensor, weights: Tensor, loc: Tensor, covariance: Tensor, num_steps: int
) -> Parameters:
    """EM with eigenvalues of at least a millionth of the data's variance."""
    floor = 1e-6 * x.var(0, correction=0).mean()
    for _ in range(num_steps):
        resp = torch.softmax(log_joint(x, weights, loc, covariance), 1)
        counts = resp.sum(0)
        held = counts.clamp_min(1e-10)
        loc = torch.where(counts[:, None] > 1e-10, resp.T @ x / held[:, None], loc)
        covariance = raise_eigenvalues(scatter(x, resp, loc) / held[:, None, None], floor)
        weights = counts / len(x)
    return weights, loc, covariance


def raise_eigenvalues(covariance: Tensor, floor: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(symmetric(covariance))
    return symmetric((vectors * values.clamp_min(floor)[:, None, :]) @ vectors.mT)


FIT_WITHOUT_COLLAPSE = Exercise(
    name="fit_without_collapse",
    unit="01_mixture_models",
    title="EM that cannot collapse",
    points=4,
    difficulty=4,
    minutes=35,
    reference=floored_em,
    needs=("em_step",),
    deterministic=False,
    follow_up=(
        "A floor is a prior in disguise: it says that no component is narrower than the precision "
        "with which anyone measured."
    ),
    hints=(
        (
            "**Principle.** The likelihood of a mixture has no maximum. Let one component sit on "
            "a single point, or on copies of it, and shrink: its density there grows without "
            "bound, while the other components look after the rest. Plain EM walks into this "
            "hole, the covariance becomes singular, and the next density is NaN. The same happens "
            "when all the points of a component lie on a line. And a component that no point "
            "belongs to divides zero by zero. The remedy is to say what you know beforehand: no "
            "cluster is *that* narrow. A lower bound on the variance, far below any real cluster, "
            "changes nothing where the data are healthy and everything where they are not."
        ),
        (
            "**Place.** Run your EM step `num_steps` times, and repair the result of each. *Which "
            "variance?* In every direction, not only along the axes: points on a sloping line "
            "have a large variance in both columns. The eigenvalues of the covariance are the "
            "variances in its own directions, so raise those, or add a small multiple of the "
            "identity, which raises them all. *How small?* In proportion to the variance of the "
            "data, a millionth say: a fixed number is too much in kilometres and nothing in "
            "millimetres. *And an empty component?* Guard the division by $N_k$, keep its mean "
            "where it was, and leave the weights summing to one."
        ),
        (
            "**Nearly the code.**\n\n"
            "```python\n"
            "floor = 1e-6 * ...                          # minutes squared: a variance of the "
            "data\n"
            "identity = torch.eye(x.shape[1], dtype=x.dtype)\n"
            "for _ in range(num_steps):\n"
            "    resp = ...                              # as in em_step\n"
            "    counts = resp.sum(0)\n"
            "    held = counts.clamp_min(1e-10)          # never divide by zero\n"
            "    loc = torch.where(counts[:, None] > 1e-10, resp.T @ x / held[:, None], ...)\n"
            "    for k in range(len(loc)):\n"
            "        centred = x - loc[k]\n"
            "        spread = (resp[:, k, None] * centred).T @ centred / held[k]\n"
            "        new_covariance[k] = spread + ...\n"
            "    weights = counts / len(x)\n"
            "```\n\n"
            "The responsibilities must come from a softmax of logarithms; a weight of zero is "
            "fine there, because its logarithm is −∞ and the softmax gives zero. If you call your "
            "own `em_step`, an empty component has already become NaN: compute the step here."
        ),
    ),
)


def healthy(rng: np.random.Generator, unit: float, num_steps: int = HEALTHY_STEPS) -> Question:
    """Old Faithful, measured in another unit."""
    x, weights, loc, covariance = geyser(rng)
    return x * unit, weights, loc * unit, covariance * unit**2, num_steps


def twins(rng: np.random.Generator, unit: float) -> Question:
    """A round cluster and twelve copies of one point, with a component started on the copies."""
    x = torch.from_numpy(rng.normal(size=(NUM_TWINS, 2)))
    x[-12:] = torch.tensor([4.0, -3.0], dtype=x.dtype)
    loc = torch.tensor([[1.2, 1.2], [4.0, -3.0]], dtype=x.dtype)
    covariance = torch.tensor([1.0, 0.05], dtype=x.dtype)[:, None, None] * torch.eye(
        2, dtype=x.dtype
    )
    weights = torch.tensor([0.7, 0.3], dtype=x.dtype)
    return x * unit, weights, loc * unit, covariance * unit**2, SICK_STEPS


def scalars(rng: np.random.Generator) -> Question:
    """The same with one coordinate."""
    x = torch.from_numpy(rng.normal(size=(NUM_SCALARS, 1)))
    x[-5:] = 6.0
    loc = torch.tensor([[1.5], [6.0]], dtype=x.dtype)
    covariance = torch.tensor([[[1.0]], [[0.1]]], dtype=x.dtype)
    return x, torch.tensor([0.6, 0.4], dtype=x.dtype), loc, covariance, SICK_STEPS


def line(rng: np.random.Generator) -> Question:
    """Two clusters of points that all lie on one sloping line."""
    place = np.concatenate(
        [rng.normal(-4, 1, NUM_ON_LINE // 2), rng.normal(4, 1, NUM_ON_LINE // 2)]
    )
    x = torch.from_numpy(np.stack([place, 0.5 * place + 1.0], 1))
    loc = torch.tensor([[-3.0, 0.0], [3.0, 2.0]], dtype=x.dtype)
    covariance = 2.0 * torch.eye(2, dtype=x.dtype).expand(2, 2, 2).clone()
    return x, torch.tensor([0.6, 0.4], dtype=x.dtype), loc, covariance, SICK_STEPS


def stray(rng: np.random.Generator) -> Question:
    """Two clusters, and a third component far from every point."""
    x = torch.from_numpy(rng.normal(size=(NUM_WITH_STRAY, 2)))
    x[::3] += torch.tensor([8.0, 5.0], dtype=x.dtype)
    loc = torch.tensor([[1.0, 1.0], [5000.0, -4000.0], [7.0, 4.0]], dtype=x.dtype)
    covariance = torch.eye(2, dtype=x.dtype).expand(3, 2, 2).clone()
    return x, torch.tensor([0.4, 0.3, 0.3], dtype=x.dtype), loc, covariance, SICK_STEPS


def least_eigenvalue(x: Tensor) -> float:
    return LEAST_SHARE * x.var(0).min().item()


def plain_em(args: Question) -> Parameters:
    """Unprotected EM, for healthy data; stops when settled, for the diagnosis runs it often."""
    x, *params, num_steps = args
    for _ in range(num_steps):
        before = params[2]
        params = m_step(x, torch.softmax(log_joint(x, *params), 1))
        if torch.allclose(params[2], before, rtol=1e-9, atol=0):
            break
    return tuple(params)


def near_em(fitted: Parameters, right: Parameters) -> bool:
    """Whether every parameter is within one per cent, a covariance in units of its variances."""
    return all(
        ((now - exact).abs() <= 0.01 * limit).all()
        for now, exact, limit in zip(fitted, right, sizes(right), strict=True)
    )


def sizes(params: Parameters) -> Parameters:
    """What one per cent of a parameter means: of a covariance, of the product of its two std."""
    std = params[2].diagonal(dim1=1, dim2=2).sqrt()
    return params[0], params[1].abs(), std[:, :, None] * std[:, None, :]


def _expect_near_em(value: Any, args: Question, where: str) -> None:
    x, right = args[0], plain_em(args)
    fitted = expect_mixture(value, *right[1].shape, "fit_without_collapse")
    names = "weights", "means", "covariances"
    off = [
        f"{name} by up to {((now - exact).abs() / limit).max().item():.2%}"
        for name, now, exact, limit in zip(names, fitted, right, sizes(right), strict=True)
    ]
    expect.true(
        near_em(fitted, right),
        f"{where}, your fit differs from plain EM by more than one per cent ({', '.join(off)}); "
        "a remedy may change next to nothing where nothing collapses (one per cent of a weight, of "
        "a mean, and of a covariance entry beside the two standard deviations)",
    )
    reached, best = log_likelihood(x, *fitted), log_likelihood(x, *right)
    expect.true(
        reached > best - 0.5,
        f"{where}, your fit reaches {reached:.3f} nats; plain EM reaches {best:.3f}",
    )


def _expect_sound(value: Any, args: Question, where: str) -> None:
    x, *start, _ = args
    fitted = expect_mixture(value, *start[1].shape, "fit_without_collapse", least_eigenvalue(x))
    before, after = log_likelihood(x, *start), log_likelihood(x, *fitted)
    expect.true(
        after > before + 5,
        f"{where}, your fit ends at {after:.2f} nats, the start had {before:.2f}; the healthy "
        "part of the data must still be fitted",
    )


@FIT_WITHOUT_COLLAPSE.check
def leaves_healthy_fits_alone(candidate: Candidate, rng: np.random.Generator) -> None:
    """On Old Faithful, in minutes, differs from plain EM by less than one per cent."""
    args = healthy(rng, 1.0)
    _expect_near_em(candidate.call(*args), args, "On Old Faithful")


@FIT_WITHOUT_COLLAPSE.check
def does_not_depend_on_the_unit(candidate: Candidate, rng: np.random.Generator) -> None:
    """The same holds in units a thousand times larger or smaller."""
    for unit in (1e-3, 1e3):
        args = healthy(rng, unit)
        _expect_near_em(candidate.call(*args), args, f"On Old Faithful times {unit:g}")


@FIT_WITHOUT_COLLAPSE.check
def makes_as_many_steps_as_asked(candidate: Candidate, rng: np.random.Generator) -> None:
    """Makes as many EM steps as asked."""
    questions = [healthy(rng, 1.0, num_steps) for num_steps in (1, 3)]
    answers = [candidate.call(*args) for args in questions]
    for args, value in zip(questions, answers, strict=True):
        _expect_near_em(value, args, f"After {args[-1]} of the steps")


@FIT_WITHOUT_COLLAPSE.check
def survives_copies_of_a_point(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays finite when a component sits on copies of one point, in any unit and in one
    dimension."""
    questions = twins(rng, 1.0), twins(rng, 1e3), scalars(rng)
    answers = [candidate.call(*args) for args in questions]
    for args, value in zip(questions, answers, strict=True):
        _expect_sound(value, args, "With copies of a point")


@FIT_WITHOUT_COLLAPSE.check
def survives_points_on_a_line(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays finite when all points lie on a sloping line."""
    args = line(rng)
    _expect_sound(candidate.call(*args), args, "With all points on a line")


@FIT_WITHOUT_COLLAPSE.check
def survives_an_empty_component(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays finite when no point belongs to one of the components, and keeps that component."""
    args = stray(rng)
    _expect_sound(candidate.call(*args), args, "With a component far from every point")
