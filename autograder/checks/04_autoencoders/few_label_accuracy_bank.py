"""Wrong and right answers to `few_label_accuracy`."""

import torch

from .few_label_accuracy import FEW_LABEL_ACCURACY, accuracy
from .few_label_accuracy_signs import (
    choose_alike,
    every,
    other_seed,
    prefers_an_end,
    returned,
    same_seed,
    same_seed_used,
    some,
)


def draw(labels, num_per_class, generator):
    """A mask of so many random points of each class."""
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        places = (labels == label).nonzero()[:, 0]
        order = torch.randperm(len(places), generator=generator)
        chosen[places[order[:num_per_class]]] = True
    return chosen


def share(predicted, labels):
    return (predicted == labels).double().mean()


@FEW_LABEL_ACCURACY.misconception(
    "You call `probe` more than once. Call it once, with all the points that are left.",
    sign=lambda calls: any(len(call.args[0].questions) > 1 for call in calls),
)
def called_for_each_class(probe, codes, labels, num_per_class, generator):
    chosen = draw(labels, num_per_class, generator)
    right = 0
    for label in labels.unique():
        rest = ~chosen & (labels == label)
        right += (probe(codes[chosen], labels[chosen], codes[rest]) == label).sum()
    return right / (~chosen).sum()


@FEW_LABEL_ACCURACY.misconception(
    "Your points of a class are not chosen independently: they are neighbours in the list, from a "
    "random place on. Every choice must be equally likely."
)
def a_block_of_each_class(probe, codes, labels, num_per_class, generator):
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        places = (labels == label).nonzero()[:, 0]
        start = int(torch.randint(len(places), (1,), generator=generator))
        chosen[places.roll(-start)[:num_per_class]] = True
    return share(probe(codes[chosen], labels[chosen], codes[~chosen]), labels[~chosen])


@FEW_LABEL_ACCURACY.misconception(
    "You ask about all points, also about those the probe learned from. It knows their answers: "
    "ask about the rest.",
    sign=every(
        lambda seen: seen.is_balanced(seen.learned) and len(set(seen.tested)) == len(seen.labels)
    ),
)
def asks_about_all(probe, codes, labels, num_per_class, generator):
    chosen = draw(labels, num_per_class, generator)
    return share(probe(codes[chosen], labels[chosen], codes), labels)


@FEW_LABEL_ACCURACY.misconception(
    "You ask about the points that the probe learned from. That measures its memory: ask about "
    "the rest.",
    sign=every(
        lambda seen: seen.is_balanced(seen.learned) and set(seen.tested) == set(seen.learned)
    ),
)
def asks_about_the_learned(probe, codes, labels, num_per_class, generator):
    chosen = draw(labels, num_per_class, generator)
    return share(probe(codes[chosen], labels[chosen], codes[chosen]), labels[chosen])


@FEW_LABEL_ACCURACY.misconception(
    "Your probe learns from all points, those it is asked about included. It may see the few "
    "labels only.",
    sign=every(lambda seen: not seen.rest),
)
def learns_from_all(probe, codes, labels, num_per_class, generator):
    chosen = draw(labels, num_per_class, generator)
    return share(probe(codes, labels, codes[~chosen]), labels[~chosen])


@FEW_LABEL_ACCURACY.misconception(
    "Your two sets are swapped: the probe learns from the many and is asked about the few.",
    sign=every(lambda seen: seen.is_balanced(seen.tested) and seen.rest == set(seen.tested)),
)
def swapped(probe, codes, labels, num_per_class, generator):
    chosen = draw(labels, num_per_class, generator)
    return share(probe(codes[~chosen], labels[~chosen], codes[chosen]), labels[chosen])


@FEW_LABEL_ACCURACY.misconception(
    "You draw from all points at once, so some classes get more labels than others, or none. Draw "
    "for each class.",
    sign=some(
        lambda seen: (
            not seen.is_balanced(seen.learned)
            and len(set(seen.learned)) == seen.count * len(seen.labels.unique())
            and seen.rest == set(seen.tested)
        ),
        beside=lambda seen: seen.is_split_well,
    ),
)
def drawn_from_all_classes_together(probe, codes, labels, num_per_class, generator):
    order = torch.randperm(len(labels), generator=generator)
    count = num_per_class * len(labels.unique())
    few, rest = order[:count], order[count:]
    return share(probe(codes[few], labels[few], codes[rest]), labels[rest])


@FEW_LABEL_ACCURACY.misconception(
    "You draw `num_per_class` points altogether. Draw that many of each class.",
    sign=every(lambda seen: len(set(seen.learned)) == seen.count),
)
def so_many_altogether(probe, codes, labels, num_per_class, generator):
    order = torch.randperm(len(labels), generator=generator)
    few, rest = order[:num_per_class], order[num_per_class:]
    return share(probe(codes[few], labels[few], codes[rest]), labels[rest])


