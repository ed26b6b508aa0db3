"""`cluster_codes(codes, num_clusters, generator)`: groups without labels, by k-means.

Names of clusters mean nothing, so partitions are compared: by their cost, and by whether every
point is with its nearest centre.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Seed
from autograder.exercise import Exercise

from ._classes import draw_rotation

NUM_STARTS, NUM_STEPS = 12, 100
SLACK = 1.03
MIDDLES = torch.tensor([[0.0, 2.0], [6.0, 2.0], [12.0, 2.0]], dtype=torch.float64)


def squared_distances(codes: Tensor, centres: Tensor) -> Tensor:
    """(N, M) and (…, K, M) -> (…, N, K)."""
    return (codes[:, None] - centres[..., None, :, :]).square().sum(-1)


def spread_out(codes: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Starts (R, K, M) by k-means++: far points are more likely (Arthur & Vassilvitskii 2007)."""
    first = torch.randint(len(codes), (NUM_STARTS, 1), generator=generator)
    centres = codes[first]
    for _ in range(count - 1):
        distance = squared_distances(codes, centres).amin(-1)
        chosen = torch.multinomial(distance + 1e-300, 1, generator=generator)
        centres = torch.cat((centres, codes[chosen]), 1)
    return centres


def means(codes: Tensor, kinds: Tensor, centres: Tensor) -> Tensor:
    """Mean of each cluster's points; a cluster without points keeps its centre."""
    member = torch.nn.functional.one_hot(kinds, centres.shape[-2]).to(codes.dtype)
    count = member.sum(-2)[..., None]
    return torch.where(count > 0, member.mT @ codes / count.clamp(min=1), centres)


def lloyd(codes: Tensor, centres: Tensor, num_steps: int = NUM_STEPS) -> Tensor:
    """Cluster of each point after steps of k-means from these centres."""
    kinds = squared_distances(codes, centres).argmin(-1)
    for _ in range(num_steps):
        centres = means(codes, kinds, centres)
        new = squared_distances(codes, centres).argmin(-1)
        if torch.equal(new, kinds):
            break
        kinds = new
    return kinds


def cost(codes: Tensor, kinds: Tensor, count: int) -> Tensor:
    """Sum of squared distances to the own cluster's mean, for partitions (…, N)."""
    centres = means(codes, kinds, torch.zeros(*kinds.shape[:-1], count, codes.shape[1]).double())
    return squared_distances(codes, centres).gather(-1, kinds[..., None]).sum((-2, -1))


def cluster(codes: Tensor, num_clusters: int, generator: torch.Generator) -> Tensor:
    kinds = lloyd(codes, spread_out(codes, num_clusters, generator))
    return kinds[cost(codes, kinds, num_clusters).argmin()]


CLUSTER_CODES = Exercise(
    name="cluster_codes",
    unit="04_autoencoders",
    title="Groups without labels",
    points=3,
    difficulty=3,
    minutes=30,
    reference=cluster,
    deterministic=False,
    follow_up="No label took part. How well the groups agree with the classes is measured later.",
    hints=(
        "**Principle.** k-means wants a centre for each group such that the squared distances of "
        "the points to their own centres have the smallest sum. It alternates two steps, neither "
        "of which can raise that sum: give each point to its nearest centre, move each centre to "
        "the mean of its points. It stops where nothing changes. But that place depends on where "
        "it began: two starting centres in one group often stay there, and two other groups share "
        "one. So begin with points that are spread out, begin several times, and keep the result "
        "with the smallest sum. Labels have no part in it.",
        "**Place.** For a start by k-means++ take one point at random. Then draw each further "
        "centre among the points with a probability in proportion to the squared distance to the "
        "nearest centre so far: `torch.multinomial(distance, 1, generator=generator)`. Then "
        "alternate: `torch.cdist(codes, centres).argmin(1)` gives the groups, and the mean of "
        "each group gives the centres, until the groups stay the same. A group may be empty for a "
        "while: keep its old centre, since the mean of nothing is NaN. Do this ten times, and "
        "return the groups whose sum of squared distances is the smallest. Leave the columns in "
        "the units that they have.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "centres = codes[torch.randint(len(codes), (1,), generator=generator)]\n"
        "while len(centres) < num_clusters:\n"
        "    distance = torch.cdist(codes, centres).amin(1) ** 2\n"
        "    new = torch.multinomial(..., 1, generator=generator)\n"
        "    centres = torch.cat((centres, codes[new]))\n"
        "for _ in range(100):\n"
        "    kinds = torch.cdist(codes, centres).argmin(...)\n"
        "    centres = torch.stack([\n"
        "        codes[kinds == k].mean(0) if (kinds == k).any() else centres[k]\n"
        "        for k in range(num_clusters)\n"
        "    ])\n"
        "```\n\n"
        "Put this into a loop of twenty starts. A start costs `((codes - centres[kinds]) ** "
        "2).sum()`; keep the groups of the cheapest. The gaps are the squared distances and the "
        "axis of the centres.",
    ),
)


