"""Wrong answers to `attribute_vector`."""

import torch

from ._signs import made_by
from .attribute_vector import ATTRIBUTE_VECTOR, differences, reference


def plain(codes, labels):
    return codes[labels].mean(0) - codes[~labels].mean(0)


@ATTRIBUTE_VECTOR.misconception(
    "You compare all who have the attribute with all who lack it. What goes along with it in the "
    "data is then in your vector too: compare within groups that agree in all other attributes."
)
def unbalanced(encode, x, labels, others):
    return plain(encode(x), labels)


@ATTRIBUTE_VECTOR.misconception(
    "Your vector points the wrong way: it takes the attribute off. With minus without."
)
def wrong_way(encode, x, labels, others):
    return -reference(encode, x, labels, others)


@ATTRIBUTE_VECTOR.misconception(
    "You sum the codes of each kind and do not divide by their number, so the vector depends on "
    "who is more frequent. Take means."
)
def sums(encode, x, labels, others):
    codes = encode(x)
    _, group = torch.unique(others, dim=0, return_inverse=True)
    found = [
        codes[(group == g) & labels].sum(0) - codes[(group == g) & ~labels].sum(0)
        for g in range(int(group.max()) + 1)
        if ((group == g) & labels).any() and ((group == g) & ~labels).any()
    ]
    return torch.stack(found).mean(0)


@ATTRIBUTE_VECTOR.misconception(
    "You add up the differences of the groups. Take their mean, or the vector grows with the "
    "number of groups."
)
def summed_over_groups(encode, x, labels, others):
    return total(encode, x, labels, others)


@ATTRIBUTE_VECTOR.misconception(
    "You made the vector one unit long. Its length says how far the attribute reaches: keep it."
)
def unit_length(encode, x, labels, others):
    vector = reference(encode, x, labels, others)
    return vector / vector.norm()


@ATTRIBUTE_VECTOR.misconception(
    "You made the difference of each group one unit long before the mean. Keep the lengths."
)
def unit_length_in_each_group(encode, x, labels, others):
    found, _ = differences(encode(x), labels, others)
    return (found / found.norm(dim=1, keepdim=True)).mean(0)


@ATTRIBUTE_VECTOR.misconception(
    "You weigh the groups with their number of points. Here every group counts the same, so that "
    "rare combinations are heard as well."
)
def weighed_by_size(encode, x, labels, others):
    found, counts = differences(encode(x), labels, others)
    weights = counts.sum(1, keepdim=True)
    return (weights * found).sum(0) / weights.sum()


@ATTRIBUTE_VECTOR.misconception(
    "You weigh the groups with the number of points that have the attribute. Here every group "
    "counts the same."
)
def weighed_by_those_who_have_it(encode, x, labels, others):
    found, counts = differences(encode(x), labels, others)
    return (counts[:, :1] * found).sum(0) / counts[:, 0].sum()


@ATTRIBUTE_VECTOR.misconception(
    "You fit a linear regression of the codes on all attributes. That weighs large groups more; "
    "asked for is the plain mean over the groups."
)
def regression(encode, x, labels, others):
    one = torch.ones(len(x), 1)
    design = torch.cat([one, labels[:, None].double(), others.double()], 1).double()
    return torch.linalg.lstsq(design, encode(x)).solution[1]


@ATTRIBUTE_VECTOR.misconception(
    "You subtract the mean code of everybody, which contains those who have the attribute. "
    "Subtract the mean of those who lack it."
)
def against_everybody(encode, x, labels, others):
    codes = encode(x)
    _, group = torch.unique(others, dim=0, return_inverse=True)
    found = []
    for g in range(int(group.max()) + 1):
        own = group == g
        if (own & labels).any() and (own & ~labels).any():
            found.append(codes[own & labels].mean(0) - codes[own].mean(0))
    return torch.stack(found).mean(0)


@ATTRIBUTE_VECTOR.misconception(
    "You return the mean code of those who have the attribute. It holds everything they share with "
    "the others: subtract the mean of those who lack it."
)
def with_alone(encode, x, labels, others):
    return encode(x)[labels].mean(0)


