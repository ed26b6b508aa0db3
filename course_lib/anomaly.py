r"""Anomaly detection: a score per point, a threshold chosen on normal data alone, and the ROC.

A point is called an anomaly when its score is above the threshold.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.training import evaluating

Scores = Float[Tensor, " n"]
AnomalyScores = Float[Tensor, " a"]
BATCH = 1024


def reconstruction_score(
    model: Callable[[Tensor], Tensor], x: Float[Tensor, " n *event"]
) -> Scores:
    r"""How badly each point is reconstructed.

    .. math:: s_n = \frac1D \lVert g(f(x_n)) - x_n \rVert^2

    A model is switched to evaluation for the time of the call, so that dropout is off.

    Args:
        model: From points to their reconstructions, of the same shape.
        x: Points, shape (N, …).

    Returns:
        One mean squared error per value for each point, shape (N,), without a gradient.

    Raises:
        ValueError: There are no points, or the reconstructions have another shape.
    """
    if x.ndim < 2 or x.numel() == 0:
        raise ValueError(
            f"x has shape {tuple(x.shape)}; expected (N, …) with at least one point: a single "
            "point needs x[None]"
        )
    with torch.no_grad(), evaluating(model):
        return torch.cat([_errors(model, batch) for batch in x.split(BATCH)])


def _errors(model: Callable[[Tensor], Tensor], x: Tensor) -> Scores:
    x_hat = model(x)
    if x_hat.shape != x.shape:
        raise ValueError(
            f"the model made shape {tuple(x_hat.shape)} of points of shape {tuple(x.shape)}; "
            "expected one reconstruction per point, of the same shape"
        )
    return (x_hat - x).square().flatten(1).mean(1)


def choose_threshold(normal_scores: Scores, false_positive_rate: float) -> float:
    r"""The smallest observed score that keeps false alarms at or below a rate.

    .. math:: t = \min \Big\{ s_i : \frac1N \sum_n [s_n > s_i] \le \text{rate} \Big\}

    Only normal points decide, and points the model was not trained on: a threshold that was tuned
    on anomalies promises nothing about the next kind of defect.

    Args:
        normal_scores: Scores of normal points held out from training, shape (N,).
        false_positive_rate: The share of normal points that may be called anomalies, 0 to 1.

    Returns:
        One of the scores.

    Raises:
        ValueError: There are no scores, one is NaN, or the rate is out of range.

    Example:
        >>> choose_threshold(torch.tensor([1.0, 2.0, 3.0, 4.0]), 0.25)
        3.0
    """
    _check_scores(normal_scores=normal_scores)
    if not 0.0 <= false_positive_rate <= 1.0:
        raise ValueError(f"false_positive_rate is {false_positive_rate}; expected 0 to 1")
    scores = normal_scores.detach().sort().values
    above = len(scores) - torch.searchsorted(scores, scores, right=True)
    # the counts fall along the sorted scores, so the first that is low enough is the smallest
    allowed = above.double() / len(scores) <= false_positive_rate
    return scores[allowed][0].item()


def roc_curve(
    normal_scores: Scores, anomaly_scores: AnomalyScores
) -> tuple[Float[Tensor, " k"], Float[Tensor, " k"], Float[Tensor, " k"]]:
    r"""What every threshold would give: false alarms and hits.

    Args:
        normal_scores: Shape (N,).
        anomaly_scores: Any number of them.

    Returns:
        The share of normal points above the threshold, the share of anomalies above it, and the
        thresholds: every distinct score from the largest, at which nothing is called an anomaly,
        down to the smallest, then -inf, at which everything is. Three tensors of shape (K,).

    Raises:
        ValueError: One of the two is empty or holds NaN.

    Example:
        >>> roc_curve(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0]))[:2]
        (tensor([0.0000, 0.0000, 0.5000, 1.0000]), tensor([0.0000, 0.5000, 1.0000, 1.0000]))
    """
    _check_scores(normal_scores=normal_scores, anomaly_scores=anomaly_scores)
    thresholds = torch.cat([normal_scores, anomaly_scores]).detach().unique().flip(0)
    thresholds = torch.cat([thresholds, thresholds.new_full((1,), -torch.inf)])
    false_positive, true_positive = (
        _share_above(scores, thresholds) for scores in (normal_scores, anomaly_scores)
    )
    return false_positive, true_positive, thresholds


def auroc(normal_scores: Scores, anomaly_scores: AnomalyScores) -> float:
    r"""The area under the ROC curve: how often an anomaly scores above a normal point.

    .. math:: P(s_\text{anomaly} > s_\text{normal})
        + \tfrac12 P(s_\text{anomaly} = s_\text{normal})

    Args:
        normal_scores: Any number of them.
        anomaly_scores: Any number of them.

    Returns:
        From 0 to 1; 0.5 is no better than chance.

    Raises:
        ValueError: One of the two is empty or holds NaN.

    Reference:
        Hanley and McNeil (1982), "The meaning and use of the area under a receiver operating
        characteristic (ROC) curve", Radiology 143.

    Example:
        >>> auroc(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0]))
        0.875
    """
    _check_scores(normal_scores=normal_scores, anomaly_scores=anomaly_scores)
    normal, anomaly = normal_scores.detach().sort().values, anomaly_scores.detach()
    below = torch.searchsorted(normal, anomaly)
    not_above = torch.searchsorted(normal, anomaly, right=True)
    return int((below + not_above).sum()) / (2 * len(normal) * len(anomaly))


def _share_above(scores: Scores, thresholds: Float[Tensor, " k"]) -> Float[Tensor, " k"]:
    ordered = scores.detach().sort().values
    counts = len(ordered) - torch.searchsorted(ordered, thresholds, right=True)
    return counts.to(scores.dtype) / len(ordered)


def _check_scores(**scores: Tensor) -> None:
    for name, values in scores.items():
        if values.ndim != 1 or len(values) == 0:
            raise ValueError(
                f"{name} has shape {tuple(values.shape)}; expected (N,), one score for each of at "
                "least one point"
            )
        if not values.is_floating_point() or values.isnan().any():
            raise ValueError(
                f"{name} holds {values.dtype} with {int(values.isnan().sum())} NaN; expected "
                "floating-point scores without NaN: look for the points that make them"
            )
