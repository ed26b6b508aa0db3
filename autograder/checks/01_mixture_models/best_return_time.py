"""`best_return_time(duration, weights, loc, covariance, cost_wait, cost_miss)`: a decision with
costs."""

import math

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from course_lib import mixture

ACCURACY = 0.1  # minutes; the prompt asks for 0.05

Question = tuple[float, Tensor, Tensor, Tensor, float, float]


def conditional(
    duration: float, weights: Tensor, loc: Tensor, covariance: Tensor
) -> mixture.ScalarMixture:
    """The mixture of the waiting time, given the duration."""
    params = mixture.MixtureParams(weights=weights, loc=loc, covariance=covariance)
    return mixture.condition(params, duration, given=0, target=1)


def reference(
    duration: float,
    weights: Tensor,
    loc: Tensor,
    covariance: Tensor,
    cost_wait: float,
    cost_miss: float,
) -> Tensor:
    level = cost_wait / (cost_wait + cost_miss)
    return mixture.quantile(conditional(duration, weights, loc, covariance), level)


def quantile(waiting: mixture.ScalarMixture, level: float) -> float:
    """As `mixture.quantile` for one mixture, in plain Python: the diagnosis asks for hundreds."""
    parts = list(zip(*(part.tolist() for part in waiting), strict=True))
    low = min(loc - 9 * scale for _, loc, scale in parts)
    high = max(loc + 9 * scale for _, loc, scale in parts)
    for _ in range(50):
        middle = 0.5 * (low + high)
        reached = sum(w * 0.5 * math.erfc((m - middle) / s / math.sqrt(2)) for w, m, s in parts)
        low, high = (middle, high) if reached < level else (low, middle)
    return 0.5 * (low + high)


def expected_cost(
    waiting: mixture.ScalarMixture, time: float, cost_wait: float, cost_miss: float
) -> float:
    """Exact expected cost of being back at `time`; for a Gaussian E max(W − t, 0) = σ (φ(u) − u
    (1 − Φ(u)))."""
    u = (time - waiting.loc) / waiting.scale
    height = (-0.5 * u**2).exp() / math.sqrt(2 * math.pi)
    early = waiting.scale * (height - u * torch.special.ndtr(-u))
    late = waiting.scale * (height + u * torch.special.ndtr(u))
    return (waiting.weights * (cost_wait * early + cost_miss * late)).sum().item()


BEST_RETURN_TIME = Exercise(
    name="best_return_time",
    unit="01_mixture_models",
    title="When to be back at the geyser",
    points=4,
    difficulty=3,
    minutes=25,
    reference=reference,
    needs=("conditional_waiting",),
    deterministic=False,
    follow_up=(
        "The whole distribution was needed, not its mean: two people with the same forecast and "
        "different costs should come back at different times."
    ),
    hints=(
        (
            "**Principle.** A forecast is not yet a decision. Being back at time t costs "
            "`cost_wait` for every minute you then stand there, and `cost_miss` for every minute "
            "by which you come too late. Look at one more minute of delay: with probability $1 - "
            "F(t)$ the geyser has not erupted, and you save `cost_wait`; with probability $F(t)$ "
            "it has, and you lose `cost_miss`. As long as the saving is larger, stay away. The "
            "best t is where the two balance. It is a quantile of the waiting time, not its mean, "
            "and the costs say which one. If missing is dear, the level is low and you come early."
        ),
        (
            "**Place.** First the distribution: `conditional_waiting(duration, weights, loc, "
            "covariance)` gives the mixture of the waiting time after this eruption. Then the "
            "level: set $\\text{cost\\_wait}\\,(1 - F(t)) = \\text{cost\\_miss}\\,F(t)$ and solve "
            "for $F(t)$. Then the quantile: F is the weighted sum of normal distribution "
            "functions, it only rises, and you look for the t at which it reaches the level. "
            "There is no formula for a mixture, and the weighted sum of the components' quantiles "
            "is *not* the quantile. Halve an interval until it is short enough, or search a fine "
            "grid. Test yourself: with one component of mean 80 and standard deviation 6, and a "
            "late minute three times as dear, the answer is 75.95."
        ),
        (
            "**Nearly the code.**\n\n"
            "```python\n"
            "w, m, s = conditional_waiting(duration, weights, loc, covariance)\n"
            "level = ... / (cost_wait + cost_miss)\n"
            "low, high = (m - 10 * s).min(), (m + 10 * s).max()\n"
            "for _ in range(60):\n"
            "    middle = (low + high) / 2\n"
            "    reached = (w * torch.special.ndtr(...)).sum()   # F(middle)\n"
            "    if reached < level:\n"
            "        ... = middle\n"
            "    else:\n"
            "        ... = middle\n"
            "return (low + high) / 2\n"
            "```\n\n"
            "`torch.special.ndtr` is the distribution function of the standard normal, so its "
            "argument is a standardised time. If the level is not yet reached, the answer lies to "
            "the right of the middle."
        ),
    ),
)


