"""`attribute_effect(probe, before, after)`: did the target move, and did nothing else?"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle
from autograder.exercise import Exercise

Probe = Callable[[Tensor], Tensor]


def reference(probe: Probe, before: Tensor, after: Tensor) -> Tensor:
    return (probe(after) - probe(before)).mean(0)


ATTRIBUTE_EFFECT = Exercise(
    name="attribute_effect",
    unit="06_beta_vae",
    title="Measure what an edit has changed",
    points=1,
    difficulty=1,
    minutes=10,
    reference=reference,
    hints=(
        "**Principle.** Whether an edit worked is not for your eyes alone to say, and not for the "
        "model that made it. Take a classifier that was trained on real images without the VAE: an "
        "independent probe. Ask it about the image before and about the image after. The change of "
        "its probability, averaged over many images, is the effect. Do it for every attribute the "
        "probe knows: the edit is good if the target moves a lot and the others hardly at all. The "
        "sign tells whether an attribute came or went, so keep it.",
        "**Place.** `probe(images)` takes images (N, D) and gives probabilities, (N, A): one row "
        "for each image, one column for each attribute. Ask twice, once about `before` and once "
        "about `after`; row n of both belongs to the same image. Subtract, later minus earlier, "
        "and take the mean over the images, `mean(dim=0)`. What remains has the shape (A,). The "
        "probe must see images: the difference of two images is none, and its probability means "
        "nothing. Nothing is trained or drawn here: two questions and one mean.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "change = probe(...) - probe(...)      # (N, A)\n"
        "return change.mean(dim=...)\n"
        "```\n\n"
        "The gaps are the images after, the images before, and the axis of the images. Test "
        "yourself: with `before` and `after` swapped all signs must turn round, and with the same "
        "images twice everything is exactly 0. Test also with a probe that gives 0.9 after and 0.2 "
        "before for the first attribute of every image: the first number is +0.7. If you get 1, "
        "you rounded the probabilities to yes and no; if you get 4.5, you divided; if you get 0.9, "
        "you forgot to ask about the images before. And a mean of absolute changes could never "
        "show that an attribute went away.",
    ),
)


def draw_probe(rng: np.random.Generator, dim: int, num_attributes: int) -> Probe:
    """Probabilities that depend on the image in a curved way."""
    weight = torch.from_numpy(rng.normal(size=(dim, num_attributes)) * 1.5 / dim**0.5)
    bias = torch.from_numpy(rng.uniform(-1.5, 1.5, num_attributes))
    return lambda x: torch.sigmoid(x.double() @ weight + bias)


def _expect(candidate: Candidate, probe: Probe, before: Tensor, after: Tensor, which: str) -> None:
    right = reference(probe, before, after)
    given = candidate.call(Oracle(probe), before, after)
    expect.close(given, right, f"attribute_effect {which}", atol=2e-6)


@ATTRIBUTE_EFFECT.check
def is_the_mean_change(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the mean over the images of what each probability has gained, with its sign."""
    for num_points, dim, num_attributes in ((8, 6, 3), (5, 4, 4), (1, 3, 2), (30, 5, 5)):
        probe = draw_probe(rng, dim, num_attributes)
        before = torch.from_numpy(rng.normal(size=(num_points, dim)))
        step = rng.normal(size=dim) + 0.5 * rng.normal(size=(num_points, dim))
        which = f"for N = {num_points} and A = {num_attributes}"
        _expect(candidate, probe, before, before + torch.from_numpy(step), which)


@ATTRIBUTE_EFFECT.check
def back_is_the_opposite(candidate: Candidate, rng: np.random.Generator) -> None:
    """Turns its sign when before and after are swapped, and is 0 if nothing changed."""
    probe = draw_probe(rng, 4, 3)
    before, after = torch.from_numpy(rng.normal(size=(2, 6, 4)))
    _expect(candidate, probe, before, after, "one way")
    _expect(candidate, probe, after, before, "the other way")
    _expect(candidate, probe, before, before, "where nothing changed")


@ATTRIBUTE_EFFECT.check
def a_sure_probe_counts(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the share of images that gained an attribute, less those that lost it, where the probe is
    sure."""
    before, after = torch.from_numpy(rng.choice([-60.0, 60.0], size=(2, 12, 3)))

    def probe(x: Tensor) -> Tensor:
        return torch.sigmoid(x.double())

    _expect(candidate, probe, before, after, "for a probe that is sure")
