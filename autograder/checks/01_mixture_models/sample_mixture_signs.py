"""How mistakes in `sample_mixture` show in the draws, whatever code made them."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from autograder.candidate import Call

from .sample_mixture import FEW, MANY, REPEATED, scaled_distance, whiten

Sign = Callable[[Sequence[Call]], bool]


def large(calls: Sequence[Call]) -> tuple[Tensor, ...]:
    """The first large draw: points, labels, weights, means, factors."""
    call = next(call for call in calls if call.args[0] == MANY and call.error is None)
    _, weights, loc, scale_tril, _ = call.args
    if call.value[0].shape != (MANY, loc.shape[1]) or call.value[1].shape != (MANY,):
        raise ValueError("the signs read well-formed draws only")
    return call.value[0].double(), call.value[1].long(), weights, loc, scale_tril


def _near(value: Tensor, target: Tensor, rtol: float = 0.2) -> bool:
    """Equal within what a few thousand draws can tell."""
    return bool((value - target).abs().max() <= rtol * target.abs().max())


def _frequencies(labels: Tensor, num_components: int) -> Tensor:
    return torch.bincount(labels, minlength=num_components) / len(labels)


def _marginals_fit(points: Tensor, weights: Tensor, loc: Tensor, scale_tril: Tensor) -> bool:
    scale = scale_tril.square().sum(-1).sqrt()
    cdf = torch.special.ndtr((points[:, None] - loc) / scale)  # (S, K, D)
    mixed = torch.einsum("k,skd->sd", weights, cdf)
    return all(scaled_distance(column) < 3.5 for column in mixed.T)


def as_covariance(factor: Tensor) -> Tensor:
    """What L means to code that reads its diagonal as variances and forgets the rest."""
    return torch.diag_embed(factor.diagonal(dim1=-2, dim2=-1))


COVARIANCES: dict[str, Callable[[Tensor], Tensor]] = {
    "right": lambda L: L @ L.T,
    "times_covariance": lambda L: L @ L.T @ L @ L.T,
    "times_transposed_factor": lambda L: L.T @ L,
    "diagonal_only": lambda L: torch.diag(L.diagonal() ** 2),
    "factor_taken_for_covariance": as_covariance,
}


def component_covariance(name: str) -> Sign:
    """The sign of points whose covariance in every component is nearest to one of these."""

    def sign(calls: Sequence[Call]) -> bool:
        points, labels, _, loc, scale_tril = large(calls)
        distance = dict.fromkeys(COVARIANCES, 0.0)
        for k, factor in enumerate(scale_tril):
            given = torch.cov((points - loc[labels])[labels == k].T, correction=0)
            for other, target in COVARIANCES.items():
                relative = (given - target(factor)).abs().max() / target(factor).abs().max()
                distance[other] += relative.item() / len(scale_tril)
        return distance[name] < 0.2 and name == min(distance, key=distance.get)

    return sign


def chosen_with(probabilities: Callable[[Tensor], Tensor]) -> Sign:
    """The sign of labels that follow other probabilities than the weights."""

    def sign(calls: Sequence[Call]) -> bool:
        _, labels, weights, *_ = large(calls)
        given = _frequencies(labels, len(weights))
        right = _near(given, weights, rtol=0.07)
        return not right and _near(given, probabilities(weights), rtol=0.07)

    return sign


def _draws_by_seed(calls: Sequence[Call]) -> dict[int, list[Call]]:
    draws: dict[int, list[Call]] = {}
    for call in calls:
        if call.args[0] == REPEATED:
            draws.setdefault(call.args[-1].value, []).append(call)
    return draws


def differs_under_one_seed(calls: Sequence[Call]) -> bool:
    for first, *others in _draws_by_seed(calls).values():
        if any(not torch.equal(first.value[0], other.value[0]) for other in others):
            return True
    return False


def same_labels(calls: Sequence[Call]) -> bool:
    (first, *_), (second, *_) = _draws_by_seed(calls).values()
    return torch.equal(first.value[1], second.value[1])


def ignores_seed(calls: Sequence[Call]) -> bool:
    (first, *_), (second, *_) = _draws_by_seed(calls).values()
    noise = [
        whiten(call.value[0].double(), call.value[1].long(), *call.args[2:4])
        for call in (first, second)
    ]
    return torch.allclose(*noise, atol=1e-4)


def no_spread(calls: Sequence[Call]) -> bool:
    points, labels, _, loc, _ = large(calls)
    return bool((points == loc[labels]).all())


def one_repeated_value(calls: Sequence[Call]) -> bool:
    points, labels, _, loc, scale_tril = large(calls)
    noise = whiten(points, labels, loc, scale_tril)
    return len((1e6 * noise).round().unique(dim=0)) <= len(loc)


def same_noise_in_all_coordinates(calls: Sequence[Call]) -> bool:
    points, labels, _, loc, scale_tril = large(calls)
    noise = whiten(points, labels, loc, scale_tril)
    return bool((noise[:, 0] - noise[:, 1]).abs().max() < 1e-4)


def regular_counts(calls: Sequence[Call]) -> bool:
    repeats = [call.value[1].long() for call in calls if call.args[0] == FEW]
    counts = torch.stack([torch.bincount(labels, minlength=3) for labels in repeats]).double()
    return len(counts) > 10 and bool(counts.std(0).max() < 1.5)


def is_average(calls: Sequence[Call]) -> bool:
    points, _, weights, loc, scale_tril = large(calls)
    covariance = torch.einsum("k,kij,klj->il", weights**2, scale_tril, scale_tril)
    return _near(points.mean(0), weights @ loc) and bool(
        torch.cov(points.T).trace() < 3 * covariance.trace()
    )


def coordinates_chosen_apart(calls: Sequence[Call]) -> bool:
    points, _, *params = large(calls)
    correlation = torch.corrcoef(points.T)[0, 1]
    return _marginals_fit(points, *params) and bool(correlation.abs() < 0.05)


def labels_of_other_rows(calls: Sequence[Call]) -> bool:
    """The points are a sound draw, and so are the labels, but row by row they do not match."""
    points, labels, weights, loc, scale_tril = large(calls)
    right_labels = _near(_frequencies(labels, len(weights)), weights)
    apart = whiten(points, labels, loc, scale_tril).abs().max() > 8
    second = torch.einsum("kij,klj->kil", scale_tril, scale_tril) + loc[:, :, None] * loc[:, None]
    covariance = torch.einsum("k,kij->ij", weights, second) - torch.outer(*2 * [weights @ loc])
    sound = _near(torch.cov(points.T), covariance, 0.1) and _clusters_are_normal(
        points, *large(calls)[2:]
    )
    return right_labels and bool(apart) and sound


def _clusters_are_normal(points: Tensor, weights: Tensor, loc: Tensor, scale_tril: Tensor) -> bool:
    """Each point belongs to the component that explains it best, and has its normal noise."""
    if not _marginals_fit(points, weights, loc, scale_tril):
        return False
    every = torch.stack(
        [whiten(points, torch.full((len(points),), k), loc, scale_tril) for k in range(len(loc))]
    )
    nearest = (
        every.square().sum(-1).amin(0)
    )  # χ² with D degrees of freedom, if the clusters are apart
    return scaled_distance(1 - torch.exp(-nearest / 2)) < 5.0 if loc.shape[1] == 2 else True


def not_normal(calls: Sequence[Call]) -> bool:
    points, labels, _, loc, scale_tril = large(calls)
    noise = whiten(points, labels, loc, scale_tril)
    return bool(noise.abs().max() < 2.5)


def centred_at_zero(calls: Sequence[Call]) -> bool:
    points, labels, _, loc, _ = large(calls)
    means = torch.stack([points[labels == k].mean(0) for k in range(len(loc))])
    return bool(means.abs().max() < 0.5)


def labels_from_one(calls: Sequence[Call]) -> bool:
    _, labels, weights, *_ = large(calls)
    return int(labels.min()) == 1 and int(labels.max()) == len(weights)


def shape(index: int, shape: Callable[[Call], tuple[int, ...]]) -> Sign:
    return lambda calls: tuple(calls[0].value[index].shape) == shape(calls[0])
