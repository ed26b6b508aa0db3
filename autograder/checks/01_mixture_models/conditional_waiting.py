"""`conditional_waiting(duration, weights, loc, covariance)`: the waiting time, given one
duration."""

import math

import numpy as np
import scipy.special
import scipy.stats
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from course_lib import mixture

ScalarMixture = tuple[Tensor, Tensor, Tensor]
Question = tuple[float, Tensor, Tensor, Tensor]


def reference(duration: float, weights: Tensor, loc: Tensor, covariance: Tensor) -> ScalarMixture:
    params = mixture.MixtureParams(weights=weights, loc=loc, covariance=covariance)
    return tuple(mixture.condition(params, duration, given=0, target=1))


CONDITIONAL_WAITING = Exercise(
    name="conditional_waiting",
    unit="01_mixture_models",
    title="The waiting time after a given eruption",
    points=3,
    difficulty=3,
    minutes=20,
    reference=reference,
    hints=(
        (
            "**Principle.** Picture the density of (duration, waiting) as a landscape with K "
            "hills. You have seen the duration, so cut the landscape along one vertical line and "
            "rescale the cut until its area is one. The cut through one Gaussian hill is a "
            "Gaussian again, so the result is a mixture of K one-dimensional Gaussians. Three "
            "things change. Hills far from the line lose weight. The centres move, because within "
            "a component a longer eruption goes with a longer (or shorter) wait. And each cut is "
            "narrower than the hill seen from the side, if the two are correlated, because "
            "knowing the duration removes a part of the uncertainty."
        ),
        (
            "**Place.** Column 0 is the duration $d$, column 1 the waiting time $w$. New weights: "
            "$\\pi_k$ times the one-dimensional density of the *duration* under component k, "
            "normalised over k; use the softmax of log weight plus log-density, because both "
            "densities may underflow. New mean: the old mean of the waiting time plus slope times "
            "$(d - \\mu_{k,d})$; the slope is the covariance of the two divided by the variance "
            "of the duration. New variance: that of the waiting time minus slope times the "
            "covariance. Return its square root. Test yourself: with zero covariance the means "
            "and the standard deviations of the waiting time stay as they were."
        ),
        (
            "**Nearly the code.**\n\n"
            "```python\n"
            "variance_d = covariance[:, 0, 0]                  # (K,), minutes squared\n"
            "cross = covariance[:, 0, 1]\n"
            "distance = duration - loc[:, 0]\n"
            "log_density = -0.5 * distance**2 / variance_d - 0.5 * ...\n"
            "new_weights = torch.softmax(... + log_density, dim=0)\n"
            "slope = cross / ...\n"
            "new_loc = loc[:, 1] + ...\n"
            "new_variance = covariance[:, 1, 1] - ...\n"
            "return new_weights, new_loc, new_variance.sqrt()\n"
            "```\n\n"
            "The first gap is a logarithm that belongs to every Gaussian: without it a wide "
            "component gets too little. The constant ½ log 2π may stay out, since it is the same "
            "for all components. Every line works on all components at once; no loop is needed."
        ),
    ),
)


def draw(rng: np.random.Generator, num_components: int) -> Question:
    """Clusters like those of the geyser, strongly correlated, and a duration that leaves doubt."""
    duration = rng.uniform(2.0, 4.5)
    scale = np.stack([rng.uniform(0.3, 0.9, num_components), rng.uniform(4, 9, num_components)], 1)
    side = rng.permutation(np.linspace(-1.2, 1.2, num_components)) + rng.uniform(0.1, 0.4)
    loc = np.stack([duration + side * scale[:, 0], rng.uniform(45, 95, num_components)], 1)
    signs = rng.choice([-1, 1]) * (-1) ** np.arange(num_components)  # both, where K is above one
    correlation = signs * rng.uniform(0.4, 0.85, num_components)
    covariance = scale[:, :, None] * scale[:, None, :]
    covariance[:, 0, 1] *= correlation
    covariance[:, 1, 0] *= correlation
    weights = rng.permutation(
        np.arange(1, num_components + 1) + rng.uniform(0, 0.6, num_components)
    )
    arrays = weights / weights.sum(), loc, covariance
    return float(duration), *map(torch.from_numpy, arrays)


