"""`few_label_accuracy(probe, codes, labels, num_per_class, generator)`: what few labels are worth.

The probe is the grader's: what it is given shows which points were learned from and which were
asked about.
"""

from dataclasses import dataclass

import numpy as np
import scipy.stats
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle, Seed
from autograder.exercise import Exercise

from ._classes import draw_names

RARE = 1e-7
CLASS_SIZE = 5


def accuracy(probe, codes: Tensor, labels: Tensor, num_per_class: int, generator) -> float:
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        places = (labels == label).nonzero()[:, 0]
        order = torch.randperm(len(places), generator=generator)
        chosen[places[order[:num_per_class]]] = True
    predicted = probe(codes[chosen], labels[chosen], codes[~chosen])
    return (predicted == labels[~chosen]).double().mean().item()


FEW_LABEL_ACCURACY = Exercise(
    name="few_label_accuracy",
    unit="04_autoencoders",
    title="What a few labels are worth",
    points=2,
    difficulty=2,
    minutes=20,
    reference=accuracy,
    deterministic=False,
    hints=(
        "**Principle.** Labels are expensive, images are not. So the honest question is: if a "
        "person names a few images of each class, how many of the others are then right? Draw "
        "the named ones at random, because a person would not choose the ones that suit you; the "
        "same number of each class, each class for itself. Then the probe learns from these, and "
        "is asked about all the rest. The named images themselves are not counted: the probe "
        "knows their answers. Draw from the generator, so that two representations can be "
        "compared on the very same images.",
        "**Place.** Go through `labels.unique()`. For each label find the places where it occurs, "
        "put them in random order with `torch.randperm(len(places), generator=generator)`, and "
        "mark the first `num_per_class` as chosen in a boolean tensor of length N. Now there are "
        "two sets without overlap: `codes[chosen]` and `codes[~chosen]`. Call `probe` once, with "
        "the chosen codes, the chosen labels, and the codes of the rest. Compare what it predicts "
        "with the labels of the rest; the mean of the matches is the accuracy. No scaling is done "
        "here: that is the probe's own business.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "chosen = torch.zeros(len(labels), dtype=torch.bool)\n"
        "for label in labels.unique():\n"
        "    places = (labels == label).nonzero()[:, 0]\n"
        "    order = torch.randperm(len(places), generator=...)\n"
        "    chosen[places[order[:...]]] = True\n"
        "predicted = probe(codes[chosen], labels[chosen], codes[...])\n"
        "return (predicted == labels[...]).double().mean()\n"
        "```\n\n"
        "The gaps are the generator, how many of each class, and twice the points that were not "
        "chosen. If your accuracy is a little too high, the named points are among the counted. "
        "If the check says that one class has more points than another, you drew from all points "
        "at once.",
    ),
)


@dataclass(frozen=True)
class Asked:
    """What the probe was given, as places in the data, and the accuracy that belongs to it."""

    learned: Tensor
    tested: Tensor
    accuracy: float


def draw_data(
    rng: np.random.Generator, num_classes: int, size: int, spread: int = 3
) -> tuple[Tensor, Tensor]:
    """Codes that are all different, and labels, in mixed order; about `size` points a class."""
    names = draw_names(rng, num_classes) if num_classes < 10 else np.arange(num_classes) - 20
    counts = rng.integers(size, size + spread, size=num_classes)
    labels = rng.permutation(np.repeat(names, counts))
    return torch.from_numpy(rng.normal(size=(len(labels), 3))), torch.from_numpy(labels)


def make_probe(codes: Tensor, labels: Tensor, wrong: Tensor) -> Oracle:
    """Predicts the label of each point, except for those marked wrong."""
    other = torch.where(labels == labels[0], labels.max() + 1, labels[0])
    answers = torch.where(wrong, other, labels)

    def predict(train_codes: Tensor, train_labels: Tensor, test_codes: Tensor) -> Tensor:
        return answers[places(test_codes, codes)]

    return Oracle(predict)


def places(rows: Tensor, codes: Tensor) -> Tensor:
    """Which of the codes each row is.

    Raises:
        Failure: If a row is none of them.
    """
    if rows.ndim != 2 or rows.shape[1] != codes.shape[1]:
        raise expect.Failure(
            f"the probe was given codes of shape {tuple(rows.shape)}; expected (…, "
            f"{codes.shape[1]}): whole rows of `codes`"
        )
    distance, place = torch.cdist(rows.double(), codes, p=torch.inf).min(1)
    expect.true(
        len(rows) and distance.max() < 1e-4,
        "the probe was given codes that are not rows of `codes`; give it the rows as they are",
    )
    return place


