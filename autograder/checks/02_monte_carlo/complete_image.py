"""`complete_image(x, mask, guesses, scale, num_completions, generator)`: the half-hidden image.

The answer's rows are traced back to the guesses they come from, and how often each guess was chosen
is compared with its exact posterior probability. Statistical limits fail a right answer with a
probability of about 1e-9.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Seed
from autograder.exercise import Exercise

from ._gaussian import draw_model

RARE = 1e-10


def log_likelihoods(x: Tensor, mask: Tensor, guesses: Tensor, scale: float) -> Tensor:
    """log p(observed pixels | guess) up to a constant, (S,)."""
    return -0.5 * ((x[mask] - guesses[:, mask]) / scale).square().sum(-1)


def reference(
    x: Tensor,
    mask: Tensor,
    guesses: Tensor,
    scale: float,
    num_completions: int,
    generator: torch.Generator,
) -> Tensor:
    shares = torch.softmax(log_likelihoods(x, mask, guesses, scale), 0)
    chosen = torch.multinomial(shares, num_completions, replacement=True, generator=generator)
    return torch.where(mask, x, guesses[chosen])


COMPLETE_IMAGE = Exercise(
    name="complete_image",
    unit="02_monte_carlo",
    title="The hidden half of an image",
    points=5,
    difficulty=3,
    minutes=30,
    reference=reference,
    deterministic=False,
    follow_up="The completions differ: where the visible half leaves doubt, so do they.",
    hints=(
        "**Principle.** You have many guesses, drawn from the prior and decoded, and you see half "
        "of an image. Which guesses could have made what you see? Bayes' rule says how probable "
        "each is now: in proportion to the likelihood of the *visible* pixels under the guess. The "
        "prior need not be multiplied in, because the guesses were drawn from it. Choose guesses "
        "with these probabilities, with replacement, and take the hidden pixels from them. A "
        "chosen guess gives all its hidden pixels together, because pixels of one image belong "
        "together. Do not take the best guess each time: the spread of the completions is what "
        "you know about your ignorance.",
        "**Place.** The hidden entries of `x` are NaN, so select the visible ones: `x[mask]` and "
        "`guesses[:, mask]`. The log-likelihood of a guess is minus half the sum, over the visible "
        "pixels, of the squared differences divided by σ²; constants cancel. A softmax over the "
        "S guesses turns the log-likelihoods into probabilities without underflow, also when "
        "every likelihood is tiny. `torch.multinomial` with `replacement=True` and the generator "
        "draws which guesses to use. Then put together: the visible pixels of `x` as they are, "
        "the hidden ones from the chosen guess, one row for each completion. `torch.where(mask, "
        "x, ...)` does this for all rows at once.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "difference = (x[mask] - guesses[:, ...]) / scale          # (S, visible)\n"
        "log_weights = -0.5 * (difference ** 2).sum(...)           # (S,)\n"
        "probabilities = torch.softmax(..., dim=0)\n"
        "chosen = torch.multinomial(\n"
        "    probabilities, num_completions, replacement=..., generator=...\n"
        ")\n"
        "return torch.where(mask, x, guesses[...])                 # (T, D)\n"
        "```\n\n"
        "The gaps are the mask, the axis of the pixels, the log weights, True, the generator and "
        "the chosen indices. If NaN comes out, a hidden entry of `x` took part: multiplying by "
        "the mask does not remove it, because 0 times NaN is NaN. If all completions are equal "
        "although several guesses fit, you took the best guess and did not draw.",
    ),
)


@dataclass(frozen=True)
class Answer:
    """A student's completions, traced back to the guesses.

    Attributes:
        chosen: Which guess each row's hidden pixels come from, (T,).
        distance: How far they are from it at most.
    """

    chosen: Tensor
    distance: float


def problem(
    rng: np.random.Generator, num_guesses: int = 8, dim: int = 6, spread: float = 1.0
) -> tuple[Tensor, Tensor, Tensor, float]:
    """x with NaN where it is hidden, the mask, guesses that are all possible, and σ."""
    guesses = (
        rng.uniform(0.2, 1.8, size=(num_guesses, dim)) * rng.choice([-1, 1], num_guesses)[:, None]
    )
    mask = np.zeros(dim, dtype=bool)
    mask[rng.permutation(dim)[: dim // 2]] = True
    scale = float(rng.uniform(1.4, 1.8) * spread)
    x = rng.uniform(-1, 1, size=dim)
    x[~mask] = np.nan
    return torch.from_numpy(x), torch.from_numpy(mask), torch.from_numpy(guesses), scale


def trace(value: Any, x: Tensor, mask: Tensor, guesses: Tensor, count: int) -> Answer:
    """Demand completions that keep what is visible and take the rest from one guess each."""
    value = expect.tensor(value, (count, len(x)), "complete_image")
    expect.finite(value, "complete_image")
    change = (value[:, mask] - x[mask]).abs().max().item() if mask.any() else 0.0
    expect.true(change < 1e-4, f"a visible pixel was changed by {change:.3g}; keep what is visible")
    if mask.all():
        return Answer(torch.zeros(count, dtype=torch.long), 0.0)
    distance = (value[:, None, ~mask] - guesses[:, ~mask]).abs().amax(-1)
    nearest = distance.min(1)
    return Answer(nearest.indices, nearest.values.max().item())


def _seed(rng: np.random.Generator) -> Seed:
    return Seed(int(rng.integers(2**31)))


def _expect_frequencies(counts: Tensor, shares: Tensor) -> None:
    expected = shares * counts.sum()
    chi_sq = ((counts - expected).square() / expected).sum().item()
    expect.true(
        chi_sq < scipy.stats.chi2.isf(RARE, len(shares) - 1),
        f"the guesses were chosen with the frequencies {_list(counts / counts.sum())}; their "
        f"posterior probabilities are {_list(shares)}",
    )


@COMPLETE_IMAGE.check
def completes_with_whole_guesses(candidate: Candidate, rng: np.random.Generator) -> None:
    """Keeps the visible pixels, and takes the hidden ones of a row from one and the same guess."""
    for num_guesses, count in ((8, 40), (5, 5), (30, 1)):
        x, mask, guesses, scale = problem(rng, num_guesses)
        value = candidate.call(x, mask, guesses, scale, count, _seed(rng))
        answer = trace(value, x, mask, guesses, count)
        expect.true(
            answer.distance < 1e-4,
            "the hidden pixels of a row are not those of any one guess: they differ by "
            f"{answer.distance:.3g} from the nearest",
        )


@COMPLETE_IMAGE.check
def guesses_come_as_often_as_probable(candidate: Candidate, rng: np.random.Generator) -> None:
    """Each guess is chosen as often as its posterior probability given the visible pixels says."""
    count, answers = 4000, []
    for spread in (1.0, 0.5):
        arguments = problem(rng, 8, 10, spread)
        answers.append((arguments, candidate.call(*arguments, count, _seed(rng))))
    for (x, mask, guesses, scale), value in answers:  # both asked first: the diagnosis sees both
        answer = trace(value, x, mask, guesses, count)
        counts = torch.bincount(answer.chosen, minlength=len(guesses)).double()
        shares = torch.softmax(log_likelihoods(x, mask, guesses, scale), 0)
        _expect_frequencies(*_merge_rare(counts, shares))


@COMPLETE_IMAGE.check
def predicts_as_the_exact_posterior(candidate: Candidate, rng: np.random.Generator) -> None:
    """With many guesses from a linear-Gaussian model the completions have the exact posterior's
    mean, which is nearer to the hidden truth than the average image."""
    model = draw_model(rng, 8, 1, (0.3, 0.4))
    count, num_guesses = 400, 2500
    # quantiles in place of draws: the guesses stand for the prior without scatter
    levels = (torch.arange(num_guesses, dtype=torch.float64) + 0.5) / num_guesses
    latents = torch.special.ndtri(levels)[:, None][torch.from_numpy(rng.permutation(num_guesses))]
    guesses = latents @ model.weight.T + model.bias
    z = torch.tensor([float(rng.choice([-1, 1]) * rng.uniform(1.2, 1.6))], dtype=torch.float64)
    truth = model.weight @ z + model.bias
    mask = torch.arange(8) < 4
    x = truth.where(mask, torch.nan)
    value = candidate.call(x, mask, guesses, model.scale, count, _seed(rng))
    value = expect.tensor(value, (count, 8), "complete_image")
    precision = 1 + model.weight[mask].square().sum() / model.scale**2
    loc = (model.weight[mask, 0] @ (x - model.bias)[mask]) / model.scale**2 / precision
    exact = (model.weight[:, 0] * loc + model.bias)[~mask]
    limit = 7 * model.weight[~mask, 0].abs() * precision**-0.5 / math.sqrt(count) + 0.02
    off = (value[:, ~mask].mean(0) - exact).abs()
    expect.true(
        (off < limit).all(),
        f"the completions' mean is off by {_list(off)} from the exact posterior mean of the hidden "
        f"pixels; chance explains {_list(limit)}",
    )
    error = (value[:, ~mask].mean(0) - truth[~mask]).square().sum()
    expect.true(
        error < (model.bias - truth)[~mask].square().sum(),
        "the average image is nearer to the hidden truth than the mean of your completions",
    )


@COMPLETE_IMAGE.check
def generator_decides(candidate: Candidate, rng: np.random.Generator) -> None:
    """The generator decides the choice: the same seed repeats it, another changes it."""
    arguments, seed = problem(rng, 2000), int(rng.integers(2**30))
    one, again, *others = (
        expect.tensor(candidate.call(*arguments, 60, Seed(s)), (60, 6), "complete_image")
        for s in (seed, seed, seed + 1, seed + 2, seed + 3)
    )
    expect.true(
        torch.equal(one, again),
        "two generators with the same seed give two different results; draw with "
        "`generator=generator`",
    )
    # several others, because systematic resampling may give the same rows by chance
    expect.true(
        not all(torch.equal(one, other) for other in others),
        "generators with different seeds give the same completions; draw with "
        "`generator=generator`",
    )


@COMPLETE_IMAGE.edge_check
def survives_tiny_likelihoods(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works where the likelihood of every guess underflows: the nearest ones are chosen."""
    x, mask, guesses, _ = problem(rng, 8, 60)
    guesses = torch.cat([guesses, guesses[:1]])
    guesses[0, mask] = guesses[-1, mask] = x[mask] + 0.4
    value = candidate.call(x, mask, guesses, 0.005, 300, _seed(rng))
    answer = trace(value, x, mask, guesses, 300)
    expect.true(
        bool(((answer.chosen == 0) | (answer.chosen == 8)).all()) and answer.distance < 1e-4,
        "a guess was chosen although another is better by more than a thousand nats",
    )