@FEW_LABEL_ACCURACY.misconception(
    "You take the first points of each class. Data are often sorted in some way: draw at random.",
    sign=every(lambda seen: seen.is_split_well and seen.takes_the_first),
)
def first_of_each_class(probe, codes, labels, num_per_class, generator):
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        chosen[(labels == label).nonzero()[:num_per_class, 0]] = True
    return share(probe(codes[chosen], labels[chosen], codes[~chosen]), labels[~chosen])


@FEW_LABEL_ACCURACY.misconception(
    "You draw with replacement, so that one point may be named twice. Use `torch.randperm`.",
    sign=some(
        lambda seen: len(set(seen.learned)) < len(seen.learned),
        beside=lambda seen: seen.is_split_well,
    ),
)
def with_replacement(probe, codes, labels, num_per_class, generator):
    few = []
    for label in labels.unique():
        places = (labels == label).nonzero()[:, 0]
        few += [places[torch.randint(len(places), (num_per_class,), generator=generator)]]
    few = torch.cat(few)
    rest = torch.ones(len(labels), dtype=torch.bool)
    rest[few] = False
    return share(probe(codes[few], labels[few], codes[rest]), labels[rest])


@FEW_LABEL_ACCURACY.misconception(
    "You do not draw from the generator that you were given, so the same seed gives different "
    "points.",
    sign=lambda calls: (
        every(lambda seen: seen.is_split_well)(calls) and choose_alike(calls, same_seed) is False
    ),
)
def other_generator(probe, codes, labels, num_per_class, generator):
    return accuracy(probe, codes, labels, num_per_class, None)


@FEW_LABEL_ACCURACY.misconception(
    "You seed a generator of your own, so that every seed chooses the same points. Use the one "
    "that you were given.",
    sign=lambda calls: (
        every(lambda seen: seen.is_split_well)(calls) and choose_alike(calls, other_seed) is True
    ),
)
def own_seed(probe, codes, labels, num_per_class, generator):
    return accuracy(probe, codes, labels, num_per_class, torch.Generator().manual_seed(0))


@FEW_LABEL_ACCURACY.misconception(
    "You seed anew from `generator.initial_seed()`. That number stays the same while the generator "
    "is drawn from, so every call chooses the same points. Draw with `generator=generator`.",
    sign=lambda calls: (
        every(lambda seen: seen.is_split_well)(calls)
        and choose_alike(calls, other_seed) is False
        and choose_alike(calls, same_seed_used) is True
    ),
)
def seeded_anew(probe, codes, labels, num_per_class, generator):
    generator = torch.Generator().manual_seed(generator.initial_seed())
    return accuracy(probe, codes, labels, num_per_class, generator)


@FEW_LABEL_ACCURACY.misconception(
    "You choose the same places in every class, from one permutation. Draw for each class anew.",
    sign=every(lambda seen: seen.is_split_well and seen.takes_same_places),
)
def same_places_in_each_class(probe, codes, labels, num_per_class, generator):
    smallest = min(int((labels == label).sum()) for label in labels.unique())
    order = torch.randperm(smallest, generator=generator)[:num_per_class]
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        chosen[(labels == label).nonzero()[order, 0]] = True
    return share(probe(codes[chosen], labels[chosen], codes[~chosen]), labels[~chosen])


@FEW_LABEL_ACCURACY.misconception(
    "You draw with replacement and fill up what is missing with points that were not drawn, from "
    "one end of the list: those come too often. Take the first of `torch.randperm`.",
    sign=prefers_an_end,
)
def filled_up(probe, codes, labels, num_per_class, generator):
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        places = (labels == label).nonzero()[:, 0]
        drawn = torch.randint(len(places), (num_per_class,), generator=generator)
        chosen[places[drawn]] = True
        rest = places[~chosen[places]]
        chosen[rest[: num_per_class - int(chosen[places].sum())]] = True
    return share(probe(codes[chosen], labels[chosen], codes[~chosen]), labels[~chosen])


@FEW_LABEL_ACCURACY.misconception(
    "You return the number of right answers. Return their share.",
    sign=returned(lambda seen: seen.num_right),
)
def count_of_right_answers(probe, codes, labels, num_per_class, generator):
    chosen = draw(labels, num_per_class, generator)
    predicted = probe(codes[chosen], labels[chosen], codes[~chosen])
    return (predicted == labels[~chosen]).sum()


@FEW_LABEL_ACCURACY.misconception(
    "You return the share of wrong answers: an error, no accuracy.",
    sign=returned(lambda seen: 1 - seen.num_right / len(seen.tested)),
)
def share_of_errors(probe, codes, labels, num_per_class, generator):
    return 1 - accuracy(probe, codes, labels, num_per_class, generator)


