"""Wrong and right answers to `cluster_codes`."""

from collections.abc import Callable

import numpy as np
import scipy.cluster.hierarchy
import torch
from torch import Tensor

from .cluster_codes import (
    CLUSTER_CODES,
    NUM_STARTS,
    SLACK,
    cluster,
    cost,
    lloyd,
    means,
    num_misplaced,
    spread_out,
    squared_distances,
)


def best_cost(codes: Tensor, num_clusters: int) -> float:
    """The smallest of many starts."""
    generator = torch.Generator().manual_seed(0)
    return min(
        cost(codes, cluster(codes, num_clusters, generator), num_clusters).item() for _ in range(2)
    )


def answered(calls):
    """Codes, clusters and their number for each call that gave whole numbers from 0 to K − 1."""
    found = []
    for call in calls:
        codes, count = call.args[:2]
        kinds = call.value.long()
        if tuple(kinds.shape) != (len(codes),) or kinds.min() < 0 or kinds.max() >= count:
            raise ValueError("no clusters")
        found.append((codes, kinds, count))
    return found


def is_stuck(calls):
    """Every point is with its nearest centre, and some of the costs are far too high."""
    found = answered(calls)
    return all(num_misplaced(*one) == 0 for one in found) and any(
        cost(*one) > SLACK * best_cost(one[0], one[2]) + 1e-9 for one in found
    )


def nearest_in(change: Callable[[Tensor], Tensor]):
    """The sign of k-means on changed codes: there every point is with its nearest centre."""

    def sign(calls):
        found = answered(calls)
        return any(num_misplaced(*one) > 0 for one in found) and all(
            num_misplaced(change(codes), kinds, count) == 0 for codes, kinds, count in found
        )

    return sign


def is_not_finished(calls):
    return any(num_misplaced(*one) > 0 for one in answered(calls))


def standardised(codes):
    scale = codes.std(0, correction=0)
    return (codes - codes.mean(0)) / torch.where(scale > 0, scale, 1.0)


def directions(codes):
    return codes / codes.norm(dim=1, keepdim=True).clamp(min=1e-12)


def random_points(codes, num_clusters, generator):
    return codes[torch.randperm(len(codes), generator=generator)[:num_clusters]]


@CLUSTER_CODES.misconception(
    "You return the centres. Return for each code the number of its cluster.",
    sign=lambda calls: all(
        tuple(call.value.shape) == (call.args[1], call.args[0].shape[1]) for call in calls
    ),
)
def centres_returned(codes, num_clusters, generator):
    kinds = cluster(codes, num_clusters, generator)
    return means(codes, kinds, torch.zeros(num_clusters, codes.shape[1], dtype=codes.dtype))


@CLUSTER_CODES.misconception(
    "You return a row of zeros and a one for each code. Return the number of the cluster.",
    sign=lambda calls: all(
        tuple(call.value.shape) == (len(call.args[0]), call.args[1]) for call in calls
    ),
)
def one_row_for_each_code(codes, num_clusters, generator):
    return torch.nn.functional.one_hot(cluster(codes, num_clusters, generator), num_clusters)


@CLUSTER_CODES.misconception(
    "Your clusters are numbered from 1. Number them from 0.",
    sign=lambda calls: all(
        call.value.min() == 1 and call.value.max() == call.args[1] for call in calls
    ),
)
def numbered_from_one(codes, num_clusters, generator):
    return cluster(codes, num_clusters, generator) + 1


@CLUSTER_CODES.misconception(
    "You leave an empty cluster empty, or its centre becomes NaN. Every number from 0 to K − 1 is "
    "to be used.",
    sign=lambda calls: all(
        call.args[1] == 1 or len(call.value.unique()) < call.args[1] for call in calls
    ),
)
def one_cluster_too_few(codes, num_clusters, generator):
    return cluster(codes, max(num_clusters - 1, 1), generator)


@CLUSTER_CODES.misconception(
    "You make one cluster more than was asked for.",
    sign=lambda calls: any(
        call.value.min() == 0 and call.value.max() == call.args[1] for call in calls
    ),
)
def one_cluster_too_many(codes, num_clusters, generator):
    return cluster(codes, min(num_clusters + 1, len(codes)), generator)


