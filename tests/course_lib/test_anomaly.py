r"""Scores, thresholds and ROC curves, against scikit-learn and their definitions."""

import math

import pytest
import torch
from sklearn import metrics
from torch import nn

from course_lib.anomaly import auroc, choose_threshold, reconstruction_score, roc_curve
from course_lib.autoencoder import ConvAutoencoder, pca

SIZES = [(1, 1), (5, 3), (40, 60), (301, 7)]


def make_scores(num_normal, num_anomalies, ties, generator):
    r"""Anomalies tend to score higher; with ties, there are few distinct scores."""
    normal = torch.randn(num_normal, generator=generator)
    anomaly = torch.randn(num_anomalies, generator=generator) + 1.0
    return ((2 * normal).round() / 2, (2 * anomaly).round() / 2) if ties else (normal, anomaly)


def labelled(normal, anomaly):
    labels = torch.cat([torch.zeros_like(normal), torch.ones_like(anomaly)])
    return labels.cpu().numpy(), torch.cat([normal, anomaly]).cpu().numpy()


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("sizes", SIZES)
def test_area_is_scikit_learns(sizes, ties, generator):
    normal, anomaly = make_scores(*sizes, ties, generator)
    expected = metrics.roc_auc_score(*labelled(normal, anomaly))
    assert auroc(normal, anomaly) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("sizes", SIZES)
def test_curve_is_scikit_learns(sizes, ties, generator, eps):
    normal, anomaly = make_scores(*sizes, ties, generator)
    found = roc_curve(normal, anomaly)
    expected = metrics.roc_curve(*labelled(normal, anomaly), drop_intermediate=False)
    for ours, theirs in zip(found[:2], expected[:2], strict=True):
        torch.testing.assert_close(ours.cpu().double(), torch.as_tensor(theirs), rtol=0, atol=eps)
    area = torch.trapezoid(found[1], found[0]).item()
    assert area == pytest.approx(auroc(normal, anomaly), abs=10 * eps)


def test_curve_says_what_each_threshold_does(generator):
    normal, anomaly = make_scores(40, 30, True, generator)
    false_positive, true_positive, thresholds = roc_curve(normal, anomaly)
    for fp, tp, threshold in zip(false_positive, true_positive, thresholds, strict=True):
        assert fp.item() == pytest.approx((normal > threshold).double().mean().item())
        assert tp.item() == pytest.approx((anomaly > threshold).double().mean().item())
    assert (false_positive[0], true_positive[0]) == (0.0, 0.0)
    assert (false_positive[-1], true_positive[-1]) == (1.0, 1.0)
    assert (thresholds.diff() < 0).all()


def test_area_of_known_cases(generator):
    scores = torch.arange(6.0)
    assert auroc(scores[:3], scores[3:]) == 1.0
    assert auroc(scores[3:], scores[:3]) == 0.0
    assert auroc(torch.zeros(4), torch.zeros(3)) == 0.5
    assert auroc(torch.tensor([-math.inf, 0.0]), torch.tensor([math.inf])) == 1.0
    normal, anomaly = make_scores(50, 20, False, generator)
    assert auroc(anomaly, normal) == pytest.approx(1 - auroc(normal, anomaly))
    assert auroc(normal.exp(), anomaly.exp()) == pytest.approx(auroc(normal, anomaly))


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("num_points", [1, 2, 10, 100, 257])
def test_threshold_is_the_smallest_that_keeps_the_promise(num_points, ties, generator):
    scores, _ = make_scores(num_points, 1, ties, generator)
    for rate in [0.0, 0.01, 0.05, 0.07, 0.1, 0.29, 1 / 3, 0.5, 0.99, 1.0]:
        threshold = choose_threshold(scores, rate)
        assert threshold in scores.tolist()
        assert (scores > threshold).sum().item() / num_points <= rate
        for smaller in scores[scores < threshold].tolist():
            assert (scores > smaller).sum().item() / num_points > rate


def test_threshold_of_known_cases():
    scores = torch.arange(1.0, 101.0)
    assert choose_threshold(scores, 0.05) == 95.0
    assert choose_threshold(scores, 0.29) == 71.0  # 0.29 * 100 is 28.999… in floating point
    assert choose_threshold(scores, 0.0) == 100.0
    assert choose_threshold(scores, 1.0) == 1.0
    assert choose_threshold(torch.full((20,), 3.0), 0.05) == 3.0


