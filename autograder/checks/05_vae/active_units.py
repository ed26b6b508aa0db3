"""`active_units(loc, threshold)`: how many hidden values still depend on the image?"""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(loc: Tensor, threshold: float) -> int:
    """Burda, Grosse & Salakhutdinov 2016, section 5.2."""
    return int((loc.var(0) > threshold).sum())


NUM_SORTED = 40

ACTIVE_UNITS = Exercise(
    name="active_units",
    unit="05_vae",
    title="Count the hidden values that are used",
    points=1,
    difficulty=1,
    minutes=10,
    reference=reference,
    hints=(
        "**Principle.** A hidden value is active if knowing the image tells you something about "
        "it. The mean of q(z | x) is then different for different images. If the mean is the same "
        "for all images, the hidden value carries no information about which image it was, no "
        "matter where that mean lies: a constant is no message. So look at how much the means "
        "scatter over the data, separately for each hidden value, and count those that scatter "
        "more than a threshold. The usual measure is their variance, and the usual threshold is "
        "0.01, far below the prior's variance of one.",
        "**Place.** `loc` has a row for each image and a column for each hidden value. Take the "
        "variance down each column, `loc.var(dim=0)`, which gives (M,) numbers. Whether it "
        "divides by N or by N − 1 makes no difference here. Compare with the threshold, which "
        "gives (M,) truth values, and count the true ones with `sum()`. Use the variance and not "
        "the standard deviation: 0.05 squared is well below 0.01. And do not leave out the "
        "centring: the mean of the squares would count a hidden value whose mean is 3 for every "
        "image.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "variance = loc.var(dim=...)                 # (M,)\n"
        "return (variance > ...).sum()\n"
        "```\n\n"
        "The gaps are the axis of the images and `threshold`. Test yourself on three columns: one "
        "that is 5 for every image, one that is drawn from a normal with the standard deviation "
        "0.05, and one that is drawn from a standard normal. With the threshold 0.01 only the "
        "last is active, so the answer is 1. If you get 2, the first or the second was counted: "
        "the first if you did not centre, the second if you compared the standard deviation. If "
        "you get hundreds, you counted images.",
    ),
)


def draw(
    rng: np.random.Generator, variances: np.ndarray, num_points: int, offset: float = 3.0
) -> Tensor:
    """Posterior means whose columns have exactly these variances, around any place."""
    loc = rng.normal(size=(num_points, len(variances)))
    loc = (loc - loc.mean(0)) / loc.std(0, ddof=1)
    place = rng.uniform(0.5, 1, size=len(variances)) * rng.choice([-1, 1], len(variances))
    return torch.from_numpy(loc * np.sqrt(variances) + offset * place)


def _expect(candidate: Candidate, *cases: tuple[Tensor, float, int]) -> None:
    """Demand the right counts; all are asked for before the first is judged."""
    given = [candidate.call(loc, threshold) for loc, threshold, _ in cases]
    for value, (loc, threshold, right) in zip(given, cases, strict=True):
        what = f"active_units for {loc.shape[1]} hidden values and the threshold {threshold:g}"
        count = expect.number(value, what)
        expect.true(count == right, f"{what} is {count:g}; expected {right}")


@ACTIVE_UNITS.check
def counts_what_varies(candidate: Candidate, rng: np.random.Generator) -> None:
    """Counts the hidden values whose mean varies over the images by more than the threshold."""
    cases = []
    for threshold, num_active, num_collapsed in ((0.01, 3, 5), (0.01, 2, 1), (0.25, 1, 4)):
        active = threshold * np.exp(rng.uniform(1.2, 4, num_active))
        collapsed = threshold * np.exp(rng.uniform(-8, -1.2, num_collapsed))
        # between threshold² and the threshold: these a standard deviation would count
        collapsed[0] = threshold * 0.3
        if num_collapsed > 1:  # only the mean absolute deviation is below the threshold here
            collapsed[1] = min(1.21 * threshold**2, threshold / 2)
        variances = rng.permutation(np.concatenate([active, collapsed]))
        cases.append((draw(rng, variances, 40), threshold, num_active))
    _expect(candidate, *cases)


@ACTIVE_UNITS.check
def does_not_count_a_constant(candidate: Candidate, rng: np.random.Generator) -> None:
    """A mean that is the same for every image is no message, wherever it lies."""
    variances = np.array([0.0, 2.5e-5, 0.8, 0.0, 4e-4])
    around = [draw(rng, variances, 30, offset) for offset in (0.08, 5.0, 0.0)]
    same_place = draw(rng, variances, 30, 0.0) - 3.0
    _expect(candidate, *((loc, 0.01, 1) for loc in (*around, same_place)))


@ACTIVE_UNITS.check
def looks_at_all_images(candidate: Candidate, rng: np.random.Generator) -> None:
    """Also sees what varies among the first images only, or among the last."""
    num_points = NUM_SORTED
    loc = draw(rng, np.array([1.0, 1.0, 1.0, 0.8, 0.8, 1e-4]), num_points)
    rows = torch.arange(num_points)
    for column, is_still in enumerate((rows < 30, rows < 30, rows < 30, rows >= 10)):
        loc[is_still, column] = loc[10, column]
    _expect(candidate, (loc, 0.01, 5))


@ACTIVE_UNITS.edge_check
def survives_places_far_away(candidate: Candidate, rng: np.random.Generator) -> None:
    """Does not mistake rounding for scatter where the means lie at tens of millions."""
    loc = draw(rng, np.array([0.0] * 40 + [1e4, 1e4]), 30, 0.0)
    place = torch.from_numpy(rng.uniform(3e7, 8e7, size=42))
    _expect(candidate, (loc + place, 0.01, 2))


@ACTIVE_UNITS.check
def does_not_depend_on_the_number_of_images(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives the same count when every image is there several times."""
    loc = draw(rng, rng.permutation([0.4, 0.04, 0.004, 0.002, 0.0005]), 12)
    _expect(candidate, *((loc.repeat(repeats, 1), 0.01, 2) for repeats in (1, 30)))


@ACTIVE_UNITS.check
def all_or_none(candidate: Candidate, rng: np.random.Generator) -> None:
    """Can be all hidden values, or none."""
    every, none = rng.uniform(0.5, 2, 6), rng.uniform(0, 0.003, 4)
    _expect(candidate, (draw(rng, every, 25), 0.01, 6), (draw(rng, none, 25), 0.01, 0))