@ATTRIBUTE_VECTOR.misconception(
    "You halve the difference: your vector goes from the middle to one side. It must lead from "
    "those without to those with."
)
def halved(encode, x, labels, others):
    return 0.5 * reference(encode, x, labels, others)


@ATTRIBUTE_VECTOR.misconception(
    "You take the difference of images. The vector belongs into the code, (M,): encode first."
)
def of_images(encode, x, labels, others):
    return differences(x, labels, others)[0].mean(0)


@ATTRIBUTE_VECTOR.misconception(
    "You average images and encode the averages. An average of images is no image: encode each, "
    "then average the codes."
)
def codes_of_mean_images(encode, x, labels, others):
    _, group = torch.unique(others, dim=0, return_inverse=True)
    found = []
    for g in range(int(group.max()) + 1):
        has, lacks = (group == g) & labels, (group == g) & ~labels
        if has.any() and lacks.any():
            pair = encode(torch.stack([x[has].mean(0), x[lacks].mean(0)]))
            found.append(pair[0] - pair[1])
    return torch.stack(found).mean(0)


@ATTRIBUTE_VECTOR.misconception(
    "You encode a difference of images. It is no image, and the encoder has never seen one like "
    "it: encode the images, then take the difference of the codes."
)
def code_of_a_difference(encode, x, labels, others):
    return encode(differences(x, labels, others)[0].mean(0)[None])[0]


@ATTRIBUTE_VECTOR.misconception(
    "You balance one of the other attributes only. The groups must agree in all columns of "
    "`others`."
)
def first_other_only(encode, x, labels, others):
    return differences(encode(x), labels, others[:, :1])[0].mean(0)


@ATTRIBUTE_VECTOR.misconception(
    "You balance each of the other attributes by itself. The groups must agree in all of them at "
    "once: every combination is a group.",
    sign=made_by(
        ATTRIBUTE_VECTOR,
        lambda encode, x, labels, others: torch.cat(by_column(encode, x, labels, others)).mean(0),
        lambda encode, x, labels, others: torch.stack(
            [found.mean(0) for found in by_column(encode, x, labels, others)]
        ).mean(0),
    ),
)
def one_other_at_a_time(encode, x, labels, others):
    return torch.cat(by_column(encode, x, labels, others)).mean(0)


def by_column(encode, x, labels, others):
    codes = encode(x)
    return [differences(codes, labels, column[:, None])[0] for column in others.T]


@ATTRIBUTE_VECTOR.misconception(
    "Some of your groups mix several combinations: numbers that you add up, such as how many other "
    "attributes a point has, can be the same for different rows. Rows must agree in every column.",
    sign=made_by(
        ATTRIBUTE_VECTOR,
        lambda encode, x, labels, others: by_sum(encode, x, labels, others, 0),
        lambda encode, x, labels, others: by_sum(encode, x, labels, others, 1),
        lambda encode, x, labels, others: by_sum(encode, x, labels, others, 2),
    ),
)
def sum_of_the_row(encode, x, labels, others):
    return by_sum(encode, x, labels, others, 0)


def by_sum(encode, x, labels, others, step):
    weights = 1 + step * torch.arange(others.shape[1])
    return differences(encode(x), labels, (others * weights).sum(1, keepdim=True))[0].mean(0)


@ATTRIBUTE_VECTOR.misconception(
    "You use the largest group only. Every group that holds both kinds is a fair comparison: take "
    "the mean over them all."
)
def largest_group_only(encode, x, labels, others):
    found, counts = differences(encode(x), labels, others)
    return found[counts.sum(1).argmax()]


def total(encode, x, labels, others):
    return differences(encode(x), labels, others)[0].sum(0)


