"""`free_bits(kl, floor)`: nats that a hidden value may use without paying."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(kl: Tensor, floor: float) -> Tensor:
    """Kingma et al. 2016, appendix C.8."""
    return kl.mean(0).clamp(min=floor).sum()


FREE_BITS = Exercise(
    name="free_bits",
    unit="05_vae",
    title="Free bits",
    points=2,
    difficulty=2,
    minutes=15,
    reference=reference,
    hints=(
        "**Principle.** Early in training the decoder does not listen yet, so every nat the "
        "encoder spends is a loss, and it soon spends none. Free bits takes the reward for saving "
        "away: each hidden value is charged `floor` nats, whether it uses them or not. Below the "
        "floor the charge is a constant, so nothing pushes the divergence down and the "
        "reconstruction alone decides. Above the floor every further nat costs a nat, as usual. "
        "The floor is granted to each hidden value, and it is compared with the average over the "
        "batch, so that one image may use more and another less.",
        "**Place.** `kl` has a row for each image and a column for each hidden value. First the "
        "mean down the columns, (M,). Then raise what lies below the floor to the floor: "
        "`torch.clamp(…, min=floor)`. Then the sum over the hidden values. The order matters. If "
        "you clamp before the mean, every image has to use its nats. If you clamp after the sum, "
        "one busy hidden value frees all the others. Check the gradient: a hidden value whose "
        "average lies below the floor must get zero from autograd, the others 1/N for each entry.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "per_dimension = kl.mean(dim=...)                      # (M,)\n"
        "return torch.clamp(per_dimension, min=...).sum()\n"
        "```\n\n"
        "The gaps are the axis of the images and `floor`. Test yourself: with the floor 0 you must "
        "get the ordinary rate, the mean over images of the row sums. If all entries are zero you "
        "must get M times the floor, with a gradient of zero. If you get less than that, you "
        "subtracted the floor instead of raising to it; or you used `max=` for `min=`. If the "
        "gradient is zero everywhere, something cuts it: `detach`, `.item()`, `torch.tensor(…)`.",
    ),
)


def draw(rng: np.random.Generator, num_points: int, above: int, below: int, floor: float) -> Tensor:
    """Divergences, (N, M): some columns are above the floor on average, others below.

    Single entries lie on both sides of it in every column.
    """
    level = np.concatenate([rng.uniform(1.4, 3, above), rng.uniform(0.2, 0.7, below)])
    scatter = rng.exponential(size=(num_points, above + below)) + 0.02
    scatter[0], scatter[-1] = 0.02, 3.0
    scatter /= scatter.mean(0)
    kl = rng.permutation(scatter * level * floor, axis=1)
    return torch.from_numpy(rng.permutation(kl, axis=0))


def exact(kl: Tensor, floor: float) -> tuple[Tensor, Tensor]:
    """The charge and its gradient, in words of its own."""
    kl = kl.double()
    mean = kl.sum(0) / len(kl)
    is_free = mean < floor
    charge = torch.where(is_free, torch.full_like(mean, floor), mean).sum()
    return charge, ((~is_free).double() / len(kl)).expand_as(kl)


@FREE_BITS.check
def charges_the_floor_or_the_mean(candidate: Candidate, rng: np.random.Generator) -> None:
    """Charges each hidden value its mean divergence over the batch, and at least the floor."""
    for num_points, above, below, floor in ((6, 2, 3, 0.5), (4, 3, 1, 1.7), (5, 1, 4, 0.004)):
        kl = draw(rng, num_points, above, below, floor)
        what = f"free_bits for N = {num_points}, M = {above + below} and the floor {floor}"
        expect.close(candidate.call(kl, floor), exact(kl, floor)[0], what)


@FREE_BITS.check
def without_a_floor_it_is_the_rate(candidate: Candidate, rng: np.random.Generator) -> None:
    """With the floor 0 it is the mean rate of the batch, the row sums averaged."""
    kl = draw(rng, 5, 2, 2, 1.0)
    expect.close(candidate.call(kl, 0.0), kl.sum(1).mean(), "free_bits with the floor 0")


@FREE_BITS.check
def a_free_value_has_no_gradient(candidate: Candidate, rng: np.random.Generator) -> None:
    """The gradient is 1/N for hidden values above the floor and exactly 0 for those below."""
    floor = float(rng.uniform(0.3, 2))
    kl = draw(rng, 6, 2, 2, floor)
    (gradient,) = candidate.gradient(kl, floor)
    expect.close(gradient, exact(kl, floor)[1], "the gradient of free_bits")
    kl = draw(rng, 6, 2, 2, 0.02)
    (gradient,) = candidate.gradient(kl, 0.02)
    expect.close(gradient, exact(kl, 0.02)[1], "the gradient of free_bits with the floor 0.02")
    pull = gradient[:, kl.mean(0) < 0.02].abs().max().item()
    expect.true(
        pull == 0, f"a hidden value below the floor has the gradient {pull:.3g}; expected exactly 0"
    )


@FREE_BITS.check
def a_collapsed_batch_pays_the_floor(candidate: Candidate, rng: np.random.Generator) -> None:
    """Where every divergence is zero it is M times the floor."""
    kl = torch.zeros(7, int(rng.integers(2, 6)), dtype=torch.float64)
    floor = float(rng.uniform(0.2, 1))
    given = candidate.call(kl, floor)
    expect.close(given, torch.tensor(kl.shape[1] * floor), "free_bits of a collapsed batch")


@FREE_BITS.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    kl = draw(rng, 7, 2, 2, 0.5).float()
    expect.close(candidate.call(kl, 0.5), exact(kl, 0.5)[0], "free_bits in float32")