def draw(
    rng: np.random.Generator, num_components: int, cost_wait: float, cost_miss: float
) -> Question:
    """Clusters like those of the geyser, and a duration that leaves doubt about the cluster."""
    loc = np.array([[2.0, 54.0], [4.3, 80.0], [3.2, 67.0]])[:num_components]
    loc = loc + rng.normal(size=loc.shape) * [0.1, 1.5]
    scale = np.stack([rng.uniform(0.5, 0.7, num_components), rng.uniform(5, 8, num_components)], 1)
    covariance = scale[:, :, None] * scale[:, None, :]
    covariance[:, [0, 1], [1, 0]] *= rng.uniform(0.45, 0.75, size=(num_components, 1))
    weights = rng.uniform(0.7, 1.3, num_components) * [0.4, 0.6, 0.5][:num_components]
    duration = rng.uniform(2.7, 3.4)
    arrays = weights / weights.sum(), loc, covariance
    return float(duration), *map(torch.from_numpy, arrays), cost_wait, cost_miss


def _expect_best(candidate: Candidate, questions: list[Question]) -> None:
    """Ask all questions before judging the answers, so that the diagnosis sees them all."""
    answers = [candidate.call(*args) for args in questions]
    for args, answer in zip(questions, answers, strict=True):
        *model, cost_wait, cost_miss = args
        given = expect.number(answer, "best_return_time")
        waiting, level = conditional(*model), cost_wait / (cost_wait + cost_miss)
        best = quantile(waiting, level)
        least = expected_cost(waiting, best, cost_wait, cost_miss)
        cost = expected_cost(waiting, given, cost_wait, cost_miss)
        expect.true(
            abs(given - best) <= ACCURACY or cost <= (1 + 1e-5) * least,
            f"best_return_time is {given:.2f} minutes after an eruption of {args[0]:.2f} minutes, "
            f"with cost_wait = {cost_wait:g} and cost_miss = {cost_miss:g}. The geyser has "
            f"erupted by then with probability {_reached(waiting, given):.3f}, and the expected "
            f"cost is {cost:.3f}; at {best:.2f} minutes it is {least:.3f} (probability "
            f"{level:.3f})",
        )


def _reached(waiting: mixture.ScalarMixture, time: float) -> float:
    return mixture.cdf(waiting, time).item()


@BEST_RETURN_TIME.check
def minimises_expected_cost(candidate: Candidate, rng: np.random.Generator) -> None:
    """No other time has a lower expected cost, whichever side is the dear one."""
    costs = ((1.0, 9.0), (9.0, 1.0), (1.0, 4.0), (2.0, 1.0))
    _expect_best(candidate, [draw(rng, 2, *pair) for pair in costs])


@BEST_RETURN_TIME.check
def equal_costs_give_the_median(candidate: Candidate, rng: np.random.Generator) -> None:
    """With equal costs, the geyser has erupted by then with probability one half."""
    _expect_best(candidate, [draw(rng, 2, 1.0, 1.0), draw(rng, 3, 2.5, 2.5)])


@BEST_RETURN_TIME.check
def works_for_any_number_of_components(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one and for three components."""
    _expect_best(
        candidate, [draw(rng, 1, 1.0, 9.0), draw(rng, 3, 1.0, 3.0), draw(rng, 1, 3.0, 1.0)]
    )


@BEST_RETURN_TIME.edge_check
def works_for_extreme_costs(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works where one minute costs ninety-nine times the other, far out in the distribution."""
    _, *params, _, _ = draw(rng, 2, 1.0, 1.0)
    extremes = ((1.6, 1.0, 99.0), (4.9, 99.0, 1.0))
    _expect_best(candidate, [(duration, *params, *costs) for duration, *costs in extremes])


@BEST_RETURN_TIME.check
def only_the_ratio_of_costs_counts(candidate: Candidate, rng: np.random.Generator) -> None:
    """Both costs times ten, or both a tenth, and the best time stays where it is."""
    *model, _, _ = draw(rng, 2, 1.0, 1.0)
    pairs = ((1.0, 6.0), (10.0, 60.0), (0.1, 0.6))
    _expect_best(candidate, [(*model, *pair) for pair in pairs])


@BEST_RETURN_TIME.check
def follows_the_duration(candidate: Candidate, rng: np.random.Generator) -> None:
    """After a short eruption the best time is earlier than after a long one, and right for both."""
    _, *params, _, _ = draw(rng, 2, 1.0, 1.0)
    _expect_best(candidate, [(duration, *params, 1.0, 9.0) for duration in (1.7, 4.9)])