@CLUSTER_CODES.misconception(
    "You cut the sorted first column into equal parts. Groups are found by distances in all "
    "columns.",
)
def cuts_of_the_first_column(codes, num_clusters, generator):
    rank = codes[:, 0].argsort().argsort()
    return rank * num_clusters // len(codes)


@CLUSTER_CODES.misconception(
    "You take random points as centres and never move them. Move each centre to the mean of its "
    "points, and repeat."
)
def centres_never_move(codes, num_clusters, generator):
    return lloyd(codes, random_points(codes, num_clusters, generator), 0)


@CLUSTER_CODES.misconception(
    "You put the columns on a common scale first. Distances are asked for in the codes as they "
    "are.",
    sign=nearest_in(standardised),
)
def columns_standardised(codes, num_clusters, generator):
    return cluster(standardised(codes), num_clusters, generator)


@CLUSTER_CODES.misconception(
    "You compare directions, as cosine similarity does. Use the squared distances of the codes.",
    sign=nearest_in(directions),
)
def cosine_similarity(codes, num_clusters, generator):
    return cluster(directions(codes), num_clusters, generator)


@CLUSTER_CODES.misconception(
    "You cluster by the first column alone. Distances run over all columns.",
    sign=nearest_in(lambda codes: codes[:, :1]),
)
def first_column_only(codes, num_clusters, generator):
    return cluster(codes[:, :1], num_clusters, generator)


@CLUSTER_CODES.misconception(
    "Your result depends on something besides the seed: the noise is not drawn from `generator`.",
    sign=lambda calls: (
        all(num_misplaced(*one) == 0 for one in answered(calls))
        and any(
            torch.equal(one.args[0], other.args[0])
            and one.args[2] == other.args[2]
            and not torch.equal(one.value, other.value)
            for place, one in enumerate(calls)
            for other in calls[place + 1 :]
        )
    ),
)
def other_generator(codes, num_clusters, generator):
    return cluster(codes, num_clusters, None)


def starts_by_price(codes, num_clusters, generator, price=cost):
    """Ten results of k-means, the lowest price first."""
    kinds = lloyd(codes, spread_out(codes, num_clusters, generator)[:10])
    prices = torch.stack([torch.as_tensor(price(codes, one, num_clusters)) for one in kinds])
    return kinds[prices.argsort()]


def mean_price(codes, kinds, num_clusters):
    """The sum over clusters of the mean squared distance."""
    centres = means(codes, kinds, codes.new_full((num_clusters, codes.shape[1]), torch.inf))
    distance = squared_distances(codes, centres).amin(1)
    return sum(distance[kinds == k].mean() for k in kinds.unique())


def too_dear(calls):
    """Those answers whose cost is far from the smallest."""
    return [one for one in answered(calls) if cost(*one) > SLACK * best_cost(one[0], one[2]) + 1e-9]


def is_cheaper_by_group_means(calls):
    """Each wrong answer is better than the best one by the sum of the groups' means."""
    generator = torch.Generator().manual_seed(0)
    return is_stuck(calls) and all(
        mean_price(codes, kinds, count)
        < mean_price(codes, cluster(codes, count, generator), count) * (1 - 1e-6)
        for codes, kinds, count in too_dear(calls)
    )


@CLUSTER_CODES.misconception(
    "Of several results you keep one that is small by another price, such as the mean squared "
    "distance of each group. The sum over all points counts.",
    sign=is_cheaper_by_group_means,
)
def sum_of_group_means(codes, num_clusters, generator):
    return starts_by_price(codes, num_clusters, generator, mean_price)[0]


@CLUSTER_CODES.misconception(
    "Every point is with its nearest centre, and yet the sum of squared distances is too large: "
    "other centres do better. Begin with points that are spread out, begin several times, and "
    "keep the result with the smallest sum.",
    sign=is_stuck,
)
def one_random_start(codes, num_clusters, generator):
    return lloyd(codes, random_points(codes, num_clusters, generator))


