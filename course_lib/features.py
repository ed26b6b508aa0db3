r"""What codes are good for: classification from few labels, and clustering.

The methods are scikit-learn's; the same calls take raw pixels, principal components or codes.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_lib.mixture.params import check_points

Codes = Float[Tensor, "n m"]
Labels = Int[Tensor, " n"]
MAX_STEPS = 2000


def linear_probe(
    train_codes: Codes,
    train_labels: Labels,
    test_codes: Float[Tensor, "t m"],
    test_labels: Int[Tensor, " t"],
) -> float:
    r"""How well a linear classifier reads the labels off the codes.

    Each column is shifted and scaled to mean 0 and standard deviation 1 by numbers taken from the
    training codes alone; then a logistic regression with a unit Gaussian penalty is fitted.

    Args:
        train_codes: Codes of the labelled points, shape (N, M).
        train_labels: Their labels, shape (N,), at least two different ones.
        test_codes: Codes of other points, shape (T, M).
        test_labels: Their labels, shape (T,).

    Returns:
        The share of test points whose label is found.

    Raises:
        ValueError: The shapes do not fit, or the training points have one label only.
    """
    from sklearn.linear_model import LogisticRegression  # scikit-learn takes a second to import
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    _check_labelled("train", train_codes, train_labels)
    _check_labelled("test", test_codes, test_labels)
    if train_codes.shape[1] != test_codes.shape[1]:
        raise ValueError(
            f"train_codes have {train_codes.shape[1]} columns and test_codes "
            f"{test_codes.shape[1]}; expected the same: encode both with the same model"
        )
    if len(train_labels.unique()) < 2:
        raise ValueError(
            f"all train_labels are {int(train_labels[0])}; expected at least two classes: take "
            "labelled points of every class"
        )
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=MAX_STEPS))
    probe.fit(_array(train_codes), train_labels.cpu().numpy())
    return float(probe.score(_array(test_codes), test_labels.cpu().numpy()))


def cluster_codes(codes: Codes, num_clusters: int, *, seed: int = 0) -> Labels:
    r"""Clusters of codes, by k-means from ten starts.

    Args:
        codes: Shape (N, M).
        num_clusters: At most N.
        seed: Of the starts.

    Returns:
        The cluster of each code, 0 to num_clusters − 1, shape (N,).

    Raises:
        ValueError: `codes` is malformed, or there are fewer of them than clusters.
    """
    from sklearn.cluster import KMeans

    check_points(codes)
    if not 1 <= num_clusters <= len(codes):
        raise ValueError(
            f"num_clusters is {num_clusters} for {len(codes)} codes; expected 1 to {len(codes)}"
        )
    found = KMeans(num_clusters, n_init=10, random_state=seed).fit_predict(_array(codes))
    return torch.as_tensor(found, dtype=torch.int64, device=codes.device)


def cluster_accuracy(clusters: Labels, labels: Labels) -> float:
    r"""The share of points in the right cluster, when each cluster is given the best label.

    Every label goes to at most one cluster and every cluster to at most one label; of all such
    pairings the best one counts.

    Args:
        clusters: What `cluster_codes` found, shape (N,).
        labels: The true classes, shape (N,).

    Raises:
        ValueError: There are no points, or the two differ in length.

    Example:
        >>> cluster_accuracy(torch.tensor([2, 2, 0, 0]), torch.tensor([0, 0, 1, 0]))
        0.75
    """
    from scipy.optimize import linear_sum_assignment

    _check_pair(clusters, labels)
    _, row = clusters.unique(return_inverse=True)
    _, column = labels.unique(return_inverse=True)
    width = int(column.max()) + 1
    counts = torch.bincount(row * width + column, minlength=(int(row.max()) + 1) * width)
    table = counts.reshape(-1, width).cpu().numpy()
    return float(table[linear_sum_assignment(table, maximize=True)].sum() / len(labels))


def nmi(clusters: Labels, labels: Labels) -> float:
    r"""The normalised mutual information of clusters and classes.

    Mutual information over the mean of the two entropies: 1 for the same partition, near 0 for
    unrelated ones. Unlike the accuracy it forgives a class that is split in two.

    Args:
        clusters: Shape (N,).
        labels: Shape (N,).

    Raises:
        ValueError: There are no points, or the two differ in length.
    """
    from sklearn.metrics import normalized_mutual_info_score

    _check_pair(clusters, labels)
    return float(normalized_mutual_info_score(labels.cpu().numpy(), clusters.cpu().numpy()))


def _array(codes: Tensor):
    return codes.detach().cpu().double().numpy()


def _check_labelled(name: str, codes: Tensor, labels: Tensor) -> None:
    check_points(codes)
    _check_whole(f"{name}_labels", labels)
    if len(codes) != len(labels):
        raise ValueError(
            f"{name}_codes and {name}_labels have {len(codes)} and {len(labels)} rows; expected "
            "one label per code"
        )


def _check_pair(clusters: Tensor, labels: Tensor) -> None:
    _check_whole("clusters", clusters)
    _check_whole("labels", labels)
    if len(clusters) != len(labels) or len(labels) == 0:
        raise ValueError(
            f"there are {len(clusters)} clusters and {len(labels)} labels; expected one of each "
            "for every point, and at least one point"
        )


def _check_whole(name: str, values: Tensor) -> None:
    if values.ndim != 1 or values.is_floating_point():
        raise ValueError(
            f"{name} has shape {tuple(values.shape)} and holds {values.dtype}; expected (N,) whole "
            "numbers"
        )