def _exact(duration: float, weights: Tensor, loc: Tensor, covariance: Tensor) -> ScalarMixture:
    """By another route than the students': the entries of the precision matrices."""
    weights, loc, covariance = (a.double().numpy() for a in (weights, loc, covariance))
    precision = np.linalg.inv(covariance)
    density = scipy.stats.norm.logpdf(duration, loc[:, 0], np.sqrt(covariance[:, 0, 0]))
    shift = precision[:, 0, 1] / precision[:, 1, 1] * (duration - loc[:, 0])
    arrays = (
        scipy.special.softmax(np.log(weights) + density),
        loc[:, 1] - shift,
        precision[:, 1, 1] ** -0.5,
    )
    return tuple(map(torch.from_numpy, arrays))


def _unpack(candidate: Candidate, args: Question) -> ScalarMixture:
    parts = expect.items(candidate.call(*args), 3, "the result of conditional_waiting")
    names = "weights", "loc", "scale"
    return tuple(
        expect.tensor(part, args[1].shape, name) for part, name in zip(parts, names, strict=True)
    )


def _expect_exact(candidate: Candidate, args: Question, where: str, rtol: float = 1e-4) -> None:
    actual = _unpack(candidate, args)
    names = "weights", "loc (minutes)", "scale (minutes)"
    for name, given, right in zip(names, actual, _exact(*args), strict=True):
        expect.close(given, right, f"{name} {where}", rtol=rtol)


@CONDITIONAL_WAITING.check
def equals_exact_conditional(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives the exact weights, means and standard deviations, for one, two and three components."""
    for num_components in (2, 1, 3):
        args = draw(rng, num_components)
        _expect_exact(candidate, args, f"with K = {num_components} at {args[0]:.2f} minutes")


@CONDITIONAL_WAITING.check
def is_slice_of_joint_density(candidate: Candidate, rng: np.random.Generator) -> None:
    """The density of the result is the joint density along the line of that duration,
    normalised."""
    args = draw(rng, 3)
    duration, weights, loc, covariance = args
    new_weights, new_loc, scale = _unpack(candidate, args)
    expect.true(
        (scale > 0).all(), f"a scale is {scale.min():.4g}; a standard deviation is positive"
    )
    waiting = torch.linspace(-30, 170, 2001, dtype=torch.float64)  # minutes, 0.1 apart
    points = torch.stack([torch.full_like(waiting, duration), waiting], 1)
    params = mixture.MixtureParams(weights=weights, loc=loc, covariance=covariance)
    joint = mixture.log_density(points, params).exp()
    z = (waiting[:, None] - new_loc) / scale
    density = (new_weights * (-0.5 * z**2).exp() / (scale * math.sqrt(2 * math.pi))).sum(1)
    expect.close(
        density[::50],
        (joint / (0.1 * joint.sum()))[::50],
        "the density of the waiting time on a grid of minutes",
    )


@CONDITIONAL_WAITING.check
def keeps_uncorrelated_waiting(candidate: Candidate, rng: np.random.Generator) -> None:
    """Without correlation, the duration moves only the weights."""
    duration, weights, loc, covariance = draw(rng, 2)
    covariance = covariance.diagonal(dim1=1, dim2=2).diag_embed()
    new_weights, new_loc, scale = _unpack(candidate, (duration, weights, loc, covariance))
    expect.close(new_loc, loc[:, 1], "loc (minutes) without correlation")
    expect.close(scale, covariance[:, 1, 1].sqrt(), "scale (minutes) without correlation")
    total = new_weights.sum().item()
    expect.true(abs(total - 1) < 1e-4, f"the weights sum to {total:.6g}; expected 1")


def _far(rng: np.random.Generator, direction: int) -> Question:
    """A duration out of reach of both components, without a near tie that rounding would decide."""
    while True:
        duration, *params = draw(rng, 2)
        args = duration + direction * 50.0, *params
        if _exact(*args)[0].min() < 1e-9:
            return args


@CONDITIONAL_WAITING.edge_check
def survives_far_durations(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for a duration that is very unlikely under every component, and in float32."""
    for direction in (-1, 1):
        args = _far(rng, direction)
        _expect_exact(candidate, args, f"at {args[0]:.1f} minutes")
    duration, *params = draw(rng, 2)
    single = [array.float() for array in params]
    _expect_exact(candidate, (duration, *single), "in float32", rtol=1e-3)