def test_threshold_holds_for_fresh_points(generator):
    r"""With N scores and rate k/N, a fresh point exceeds the threshold with chance (k + 1)/(N + 1).

    That is exact for exchangeable scores: the threshold is the (k + 1)-th largest of them.
    """
    num_runs, num_points = 4000, 99
    runs = torch.randn(num_runs, num_points + 1, generator=generator)
    alarms = sum(run[-1].item() > choose_threshold(run[:-1], 9 / 99) for run in runs)
    expected = 10 / 100
    error = math.sqrt(expected * (1 - expected) / num_runs)
    assert abs(alarms / num_runs - expected) < 5 * error


def test_score_of_each_point(generator, eps):
    x = torch.randn(2500, 3, 2, generator=generator)  # more than one batch
    errors = torch.randn(2500, 3, 2, generator=generator)
    by_row = {tuple(row.flatten().tolist()): error for row, error in zip(x, errors, strict=True)}

    def model(x):
        return x + torch.stack([by_row[tuple(row.flatten().tolist())] for row in x])

    expected = torch.stack([error.square().sum() / 6 for error in errors])
    torch.testing.assert_close(
        reconstruction_score(model, x), expected, rtol=1e3 * eps, atol=10 * eps
    )


def test_mean_score_of_pca_is_the_variance_left(generator, eps):
    x = torch.randn(200, 5, generator=generator) * torch.arange(1.0, 6.0)
    left = pca(x, 5).variances[2:].sum() / 5
    found = reconstruction_score(pca(x, 2), x).mean()
    torch.testing.assert_close(found, left, rtol=1e4 * eps, atol=0)


def test_score_is_taken_in_evaluation_without_gradient(generator):
    frozen = nn.Dropout(0.5).eval()
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), frozen, nn.BatchNorm1d(4))
    x = torch.randn(8, 4, generator=generator)
    first, again = reconstruction_score(model, x), reconstruction_score(model, x)
    assert torch.equal(first, again)
    assert not first.requires_grad
    assert [module.training for module in model] == [True, True, False, True]
    assert model[3].num_batches_tracked == 0
    assert reconstruction_score(model, x[:1]).shape == (1,)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_precision_comes_from_the_inputs(dtype, generator):
    x = torch.rand(3, 1, 8, 8, generator=generator).to(dtype)
    scores = reconstruction_score(ConvAutoencoder(2, size=8, width=2).to(dtype), x)
    made = [scores, *roc_curve(scores, scores)]
    assert all(value.dtype == dtype and value.device == x.device for value in made)


def take(**changes):
    return {"normal_scores": torch.zeros(3), "anomaly_scores": torch.zeros(3), **changes}


WRONG = {
    "no scores": (lambda: choose_threshold(torch.zeros(0), 0.1), r"normal_scores has shape \(0,\)"),
    "rate": (
        lambda: choose_threshold(torch.zeros(3), 5.0),
        r"false_positive_rate is 5\.0; expected",
    ),
    "rate NaN": (lambda: choose_threshold(torch.zeros(3), math.nan), "false_positive_rate is nan"),
    "NaN": (lambda: auroc(**take(anomaly_scores=torch.full((2,), math.nan))), "with 2 NaN"),
    "column": (lambda: auroc(**take(normal_scores=torch.zeros(3, 1))), r"shape \(3, 1\)"),
    "integers": (
        lambda: roc_curve(**take(normal_scores=torch.zeros(3, dtype=torch.int64))),
        "normal_scores holds torch.int64",
    ),
    "no anomalies": (lambda: roc_curve(**take(anomaly_scores=torch.zeros(0))), r"shape \(0,\)"),
    "single point": (lambda: reconstruction_score(lambda x: x, torch.zeros(3)), r"needs x\[None\]"),
    "no points": (lambda: reconstruction_score(lambda x: x, torch.zeros(0, 3)), r"shape \(0, 3\)"),
    "other shape": (
        lambda: reconstruction_score(lambda x: x[:, :1], torch.zeros(2, 3)),
        r"made shape \(2, 1\) of points of shape \(2, 3\)",
    ),
}


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG.keys())
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()
