"""`rate_distortion_curve(train, betas)`: a curve from training runs of which some went wrong.

If every β takes the best of the same set of models, then R falls and Δ rises, whatever the models
are: add the two inequalities Δ_i + β_i R_i ≤ Δ_j + β_i R_j and the same with i and j exchanged.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle
from autograder.exercise import Exercise

from ._linear import Data, Run, curve, draw_data

Train = Callable[[float], tuple[Tensor, Tensor, Tensor]]


def measure(train: Train, betas: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The values of β from the smallest, and rate and distortion of the run for each, (B,) each."""
    betas = betas.sort().values
    rates, distortions = [], []
    for beta in betas.tolist():
        distortion, loc, log_var = train(beta)
        rates.append(0.5 * (loc.square() + log_var.exp() - log_var - 1).sum(-1).mean())
        distortions.append(distortion.sum(-1).mean())
    return betas, torch.stack(rates), torch.stack(distortions)


def reference(train: Train, betas: Tensor) -> tuple[Tensor, Tensor]:
    betas, rates, distortions = measure(train, betas)
    best = (distortions + betas[:, None] * rates).argmin(dim=1)
    return rates[best], distortions[best]


RATE_DISTORTION_CURVE = Exercise(
    name="rate_distortion_curve",
    unit="06_beta_vae",
    title="A curve from runs that may fail",
    points=3,
    difficulty=3,
    minutes=30,
    reference=reference,
    needs=("beta_loss",),
    follow_up=(
        "The curve falls whatever the runs were: if each β takes the best of the same models, no "
        "model can be both cheaper and better. A bump in a plotted sweep is a run that failed."
    ),
    hints=(
        "**Principle.** A training run is asked for one β, but what it gives is a model, and a "
        "model has a rate and a distortion that any β can price. Sometimes the run for one β ends "
        "in a bad place, and the model of its neighbour is better even at this very β. Then the "
        "neighbour's model is the better answer, and it is already there. So measure all models "
        "first, without any β in the numbers, as properties of the model alone. Then let every β "
        "choose, among all of them, the one that is cheapest for it. From this the shape of the "
        "curve follows, with no smoothing and no repair of the numbers.",
        "**Place.** Three steps. Sort `betas`. For each of them call `train` once, and keep two "
        "numbers: the mean over the points of the distortion summed over values, and the mean "
        "over the points of the divergence ½ (μ² + σ² − log σ² − 1), summed over hidden values. "
        "Stack them to two tensors (B,). Then build the table of prices (B, B), one row for each "
        "β and one column for each model, as `distortions + betas[:, None] * rates`. The model of "
        "a row is at its `argmin(dim=1)`. Index both tensors with these places. Training again is "
        "what you cannot afford: one call for each β.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "betas = betas.sort().values\n"
        "for beta in betas.tolist():\n"
        "    distortion, loc, log_var = train(beta)\n"
        "    kl = 0.5 * (loc**2 + ... - log_var - 1).sum(dim=-1)\n"
        "    rates.append(kl.mean())\n"
        "    distortions.append(distortion.sum(dim=...).mean())\n"
        "rates, distortions = torch.stack(rates), torch.stack(...)\n"
        "best = (distortions + betas[:, None] * ...).argmin(dim=...)     # (B,)\n"
        "return rates[best], distortions[...]\n"
        "```\n\n"
        "The gaps: a variance, the axis of the values, the list, `rates`, the axis of the models, "
        "and `best`. Two values of β may end with the same model; leave both points in, so that "
        "every β has one.",
    ),
)


class Trainer:
    """Answers `train(beta)`: the best model, or a failed one for some values of β."""

    def __init__(self, data: Data, betas: Tensor, failures: dict[int, dict[str, Any]]):
        self.data, self.betas = data, betas
        self.runs = [data.train(b, **failures.get(i, {})) for i, b in enumerate(betas.tolist())]
        self.oracle = Oracle(self._answer)

    def _answer(self, beta: Any) -> tuple[Tensor, Tensor, Tensor]:
        place = self.place(beta)
        run = self.data.train(4 * float(self.betas.max())) if place is None else self.runs[place]
        return run.distortion, run.loc, run.log_var

    def place(self, beta: Any) -> int | None:
        """Which of the values this is; None for any other."""
        value = torch.as_tensor(beta).double().flatten()
        near = torch.isclose(self.betas, value, rtol=1e-5, atol=0.0) if value.numel() == 1 else None
        return int(near.nonzero()[0]) if near is not None and near.any() else None


