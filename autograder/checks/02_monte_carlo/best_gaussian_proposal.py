"""`best_gaussian_proposal(x, decoder, scale)`: where to guess if the posterior is not normal."""

import numpy as np
import torch

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._proposal import (
    Decoder,
    Normal,
    Problem,
    bend,
    line,
    optimum,
    parabola,
    relative_variance,
)

SLACK, FLOOR = 1.05, 0.005


def reference(x: float, decoder: Decoder, scale: float) -> Normal:
    return optimum(Problem(x, decoder, scale))


BEST_GAUSSIAN_PROPOSAL = Exercise(
    name="best_gaussian_proposal",
    unit="02_monte_carlo",
    title="The best normal proposal for a bent decoder",
    points=5,
    difficulty=4,
    minutes=35,
    reference=reference,
    deterministic=False,
    follow_up=(
        "Your proposal is wider than the posterior. A proposal that is too wide wastes draws; one "
        "that is too narrow hides a weight of a million, and the variance says so."
    ),
    hints=(
        "**Principle.** The estimate averages the weights w = p(x, z) / q(z), so the best q is the "
        "one whose weights vary least. The mean weight is p(x) whatever q is; only the second "
        "moment depends on q. It is the mean under q of w², which is the integral of p(x, z)² / "
        "q(z). Look at this integral: where q is small and p is not, it explodes. So a q that "
        "misses a tail of the posterior is punished hard, and one that is a little too wide is "
        "hardly punished. That is why the mean and the standard deviation of the posterior are "
        "not the answer, and the peak with its curvature even less.",
        "**Place.** With one hidden number you can integrate on a grid. Take z from −8 to 8 in "
        "steps of 0.01, ask `decoder(z)` once, and compute log p(x, z), the log prior plus the "
        "log likelihood. For a candidate (loc, scale) compute log q on the same grid; "
        "the loss is the log-sum-exp of 2 log p(x, z) − log q(z). Then minimise over two numbers: "
        "loc and the logarithm of the scale. A grid of both that you refine a few times is "
        "enough, and so is an optimiser of torch or scipy. Start from the posterior's mean and "
        "1.2 times its standard deviation. Test yourself: if the decoder is a straight line, the "
        "answer is the exact posterior.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "z = torch.linspace(-8, 8, 1601, dtype=torch.float64)\n"
        "log_p = -0.5 * z**2 - 0.5 * ((x - decoder(z)) / ...) ** 2\n"
        "p = torch.softmax(log_p, 0)\n"
        "mean = (p * z).sum(); std = ((p * (z - mean) ** 2).sum()).sqrt()\n"
        "theta = torch.tensor([mean, (1.2 * std).log()], requires_grad=True)\n"
        "def loss():\n"
        "    optimiser.zero_grad()\n"
        "    log_q = -0.5 * ((z - theta[0]) / theta[1].exp()) ** 2 - ...\n"
        "    value = torch.logsumexp(2 * log_p - ..., 0)\n"
        "    value.backward()\n"
        "    return value\n"
        "```\n\n"
        'Let `torch.optim.LBFGS` with `line_search_fn="strong_wolfe"` and 200 iterations call '
        "it. The gaps are σ, the log scale of q, and log q. Constants that do not depend on q "
        "may be left out; the log scale may not. Return loc and the exponential of theta[1].",
    ),
)


def _expect_best(candidate: Candidate, problem: Problem, what: str) -> None:
    value = candidate.call(*problem.arguments)
    loc, scale = (
        expect.number(part, name)
        for part, name in zip(
            expect.items(value, 2, "the result of best_gaussian_proposal"),
            ("loc", "scale"),
            strict=True,
        )
    )
    expect.true(scale > 0, f"scale is {scale:.4g}; a standard deviation is positive")
    log_p = problem.log_joint()
    best = optimum(problem)
    least = relative_variance(log_p, *best).item()
    variance = relative_variance(log_p, torch.tensor(loc).double(), scale).item()
    expect.true(
        variance <= SLACK * least + FLOOR,
        f"for {what} your proposal has loc = {loc:.3f}, scale = {scale:.3f}, and its weights have "
        f"the relative variance {variance:.4g}; {least:.4g} is possible, with loc = {best[0]:.3f} "
        f"and scale = {best[1]:.3f}",
    )


@BEST_GAUSSIAN_PROPOSAL.check
def perfect_for_a_straight_decoder(candidate: Candidate, rng: np.random.Generator) -> None:
    """For a straight decoder it is the posterior, and the weights do not vary."""
    _expect_best(candidate, line(rng), "a straight decoder")


@BEST_GAUSSIAN_PROPOSAL.check
def best_for_a_long_tail(candidate: Candidate, rng: np.random.Generator) -> None:
    """For a decoder with a bend the weights vary at most 5 % more than for the best proposal."""
    for _ in range(2):
        _expect_best(candidate, bend(rng), "a decoder with a bend")


@BEST_GAUSSIAN_PROPOSAL.check
def best_for_two_peaks(candidate: Candidate, rng: np.random.Generator) -> None:
    """For a decoder that gives two peaks the proposal covers both, and is the best that does."""
    _expect_best(candidate, parabola(rng), "a parabola")
