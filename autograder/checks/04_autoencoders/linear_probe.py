"""`linear_probe(train_codes, train_labels, test_codes)`: what planes can read off a code."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._classes import Split, draw_names, draw_tilted

ENOUGH = 0.93


def scaled(codes: Tensor, other: Tensor) -> Tensor:
    """`other` in units of the columns of `codes`."""
    scale = codes.std(0, correction=0)
    return (other - codes.mean(0)) / torch.where(scale > 0, scale, 1.0)


def with_one(codes: Tensor) -> Tensor:
    return torch.cat((codes, torch.ones_like(codes[:, :1])), 1)


def ridge(features: Tensor, targets: Tensor, penalty: float) -> Tensor:
    gram = features.T @ features + penalty * torch.eye(features.shape[1], dtype=features.dtype)
    return torch.linalg.solve(gram, features.T @ targets)


def probe(train_codes: Tensor, train_labels: Tensor, test_codes: Tensor) -> Tensor:
    classes, kinds = train_labels.unique(return_inverse=True)
    targets = torch.eye(len(classes), dtype=train_codes.dtype)[kinds]
    weight = ridge(with_one(scaled(train_codes, train_codes)), targets, 1e-3)
    return classes[(with_one(scaled(train_codes, test_codes)) @ weight).argmax(1)]


LINEAR_PROBE = Exercise(
    name="linear_probe",
    unit="04_autoencoders",
    title="A linear probe",
    points=3,
    difficulty=3,
    minutes=30,
    reference=probe,
    deterministic=False,
    hints=(
        "**Principle.** A probe asks what a code says plainly. It is linear on purpose: a clever "
        "classifier could find the classes in raw pixels as well, and would tell you about the "
        "classifier. Each class gets one score, a weighted sum of the code's values plus a "
        "constant, and the highest score wins. The values of a code may have any units, so put "
        "the columns on a common scale first. Where that scale comes from matters: it belongs to "
        "the probe, and so it is learned from the training codes alone. A test point that moves "
        "the scale has a say in its own mark.",
        "**Place.** Take the mean and the standard deviation of each column of `train_codes`, and "
        "use them for both sets. A column that never changes has the standard deviation 0: divide "
        "by 1 there. Append a column of ones for the constant. For the weights, least squares "
        "will do: the targets are one-hot rows, from `train_labels.unique(return_inverse=True)`, "
        "and a small penalty on the squared weights keeps the solution finite with fewer points "
        "than columns. Logistic regression, by steps of gradient descent from zero, is as good. "
        "At the end turn the place of the largest score back into a label.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "mean, std = train_codes.mean(0), train_codes.std(0)\n"
        "std = torch.where(std > 0, std, 1.0)\n"
        "def features(codes):\n"
        "    z = (codes - ...) / ...\n"
        "    return torch.cat((z, torch.ones(len(z), 1, dtype=z.dtype)), 1)\n"
        "classes, kinds = train_labels.unique(return_inverse=True)\n"
        "targets = torch.eye(len(classes), dtype=train_codes.dtype)[...]\n"
        "A = features(train_codes)\n"
        "penalty = 1e-3 * torch.eye(A.shape[1], dtype=A.dtype)\n"
        "weight = torch.linalg.solve(A.T @ A + penalty, A.T @ ...)\n"
        "return classes[(features(...) @ weight).argmax(...)]\n"
        "```\n\n"
        "The gaps: the training mean and spread, the kinds, the targets, the test codes, the axis "
        "of the classes.",
    ),
)


def read_labels(value: Any, known: Tensor, count: int) -> Tensor:
    """Demand a label for each test point, of those that were seen in training."""
    expect.true(
        isinstance(value, Tensor),
        f"the result of linear_probe is a {type(value).__name__}; a tensor of {count} labels was "
        "expected",
    )
    expect.true(
        tuple(value.shape) == (count,),
        f"the result of linear_probe has the shape {tuple(value.shape)}; expected ({count},), one "
        "label for each test code",
    )
    labels = value.double()
    strange = ~torch.isin(labels, known.double())
    expect.true(
        not strange.any(),
        f"you predict {labels[strange][:1].tolist()}; the labels in training are "
        f"{known.unique().tolist()}",
    )
    return labels.long()


def ask(candidate: Candidate, split: Split, test_codes: Tensor | None = None) -> Tensor:
    test_codes = split.test_codes if test_codes is None else test_codes
    value = candidate.call(split.codes, split.labels, test_codes)
    return read_labels(value, split.labels, len(test_codes))


def _expect_accurate(candidate: Candidate, split: Split, what: str) -> None:
    accuracy = split.accuracy(ask(candidate, split))
    expect.true(
        accuracy >= ENOUGH,
        f"{accuracy:.0%} of the test labels are right for {what}; expected at least {ENOUGH:.0%}, "
        "where the best linear probe gets nearly all",
    )


def draw_triangle(rng: np.random.Generator) -> Split:
    """Three classes around a middle; the points to predict are near it, where no score is high."""
    names, turn = draw_names(rng, 3), rng.uniform(0, 2 * np.pi)
    angle = turn + 2 * np.pi * np.arange(3) / 3
    corners = np.stack((np.cos(angle), np.sin(angle)), 1)
    parts = []
    for count, radius, noise in ((120, 3.0, 0.3), (90, 0.6, 0.05)):
        kinds = rng.permutation(np.arange(count) % 3)
        codes = radius * corners[kinds] + noise * rng.normal(size=(count, 2))
        parts += [torch.from_numpy(codes), torch.from_numpy(names[kinds])]
    return Split(*parts)


def _at(angle: np.ndarray, radius: np.ndarray | float) -> np.ndarray:
    return np.stack((radius * np.cos(angle), radius * np.sin(angle)), 1)


def _with_chords(
    rng: np.random.Generator, codes: np.ndarray, kinds: np.ndarray, ends: np.ndarray
) -> Split:
    """Two classes to learn, and to predict the ends (2, 40, 2) and the middles of chords."""
    labels = torch.from_numpy(draw_names(rng, 2)[kinds.astype(int)])
    test = torch.from_numpy(np.concatenate((*ends, ends.mean(0))))
    return Split(torch.from_numpy(codes), labels, test, torch.zeros(len(test)))


def draw_ring(rng: np.random.Generator) -> Split:
    """One class in the middle of another: chords across the ring pass the class inside."""
    kinds = np.arange(90) % 3 > 0
    radius = np.where(kinds, 4.0, 0.7) + 0.2 * rng.normal(size=90)
    codes = _at(rng.uniform(0, 2 * np.pi, size=90), radius)
    turn = rng.uniform(0, np.pi, size=40)
    return _with_chords(rng, codes, kinds, np.stack((_at(turn, 4.0), _at(turn + np.pi, 3.6))))


def draw_wedge(rng: np.random.Generator) -> Split:
    """One class all around, but for a wedge that is the other's: chords cut off its corner."""
    axis = rng.uniform(0, 2 * np.pi)
    angle = rng.permutation(np.linspace(-np.pi, np.pi, 120, endpoint=False))
    codes = _at(axis + angle, rng.uniform(1.0, 4.0, size=120))
    side, radius = rng.uniform(0.95, 1.35, size=40), rng.uniform(1.0, 4.0, size=40)
    ends = np.stack((_at(axis + side, radius), _at(axis - side, radius)))
    return _with_chords(rng, codes, np.abs(angle) < 0.7, ends)


