"""`attribute_vector(encode, x, labels, others)`: the direction of one attribute in the code."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle
from autograder.exercise import Exercise

from ._attributes import World, codes_of, draw_attributes, draw_members, draw_world

TIMES = 5.0  # how much more the target must move than any other attribute


def differences(codes: Tensor, labels: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Difference of means in each group that holds both kinds, (G, M), and both counts, (G, 2)."""
    _, group = torch.unique(others, dim=0, return_inverse=True)
    found, counts = [], []
    for g in range(int(group.max()) + 1):
        has, lacks = (group == g) & labels, (group == g) & ~labels
        if has.any() and lacks.any():
            found.append(codes[has].mean(0) - codes[lacks].mean(0))
            counts.append([has.sum().item(), lacks.sum().item()])
    return torch.stack(found), torch.tensor(counts).double()


def reference(encode, x: Tensor, labels: Tensor, others: Tensor) -> Tensor:
    return differences(encode(x), labels, others)[0].mean(0)


ATTRIBUTE_VECTOR = Exercise(
    name="attribute_vector",
    unit="06_beta_vae",
    title="The direction of an attribute",
    points=3,
    difficulty=3,
    minutes=25,
    reference=reference,
    hints=(
        "**Principle.** If an attribute has a direction in the code, the mean code of those who "
        "have it differs from the mean code of those who lack it by that direction. But the two "
        "sets must not differ in anything else. If most people with a hat have dark hair in your "
        "data, the plain difference of means is a bit of hat and a bit of hair, and your hat will "
        "darken the hair. So compare like with like: only people who agree in all the other "
        "attributes. Each such comparison is a fair estimate of the direction; their mean is a "
        "better one. All this happens in the code. Means of images are ghosts.",
        "**Place.** Encode all images once: (N, M). The rows of `others` say which group a point "
        "belongs to; with A other attributes there are up to 2 to the power A groups, and "
        "`torch.unique(others, dim=0, return_inverse=True)` numbers those that occur. In each "
        "group take the mean code of the points with the label minus the mean code of those "
        "without. A group in which everybody has the label, or nobody, has nothing to compare: "
        "leave it out. Then take the plain mean over the groups that remain: a large group does "
        "not count more than a small one. Do not scale the result: its length says how far the "
        "attribute reaches.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "codes = encode(x)\n"
        "_, group = torch.unique(others, dim=0, return_inverse=True)\n"
        "found = []\n"
        "for g in group.unique():\n"
        "    has, lacks = (group == g) & ..., (group == g) & ...\n"
        "    if has.any() and lacks.any():\n"
        "        found.append(codes[...].mean(dim=0) - codes[...].mean(dim=0))\n"
        "return torch.stack(found).mean(dim=0)\n"
        "```\n\n"
        "The gaps are `labels`, its opposite `~labels`, and the two sets of points. Test yourself "
        "with four points: codes [0, 0], [1, 0], [0, 3], [1, 3], of which the second and the "
        "fourth have the label and the last two have the other attribute. The vector is [1, 0]. "
        "Repeat the last point many times: the vector must not change.",
    ),
)


def ask(candidate: Candidate, world: World, x: Tensor, labels: Tensor, others: Tensor) -> Tensor:
    given = candidate.call(Oracle(world.encode), x, labels, others)
    what = f"attribute_vector for {len(x)} images, M = {world.latent_dim}"
    return expect.tensor(given, (world.latent_dim,), what)


@ATTRIBUTE_VECTOR.check
def is_the_mean_of_fair_comparisons(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the plain mean, over the groups that agree in all other attributes, of the difference of
    the two mean codes."""
    for counts, num_others, dim, latent_dim in (
        ([(3, 6), (2, 11)], 1, 6, 3),
        ([(8, 20), (3, 3), (1, 5), (41, 84)], 2, 5, 4),
    ):
        labels, others = draw_attributes(rng, counts, num_others)
        world = draw_world(rng, dim, latent_dim, 1 + num_others)
        x = world.decode(codes_of(rng, world, labels, others, 0.7))
        right = reference(world.encode, x, labels, others)
        which = f"attribute_vector for {len(counts)} groups of different sizes"
        expect.close(ask(candidate, world, x, labels, others), right, which)


@ATTRIBUTE_VECTOR.check
def one_sided_groups_are_left_out(candidate: Candidate, rng: np.random.Generator) -> None:
    """Leaves out groups in which all have the attribute, or none."""
    counts = [(2, 3), (5, 0), (0, 9), (2, 3), (4, 1), (7, 2), (1, 0), (2, 1)]
    labels, others = draw_attributes(rng, counts, 3)
    world = draw_world(rng, 7, 5, 4)
    x = world.decode(codes_of(rng, world, labels, others, 0.5))
    right = reference(world.encode, x, labels, others)
    which = "attribute_vector where three groups hold one kind only"
    expect.close(ask(candidate, world, x, labels, others), right, which)


@ATTRIBUTE_VECTOR.check
def every_combination_is_a_group(candidate: Candidate, rng: np.random.Generator) -> None:
    """Tells all combinations of the other attributes apart, also if there are many attributes."""
    rows = torch.from_numpy(rng.integers(2, size=(18, 9)))
    rows[:5] = rows[0]
    rows[:5, :4] = torch.tensor(
        [[1, 0, 0, 1], [0, 1, 1, 0], [1, 0, 1, 1], [1, 0, 0, 1], [0, 1, 1, 0]]
    )
    rows[3, 8], rows[4, 7] = 1 - rows[3, 8], 1 - rows[4, 7]  # else the same as the first two
    rows[5] = 0
    counts = rng.integers(1, 6, size=(18, 2))
    counts[np.arange(8, 18), rng.integers(2, size=10)] = 0
    labels, others = draw_members(rng, rows, counts.tolist())
    world = draw_world(rng, 12, 10, 10)
    x = world.decode(codes_of(rng, world, labels, others, 0.5))
    right = reference(world.encode, x, labels, others)
    which = "attribute_vector for 9 other attributes"
    expect.close(ask(candidate, world, x, labels, others), right, which)


@ATTRIBUTE_VECTOR.check
def it_moves_the_target_alone(candidate: Candidate, rng: np.random.Generator) -> None:
    """Moves the target at least five times as much as any other attribute, by a probe of its own,
    though the attributes are correlated in the data."""
    counts = [(60, 6), (9, 8), (7, 9), (6, 60)]
    labels, others = draw_attributes(rng, counts, 2)
    world = draw_world(rng, 8, 4, 3)
    codes = codes_of(rng, world, labels, others, 0.03)
    vector = ask(candidate, world, world.decode(codes), labels, others)
    expect.finite(vector, "attribute_vector")
    before = world.decode(codes[~labels])
    effect = world.probe(world.decode(codes[~labels] + vector)) - world.probe(before)
    target, *rest = effect.mean(0).tolist()
    largest = max(map(abs, rest))
    expect.true(
        target > 0.5 and target > TIMES * largest,
        f"your vector moves the probability of the target by {target:+.2f} and that of another "
        f"attribute by up to {largest:.2f}; the target must move by at least five times as much",
    )
