"""`capacity_loss(distortion, rate, capacity, weight)`: a rate that is asked for, not taxed."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(distortion: Tensor, rate: Tensor, capacity: float, weight: float) -> Tensor:
    """Burgess et al. 2018, equation (8), for a batch."""
    return distortion.mean() + weight * (rate.mean() - capacity).abs()


CAPACITY_LOSS = Exercise(
    name="capacity_loss",
    unit="06_beta_vae",
    title="A rate that is asked for",
    points=2,
    difficulty=2,
    minutes=15,
    reference=reference,
    hints=(
        "**Principle.** A weight on the rate says what a nat costs, and leaves open how many nats "
        "are spent. Here it is the other way round: you say how many nats the code may have, the "
        "capacity, and punish every departure from it. Too much is punished, and too little is "
        "punished too, or the code would collapse as before. The capacity is meant for the average "
        "image. A difficult image may take more nats, as long as an easy one takes fewer. So the "
        "batch is averaged first and compared then. A comparison for each image by itself would "
        "force all of them to the same length.",
        "**Place.** `distortion` and `rate` hold one number for each image, already summed over "
        "values and hidden values. Take the mean of each. The distortion keeps the weight 1. From "
        "the mean rate subtract `capacity`, take the absolute value, and multiply it by `weight`. "
        "Look at the gradient to see what you have built: every rate is pushed by weight/N, down "
        "while the mean is above the capacity and up while it is below. So all rates of a batch "
        "are pushed in the same direction. If some of yours go up and others down in the same "
        "batch, you took the absolute value before the mean.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "excess = rate.mean() - ...\n"
        "return distortion.... + weight * torch.abs(...)\n"
        "```\n\n"
        "The gaps are `capacity`, the mean of the batch, and `excess`. Python's `abs` works on "
        "tensors as well. Test yourself with the rates 1 and 9, the capacity 5 and the weight 100: "
        "the mean is 5, so the penalty is zero. If you get 400, the absolute value came before the "
        "mean. With the capacity 7 the penalty must be 200, and with the capacity 3 also 200. If "
        "one of them is zero, you used `relu` or `clamp`, and if one is negative you took no "
        "absolute value. Powers have no place here: the penalty is straight, not a square.",
    ),
)


def draw(rng: np.random.Generator, num_points: int) -> tuple[Tensor, Tensor]:
    """Distortions and rates whose spread is large, in random order."""
    rate = np.linspace(1.0, 12.0, num_points) + rng.uniform(-0.4, 0.4, size=num_points)
    distortion = rng.uniform(20.0, 60.0, size=num_points)
    return torch.from_numpy(distortion), torch.from_numpy(rng.permutation(rate))


def _expect(candidate: Candidate, args: tuple, right: Tensor, what: str) -> None:
    expect.close(expect.number(candidate.call(*args), what), right, what)


def _exact(distortion: Tensor, rate: Tensor, capacity: float, weight: float) -> Tensor:
    distortion, rate = distortion.double(), rate.double()
    excess = rate.sum() / len(rate) - capacity
    return distortion.sum() / len(rate) + weight * max(excess, -excess)


@CAPACITY_LOSS.check
def punishes_departures_of_the_mean(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the mean distortion plus the weight times the distance of the mean rate from capacity."""
    for num_points, away in ((6, -2.0), (5, 1.5), (1, 3.0)):
        distortion, rate = draw(rng, num_points)
        capacity = float(rate.mean()) + away * float(rng.uniform(0.8, 1.2))
        weight = float(rng.uniform(5, 50))
        if num_points == 1:
            capacity = float(rate.mean()) + 0.7
        args = distortion, rate, capacity, weight
        where = "below" if away > 0 else "above"
        what = f"capacity_loss of {num_points} images with a mean rate {where} the capacity"
        _expect(candidate, args, _exact(*args), what)
    distortion, rate = draw(rng, 5)
    args = distortion, 8 * rate, float(rng.uniform(35, 45)), float(rng.uniform(300, 1000))
    what = f"capacity_loss for the capacity {args[2]:.3g} and the weight {args[3]:.4g}"
    _expect(candidate, args, _exact(*args), what)


@CAPACITY_LOSS.check
def single_images_are_free(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the mean distortion where the mean rate is the capacity, whatever single images spend."""
    distortion, rate = draw(rng, 8)
    args = distortion, rate, float(rate.mean()), float(rng.uniform(5, 50))
    what = "capacity_loss of 8 images whose mean rate is the capacity"
    _expect(candidate, args, distortion.mean(), what)


@CAPACITY_LOSS.check
def a_capacity_of_zero_taxes_the_rate(candidate: Candidate, rng: np.random.Generator) -> None:
    """With the capacity 0 it is the loss of a β-VAE whose β is the weight."""
    distortion, rate = draw(rng, 4)
    weight = float(rng.uniform(2, 9))
    right = distortion.mean() + weight * rate.mean()
    _expect(candidate, (distortion, rate, 0.0, weight), right, "capacity_loss at capacity 0")


@CAPACITY_LOSS.check
def gradient_is_exact(candidate: Candidate, rng: np.random.Generator) -> None:
    """Pushes all rates of a batch alike: down above the capacity, up below it."""
    for away in (-2.0, 2.0):
        distortion, rate = draw(rng, 5)
        weight, capacity = float(rng.uniform(5, 50)), float(rate.mean()) + away
        where = "below" if away > 0 else "above"
        slopes = candidate.gradient(distortion, rate, capacity, weight, wrt=(0, 1))
        right = torch.full_like(rate, 1 / 5)
        expect.close(slopes[0], right, "the gradient for distortion")
        right = torch.full_like(rate, -np.sign(away) * weight / 5)
        expect.close(slopes[1], right, f"the gradient for rate with a mean {where} the capacity")


@CAPACITY_LOSS.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision, and for capacities and weights that are whole numbers."""
    distortion, rate = (part.float() for part in draw(rng, 6))
    args = distortion, rate, 25, 30
    _expect(candidate, args, _exact(*args), "capacity_loss in single precision")
