"""`mended_ema(codebook, batches, decay)`: the published EMA codebook, with its mistakes mended.

The mistakes are a start with sizes of zero beside sums that hold the codebook, and a smoothing that
carries codes to the origin which nobody has chosen for long. They can be mended in several ways, so
the check asks for what these have in common: a code nobody chose stays; a chosen code is a weighted
mean of where it was and of the batches, and the batches have the weights of a moving average.
"""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._codes import draw_codebook, draw_points
from .ema_update import count_and_sum

Batches = list[tuple[Tensor, Tensor]]


def reference(codebook: Tensor, batches: Batches, decay: float) -> Tensor:
    """Every code starts with a size of one; a code moves when it is chosen, and only then."""
    size, total = torch.ones_like(codebook[:, 0]), codebook
    for z, indices in batches:
        counts, sums = count_and_sum(z, indices, len(codebook))
        size = decay * size + (1 - decay) * counts
        total = decay * total + (1 - decay) * sums
        chosen = counts > 0
        means = total / size.where(chosen, 1.0)[:, None]
        codebook = torch.where(chosen[:, None], means, codebook)
    return codebook


MENDED_EMA = Exercise(
    name="mended_ema",
    unit="07_vq_vae",
    title="The codes that jump",
    points=3,
    difficulty=4,
    minutes=35,
    reference=reference,
    needs=("ema_update",),
    follow_up=(
        "Mended. A size is a number of points seen: a code that comes with a place must come with "
        "a size that belongs to it."
    ),
    hints=(
        "**Principle.** A code is a sum divided by a size, so the two have to belong together from "
        "the very first step. If the sum says where the code is and the size says that nothing was "
        "ever seen, the first division throws the code away, as far as the small constant in the "
        "denominator allows. That is the first mistake, and it shows at once. The second one takes "
        "longer. The size of a code that nobody chooses shrinks by γ in each step. When it is as "
        "small as the constant that was added to it, sum and denominator no longer shrink alike.",
        "**Place.** Print what the published function does to a code that no point ever chose: "
        "after one batch, and after sixty with γ = 0.5. The first jump comes from the line that "
        "makes the sizes. There are several ways to mend it: start with sizes that fit the sums; "
        "or start with sums that fit the sizes, if you then leave a code alone until somebody "
        "chooses it. The slow drift comes from the constant. Without it you would divide zero by "
        "zero sooner or later. But a code that nobody chose in this batch need not be divided at "
        "all.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "state = codebook, torch....(len(codebook), dtype=codebook.dtype), codebook.clone()\n"
        "for z, indices in batches:\n"
        "    state = ema_update(*state, z, indices, decay, True)\n"
        "return state[0]\n"
        "```\n\n"
        "The gap is the sizes to start with: with a sum that equals the code itself the size is "
        "one, so `ones`. This uses your own `ema_update`, which does not divide for codes that "
        "nobody chose. Check it by hand: with γ = 0.5, a code at 0, and two batches with one point "
        "each, at 1 and at 2, a code that starts with the size one ends at 1.25: weights of a "
        "quarter, a quarter and a half.",
    ),
)


def _batch(z: Tensor, indices: list[int]) -> tuple[Tensor, Tensor]:
    return z, torch.tensor(indices)


def _ask(candidate: Candidate, codebook: Tensor, batches: Batches, decay: float) -> Tensor:
    found = candidate.call(codebook, batches, decay)
    return expect.tensor(found, codebook.shape, "the codebook that mended_ema gives")


def _expect_in_place(found: Tensor, codebook: Tensor, alone: list[int], when: str) -> None:
    for k in alone:
        far = float((found[k] - codebook[k]).norm() / codebook[k].norm())
        expect.true(
            far < 1e-6,
            f"code {k}, which no point chose, has moved by {far:.3g} times its length {when}; it "
            "must stay where it is",
        )


@MENDED_EMA.check
def an_unchosen_code_stays_at_the_start(candidate: Candidate, rng: np.random.Generator) -> None:
    """A code nobody chose is where it was after the first batch, and after five."""
    codebook = draw_codebook(rng, 6, 3)
    batches = [_batch(draw_points(rng, 8, 3), [0, 2, 2, 3, 0, 5, 3, 3]) for _ in range(5)]
    for count in (1, 5):
        found = _ask(candidate, codebook, batches[:count], 0.99)
        _expect_in_place(found, codebook, [1, 4], f"after {count} batch{'es' * (count > 1)}")


