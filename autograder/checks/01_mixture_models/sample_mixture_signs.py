"""How mistakes in `sample_mixture` show in the recorded samples, whatever code made them."""

import itertools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from autograder.candidate import Call
from autograder.exercise import Sign

from ._sampling import Sample, frequency_distance, is_standard, read, too_large

Factor = Callable[[Tensor], Tensor]


def samples(calls: Sequence[Call]) -> list[Sample]:
    """Large samples in the plane, every other one; a sign that cannot read one does not apply."""
    large = [call for call in calls if call.args[0] >= 100 and call.args[2].shape[1] == 2]
    found = [read(call.value, call.args) for call in large[::2]]
    return [sample for sample in found if (sample.weights > 0).all()]


def says(*words: str) -> Sign:
    """The student's code raised, and the message holds one of these words."""
    return lambda calls: any(word in call.error_text for call in calls for word in words)


def answers(condition: Callable[[Call], bool]) -> Sign:
    """All answers meet a condition, such as a shape."""
    return lambda calls: all(condition(call) for call in calls)


def shaped(part: int, shape: Callable[[int, int, int], tuple[int, ...]]) -> Sign:
    """Part 0 (x) or 1 (labels) has this shape, a function of S, K and D."""
    return answers(
        lambda call: tuple(call.value[part].shape) == shape(call.args[0], *call.args[2].shape)
    )


def only_component(chosen: Callable[[Sample], Tensor]) -> Sign:
    """All labels of a sample are this one."""
    return lambda calls: all((s.labels == chosen(s)).all() for s in samples(calls))


def frequencies(*guesses: Callable[[Tensor], Tensor]) -> Sign:
    """Labels come with one of these frequencies, and not with the weights."""

    def sign(calls: Sequence[Call]) -> bool:
        found = samples(calls)
        fits = [
            not too_large(*frequency_distance(found, [guess(s.weights) for s in found]))
            for guess in (lambda weights: weights, *guesses)
        ]
        return not fits[0] and any(fits)

    return sign


def rounded_counts(calls: Sequence[Call]) -> bool:
    """Every component comes within one of its exact share, each time."""
    return all(((s.counts() - s.weights * len(s.labels)).abs() <= 1).all() for s in samples(calls))


def irregular_counts(calls: Sequence[Call]) -> bool:
    """Label counts vary from call to call far more than they should, around their own mean."""
    found = samples(calls)
    shares = []
    for sample in found:
        like = [s for s in found if torch.equal(s.loc, sample.loc)]
        shares.append(sum(s.counts() for s in like) / sum(len(s.labels) for s in like))
    chi_sq, freedom = frequency_distance(found, shares)
    return chi_sq > 3 * freedom


def noise(condition: Callable[[Tensor], bool]) -> Sign:
    """The noise of every sample, whitened by L, meets a condition."""
    return lambda calls: all(condition(s.whitened()) for s in samples(calls))


def undone_by(*factors: Factor) -> Sign:
    """The noise is standard when another matrix is undone, and not when L is."""

    def sign(calls: Sequence[Call]) -> bool:
        found = samples(calls)
        right, *others = (
            is_standard(torch.cat([s.whitened(f) for s in found])) for f in (lambda L: L, *factors)
        )
        return not right and any(others)

    return sign


def not_normal(calls: Sequence[Call]) -> bool:
    """The noise has the right mean and covariance, and another shape."""
    z = torch.cat([s.whitened() for s in samples(calls)])
    kurtosis = z.pow(4).mean(0) / z.square().mean(0).square()
    return is_standard(z) and bool(((kurtosis < 2.7) | (kurtosis > 3.5)).all())


def means_missing(calls: Sequence[Call]) -> bool:
    return is_standard(torch.cat([s.undo(s.scale_tril, s.x) for s in samples(calls)]))


def _is_gaussian(found: Sequence[Sample], covariances: Sequence[Tensor]) -> bool:
    """Whether x has the mixture's mean and these covariances, whatever the labels."""
    whitened = [
        torch.linalg.solve(torch.linalg.cholesky(covariance), (s.x - s.mean()).T).T
        for s, covariance in zip(found, covariances, strict=True)
    ]
    return is_standard(torch.cat(whitened))


def is_average(calls: Sequence[Call]) -> bool:
    """x = Σ π_k x_k, with a noise for each component or one for all."""
    found = samples(calls)
    factors = [s.weights[:, None, None] * s.scale_tril for s in found]
    own = [(factor @ factor.mT).sum(0) for factor in factors]
    shared = [factor.sum(0) @ factor.sum(0).T for factor in factors]
    return any(_is_gaussian(found, covariances) for covariances in (own, shared))


def is_one_gaussian(calls: Sequence[Call]) -> bool:
    """x has the mixture's mean and covariance, and the margins of one Gaussian."""
    found = samples(calls)
    gaussian = _is_gaussian(found, [s.covariance() for s in found])
    return gaussian and not _margins_fit(found)


def _margins_fit(found: Sequence[Sample]) -> bool:
    return all(s.ks_distance() < 3.5 / math.sqrt(len(s.x)) for s in found)


def labels_of_other_rows(calls: Sequence[Call]) -> bool:
    """Points follow the mixture, and their labels do not belong to them."""
    found = samples(calls)
    whole = _is_gaussian(found, [s.covariance() for s in found]) and _margins_fit(found)
    return whole and _far_from_label(found)


def coordinates_chosen_apart(calls: Sequence[Call]) -> bool:
    """Each margin follows the mixture, and the plane does not."""
    found = samples(calls)
    whole = _is_gaussian(found, [s.covariance() for s in found])
    return _margins_fit(found) and not whole and _far_from_label(found)


def _far_from_label(found: Sequence[Sample]) -> bool:
    """Whether points are much farther from their own component's mean than they should be."""
    return torch.cat([s.whitened() for s in found]).square().mean().item() > 2


def repeats_noise(calls: Sequence[Call]) -> bool:
    """At least a tenth of the rows repeat the noise of another row."""
    z = [s.whitened().mul(1e5).round() for s in samples(calls)]
    return all(len(values.unique(dim=0)) < 0.9 * len(values) for values in z)


def _pairs(calls: Sequence[Call], *, same_seed: bool) -> list[tuple[Sample, Sample]]:
    """Neighbouring samples of the same mixture, with the same seed or with different ones."""
    large = [call for call in calls if call.args[0] >= 100 and call.args[2].shape[1] == 2]
    return [
        (read(one.value, one.args), read(other.value, other.args))
        for one, other in itertools.pairwise(large)
        if torch.equal(one.args[1], other.args[1])
        and torch.equal(one.args[2], other.args[2])
        and (one.args[4] == other.args[4]) == same_seed
    ]


def ignores_generator(*parts: Callable[[Sample], Tensor]) -> Sign:
    """Each part changes under the same seed, or never changes with the seed."""

    def ignored(part: Callable[[Sample], Tensor], calls: Sequence[Call]) -> bool:
        repeated, fresh = _pairs(calls, same_seed=True), _pairs(calls, same_seed=False)
        unstable = any(not torch.allclose(part(a), part(b)) for a, b in repeated)
        return unstable or (
            len(fresh) > 0 and all(torch.allclose(part(a), part(b)) for a, b in fresh)
        )

    return lambda calls: all(ignored(part, calls) for part in parts)


def labels(sample: Sample) -> Tensor:
    return sample.labels.double()


def whitened(sample: Sample) -> Tensor:
    return sample.whitened()
