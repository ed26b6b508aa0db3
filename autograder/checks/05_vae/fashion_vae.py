"""`fashion_vae`: weights that the student trained, evaluated on data that is drawn here.

Fashion-MNIST's test images, binarised anew for every verdict. No number of the student's counts.
"""

import functools
import math
from importlib import resources
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import ModuleCandidate, Seed
from autograder.exercise import Artifact, Exercise
from course_lib.data.idx import read_idx

from ._fashion_vae import FashionVAE

FILE = "fashion_vae.safetensors"
INDEPENDENT = 386.0  # −log p(x) of the best model without hidden values: a bias for each pixel
FAIR, GOOD, GOOD_BOUND = 262.0, 251.0, 247.0  # nats an image
NUM_DRAWS, PIECE = 500, 100  # draws of the bound, and how many are asked for at once
NUM_IMAGES = 40  # on which the bound is compared with the ELBO


def reference() -> dict[str, Tensor]:
    """Weights that the solution's training gave, kept in half precision."""
    return safetensors.torch.load_file(Path(__file__).with_name(FILE))


FASHION_VAE = Exercise(
    name="fashion_vae",
    unit="05_vae",
    title="Your best VAE",
    points=4,
    difficulty=4,
    minutes=60,
    reference=reference,
    artifact=Artifact(FILE, FashionVAE),
    deterministic=False,
    follow_up="The numbers are the grader's own, on binarisations of test images drawn for you.",
    hints=(
        "**Principle.** You have everything already: the loss is the negative ELBO, summed over "
        "the pixels and over the hidden values, averaged over the images of a batch. `model(x)` "
        "gives one log weight for each image, log p(x, z) − log q(z | x), and its mean is the "
        "ELBO, so the loss is `-model(x).mean()`. The images are grey values, and the model is one "
        "of pixels that are 0 or 1: draw new pixels in every step, `torch.bernoulli(images)`. "
        "That is how the grader draws its test data, and it is also what keeps the model from "
        "learning single images by heart.",
        "**Place.** Adam with batches of 100 images. A learning rate of 2e-3 is fine at first and "
        "too large at the end: let it fall to zero over the run, for instance with `torch.optim."
        "lr_scheduler.OneCycleLR`. A few thousand steps earn all points, in about half a minute "
        'on one core. Train on `fashion_mnist("train").flat()`, in [0, 1], and keep the test '
        "images for measuring. Save with `safetensors.torch.save_file(model.state_dict(), "
        '"fashion_vae.safetensors")`, in the folder of the notebook. Only then run `check`. '
        "Train longer for the higher thresholds; nothing else has to change.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "model = FashionVAE()\n"
        "optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)\n"
        "schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=4000)\n"
        "for step in range(4000):\n"
        "    index = torch.randint(len(images), (100,))\n"
        "    x = torch.bernoulli(images[...])\n"
        "    loss = -model(...).mean()\n"
        "    optimiser.zero_grad(); loss.backward(); optimiser.step(); schedule.step()\n"
        "return model\n"
        "```\n\n"
        "The gaps are `index` and `x`. If the loss stays near 543 nothing is learnt: 784 log 2 is "
        "the price of guessing. If it stops near 390, the hidden values have collapsed: is "
        "something divided by the number of pixels? If `check` finds no file, save it first.",
    ),
)


@functools.cache
def test_images() -> np.ndarray:
    """The 2 000 test images in the package, (N, 784) in [0, 1]: the same on every machine."""
    folder = Path(str(resources.files("course_lib.data"))) / "fashion_mnist_subset"
    images = read_idx(folder / "t10k-images-idx3-ubyte.gz", num_axes=3)
    return images.reshape(len(images), -1).numpy().astype(np.float32) / 255


def draw(rng: np.random.Generator, num_images: int | None = None) -> Tensor:
    """Pixels of 0 or 1, (N, 784), from all test images or some of them."""
    images = test_images()
    if num_images is not None:
        images = images[rng.choice(len(images), num_images, replace=False)]
    pixels = rng.random(images.shape, dtype=np.float32) < images
    return torch.from_numpy(pixels.astype(np.float32))


def log_weights(
    candidate: ModuleCandidate, rng: np.random.Generator, x: Tensor, num_samples: int
) -> Tensor:
    """(S, N), asked for in pieces because each of them decodes S N images."""
    found = []
    for start in range(0, num_samples, PIECE):
        size = min(PIECE, num_samples - start)
        value = candidate.call(x, size, Seed(int(rng.integers(2**31))))
        value = expect.tensor(value, (size, len(x)), "the log weights of your model")
        expect.finite(value, "log p(x, z) − log q(z | x) of your model")
        found.append(value)
    return torch.cat(found)


def _negative_elbo(candidate: ModuleCandidate, rng: np.random.Generator) -> float:
    return -log_weights(candidate, rng, draw(rng), 1).mean().item()


@FASHION_VAE.check
def uses_its_hidden_values(candidate: ModuleCandidate, rng: np.random.Generator) -> None:
    """Describes an image better than pixels that know nothing of each other could."""
    x = draw(rng, 500)
    loc, log_var = expect.items(candidate.method("encode", x), 2, "the encoder's answer")
    rate = 0.5 * (loc.square() + log_var.exp() - 1 - log_var).sum(1).mean().item()
    value = -log_weights(candidate, rng, x, 1).mean().item()
    expect.true(
        value < INDEPENDENT - 30,
        f"−ELBO is {value:.1f} nats an image, of which {rate:.1f} are the rate; independent pixels "
        f"need {INDEPENDENT:.0f}, so expected less than {INDEPENDENT - 30:.0f}",
    )


@FASHION_VAE.threshold(points=1)
def is_fair(candidate: ModuleCandidate, rng: np.random.Generator) -> None:
    """Reaches −ELBO ≤ 262 nats an image (1 point)."""
    value = _negative_elbo(candidate, rng)
    expect.true(value <= FAIR, f"−ELBO is {value:.1f} nats an image; expected {FAIR:g} or less")


@FASHION_VAE.threshold(points=1)
def is_good(candidate: ModuleCandidate, rng: np.random.Generator) -> None:
    """Reaches −ELBO ≤ 251 nats an image (1 point)."""
    value = _negative_elbo(candidate, rng)
    expect.true(value <= GOOD, f"−ELBO is {value:.1f} nats an image; expected {GOOD:g} or less")


@FASHION_VAE.threshold(points=2)
def is_good_by_the_bound(candidate: ModuleCandidate, rng: np.random.Generator) -> None:
    """Reaches −log p(x) ≤ 247 nats an image by the bound with 500 draws (2 points)."""
    value = _negative_elbo(candidate, rng) - gain(candidate, rng)
    expect.true(
        value <= GOOD_BOUND,
        f"the bound with {NUM_DRAWS} draws is {value:.1f} nats an image; expected "
        f"{GOOD_BOUND:g} or less",
    )


def gain(candidate: ModuleCandidate, rng: np.random.Generator) -> float:
    """What 500 draws add to the ELBO, in nats an image.

    A difference for the same image varies by two nats and the bound itself by eighty, so that few
    images are enough for the one where the other takes all.
    """
    weights = log_weights(candidate, rng, draw(rng, NUM_IMAGES), NUM_DRAWS)
    bound = weights.logsumexp(0) - math.log(NUM_DRAWS)
    return (bound - weights.mean(0)).mean().item()
