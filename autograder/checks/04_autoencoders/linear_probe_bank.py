"""Wrong and right answers to `linear_probe`."""

import numpy as np
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


def by_gradient(train_codes, train_labels, test_codes, optimise):
    classes, kinds = train_labels.unique(return_inverse=True)
    train, test = (with_one(scaled(train_codes, codes)) for codes in (train_codes, test_codes))
    weight = torch.zeros(train.shape[1], len(classes), dtype=train.dtype, requires_grad=True)

    def loss():
        value = torch.nn.functional.cross_entropy(train @ weight, kinds)
        return value + 1e-4 * weight.square().sum()

    with torch.enable_grad():
        optimise(weight, loss)
    return classes[(test @ weight.detach()).argmax(1)]


@LINEAR_PROBE.variant
def softmax_by_adam(train_codes, train_labels, test_codes):
    def optimise(weight, loss):
        optimiser = torch.optim.Adam([weight], lr=0.1)
        for _ in range(120):
            optimiser.zero_grad()
            loss().backward()
            optimiser.step()

    return by_gradient(train_codes, train_labels, test_codes, optimise)


@LINEAR_PROBE.variant
def softmax_by_lbfgs(train_codes, train_labels, test_codes):
    def optimise(weight, loss):
        optimiser = torch.optim.LBFGS([weight], max_iter=50, line_search_fn="strong_wolfe")

        def closure():
            optimiser.zero_grad()
            value = loss()
            value.backward()
            return value

        optimiser.step(closure)

    return by_gradient(train_codes, train_labels, test_codes, optimise)


@LINEAR_PROBE.variant
def by_scikit_learn(train_codes, train_labels, test_codes):
    # imported here, because a student's first check would wait a second for it
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(train_codes.numpy(), train_labels.numpy())
    return model.predict(test_codes.numpy())


@LINEAR_PROBE.variant
def by_ridge_classifier(train_codes, train_labels, test_codes):
    from sklearn.linear_model import RidgeClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), RidgeClassifier())
    model.fit(train_codes.numpy(), train_labels.numpy())
    return torch.from_numpy(model.predict(test_codes.numpy()))


@LINEAR_PROBE.variant
def discriminant_analysis(train_codes, train_labels, test_codes):
    train, test = scaled(train_codes, train_codes), scaled(train_codes, test_codes)
    classes, kinds = train_labels.unique(return_inverse=True)
    means = class_means(train, train_labels)
    within = train - means[kinds]
    covariance = within.T @ within / len(train) + 1e-2 * torch.eye(
        train.shape[1], dtype=train.dtype
    )
    weight = torch.linalg.solve(covariance, means.T)
    constant = torch.bincount(kinds).to(train.dtype).log() - 0.5 * (means.T * weight).sum(0)
    return classes[(test @ weight + constant).argmax(1)]


@LINEAR_PROBE.variant
def by_pseudo_inverse(train_codes, train_labels, test_codes):
    scale = np.maximum(train_codes.numpy().std(0), 1e-9)
    train, test = (
        np.c_[(codes.numpy() - train_codes.numpy().mean(0)) / scale, np.ones(len(codes))]
        for codes in (train_codes, test_codes)
    )
    classes = np.unique(train_labels.numpy())
    targets = (train_labels.numpy()[:, None] == classes).astype(float)
    return classes[(test @ (np.linalg.pinv(train, rcond=1e-6) @ targets)).argmax(1)]