@MENDED_EMA.check
def an_unchosen_code_stays_for_long(candidate: Candidate, rng: np.random.Generator) -> None:
    """A code nobody chose is where it was after sixty batches too, when its size is almost zero."""
    codebook = draw_codebook(rng, 4, 2)
    batches = [_batch(draw_points(rng, 4, 2), [0, 2, 2, 0]) for _ in range(60)]
    found = _ask(candidate, codebook, batches, 0.5)
    _expect_in_place(found, codebook, [1, 3], "after 60 batches with γ = 0.5")


@MENDED_EMA.check
def batches_have_the_weights_of_a_moving_average(
    candidate: Candidate, rng: np.random.Generator
) -> None:
    """A chosen code is a weighted mean of its start and of the points, older points weighing less.

    With n points in each of two batches, their weights are as γ times the first n to the second n.
    """
    decay = float(rng.uniform(0.6, 0.9))
    choices = torch.tensor([0, 0, 1, 1, 1, 1]), torch.tensor([1, 1, 0, 0, 0, 0])
    axes = [2 * torch.linalg.qr(draw_points(rng, 3, 3)).Q.T for _ in range(2)]  # 3 × (M,) a code
    codebook = torch.stack([axes[0][0], axes[1][0], draw_points(rng, 3)])
    batches = []
    for number, indices in enumerate(choices, start=1):
        z = draw_points(rng, 6, 3)
        for k in (0, 1):
            z[indices == k] += axes[k][number] - z[indices == k].mean(0)
        batches.append((z, indices))
    found = _ask(candidate, codebook, batches, decay)
    for k in (0, 1):
        weights = torch.linalg.solve(axes[k].T, found[k])  # start and means are at right angles
        counts = [int((indices == k).sum()) for indices in choices]
        sound = abs(weights.sum() - 1) < 1e-3 and weights.min() > -1e-3 and weights[2] > 1e-3
        expect.true(
            sound,
            f"code {k} is {weights[0]:.3f} times its start plus {weights[1]:.3f} and "
            f"{weights[2]:.3f} times the means of its points in two batches; these must be weights "
            "of a mean, positive for the batches, with the sum 1",
        )
        expect.close(
            weights[1] / weights[2],
            torch.tensor(decay * counts[0] / counts[1]),
            f"the weight of the first batch over that of the second, with {counts[0]} and "
            f"{counts[1]} points and γ = {decay:.2f},",
            rtol=1e-3,
        )


@MENDED_EMA.check
def a_pause_does_no_harm(candidate: Candidate, rng: np.random.Generator) -> None:
    """A code that pauses stays where it is, and is a weighted mean when it is chosen again.

    Whether the batches of a pause count for its weights is left to the student.
    """
    decay, pause = float(rng.uniform(0.7, 0.9)), int(rng.integers(7, 11))
    codebook, points = _at_right_angles(rng, 2)
    other = _batch(codebook[:1] + points[:1], [0])
    first, last = (_batch(point[None], [1]) for point in points)
    found = _ask(candidate, codebook, [first] + [other] * pause + [last], decay)[1]
    weights = _sound_weights(found, codebook[1], points, f"{pause} batches without it in between")
    ratio = float(weights[1] / weights[2])
    expect.true(
        any(abs(ratio / right - 1) < 1e-3 for right in (decay ** (pause + 1), decay)),
        f"a point weighs {ratio:.4g} times as much as one {pause + 1} batches later, with no point "
        f"of that code in between and γ = {decay:.2f}; expected γ to the power {pause + 1}, "
        f"{decay ** (pause + 1):.4g}, or γ, if batches without the code do not count for it",
    )
    before = _ask(candidate, codebook, [first], 0.03)[1]
    after = _ask(candidate, codebook, [first] + [other] * 240, 0.03)[1]  # 0.03²⁴⁰ is 0
    what = "a code that was chosen in the first batch, after 240 batches without it,"
    expect.close(after, before, what, rtol=1e-6, atol=1e-6)