@LINEAR_PROBE.check
def reads_what_a_plane_separates(candidate: Candidate, rng: np.random.Generator) -> None:
    """Finds the tilted planes that separate the classes, whatever whole numbers the labels are."""
    for num_classes in (3, 2):
        split = draw_tilted(rng, num_classes, (200, 150))
        _expect_accurate(candidate, split, f"{num_classes} classes")
    split = draw_triangle(rng)
    _expect_accurate(candidate, split, "points near the place where three classes meet")


@LINEAR_PROBE.check
def is_no_matter_of_units(candidate: Candidate, rng: np.random.Generator) -> None:
    """Predicts the same with columns in units that differ by powers of ten, and far from zero."""
    split = draw_tilted(rng, 3, (200, 150))
    expected, dim = ask(candidate, split), split.codes.shape[1]
    for powers in (rng.permutation(np.linspace(-8, 2, dim)), np.full(dim, -8.0)):
        scale = torch.from_numpy(10.0**powers)
        shift = 20 * scale * torch.from_numpy(rng.choice([-1.0, 1.0], size=dim))
        changed = int((ask(candidate, split.mapped(scale, shift)) != expected).sum())
        expect.true(
            changed <= 2,  # a point on the very border may fall either way by rounding
            f"{changed} of {len(expected)} predictions change when the columns are given in units "
            f"from {scale.min():.0e} to {scale.max():.0e}, far from zero; scale the columns first",
        )
    kinds = torch.from_numpy(rng.permutation(120) % 2)
    codes = 100.0 + 4.0 * kinds[:, None] + 0.5 * torch.from_numpy(rng.normal(size=(120, 1)))
    labels = kinds + 5
    one = Split(codes[:60], labels[:60], codes[60:], labels[60:])
    _expect_accurate(candidate, one, "a code of one number, near 100")