def ask(
    candidate: Candidate,
    rng: np.random.Generator,
    data: tuple[Tensor, Tensor],
    num_per_class: int,
    seed: Seed | None = None,
) -> tuple[float, Asked]:
    """The accuracy that came back, and what it should have been for the points that were used."""
    codes, labels = data
    wrong = torch.from_numpy(rng.random(len(labels)) < 0.3)
    oracle = make_probe(codes, labels, wrong)
    seed = seed or Seed(int(rng.integers(2**31)))
    value = candidate.call(oracle, codes, labels, num_per_class, seed)
    expect.true(
        len(oracle.questions) == 1,
        f"`probe` was called {len(oracle.questions)} times; call it once, with all points",
    )
    train_codes, train_labels, test_codes = oracle.questions[0]
    learned, tested = places(train_codes, codes), places(test_codes, codes)
    expect.true(
        tuple(train_labels.shape) == (len(learned),) and (train_labels == labels[learned]).all(),
        "the labels given to the probe are not those of the codes given to it",
    )
    right = (~wrong[tested]).double().mean().item()
    asked = Asked(learned, tested, right)
    _expect_split(asked, labels, num_per_class)
    return expect.number(value, "few_label_accuracy"), asked


def _expect_split(asked: Asked, labels: Tensor, num_per_class: int) -> None:
    counts = {label.item(): 0 for label in labels.unique()}
    for label in labels[asked.learned].tolist():
        counts[label] += 1
    expect.true(
        set(counts.values()) == {num_per_class}
        and len(asked.learned.unique()) == sum(counts.values()),
        f"the probe learned from {sorted(counts.values())} points of the classes; expected "
        f"{num_per_class} different ones of each",
    )
    both = int(torch.isin(asked.tested, asked.learned).sum())
    expect.true(
        both == 0, f"{both} of the points that the probe learned from were asked about as well"
    )
    rest = len(labels) - len(asked.learned)
    expect.true(
        len(asked.tested) == len(asked.tested.unique()) == rest,
        f"the probe was asked about {len(asked.tested)} points; expected each of the {rest} others "
        "once",
    )


@FEW_LABEL_ACCURACY.check
def learns_from_few_and_asks_about_the_rest(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives the probe so many points of each class, with their labels, and asks about the rest."""
    for num_classes, size, num_per_class in ((3, 9, 2), (4, 6, 5)):
        data = draw_data(rng, num_classes, size)
        ask(candidate, rng, data, num_per_class)


@FEW_LABEL_ACCURACY.check
def is_the_share_that_is_right(candidate: Candidate, rng: np.random.Generator) -> None:
    """Returns the share of points not learned from whose label is predicted right."""
    for num_per_class in (1, 4):
        given, asked = ask(candidate, rng, draw_data(rng, 3, 12), num_per_class)
        expect.true(
            abs(given - asked.accuracy) < 1e-6,
            f"few_label_accuracy is {given:.4f}; the probe was right for {asked.accuracy:.4f} of "
            f"the {len(asked.tested)} points it was asked about",
        )


@FEW_LABEL_ACCURACY.check
def draws_from_the_generator(candidate: Candidate, rng: np.random.Generator) -> None:
    """Draws the same points for the same seed, and others for another seed or in a second call."""
    data = draw_data(rng, 3, 20)
    seed = int(rng.integers(2**30))
    first, again, other, later = (
        set(ask(candidate, rng, data, 4, given)[1].learned.tolist())
        for given in (Seed(seed), Seed(seed), Seed(seed + 1), Seed(seed, used=True))
    )
    expect.true(
        first == again,
        "two generators with the same seed choose different points; draw with "
        "`generator=generator`",
    )
    expect.true(
        first != other,
        "two different seeds choose the same points; draw them with `generator=generator`",
    )
    expect.true(
        first != later,
        "a generator chooses the same points after numbers were drawn from it as before; draw with "
        "`generator=generator`, and do not start again from its seed",
    )


@FEW_LABEL_ACCURACY.check
def every_choice_is_equally_likely(candidate: Candidate, rng: np.random.Generator) -> None:
    """Chooses each point of a class equally often, and each class for itself."""
    counts = np.zeros((CLASS_SIZE, CLASS_SIZE))
    for _ in range(2):
        codes, labels = draw_data(rng, 150, CLASS_SIZE, spread=1)
        _, asked = ask(candidate, rng, (codes, labels), CLASS_SIZE - 2)
        place = (torch.tril(labels[:, None] == labels).sum(1) - 1)[asked.tested]
        order = labels[asked.tested].argsort(stable=True)
        left_out = place[order].reshape(-1, 2).sort(1).values
        np.add.at(counts, tuple(left_out.T.numpy()), 1)
    found = counts[np.triu_indices(CLASS_SIZE, 1)]
    expected = found.sum() / len(found)
    chi_sq = float(((found - expected) ** 2 / expected).sum())
    expect.true(
        chi_sq < scipy.stats.chi2.isf(RARE, len(found) - 1),
        f"of {CLASS_SIZE} points in a class two were left out, and the ten pairs came up "
        f"{found.astype(int).tolist()} times; expected about {expected:.0f} each",
    )