def read(value: Any, count: int, num_clusters: int) -> Tensor:
    """Demand whole numbers from 0 to K − 1, all of them in use."""
    what = "the result of cluster_codes"
    expect.true(
        isinstance(value, Tensor), f"{what} is a {type(value).__name__}; a tensor was expected"
    )
    expect.true(
        tuple(value.shape) == (count,),
        f"{what} has the shape {tuple(value.shape)}; expected ({count},), one number for each code",
    )
    used = value.double().unique().tolist()
    expect.true(
        used == list(range(num_clusters)),
        f"{what} uses the numbers {used[:8]}; expected all of 0 to {num_clusters - 1}",
    )
    return value.long()


def ask(candidate: Candidate, codes: Tensor, num_clusters: int, seed: int) -> Tensor:
    return read(candidate.call(codes, num_clusters, Seed(seed)), len(codes), num_clusters)


def draw_pairs(rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Six groups of different size: three pairs, far apart. Where a start has three centres in
    one pair and one in another, k-means ends so."""
    sizes = np.array([30, 24, 17, 13, 12, 14]) + rng.integers(-2, 3, 6)
    places = 40.0 * np.eye(3)[rng.permutation(3)] * rng.uniform(0.8, 1.5, size=(3, 1))
    turns = rng.normal(size=(3, 3))
    halves = 2.5 * turns / np.linalg.norm(turns, axis=1, keepdims=True)
    centres = np.stack((places + halves, places - halves), 1).reshape(6, 3)
    return _draw_around(rng, centres, sizes)


def draw_big_and_small(rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Three groups: two large ones that are near each other, and a small one that is wide.

    To divide the small one lowers its mean squared distance by more, and the sum by less.
    """
    places = np.array([[2.0, 0.0], [-2.0, 0.0], [60.0, 4.0], [60.0, -4.0]])
    codes, groups = _draw_around(rng, places @ draw_rotation(rng, 2), np.array([50, 45, 4, 4]))
    return codes, groups.clamp(max=2)


def _draw_around(
    rng: np.random.Generator, centres: np.ndarray, sizes: np.ndarray
) -> tuple[Tensor, Tensor]:
    groups = rng.permutation(np.repeat(np.arange(len(centres)), sizes))
    codes = centres[groups] + 0.45 * rng.normal(size=(len(groups), centres.shape[1]))
    return torch.from_numpy(codes), torch.from_numpy(groups)


def draw_cloud(rng: np.random.Generator, num_points: int = 150) -> Tensor:
    """Three groups that overlap, with a tail to one side in one column, narrow in the other."""
    tail = 2.4 * (rng.exponential(size=num_points) - 1)
    scatter = np.stack((tail, rng.uniform(-0.7, 0.7, num_points)), 1)
    return MIDDLES[torch.from_numpy(rng.permutation(num_points) % 3)] + torch.from_numpy(scatter)


def num_misplaced(codes: Tensor, kinds: Tensor, num_clusters: int) -> int:
    """How many points are nearer to another cluster's mean than to their own."""
    centres = means(codes, kinds, codes.new_full((num_clusters, codes.shape[1]), torch.inf))
    distance = squared_distances(codes, centres).sqrt()
    own = distance.gather(1, kinds[:, None])[:, 0]
    return int((own > distance.amin(1) + 1e-5).sum())


def expect_at_rest(codes: Tensor, kinds: Tensor, num_clusters: int) -> None:
    misplaced = num_misplaced(codes, kinds, num_clusters)
    expect.true(
        misplaced == 0,
        f"{misplaced} of {len(codes)} points are nearer to the mean of another cluster than to "
        "that of their own; go on until nothing changes",
    )


@CLUSTER_CODES.check
def finds_groups_that_are_apart(candidate: Candidate, rng: np.random.Generator) -> None:
    """Finds groups that lie apart, whatever their sizes, where many starts end elsewhere."""
    for draw in 5 * (draw_pairs,) + 2 * (draw_big_and_small,):
        codes, groups = draw(rng)
        num_groups = int(groups.max()) + 1
        kinds = ask(candidate, codes, num_groups, int(rng.integers(2**31)))
        given, best = (cost(codes, some, num_groups).item() for some in (kinds, groups))
        expect.true(
            given <= SLACK * best,
            f"of {num_groups} groups your clusters cut some or join some: the squared distances "
            f"to the means add up to {given:.4g}, and {best:.4g} is possible",
        )


@CLUSTER_CODES.check
def reaches_the_smallest_cost(candidate: Candidate, rng: np.random.Generator) -> None:
    """Where groups overlap, no point is nearer to another centre, and the cost is the least."""
    num_clusters = 3
    for _ in range(3):
        codes = draw_cloud(rng)
        kinds = ask(candidate, codes, num_clusters, int(rng.integers(2**31)))
        expect_at_rest(codes, kinds, num_clusters)
        given = cost(codes, kinds, num_clusters).item()
        best = cost(codes, lloyd(codes, MIDDLES), num_clusters).item()
        expect.true(
            given <= SLACK * best,
            f"the squared distances to the centres add up to {given:.4g}; {best:.4g} is possible",
        )


@CLUSTER_CODES.check
def comes_to_rest_and_repeats(candidate: Candidate, rng: np.random.Generator) -> None:
    """Comes to rest where there are no groups at all, and gives the same for the same seed."""
    codes, seed = torch.from_numpy(rng.uniform(-1, 1, size=(150, 4))), int(rng.integers(2**31))
    first, second = (ask(candidate, codes, 6, seed) for _ in range(2))
    # good starts alone, or a few steps from many, do not end here: it takes ten steps or more
    expect_at_rest(codes, first, 6)
    expect.true(
        torch.equal(first, second),
        "two generators with the same seed give different clusters; draw with "
        "`generator=generator`",
    )


@CLUSTER_CODES.edge_check
def one_cluster_and_one_for_each(candidate: Candidate, rng: np.random.Generator) -> None:
    """One cluster holds all points, and as many clusters as points hold one each."""
    codes = draw_cloud(rng, 6)
    for num_clusters in (1, 6):
        ask(candidate, codes, num_clusters, int(rng.integers(2**31)))


@CLUSTER_CODES.edge_check
def points_may_coincide(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works where many points coincide: three places make three clusters."""
    places = torch.from_numpy(np.array([[0.0, 0.0], [5.0, 1.0], [1.0, 6.0]]))
    groups = torch.from_numpy(rng.permutation(np.arange(18) % 3))
    kinds = ask(candidate, places[groups], 3, int(rng.integers(2**31)))
    pairs = torch.stack((groups, kinds)).unique(dim=1).shape[1]
    expect.true(pairs == 3, "three places with six points each are not the three clusters")
