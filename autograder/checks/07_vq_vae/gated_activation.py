"""`gated_activation(features, condition)`: tanh times a gate, told which class is asked for."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(features: Tensor, condition: Tensor) -> Tensor:
    """van den Oord et al. 2016b, equation (4), with the products by V already taken."""
    content, gate = (features + condition[:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(content) * torch.sigmoid(gate)


GATED_ACTIVATION = Exercise(
    name="gated_activation",
    unit="07_vq_vae",
    title="The gate",
    points=1,
    difficulty=1,
    minutes=10,
    reference=reference,
    hints=(
        "**Principle.** An ordinary activation treats every channel alone. A gate lets one channel "
        "decide how much of another is passed on: half of the channels hold a content between -1 "
        "and 1, the other half hold an opening between 0 and 1, and the two are multiplied. An "
        "opening near 0 hides the content, and one near 1 shows it as it is. The class enters "
        "before the activation, as a number that is added to each channel: the same number at all "
        "places of the map, and another one for each image of the batch.",
        "**Place.** `features` is (N, 2C, H, W) and `condition` is (N, 2C). To be added, the "
        "condition needs two more axes of length 1 at the end: `condition[:, :, None, None]`. "
        "Without them torch would align it with the last axes, height and width. Then split the "
        "channels, axis 1, into the first half and the second half: `chunk(2, dim=1)`, or slices. "
        "The first half goes through tanh and the second through the sigmoid, and the result is "
        "their product, (N, C, H, W). Use `torch.tanh` and `torch.sigmoid`, which stay finite for "
        "inputs of any size.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "shifted = features + condition[:, :, ..., ...]\n"
        "content, gate = shifted.chunk(2, dim=...)\n"
        "return torch.tanh(...) * torch.sigmoid(...)\n"
        "```\n\n"
        "The gaps are the two axes of length 1, the axis of the channels, and the two halves. Try "
        "it on zeros: the content is 0, so the result is 0. With the first half large and the "
        "second half zero the result is 0.5: the gate is half open. With the second half very "
        "negative it is 0, whatever the first half says. If you see values above 1 or a result "
        "that is never negative, one of the two functions is at the wrong place.",
    ),
)


def _draw(rng: np.random.Generator, n: int, channels: int, height: int, width: int) -> tuple:
    shapes = (n, 2 * channels, height, width), (n, 2 * channels)
    return tuple(torch.from_numpy(rng.normal(scale=1.5, size=shape)) for shape in shapes)


def _expect(candidate: Candidate, args: tuple, which: str) -> None:
    expect.close(candidate.call(*args), reference(*args), f"gated_activation {which}")


@GATED_ACTIVATION.check
def is_the_gated_content(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is tanh of the first half of the channels times the sigmoid of the second half, both after
    the condition was added."""
    for sizes in ((3, 2, 4, 5), (2, 3, 3, 3), (4, 2, 4, 4)):
        _expect(candidate, _draw(rng, *sizes), "for N, C, H, W = {}, {}, {}, {}".format(*sizes))


@GATED_ACTIVATION.check
def gradient_is_right(candidate: Candidate, rng: np.random.Generator) -> None:
    """Has the right gradient for the features and for the condition."""
    args = _draw(rng, 2, 2, 3, 2)
    outer = torch.from_numpy(rng.normal(size=(2, 2, 3, 2)))
    leaves = [part.clone().requires_grad_() for part in args]
    right = torch.autograd.grad((reference(*leaves) * outer).sum(), leaves)
    given = candidate.gradient(*args, wrt=(0, 1), outer=outer)
    for one, other, name in zip(given, right, ("features", "condition"), strict=True):
        expect.close(one, other, f"the gradient for the {name}")


@GATED_ACTIVATION.edge_check
def saturates_quietly(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays finite for features of the size of a thousand, in single precision too."""
    features, condition = _draw(rng, 2, 3, 3, 3)
    for args in ((1000 * features, condition), (300 * features.float(), condition.float())):
        _expect(candidate, args, "for large features")