def _ask(candidate: Candidate, trainer: Trainer, what: str) -> list[Tensor]:
    """Rates and distortions, once the calls of `train` are what they should be."""
    pair = candidate.call(trainer.oracle, trainer.betas)
    pair = expect.items(pair, 2, f"rate_distortion_curve {what}")
    shape = (len(trainer.betas),)
    names = "the rates", "the distortions"
    found = [expect.tensor(v, shape, f"{name} {what}") for v, name in zip(pair, names, strict=True)]
    asked = [trainer.place(*question[:1]) for question in trainer.oracle.questions]
    expect.true(None not in asked, "train was called with a number that is none of the betas")
    expect.true(
        sorted(asked) == list(range(len(trainer.betas))),
        f"train was called {len(asked)} times for {len(trainer.betas)} values of β; expected one "
        "call for each of them",
    )
    return found


def best_of(runs: list[Run], betas: Tensor) -> tuple[Tensor, Tensor]:
    """For each β from the smallest, the best of all runs; one at a time, apart from `reference`."""
    chosen = [
        min(runs, key=lambda run: run.total_distortion + beta * run.rate)
        for beta in sorted(betas.tolist())
    ]
    rates, distortions = ([r.rate for r in chosen], [r.total_distortion for r in chosen])
    return torch.tensor(rates).double(), torch.tensor(distortions).double()


def draw_betas(rng: np.random.Generator, count: int) -> Tensor:
    """Well-separated values around 1, in any order but that of size."""
    steps = np.linspace(-1.2, 2.2, count) + rng.uniform(-0.1, 0.1, size=count)
    order = rng.permutation(count)
    if count > 1 and (np.diff(order) > 0).all():
        order = order[::-1]
    return torch.from_numpy(np.exp(steps)[order])


# How a run can fail. Hasty: it pays for a q far too narrow. Shut: it lost the best direction.
# Lost: both, so that it is dearer than a neighbour and worse as well.
HASTY, SHUT, LOST = "hasty", "shut", "lost"


def _fail(data: Data, betas: Tensor, kinds: dict[int, str]) -> Trainer:
    """Runs of which some failed, by their rank from the smallest β."""
    ranks = betas.argsort()
    top = data.variances >= data.variances.max()
    settings = {
        HASTY: {"haste": 1e-4},
        SHUT: {"closed": top},
        LOST: {"closed": top, "haste": 1e-3},
    }
    failures = {int(ranks[rank]): settings[kind] for rank, kind in kinds.items()}
    return Trainer(data, betas, failures)


@RATE_DISTORTION_CURVE.check
def reaches_the_exact_curve(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives the exact curve where every run reached its optimum, from the smallest β on."""
    for num_points, dim, count in ((6, 4, 5), (4, 3, 4), (1, 1, 1)):
        data, betas = draw_data(rng, num_points, dim), draw_betas(rng, count)
        what = f"for {count} runs that went well"
        found = _ask(candidate, Trainer(data, betas, {}), what)
        right = curve(data.variances, data.noise_var, betas.sort().values)
        for value, known, name in zip(found, right, ("rates", "distortions"), strict=True):
            expect.close(value, known, f"the {name} {what}")


@RATE_DISTORTION_CURVE.check
def takes_the_best_of_all_runs(candidate: Candidate, rng: np.random.Generator) -> None:
    """Takes for each β the model that is best for it, also where the run for this β failed."""
    cases = (
        (6, {0: HASTY, 2: SHUT}),
        (6, {0: LOST, 3: LOST}),
        (8, {2: LOST, 3: SHUT, 4: LOST, 5: LOST}),
        (5, {4: HASTY, int(rng.integers(1, 3)): SHUT}),
    )
    found = []
    for count, kinds in cases:
        data, betas = draw_data(rng, 5, 4), draw_betas(rng, count)
        trainer = _fail(data, betas, kinds)
        what = f"for {count} runs of which {len(kinds)} failed"
        found.append((trainer, what, _ask(candidate, trainer, what)))
    for trainer, what, (rates, distortions) in found:
        right = best_of(trainer.runs, trainer.betas)
        expect.true(
            (rates.diff() <= 1e-6).all() and (distortions.diff() >= -1e-6).all(),
            f"{what}, your curve does not fall: the rates are {_short(rates)}, the distortions "
            f"{_short(distortions)}, from the smallest β on",
        )
        expect.close(rates, right[0], f"the rates {what}")
        expect.close(distortions, right[1], f"the distortions {what}")


def _short(values: Tensor) -> str:
    return ", ".join(f"{value:.3g}" for value in values.tolist())
