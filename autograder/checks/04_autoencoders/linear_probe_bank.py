"""Wrong and right answers to `linear_probe`."""

import torch

from .linear_probe import LINEAR_PROBE, probe, ridge, scaled, with_one


def fit(train, labels, test, penalty=1e-3):
    """Ridge regression to one-hot targets, on features as they are given."""
    classes, kinds = labels.unique(return_inverse=True)
    weight = ridge(train, torch.eye(len(classes), dtype=train.dtype)[kinds], penalty)
    return classes[(test @ weight).argmax(1)]


def class_means(codes, labels):
    return torch.stack([codes[labels == label].mean(0) for label in labels.unique()])


def nearest(train, labels, test, count):
    """The most frequent label among the nearest training points."""
    order = torch.cdist(test, train).topk(count, largest=False).indices
    return labels[order].mode(1).values


@LINEAR_PROBE.misconception(
    "You take the nearest class mean. That ignores how the columns scatter together: weigh them "
    "by least squares or logistic regression."
)
def nearest_class_mean(train_codes, train_labels, test_codes):
    train, test = scaled(train_codes, train_codes), scaled(train_codes, test_codes)
    means = class_means(train, train_labels)
    return train_labels.unique()[torch.cdist(test, means).argmin(1)]


@LINEAR_PROBE.misconception(
    "You take the label of the nearest training point. That is a classifier with bent borders; a "
    "probe is linear."
)
def nearest_neighbour(train_codes, train_labels, test_codes):
    return nearest(
        scaled(train_codes, train_codes), train_labels, scaled(train_codes, test_codes), 1
    )


@LINEAR_PROBE.misconception(
    "You let the five nearest training points vote. That is a classifier with bent borders; a "
    "probe is linear."
)
def five_neighbours(train_codes, train_labels, test_codes):
    return nearest(
        scaled(train_codes, train_codes), train_labels, scaled(train_codes, test_codes), 5
    )


@LINEAR_PROBE.misconception(
    "You added squares and products of the code's values. A probe is linear in the code."
)
def quadratic_features(train_codes, train_labels, test_codes):
    def features(codes):
        z = with_one(scaled(train_codes, codes))
        return (z[:, :, None] * z[:, None]).flatten(1)

    return fit(features(train_codes), train_labels, features(test_codes), 1e-2)


@LINEAR_PROBE.misconception(
    "Your scores have no constant term, and the codes are not centred: every plane must pass "
    "through the origin. Append a column of ones."
)
def no_constant(train_codes, train_labels, test_codes):
    scale = train_codes.std(0).clamp(min=1e-9)
    return fit(train_codes / scale, train_labels, test_codes / scale)


@LINEAR_PROBE.misconception(
    "You scale the test codes by their own mean and spread. Use those of the training codes for "
    "both sets."
)
def test_scaled_by_itself(train_codes, train_labels, test_codes):
    train, test = scaled(train_codes, train_codes), scaled(test_codes, test_codes)
    return fit(with_one(train), train_labels, with_one(test))


@LINEAR_PROBE.misconception(
    "Mean and spread come from training and test codes together. The test set leaks into the "
    "probe: use the training codes alone."
)
def scaled_by_both(train_codes, train_labels, test_codes):
    both = torch.cat((train_codes, test_codes))
    train, test = scaled(both, train_codes), scaled(both, test_codes)
    return fit(with_one(train), train_labels, with_one(test))


@LINEAR_PROBE.misconception(
    "You scaled the training codes and not the test codes. Both need the same scale."
)
def test_not_scaled(train_codes, train_labels, test_codes):
    return fit(with_one(scaled(train_codes, train_codes)), train_labels, with_one(test_codes))


@LINEAR_PROBE.misconception(
    "You scaled the test codes and not the training codes. Both need the same scale."
)
def training_not_scaled(train_codes, train_labels, test_codes):
    return fit(with_one(train_codes), train_labels, with_one(scaled(train_codes, test_codes)))


@LINEAR_PROBE.misconception(
    "You did not put the columns on a common scale. The penalty on the weights, or the step of "
    "the gradient, then means something else in each column."
)
def not_scaled(train_codes, train_labels, test_codes):
    return fit(with_one(train_codes), train_labels, with_one(test_codes), penalty=1.0)


@LINEAR_PROBE.misconception("You scaled each point by its own mean and spread. Scale each column.")
def points_scaled(train_codes, train_labels, test_codes):
    def scale(codes):
        return scaled(codes.T, codes.T).T

    return fit(with_one(scale(train_codes)), train_labels, with_one(scale(test_codes)))


@LINEAR_PROBE.misconception(
    "You regress on the label as if it were a quantity. Labels are names: one score for each class."
)
def label_as_a_number(train_codes, train_labels, test_codes):
    train, test = (with_one(scaled(train_codes, codes)) for codes in (train_codes, test_codes))
    value = test @ ridge(train, train_labels[:, None].to(train.dtype), 1e-3)
    classes = train_labels.unique()
    return classes[(value - classes).abs().argmin(1)]


@LINEAR_PROBE.misconception(
    "You return the place of the largest score. Turn it back into the label of that class."
)
def place_for_label(train_codes, train_labels, test_codes):
    label = probe(train_codes, train_labels, test_codes)
    return torch.searchsorted(train_labels.unique(), label)