@MENDED_EMA.check
def a_single_point_is_enough(candidate: Candidate, rng: np.random.Generator) -> None:
    """A code is a mean also when one point chose it, with γ near one or after a long wait."""
    codebook, points = _at_right_angles(rng, 1)
    other, late = _batch(codebook[:1] + points[:1], [0]), _batch(points, [1])
    for wait, decay in ((0, 0.995), (240, 0.975)):
        found = _ask(candidate, codebook, [other] * wait + [late], decay)[1]
        when = f"one point after {wait} batches, with γ = {decay}"
        _sound_weights(found, codebook[1], points, when)


def _at_right_angles(rng: np.random.Generator, num_points: int) -> tuple[Tensor, Tensor]:
    """Two codes, (2, 3), and points at right angles to the second of them and to each other."""
    axes = 2 * torch.linalg.qr(draw_points(rng, 3, 3)).Q.T
    return torch.stack([draw_points(rng, 3), axes[0]]), axes[1 : 1 + num_points]


def _sound_weights(found: Tensor, start: Tensor, points: Tensor, when: str) -> Tensor:
    """The weights of the start and of the points in a code; a Failure if they are of no mean."""
    weights = torch.cat([start[None], points]) @ found / start.square().sum()
    expect.true(
        abs(weights.sum() - 1) < 5e-3 and weights[0] > -1e-3 and bool((weights[1:] > 1e-6).all()),
        f"a code ({when}) is {weights[0]:.3g} times its start plus "
        f"{' and '.join(f'{float(weight):.3g}' for weight in weights[1:])} times its points; "
        "these must be weights of a mean, positive for the points, with the sum 1",
    )
    return weights


@MENDED_EMA.check
def a_chosen_code_gets_there(candidate: Candidate, rng: np.random.Generator) -> None:
    """A code ends at the mean of its points if every batch has the same, also one chosen late."""
    codebook = draw_codebook(rng, 3, 2)
    z = draw_points(rng, 7, 2)
    across = codebook[1].flip(0) * torch.tensor([1.0, -1.0])  # at a right angle to code 1
    z[3:] += across - z[3:].mean(0)
    early, late = _batch(z, [0, 0, 0, 0, 0, 0, 0]), _batch(z, [0, 0, 0, 1, 1, 1, 1])
    means = z[:3].mean(0), z[3:].mean(0)
    once = _ask(candidate, codebook, [early] * 5 + [late], 0.75)[1]
    way, gone, left = means[1] - codebook[1], once - codebook[1], means[1] - once
    expect.true(
        gone.norm() + left.norm() < 1.001 * way.norm() and gone.norm() > 0.01 * way.norm(),
        f"code 1 was first chosen in the sixth batch; it came to {once.tolist()}, which is not on "
        f"the way from {codebook[1].tolist()} to the mean of its points, {means[1].tolist()}",
    )
    found = _ask(candidate, codebook, [early] * 5 + [late] * 35, 0.75)
    for k, mean in enumerate(means):
        what = f"code {k} after 35 batches with the same points"
        expect.close(found[k], mean, what, rtol=1e-2, atol=1e-2)
    _expect_in_place(found, codebook, [2], "after 40 batches")


@MENDED_EMA.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision, and changes nothing without a batch."""
    codebook = draw_codebook(rng, 4, 2).float()
    z = draw_points(rng, 6, 2).float()
    found = _ask(candidate, codebook, [_batch(z, [0, 0, 3, 3, 3, 0])], 0.0)
    right = torch.stack((z[[0, 1, 5]].mean(0), z[[2, 3, 4]].mean(0)))
    expect.close(found[[0, 3]], right, "the chosen codes after one batch with γ = 0")
    _expect_in_place(found, codebook.double(), [1, 2], "after one batch with γ = 0")
    _expect_in_place(_ask(candidate, codebook, [], 0.9), codebook.double(), [0, 3], "with no batch")


@MENDED_EMA.edge_check
def survives_underflow(candidate: Candidate, rng: np.random.Generator) -> None:
    """A code nobody chose stays even when its size is smaller than any number can be."""
    codebook = draw_codebook(rng, 3, 2)
    batches = [_batch(draw_points(rng, 2, 2), [0, 0])] * 130
    found = _ask(candidate, codebook, batches, 0.002)
    _expect_in_place(found, codebook, [1, 2], "after 130 batches with γ = 0.002")
