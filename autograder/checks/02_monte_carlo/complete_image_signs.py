"""How mistakes in `complete_image` show in the completions, whatever code made them."""

from collections.abc import Callable, Sequence

import scipy.stats
import torch
from torch import Tensor

from autograder.candidate import Call
from autograder.exercise import Sign

from .complete_image import log_likelihoods

LogWeights = Callable[[Tensor, Tensor, Tensor, float], Tensor]
FORMULAS: list[LogWeights] = []  # all wrong weights


def answered(calls: Sequence[Call]) -> list[tuple[Tensor, ...]]:
    """(value, x, mask, guesses, scale, seed) of the calls that gave a (T, D) tensor."""
    return [
        (c.value.double(), *c.args[:4], c.args[5])
        for c in calls
        if c.error is None
        and isinstance(c.value, Tensor)
        and tuple(c.value.shape) == (c.args[4], len(c.args[0]))
    ]


def partial(calls: Sequence[Call]) -> list[tuple[Tensor, ...]]:
    """The same for calls with visible and hidden pixels."""
    return [found for found in answered(calls) if found[2].any() and not found[2].all()]


def guess_of(value: Tensor, mask: Tensor, guesses: Tensor) -> Tensor | None:
    """Which guess each row's hidden pixels come from; None if one comes from none."""
    distance = (value[:, None, ~mask] - guesses[:, ~mask]).abs().amax(-1).min(1)
    return None if distance.values.max() > 1e-4 else distance.indices


def explained(chosen: Tensor, log_weights: Tensor) -> bool:
    """Whether the guesses were chosen as often as these weights say, by χ²."""
    expected = torch.softmax(log_weights, 0) * len(chosen)
    counts = torch.bincount(chosen, minlength=len(log_weights)).double()
    common = expected > 3
    if counts[~common].sum() > 10 + 4 * expected[~common].sum():
        return False
    chi_sq = ((counts - expected).square() / expected)[common].sum().item()
    return chi_sq < scipy.stats.chi2.isf(1e-9, max(int(common.sum()) - 1, 1))


def frequencies(log_weights: LogWeights) -> Sign:
    """Of all known weights, the right ones included, these explain best how often each guess was
    chosen."""

    def sign(calls: Sequence[Call]) -> bool:
        large = [found for found in partial(calls) if len(found[0]) > 1000]
        chosen = [guess_of(found[0], found[2], found[3]) for found in large]
        if not large or any(one is None for one in chosen):
            return False
        if without_repetition(calls, best_first=False):
            return False

        def score(formula: LogWeights) -> float:
            return sum(
                torch.log_softmax(formula(*found[1:5]), 0)[one].sum().item()
                for found, one in zip(large, chosen, strict=True)
            )

        def fits(formula: LogWeights) -> bool:
            return all(
                explained(one, formula(*found[1:5]))
                for found, one in zip(large, chosen, strict=True)
            )

        best = max([log_likelihoods, *FORMULAS], key=score)
        clear = score(log_weights) > score(log_likelihoods) + 12
        return best is log_weights and clear and fits(log_weights)

    return sign


def rows(condition: Callable[..., bool]) -> Sign:
    """All answers with visible and hidden pixels meet a condition of (value, x, mask, guesses)."""

    def sign(calls: Sequence[Call]) -> bool:
        found = [
            parts
            for parts in partial(calls)
            if len(parts[0]) > 10 and len(parts[3]) < 100 and parts[4] > 0.1
        ]
        return bool(found) and all(condition(*parts[:4]) for parts in found)

    return sign


def squares(x: Tensor, mask: Tensor, guesses: Tensor) -> Tensor:
    return (x[mask] - guesses[:, mask]).square()


def is_best(value: Tensor, x: Tensor, mask: Tensor, guesses: Tensor) -> bool:
    """Every row comes from the guess nearest to what is visible."""
    chosen = guess_of(value, mask, guesses)
    best = squares(x, mask, guesses).sum(-1).argmin()
    return chosen is not None and bool((chosen == best).all())


def always_best(calls: Sequence[Call]) -> bool:
    """Every row of every call comes from the guess nearest to what is visible."""
    found = partial(calls)
    return bool(found) and all(is_best(*parts[:4]) for parts in found)


def without_repetition(calls: Sequence[Call], *, best_first: bool) -> bool:
    """The guesses come in their own order, or in that of their likelihood."""
    found = [c for c in calls if c.error is None and isinstance(c.value, Tensor)]
    seen = []
    for call in found:
        x, mask, guesses, scale = call.args[:4]
        if mask.all() or not mask.any() or scale < 0.1:
            continue
        order = torch.arange(len(guesses))
        if best_first:
            order = log_likelihoods(x, mask, guesses, scale).argsort(descending=True)
        chosen = guess_of(call.value.double(), mask, guesses)
        seen.append(chosen is not None and torch.equal(chosen[: len(order)], order[: len(chosen)]))
    return bool(seen) and all(seen)


def not_a_number(calls: Sequence[Call]) -> bool:
    bad = [
        c.error is not None or (isinstance(c.value, Tensor) and bool(c.value.isnan().any()))
        for c in calls
        if not c.args[1].all()
    ]
    return bool(bad) and all(bad)


def one_for_all(calls: Sequence[Call]) -> bool:
    """All rows of a call are equal, and not always the best guess."""
    found = [parts for parts in partial(calls) if len(parts[0]) > 10]
    equal = all(bool((parts[0] == parts[0][0]).all()) for parts in found)
    return (
        bool(found)
        and equal
        and all(guess_of(parts[0], parts[2], parts[3]) is not None for parts in found)
    )


def same_for(calls: Sequence[Call], *, same_seed: bool) -> bool | None:
    """Whether two calls that differ in the seed only, or not at all, gave the same."""
    found = answered(calls)
    for i, (value, _, _, guesses, _, seed) in enumerate(found):
        for other, _, _, guesses_too, _, other_seed in found[i + 1 :]:
            alike = torch.equal(guesses, guesses_too) and value.shape == other.shape
            if alike and (seed == other_seed) == same_seed:
                return torch.equal(value.nan_to_num(), other.nan_to_num())
    return None


def right_with_noise(calls: Sequence[Call]) -> bool:
    """Right frequencies where σ is not tiny, and bad guesses where it is."""
    tiny = [p for p in partial(calls) if p[4] < 0.1]
    if not tiny or all(is_best(*p[:4]) for p in tiny):
        return False
    large = [p for p in partial(calls) if len(p[0]) > 1000 and p[4] > 0.1]
    chosen = [
        (guess_of(v, mask, guesses), x, mask, guesses, s) for v, x, mask, guesses, s, _ in large
    ]
    return bool(chosen) and all(
        c is not None and explained(c, log_likelihoods(*rest)) for c, *rest in chosen
    )