@LINEAR_PROBE.misconception(
    "You return the scores of all classes. Return the label of the largest."
)
def scores_of_all_classes(train_codes, train_labels, test_codes):
    classes, kinds = train_labels.unique(return_inverse=True)
    train, test = (with_one(scaled(train_codes, codes)) for codes in (train_codes, test_codes))
    return test @ ridge(train, torch.eye(len(classes), dtype=train.dtype)[kinds], 1e-3)


@LINEAR_PROBE.misconception(
    "You ask whether a score is above one half. Where three classes meet no score is, and the "
    "highest wins all the same: take `argmax` of the scores."
)
def score_above_half(train_codes, train_labels, test_codes):
    classes, kinds = train_labels.unique(return_inverse=True)
    train, test = (with_one(scaled(train_codes, codes)) for codes in (train_codes, test_codes))
    weight = ridge(train, torch.eye(len(classes), dtype=train.dtype)[kinds], 1e-3)
    return classes[(test @ weight > 0.5).int().argmax(1)]


@LINEAR_PROBE.misconception("You chose the class with the lowest score. The highest wins.")
def lowest_score(train_codes, train_labels, test_codes):
    classes, kinds = train_labels.unique(return_inverse=True)
    train, test = (with_one(scaled(train_codes, codes)) for codes in (train_codes, test_codes))
    weight = ridge(train, torch.eye(len(classes), dtype=train.dtype)[kinds], 1e-3)
    return classes[(test @ weight).argmin(1)]


@LINEAR_PROBE.misconception(
    "You predict the most frequent label for every point: the codes do not enter."
)
def most_frequent_label(train_codes, train_labels, test_codes):
    return train_labels.mode().values.repeat(len(test_codes))


@LINEAR_PROBE.misconception(
    "You predict the labels of the training codes. Predict those of the test codes."
)
def predicts_training_codes(train_codes, train_labels, test_codes):
    return probe(train_codes, train_labels, train_codes)


@LINEAR_PROBE.misconception(
    "You use the first column of the code only. The probe weighs all of them."
)
def first_column_only(train_codes, train_labels, test_codes):
    return probe(train_codes[:, :1], train_labels, test_codes[:, :1])


@LINEAR_PROBE.misconception(
    "You divide by a spread of zero where a column never changes. Divide by 1 there."
)
def divides_by_zero(train_codes, train_labels, test_codes):
    mean, scale = train_codes.mean(0), train_codes.std(0)
    scale = torch.where(scale < 1e-12, 0.0, scale)
    train, test = (train_codes - mean) / scale, (test_codes - mean) / scale
    return fit(with_one(train), train_labels, with_one(test))


@LINEAR_PROBE.misconception(
    "You solve the plain normal equations. With fewer points than columns they have no unique "
    "solution: add a small penalty."
)
def normal_equations_without_penalty(train_codes, train_labels, test_codes):
    train, test = (with_one(scaled(train_codes, codes)) for codes in (train_codes, test_codes))
    return fit(train, train_labels, test, penalty=0.0)


def same_scores(calls):
    """Questions that differ only in the codes: pairs of a first one and one in other units."""
    return [
        (one, other)
        for place, one in enumerate(calls)
        for other in calls[place + 1 :]
        if torch.equal(one.args[1], other.args[1])
        and one.args[0].shape == other.args[0].shape
        and one.args[2].shape == other.args[2].shape
        and not torch.equal(one.args[0], other.args[0])
    ]


def changes_with_units(calls):
    """With every column in tiny units other labels are predicted, as labels and not by chance."""
    pairs = same_scores(calls)
    return not bends(calls) and any(
        int((one.value != other.value).sum()) > 2
        and bool(torch.isin(other.value, one.args[1]).all())
        for one, other in pairs
    )


@LINEAR_PROBE.misconception(
    "Your predictions change with the units of the columns. Divide each column by its spread, and "
    "by nothing else: a constant added to a spread, or put beneath it, must be far smaller than "
    "the spread of the smallest column.",
    sign=changes_with_units,
)
def spread_with_a_floor(train_codes, train_labels, test_codes):
    mean, scale = train_codes.mean(0), train_codes.std(0).clamp(min=1e-3)
    train, test = ((codes - mean) / scale for codes in (train_codes, test_codes))
    return fit(with_one(train), train_labels, with_one(test))


def bends(calls):
    """Between two points of one predicted class there is another class."""
    found = []
    for call in calls:
        codes = call.args[2].chunk(3)
        if len(call.args[2]) == 120 and torch.allclose(codes[2], (codes[0] + codes[1]) / 2):
            left, right, middle = call.value.chunk(3)
            found.append(bool(((left == right) & (middle != left)).any()))
    return any(found)


@LINEAR_PROBE.misconception(
    "Your borders are bent: between two points of one class lies another. Something in your probe "
    "is not linear in the code; are the points brought to the same length, as by "
    "`normalize`? Scale columns, not points.",
    sign=bends,
)
def on_the_unit_sphere(train_codes, train_labels, test_codes):
    train, test = (
        torch.nn.functional.normalize(scaled(train_codes, codes))
        for codes in (train_codes, test_codes)
    )
    return fit(with_one(train), train_labels, with_one(test))
