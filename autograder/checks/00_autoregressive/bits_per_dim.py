"""`bits_per_dim(nll, shape)`: a likelihood in a unit that does not grow with the image."""

import math

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(nll: Tensor, shape: tuple[int, ...]) -> Tensor:
    return nll / (math.prod(shape) * math.log(2))


BITS_PER_DIM = Exercise(
    name="bits_per_dim",
    unit="00_autoregressive",
    title="Bits per dimension",
    points=1,
    difficulty=1,
    minutes=5,
    reference=reference,
    hints=(
        "**Principle.** A negative log-likelihood in nats is the length of the shortest code for "
        "the image, in units of log e. Two things make it hard to compare. It grows with the "
        "number of values in an image, so divide by that number; every pixel counts, and every "
        "colour of a pixel. And computers count in bits: one bit is log 2, about 0.693 nats, so "
        "the same length is a larger number of bits than of nats. Nothing else happens. A code "
        "that gives all K values the same probability needs log2 K bits for each value, for "
        "images of any size.",
        "**Place.** `shape` is the shape of one example, such as (3, 32, 32) for a colour image "
        "or (784,) for a flat one. The number of values is the product of its entries: "
        "`math.prod(shape)`. It is not the number of axes, and not the number of pixels when "
        "there are several colours. Divide by it, and by `math.log(2)`, the natural logarithm. "
        "Dividing is right: a nat is worth 1.44 bits, and 1 / log 2 is 1.44. `nll` may hold many "
        "numbers at once; the division works for all of them, and the sign stays as it is.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "num_dims = math.prod(...)\n"
        "return nll / (num_dims * math.log(...))\n"
        "```\n\n"
        "The gaps are the shape and the number whose logarithm turns nats into bits. To test "
        "yourself, take an image of 28 × 28 pixels with 256 equally probable grey levels. Its "
        "negative log-likelihood is 784 log 256, and the answer must be 8: it is what an "
        "uncompressed file spends. If you get 5.545, you forgot the change from nats to bits. If "
        "you get 3.84, you multiplied by log 2. If you get 224 or more, you divided by one side "
        "of the image only.",
    ),
)


@BITS_PER_DIM.check
def uniform_costs_the_logarithm(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives log2 K for K equally probable values, whatever the shape."""
    for shape, levels in (((28, 28), 256), ((3, 8, 5), 2), ((784,), 17), ((2, 3, 4, 5), 32)):
        dim = int(np.prod(shape))
        nll = torch.full((3,), dim * math.log(levels), dtype=torch.float64)
        what = f"bits_per_dim for {levels} equally probable values and shape {shape}"
        right = torch.full((3,), math.log2(levels), dtype=torch.float64)
        expect.close(candidate.call(nll, shape), right, what)


@BITS_PER_DIM.check
def converts_every_number(candidate: Candidate, rng: np.random.Generator) -> None:
    """Converts every entry, also the negative ones that densities can give."""
    for shape in ((3, 7, 4), (1, 9, 9), (50,), (1,)):
        nll = torch.from_numpy(rng.normal(size=6) * 100 + 50)
        nll[2] = -rng.uniform(20, 90)
        right = nll / int(np.prod(shape)) * math.log2(math.e)
        expect.close(candidate.call(nll, shape), right, f"bits_per_dim for shape {shape}")
    nll = torch.from_numpy(rng.uniform(100, 900, size=4)).float()
    right = nll.double() / 48 * math.log2(math.e)
    expect.close(candidate.call(nll, (3, 4, 4)), right, "bits_per_dim in float32")
