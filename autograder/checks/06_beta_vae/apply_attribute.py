"""`apply_attribute(encode, decode, x, vector, strength)`: the same faces with a smile."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle
from autograder.exercise import Exercise

from ._attributes import codes_of, draw_attributes, draw_world

TIMES = 5.0


def reference(encode, decode, x: Tensor, vector: Tensor, strength: float) -> Tensor:
    return decode(encode(x) + strength * vector)


APPLY_ATTRIBUTE = Exercise(
    name="apply_attribute",
    unit="06_beta_vae",
    title="Add an attribute to images",
    points=1,
    difficulty=1,
    minutes=10,
    reference=reference,
    hints=(
        "**Principle.** An attribute is a direction in the code, the same for every image. To give "
        "it to a face, go to the code of that face, take a step along the direction, and decode "
        "where you arrive. All that makes this face itself stays in the code. The step may be "
        "longer or shorter than the vector, and with a negative strength it takes the attribute "
        "off. In the space of images the same sum would lay a ghost over the picture: a decoder is "
        "curved, and what must change in the pixels is different from face to face.",
        "**Place.** Three steps, once each for the whole batch. `encode(x)` gives the codes, "
        "(N, M). Add `strength * vector`, which has the shape (M,) and is added to every row by "
        "broadcasting. `decode` makes images of the result, (N, D). With the strength 0 you get "
        "the plain reconstruction, which is not quite `x`: what the code does not hold is lost on "
        "the way, with or without an attribute. Do not add that loss back, and do not rescale the "
        "vector.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "z = encode(...)\n"
        "z = z + ... * vector\n"
        "return decode(...)\n"
        "```\n\n"
        "The gaps are the images, the strength and the new codes. Test yourself with an encoder "
        "and a decoder that do nothing, `lambda a: a`: then the result is x + strength × vector. "
        "Test once more with a decoder that cubes and an encoder that takes the cube root of "
        "positive numbers: from x = 8, a vector of 1 and the strength 2 you must get (2 + 2)³ = "
        "64. If you get 8 + 8 = 16, you decoded the vector and added images. With the strength −2 "
        "you must get 0.",
    ),
)


def ask(candidate: Candidate, encode, decode, x: Tensor, vector: Tensor, strength: float) -> Tensor:
    given = candidate.call(Oracle(encode), Oracle(decode), x, vector, strength)
    what = f"apply_attribute for {len(x)} images and the strength {strength:g}"
    return expect.tensor(given, x.shape, what)


@APPLY_ATTRIBUTE.check
def decodes_the_shifted_codes(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is what the decoder makes of each code plus strength times the vector, also where the encoder
    does not find the code of a decoded image again."""
    for num_points, dim, latent_dim, strength in ((1, 4, 2, 0.4), (5, 6, 3, 1.7), (7, 5, 4, -1.3)):
        world, other = (draw_world(rng, dim, latent_dim, 1) for _ in range(2))
        x = torch.sinh(torch.from_numpy(rng.normal(size=(num_points, dim))))
        vector = torch.from_numpy(
            rng.uniform(0.4, 1.2, latent_dim) * rng.choice([-1, 1], latent_dim)
        )
        given = ask(candidate, other.encode, world.decode, x, vector, strength)
        right = world.decode(other.encode(x) + strength * vector)
        expect.close(given, right, f"apply_attribute with the strength {strength:g}")


@APPLY_ATTRIBUTE.check
def without_strength_it_reconstructs(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the plain reconstruction for the strength 0."""
    world = draw_world(rng, 6, 2, 1)
    x = torch.sinh(torch.from_numpy(rng.normal(size=(4, 6))))
    given = ask(candidate, world.encode, world.decode, x, torch.from_numpy(rng.normal(size=2)), 0.0)
    expect.close(given, world.decode(world.encode(x)), "apply_attribute with the strength 0")


@APPLY_ATTRIBUTE.check
def what_is_added_can_be_taken_off(candidate: Candidate, rng: np.random.Generator) -> None:
    """Comes back to where it was when the vector is added and then taken off."""
    world = draw_world(rng, 5, 3, 1)
    x = world.decode(torch.from_numpy(rng.normal(size=(4, 3))))
    vector = torch.from_numpy(rng.normal(size=3))
    there = ask(candidate, world.encode, world.decode, x, vector, 1.5)
    expect.finite(there, "apply_attribute with the strength 1.5")
    back = ask(candidate, world.encode, world.decode, there, vector, -1.5)
    expect.close(back, x, "apply_attribute with the strength 1.5 and then −1.5")


@APPLY_ATTRIBUTE.check
def it_moves_the_target_alone(candidate: Candidate, rng: np.random.Generator) -> None:
    """Moves the target at least five times as much as any other attribute, by a probe of its
    own."""
    labels, others = draw_attributes(rng, [(6, 0), (6, 0), (6, 0), (6, 0)], 2)
    world = draw_world(rng, 8, 4, 3)
    x = world.decode(codes_of(rng, world, labels, others, 0.03))
    edited = ask(candidate, world.encode, world.decode, x, world.directions[0], 1.0)
    target, *rest = (world.probe(edited) - world.probe(x)).mean(0).tolist()
    largest = max(map(abs, rest))
    expect.true(
        target > 0.5 and target > TIMES * largest,
        f"the probability of the target moves by {target:+.2f} and that of another attribute by up "
        f"to {largest:.2f}; the target must move by at least five times as much",
    )