@CLUSTER_CODES.misconception(
    "You join the nearest points into chains (single linkage). Chains need not be near their "
    "centres: k-means has no points that are nearer to another centre."
)
def chains(codes, num_clusters, generator):
    if len(codes) == 1:
        return torch.zeros(1, dtype=torch.long)
    tree = scipy.cluster.hierarchy.linkage(codes.numpy(), "single")
    kinds = scipy.cluster.hierarchy.fcluster(tree, num_clusters, "maxclust")
    return torch.from_numpy(kinds.astype(np.int64)) - 1


def has_good_starts_alone(calls):
    """Six groups that are apart are found in every call, but elsewhere points are misplaced."""
    apart = [one for one in answered(calls) if one[2] == 6 and one[0].shape[1] == 3]
    return is_not_finished(calls) and all(
        cost(*one) <= SLACK * best_cost(one[0], one[2]) for one in apart
    )


@CLUSTER_CODES.misconception(
    "Groups that are apart are found, but elsewhere you stop too early: many good starts are not "
    "enough. From each start move the centres to the means of their points until nothing changes.",
    sign=has_good_starts_alone,
)
def many_starts_without_steps(codes, num_clusters, generator):
    starts = torch.cat([spread_out(codes, num_clusters, generator) for _ in range(16)])
    kinds = lloyd(codes, starts, 0)
    return kinds[cost(codes, kinds, num_clusters).argmin()]


@CLUSTER_CODES.misconception(
    "Some points are nearer to the mean of another cluster than to that of their own. k-means "
    "alternates until there are none.",
    sign=is_not_finished,
)
def one_step(codes, num_clusters, generator):
    return lloyd(codes, random_points(codes, num_clusters, generator), 1)


@CLUSTER_CODES.variant
def start_by_start(codes, num_clusters, generator):
    best, lowest = None, torch.inf
    for _ in range(10):
        centres = codes[torch.randint(len(codes), (1,), generator=generator)]
        while len(centres) < num_clusters:
            distance = torch.cdist(codes, centres).amin(1) ** 2 + 1e-12
            new = torch.multinomial(distance, 1, generator=generator)
            centres = torch.cat((centres, codes[new]))
        kinds = None
        for _ in range(100):
            new = torch.cdist(codes, centres).argmin(1)
            if kinds is not None and torch.equal(new, kinds):
                break
            kinds = new
            centres = torch.stack(
                [
                    codes[kinds == k].mean(0) if (kinds == k).any() else centres[k]
                    for k in range(num_clusters)
                ]
            )
        value = ((codes - centres[kinds]) ** 2).sum()
        if value < lowest:
            best, lowest = kinds, value
    return best


@CLUSTER_CODES.variant
def many_random_starts(codes, num_clusters, generator):
    starts = torch.rand(200, len(codes), generator=generator).topk(num_clusters).indices
    kinds = lloyd(codes, codes[starts])
    used = torch.nn.functional.one_hot(kinds, num_clusters).sum(1).amin(1) > 0
    value = torch.where(used, cost(codes, kinds, num_clusters), torch.inf)
    return kinds[value.argmin()]


@CLUSTER_CODES.variant
def by_scikit_learn(codes, num_clusters, generator):
    # imported here, because a student's first check would wait a second for it
    from sklearn.cluster import KMeans

    seed = int(torch.randint(2**31 - 1, (1,), generator=generator))
    return KMeans(num_clusters, n_init=20, random_state=seed).fit_predict(codes.numpy())


@CLUSTER_CODES.variant
def farthest_points_first(codes, num_clusters, generator):
    starts = []
    for _ in range(NUM_STARTS):
        centres = codes[torch.randint(len(codes), (1,), generator=generator)]
        while len(centres) < num_clusters:
            far = squared_distances(codes, centres).amin(1).argmax()
            centres = torch.cat((centres, codes[far][None]))
        starts.append(centres)
    kinds = lloyd(
        codes, torch.cat((torch.stack(starts), spread_out(codes, num_clusters, generator)))
    )
    return kinds[cost(codes, kinds, num_clusters).argmin()]


@CLUSTER_CODES.variant
def renamed(codes, num_clusters, generator):
    kinds = cluster(codes.double(), num_clusters, generator)
    return (num_clusters - 1 - kinds).to(torch.int32)