@FEW_LABEL_ACCURACY.misconception(
    "You divide by the number of all points. Divide by the number that the probe was asked about.",
    sign=returned(lambda seen: seen.num_right / len(seen.labels)),
)
def divided_by_all(probe, codes, labels, num_per_class, generator):
    chosen = draw(labels, num_per_class, generator)
    predicted = probe(codes[chosen], labels[chosen], codes[~chosen])
    return (predicted == labels[~chosen]).sum() / len(labels)


@FEW_LABEL_ACCURACY.misconception(
    "You give the named points to the right answers. The probe was not asked about them.",
    sign=returned(lambda seen: (seen.num_right + len(seen.learned)) / len(seen.labels)),
)
def named_points_count_as_right(probe, codes, labels, num_per_class, generator):
    chosen = draw(labels, num_per_class, generator)
    predicted = probe(codes[chosen], labels[chosen], codes[~chosen])
    return ((predicted == labels[~chosen]).sum() + chosen.sum()) / len(labels)


@FEW_LABEL_ACCURACY.misconception(
    "You scaled the codes with all points before the split: the points asked about have leaked "
    "into the training. The probe scales by itself.",
    sign=every(
        lambda seen: (
            len(seen.question[0]) + len(seen.question[2]) == len(seen.labels)
            and not bool(torch.isin(seen.question[0], seen.call.args[1]).any())
        )
    ),
)
def scaled_before_the_split(probe, codes, labels, num_per_class, generator):
    scaled = (codes - codes.mean(0)) / codes.std(0)
    return accuracy(probe, scaled, labels, num_per_class, generator)


@FEW_LABEL_ACCURACY.misconception(
    "The labels that you give to the probe are in another order than the codes.",
    sign=some(
        lambda seen: seen.in_another_order and seen.is_split_well,
        beside=lambda seen: seen.is_split_well,
    ),
)
def labels_in_another_order(probe, codes, labels, num_per_class, generator):
    chosen = draw(labels, num_per_class, generator)
    predicted = probe(codes[chosen], labels[chosen].sort().values.flip(0), codes[~chosen])
    return share(predicted, labels[~chosen])


@FEW_LABEL_ACCURACY.misconception(
    "You ask about a few points of each class only. Ask about all that are left.",
    sign=every(
        lambda seen: (
            seen.is_balanced(seen.learned)
            and set(seen.tested) < seen.rest
            and len(set(seen.tested)) == len(seen.tested)
        )
    ),
)
def few_test_points(probe, codes, labels, num_per_class, generator):
    chosen = draw(labels, num_per_class, generator)
    rest = (~chosen).nonzero()[: max(1, len(labels) // 4), 0]
    return share(probe(codes[chosen], labels[chosen], codes[rest]), labels[rest])


@FEW_LABEL_ACCURACY.variant
def by_one_permutation(probe, codes, labels, num_per_class, generator):
    """All points in random order; the first few of each class are named."""
    order = torch.randperm(len(labels), generator=generator)
    seen, few, rest = {}, [], []
    for place in order.tolist():
        label = int(labels[place])
        seen[label] = seen.get(label, 0) + 1
        (few if seen[label] <= num_per_class else rest).append(place)
    return share(probe(codes[few], labels[few], codes[rest]), labels[rest])


@FEW_LABEL_ACCURACY.variant
def by_random_numbers(probe, codes, labels, num_per_class, generator):
    """The points with the smallest random numbers of their class."""
    key = torch.rand(len(labels), generator=generator)
    rank = ((labels[:, None] == labels) & (key[:, None] > key)).sum(1)
    few = rank < num_per_class
    predicted = probe(codes[few], labels[few], codes[~few])
    return float((predicted == labels[~few]).float().mean())


@FEW_LABEL_ACCURACY.variant
def by_multinomial(probe, codes, labels, num_per_class, generator):
    few = torch.cat(
        [
            torch.multinomial((labels == label).double(), num_per_class, generator=generator)
            for label in labels.unique()
        ]
    )
    rest = torch.tensor([n for n in range(len(labels)) if n not in few.tolist()])
    predicted = probe(codes[few], labels[few], codes[rest])
    return (predicted == labels[rest]).sum() / len(rest)


@FEW_LABEL_ACCURACY.variant
def rest_in_another_order(probe, codes, labels, num_per_class, generator):
    chosen = draw(labels, num_per_class, generator)
    rest = (~chosen).nonzero()[:, 0].flip(0)
    few = chosen.nonzero()[:, 0].flip(0)
    return share(probe(codes[few], labels[few], codes[rest]), labels[rest])