@ATTRIBUTE_VECTOR.misconception(
    "You divide by the number of all groups, or of all that could be, so each that has nothing to "
    "compare counts as a difference of 0. Divide by the number of differences.",
    sign=made_by(
        ATTRIBUTE_VECTOR,
        lambda encode, x, labels, others: (
            total(encode, x, labels, others) / len(others.unique(dim=0))
        ),
        lambda encode, x, labels, others: total(encode, x, labels, others) / 2 ** others.shape[1],
    ),
)
def divided_by_all_groups(encode, x, labels, others):
    return total(encode, x, labels, others) / len(others.unique(dim=0))


@ATTRIBUTE_VECTOR.misconception(
    "Where a group lacks one kind you take 0 for the mean of nobody, and keep the group. It has "
    "nothing to compare: leave it out."
)
def mean_of_nobody_is_zero(encode, x, labels, others):
    codes = encode(x)
    _, group = torch.unique(others, dim=0, return_inverse=True)
    found = 0.0
    for g in range(int(group.max()) + 1):
        for kind, sign in ((labels, 1), (~labels, -1)):
            own = kind & (group == g)
            found = found + sign * codes[own].sum(0) / own.sum().clamp(min=1)
    return found / (int(group.max()) + 1)


@ATTRIBUTE_VECTOR.misconception("You take the median over the groups. Take their plain mean.")
def median_over_groups(encode, x, labels, others):
    return differences(encode(x), labels, others)[0].median(0).values


@ATTRIBUTE_VECTOR.misconception(
    "You weigh each group with the number of points of its rarer kind. Here every group counts the "
    "same."
)
def weighed_by_the_rarer_kind(encode, x, labels, others):
    found, counts = differences(encode(x), labels, others)
    weights = counts.amin(1, keepdim=True)
    return (weights * found).sum(0) / weights.sum()


@ATTRIBUTE_VECTOR.misconception(
    "Where a group lacks one kind you take the mean of that kind over everybody. That compares "
    "unlike points: leave the group out."
)
def filled_with_the_mean_of_all(encode, x, labels, others):
    codes = encode(x)
    _, group = torch.unique(others, dim=0, return_inverse=True)
    found = 0.0
    for g in range(int(group.max()) + 1):
        for kind, sign in ((labels, 1), (~labels, -1)):
            own = kind & (group == g)
            found = found + sign * codes[own if own.any() else kind].mean(0)
    return found / (int(group.max()) + 1)


@ATTRIBUTE_VECTOR.misconception(
    "You compare only points that have none of the other attributes. That is one group of many: "
    "use them all."
)
def those_without_others(encode, x, labels, others):
    kept = ~others.any(1)
    return plain(encode(x)[kept], labels[kept])


@ATTRIBUTE_VECTOR.misconception(
    "A group that holds one kind only gives you NaN: the mean of no points. Leave such groups out."
)
def mean_of_nobody(encode, x, labels, others):
    codes = encode(x)
    _, group = torch.unique(others, dim=0, return_inverse=True)
    found = [plain(codes[group == g], labels[group == g]) for g in range(int(group.max()) + 1)]
    return torch.stack(found).mean(0)


@ATTRIBUTE_VECTOR.misconception(
    "You average the means of those with and of those without over groups of their own, and a "
    "group with one kind only enters on one side. Leave it out on both."
)
def one_sided_groups_kept(encode, x, labels, others):
    codes = encode(x)
    _, group = torch.unique(others, dim=0, return_inverse=True)
    sides = []
    for kind in (labels, ~labels):
        means = [codes[kind & (group == g)].mean(0) for g in group[kind].unique()]
        sides.append(torch.stack(means).mean(0))
    return sides[0] - sides[1]


@ATTRIBUTE_VECTOR.misconception(
    "You took medians. Take means: the definition, and what keeps the vector additive."
)
def medians(encode, x, labels, others):
    codes = encode(x)
    _, group = torch.unique(others, dim=0, return_inverse=True)
    found = []
    for g in range(int(group.max()) + 1):
        has, lacks = (group == g) & labels, (group == g) & ~labels
        if has.any() and lacks.any():
            found.append(codes[has].quantile(0.5, dim=0) - codes[lacks].quantile(0.5, dim=0))
    return torch.stack(found).mean(0)