@LINEAR_PROBE.check
def test_points_do_not_see_each_other(candidate: Candidate, rng: np.random.Generator) -> None:
    """Predicts the same for a test point, whatever other points are in the test set."""
    split = draw_tilted(rng, 3, (120, 90))
    together = ask(candidate, split)
    chosen = split.test_labels == split.test_labels[0]
    alone = ask(candidate, split, split.test_codes[chosen])
    among = ask(candidate, split, torch.cat((split.test_codes, -1e6 * split.test_codes[:20])))
    for other, what in ((alone, "the other classes are left out"), (among[:90], "others join")):
        expected = together[chosen] if len(other) < 90 else together
        changed = int((other != expected).sum())
        expect.true(
            changed <= 1,  # a point on the very border may fall either way by rounding
            f"{changed} of {len(other)} predictions change when {what} in the test set; the probe "
            "and its scale must come from the training codes alone",
        )


@LINEAR_PROBE.check
def cuts_straight(candidate: Candidate, rng: np.random.Generator) -> None:
    """Between two points of the same predicted class the prediction never changes."""
    for draw in (draw_ring, draw_wedge):
        left, right, middle = ask(candidate, draw(rng)).chunk(3)
        bent = int(((left == right) & (middle != left)).sum())
        expect.true(
            bent == 0,
            f"{bent} of 40 times two points have the same predicted class and a point between them "
            "another; a linear probe cuts the space by planes",
        )


@LINEAR_PROBE.edge_check
def survives_a_constant_column(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works with a column that never changes in training."""
    split = draw_tilted(rng, 3, (200, 100))
    for codes in (split.codes, split.test_codes):
        codes[:, -1] = 0.7
    accuracy = split.accuracy(ask(candidate, split))
    best = split.accuracy(probe(split.codes, split.labels, split.test_codes))
    expect.true(
        accuracy >= best - 0.06,
        f"{accuracy:.0%} of the test labels are right where one column is constant; a probe that "
        f"leaves that column alone gets {best:.0%}",
    )


@LINEAR_PROBE.edge_check
def works_with_few_points(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works with fewer training points than columns."""
    names = draw_names(rng, 2)
    parts = []
    for count in (8, 60):
        kinds = np.arange(count) % 2
        centre = np.where(kinds, 1.0, -1.0)[:, None] * np.resize([2.0, -2.0], 14)
        parts += [torch.from_numpy(centre + rng.normal(size=(count, 14)))]
        parts += [torch.from_numpy(names[kinds])]
    _expect_accurate(candidate, Split(*parts), "8 training points with 14 columns")