@COMPLETE_IMAGE.edge_check
def works_if_nothing_is_visible(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works if no pixel is visible, where all guesses are equally probable, and if all are."""
    x, mask, guesses, scale = problem(rng)
    nothing = torch.zeros_like(mask)
    x = torch.full_like(x, torch.nan)
    value = candidate.call(x, nothing, guesses, scale, 1000, _seed(rng))
    answer = trace(value, x, nothing, guesses, 1000)
    counts = torch.bincount(answer.chosen, minlength=len(guesses)).double()
    _expect_frequencies(counts, torch.full_like(counts, 1 / len(guesses)))
    x = torch.from_numpy(rng.uniform(-1, 1, size=6))
    everything = torch.ones_like(mask)
    trace(candidate.call(x, everything, guesses, scale, 3, _seed(rng)), x, everything, guesses, 3)


def _merge_rare(counts: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Cells of less than half a percent together with the smallest of the others: χ² wants some
    counts everywhere."""
    order = shares.argsort(descending=True)
    counts, shares = counts[order], shares[order]
    common = max(int((shares >= 0.005).sum()) - 1, 1)
    merged = (torch.cat([part[:common], part[common:].sum()[None]]) for part in (counts, shares))
    return tuple(merged)


def _list(values: Tensor) -> str:
    return "(" + ", ".join(f"{value:.3g}" for value in values.tolist()) + ")"
