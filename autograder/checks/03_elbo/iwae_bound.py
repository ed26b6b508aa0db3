"""`iwae_bound(log_weights)`: the bound from several draws, between the ELBO and log p(x)."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def bound(log_weights: Tensor) -> Tensor:
    """Burda, Grosse & Salakhutdinov 2016, equation (8)."""
    return log_weights.logsumexp(0) - np.log(len(log_weights))


IWAE_BOUND = Exercise(
    name="iwae_bound",
    unit="03_elbo",
    title="The importance-weighted bound",
    points=3,
    difficulty=2,
    minutes=15,
    reference=bound,
    hints=(
        "**Principle.** With one draw the estimate of log p(x) is log w, and its mean is the "
        "ELBO. With S draws, average the weights first and take the logarithm of the average: "
        "log (1/S) Σ w_s. The mean of the weights scatters less than one weight, so Jensen's "
        "inequality costs less, and the bound can only rise with S. Averaging the logarithms "
        "instead gives nothing new: that is the ELBO again, only with less noise. The weights "
        "themselves are far too small or too large for a number, so they must never leave the "
        "logarithm. And the gradient has to flow through all of them.",
        "**Place.** The draws are on the **first** axis and the points on the second; reduce the "
        "first. `torch.logsumexp` adds numbers that are given as logarithms, and takes out the "
        "largest before it exponentiates. Then subtract log S, because a mean is wanted and not a "
        "sum. S is `log_weights.shape[0]`. No loop, no `detach`: autograd then gives each log "
        "weight the gradient w_s/Σ w, the normalised weight. Test yourself: with S = 1 you must "
        "get the only row back, and with S equal rows also that row. Adding 1000 to all log "
        "weights must add 1000 to the result.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "num_samples = log_weights.shape[...]\n"
        "return torch.logsumexp(log_weights, dim=...) - math.log(...)     # (N,)\n"
        "```\n\n"
        "Both gaps in brackets are the axis of the draws, the first one. If your result is too "
        "large by the same amount for every point, you forgot to subtract log S. If it is equal "
        "to the mean of the log weights, you averaged logarithms; compare the two on weights that "
        "scatter. If you get −inf or inf where the log weights are near ±1000, you exponentiated "
        "before taking out the largest. If it has the shape of the draws, you reduced the points.",
    ),
)


def draw(rng: np.random.Generator, num_samples: int, num_points: int) -> Tensor:
    """Log weights that scatter by a nat or two around a level of each point's own."""
    level = rng.uniform(-6, 3, size=num_points)
    return torch.from_numpy(level + rng.normal(0, 1.5, size=(num_samples, num_points)))


@IWAE_BOUND.check
def equals_log_of_the_mean_weight(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the logarithm of the mean weight over the draws, for each point."""
    for num_samples, num_points in ((5, 3), (4, 4), (8, 1)):
        log_weights = draw(rng, num_samples, num_points)
        what = f"iwae_bound for S = {num_samples}, N = {num_points}"
        expect.close(candidate.call(log_weights), log_weights.exp().mean(0).log(), what)


@IWAE_BOUND.check
def one_draw_is_the_elbo(candidate: Candidate, rng: np.random.Generator) -> None:
    """With one draw it is that draw's log weight, whose mean is the ELBO."""
    log_weights = draw(rng, 1, 4)
    expect.close(candidate.call(log_weights), log_weights[0], "iwae_bound for S = 1")


@IWAE_BOUND.check
def rises_with_the_number_of_draws(candidate: Candidate, rng: np.random.Generator) -> None:
    """Never falls, on average, when a draw is added, and stays above the mean log weight."""
    log_weights = draw(rng, 6, 3)
    without = torch.cat([log_weights[[s for s in range(6) if s != left]] for left in range(6)], 1)
    fewer = expect.tensor(candidate.call(without), (18,), "iwae_bound for S = 5")
    more = expect.tensor(candidate.call(log_weights), (3,), "iwae_bound for S = 6")
    drop = (fewer.reshape(6, 3).mean(0) - more).max().item()
    expect.true(
        drop <= 1e-5,
        f"the bound of 6 draws is {drop:.3g} nats below the mean bound of 5 of them; expected it "
        "never to fall",
    )
    below = (log_weights.mean(0) - more).max().item()
    expect.true(
        below < -1e-6,
        "the bound of 6 unequal draws is not above the mean of their log weights; average the "
        "weights, not their logarithms",
    )


@IWAE_BOUND.check
def is_exact_at_the_posterior(candidate: Candidate, rng: np.random.Generator) -> None:
    """With q the posterior every weight is p(x), and the bound is log p(x) for any S."""
    level = torch.from_numpy(rng.uniform(-5, 5, size=4))
    for num_samples in (2, 7):
        given = candidate.call(level.repeat(num_samples, 1))
        expect.close(given, level, f"iwae_bound of {num_samples} equal weights")


@IWAE_BOUND.check
def gradient_is_the_normalised_weight(candidate: Candidate, rng: np.random.Generator) -> None:
    """The gradient with respect to a log weight is the weight's share in the sum."""
    for num_samples, num_points in ((5, 3), (1, 2)):
        log_weights = draw(rng, num_samples, num_points)
        (gradient,) = candidate.gradient(log_weights)
        what = f"the gradient of iwae_bound for S = {num_samples}"
        expect.close(gradient, log_weights.softmax(0), what)


@IWAE_BOUND.edge_check
def survives_extreme_weights(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays exact where the weights underflow or overflow, also beside points where they do not."""
    log_weights = draw(rng, 5, 4)
    shift = torch.tensor([-2000.0, -800.0, 0.0, 1500.0], dtype=torch.float64)
    given = candidate.call(log_weights + shift)
    expect.close(given, bound(log_weights) + shift, "iwae_bound of extreme weights")
    (gradient,) = candidate.gradient(log_weights + shift)
    expect.close(gradient, log_weights.softmax(0), "the gradient at extreme weights")


@IWAE_BOUND.edge_check
def counts_weights_of_zero(candidate: Candidate, rng: np.random.Generator) -> None:
    """A draw of weight zero, a log weight of −inf, adds nothing to the sum and counts in S."""
    log_weights = draw(rng, 4, 3)
    log_weights[1, 0] = log_weights[3, 2] = -torch.inf
    expect.close(candidate.call(log_weights), bound(log_weights), "iwae_bound with a weight of 0")


@IWAE_BOUND.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    log_weights = draw(rng, 6, 3).float()
    expect.close(candidate.call(log_weights), bound(log_weights.double()), "iwae_bound in float32")
