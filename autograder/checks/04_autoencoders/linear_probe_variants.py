"""Right answers to `linear_probe` by other methods."""

import numpy as np
import torch

from .linear_probe import scaled, with_one
from .linear_probe_bank import LINEAR_PROBE, class_means, fit

__all__ = ["LINEAR_PROBE"]


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


@LINEAR_PROBE.variant
def spread_plus_a_trifle(train_codes, train_labels, test_codes):
    """Nothing measurable changes as long as the constant is small beside every spread."""
    mean, scale = train_codes.mean(0), train_codes.std(0) + 1e-9
    train, test = ((codes - mean) / scale for codes in (train_codes, test_codes))
    return fit(with_one(train), train_labels, with_one(test))


@LINEAR_PROBE.variant
def least_squares_without_scale(train_codes, train_labels, test_codes):
    """Without a penalty the units do not matter; the pseudo-inverse of few points exists too."""
    classes, kinds = train_labels.unique(return_inverse=True)
    targets = torch.eye(len(classes), dtype=train_codes.dtype)[kinds]
    weight = torch.linalg.lstsq(with_one(train_codes), targets, driver="gelsy").solution
    return classes[(with_one(test_codes) @ weight).argmax(1)]


@LINEAR_PROBE.variant
def between_zero_and_one(train_codes, train_labels, test_codes):
    low, high = train_codes.amin(0), train_codes.amax(0)
    width = torch.where(high > low, high - low, 1.0)
    train, test = ((codes - low) / width for codes in (train_codes, test_codes))
    return fit(with_one(train), train_labels, with_one(test), 1e-4)
