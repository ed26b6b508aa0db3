"""`choose_num_components(log_likelihoods, dim, num_points)`: the K with the lowest BIC."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

Question = tuple[Tensor, int, int]


def criteria(log_likelihoods: Tensor, dim: int, num_points: int) -> Tensor:
    """The criterion for each K from 1 on; lower is better."""
    k = torch.arange(1, len(log_likelihoods) + 1, dtype=torch.float64)
    num_params = k * (1 + dim + dim * (dim + 1) / 2) - 1
    return -2 * log_likelihoods.double() + num_params * np.log(num_points)


def reference(log_likelihoods: Tensor, dim: int, num_points: int) -> int:
    return int(criteria(log_likelihoods, dim, num_points).argmin()) + 1


CHOOSE_NUM_COMPONENTS = Exercise(
    name="choose_num_components",
    unit="01_mixture_models",
    title="How many components?",
    points=1,
    difficulty=1,
    minutes=5,
    reference=reference,
    needs=("bic",),
    hints=(
        (
            "**Principle.** You fitted mixtures with one, two, three and more components and kept "
            "the log-likelihood of each. The likelihood cannot choose among them: the largest "
            "model contains the smaller ones, so it wins always, or loses only because its fit "
            "stopped early. The Bayesian information criterion can choose, because it subtracts "
            "what the additional parameters would gain on pure noise and more. Compute it for "
            "every candidate and take the number of components with the lowest value. Nothing "
            "else enters: not the elbow of a curve, not a threshold, not what you expect to see "
            "in the data."
        ),
        (
            "**Place.** `log_likelihoods` is a tensor with one value for each candidate, and its "
            "first entry belongs to *one* component. Python counts from zero, so entry `k - 1` "
            "belongs to `k` components: this is where most answers go wrong, twice even, once "
            "inside the criterion and once in the result. Call your own `bic` for each entry, "
            "with the number of components that belongs to it, and with the same `dim` and "
            "`num_points` for all. Then find the place of the smallest value and turn the place "
            "into a number of components. Return an integer, since the caller wants to build so "
            "many components."
        ),
        (
            "**Nearly the code.**\n\n"
            "```python\n"
            "values = []\n"
            "for place, log_likelihood in enumerate(log_likelihoods):\n"
            "    num_components = ...\n"
            "    values.append(bic(float(log_likelihood), num_components, dim, num_points))\n"
            "best_place = values.index(...)\n"
            "return ...\n"
            "```\n\n"
            "The first gap and the last need the same correction by one. The gap in the middle is "
            "the smallest value, not the largest. On Old Faithful (272 points, two coordinates) "
            "the log-likelihoods −1289.797 and −1130.264 of one and two components give about "
            "2607.62 and 2322.19, and your function returns 2. If it returns 1 there, look at the "
            "correction by one again."
        ),
    ),
)


def question(rng: np.random.Generator, best: int, largest: int) -> Question:
    """Log-likelihoods for which `best` components win, if only by 0.4 units of the criterion.

    They are built from the criterion: what it is to be, what the penalty is, hence the likelihood.
    """
    dim, num_points = int(rng.integers(1, 5)), int(rng.integers(50, 3000))
    above = rng.uniform(0.8, 3, size=largest).cumsum() * rng.uniform(0.5, 6)
    distance = np.abs(np.arange(1, largest + 1) - best)
    wanted = np.where(distance > 0, above[np.maximum(distance - 1, 0)], 0.0)
    wanted = wanted + np.where(distance > 0, rng.uniform(0, 1.5, size=largest), 0.0)
    if best > 1:
        wanted[best - 2] = rng.uniform(0.5, 1.5)  # close, and yet not the lowest
    penalty = criteria(torch.zeros(largest), dim, num_points).numpy()
    level = rng.uniform(-3000, 3000)
    return torch.from_numpy((penalty - wanted - level) / 2), dim, num_points


def _expect_all(candidate: Candidate, questions: list[Question]) -> None:
    """Ask all questions before judging the answers: one wrong choice alone tells little."""
    answers = [candidate.call(*args) for args in questions]
    for args, answer in zip(questions, answers, strict=True):
        given, right = _integer(answer), reference(*args)
        values = ", ".join(f"{value:.1f}" for value in criteria(*args))
        expect.true(
            given == right,
            f"choose_num_components is {given}; expected {right}: for 1 to {len(args[0])} "
            f"components in {args[1]} dimensions and {args[2]} points the criterion is {values}",
        )


def _integer(answer: Any) -> int:
    number = expect.number(answer, "choose_num_components")
    whole = isinstance(answer, int) or (
        isinstance(answer, Tensor) and not answer.dtype.is_floating_point
    )
    expect.true(
        whole,
        f"choose_num_components is the floating-point number {number:g}; return an integer, "
        "because it counts components",
    )
    return int(number)


@CHOOSE_NUM_COMPONENTS.check
def finds_every_answer(candidate: Candidate, rng: np.random.Generator) -> None:
    """Finds the K with the lowest criterion, wherever it is among the candidates."""
    _expect_all(candidate, [question(rng, best, 7) for best in rng.permutation(np.arange(1, 8))])


@CHOOSE_NUM_COMPONENTS.check
def any_number_of_candidates(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one, two and many candidates."""
    lengths = (1, 2, 2, 3, 12)
    _expect_all(
        candidate, [question(rng, int(rng.integers(1, length + 1)), length) for length in lengths]
    )


@CHOOSE_NUM_COMPONENTS.check
def weighs_gain_against_price(candidate: Candidate, rng: np.random.Generator) -> None:
    """Takes another component as long as it gains more than its parameters cost, and no longer."""
    questions = []
    for dim, num_points in ((1, 100_000), (3, 50), (4, 1000)):
        price = (1 + dim + dim * (dim + 1) / 2) * np.log(num_points) / 2
        # every gain is a quarter smaller than the one before: any other price stops elsewhere
        gains = price * 0.75 ** (np.arange(28) - int(rng.integers(19, 22)) + 0.5)
        steps = np.concatenate([[rng.uniform(-900, 900)], gains])
        questions.append((torch.from_numpy(steps.cumsum()), dim, num_points))
    _expect_all(candidate, questions)


@CHOOSE_NUM_COMPONENTS.check
def failed_fits_do_not_matter(candidate: Candidate, rng: np.random.Generator) -> None:
    """Still right when some fits stopped early and have a lower likelihood than a smaller model."""
    questions = []
    for best in (4, 3, 5):
        log_likelihoods, dim, num_points = question(rng, best, 6)
        failed = torch.tensor([1, 5])  # the fits of two and of six components
        drop = torch.from_numpy(rng.uniform(50, 300, size=2))
        log_likelihoods[failed] = log_likelihoods[0] - drop
        questions.append((log_likelihoods, dim, num_points))
    _expect_all(candidate, questions)
