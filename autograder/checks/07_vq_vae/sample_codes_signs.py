"""How mistakes in `sample_codes` show in the maps and in the questions, whatever code made them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from autograder.candidate import Call, Seed
from autograder.exercise import Sign

from ._prior import CausalModel


@dataclass(frozen=True)
class Sampled:
    """One answer: maps as rows of T = H · W codes.

    Attributes:
        value: The maps that came out, (S, T).
        asked: The maps that `logits_fn` was asked about, (S, T) each.
    """

    value: Tensor
    given: Tensor
    known: Tensor
    temperature: float
    seed: Seed
    model: CausalModel
    asked: list[Tensor]

    @property
    def missing(self) -> Tensor:
        return (~self.known).nonzero()[:, 0]

    def first_drawn(self) -> int | None:
        """The place at which the second question differs from the first, if it is one."""
        changed = (self.asked[1] != self.asked[0]).any(0).nonzero()[:, 0].tolist()
        return changed[0] if len(changed) == 1 else None

    def logits(self, rows: Tensor) -> Tensor:
        """(S, T, K) for maps as rows."""
        return self.model(rows.reshape(-1, *self.model.shape)).flatten(1, 2)


Shares = Callable[[Sampled], Tensor]
Condition = Callable[[Sampled], bool]


def answered(calls: Sequence[Call]) -> list[Sampled]:
    """The answers that are maps of whole numbers, to ordinary questions."""
    found = []
    for call in calls:
        oracle, given, known, temperature, seed = call.args
        model, value = oracle.function, call.value
        if call.error is not None or not isinstance(model, CausalModel):
            continue
        if not isinstance(value, Tensor) or value.shape != given.shape:
            continue
        asked = [torch.as_tensor(q[0]) for q in oracle.questions]
        asked = [q.flatten(1).long() for q in asked if q.ndim == 3]
        rows = value.long().flatten(1), given.flatten(1), known.flatten()
        found.append(Sampled(*rows, temperature, seed, model, asked))
    return found


def all_of(condition: Condition, keep: Condition = lambda s: len(s.missing) > 0) -> Sign:
    """All answers of a kind meet a condition, and there are some."""

    def sign(calls: Sequence[Call]) -> bool:
        found = [s for s in answered(calls) if keep(s)]
        return bool(found) and all(map(condition, found))

    return sign


def has_known(s: Sampled) -> bool:
    return bool(s.known.any() and not s.known.all())


def several_missing(s: Sampled) -> bool:
    return len(s.missing) > 1


def says(*words: str) -> Sign:
    """The student's code raised, and some message holds all of these words."""
    return lambda calls: any(all(word in c.error_text for word in words) for c in calls)


def asked_about(condition: Callable[[Tensor, int], bool]) -> Sign:
    """Some question holds maps that meet a condition of the codes and K."""

    def sign(calls: Sequence[Call]) -> bool:
        questions = [
            (torch.as_tensor(q[0]), c.args[0].function.num_codes)
            for c in calls
            for q in c.args[0].questions
        ]
        return any(codes.numel() and bool(condition(codes, k)) for codes, k in questions)

    return sign


def begins_with_num_codes(calls: Sequence[Call]) -> bool:
    """Some first question holds a code K, before anything was drawn."""
    first = [(c.args[0].function.num_codes, c.args[0].questions[:1]) for c in calls]
    return any(torch.as_tensor(q[0]).max() >= k for k, asked in first for q in asked)


def hides_known(s: Sampled) -> bool:
    """The known codes are kept, but are not in the questions."""
    hidden = (not torch.equal(q[:, s.known], s.given[:, s.known]) for q in s.asked)
    return keeps_known(s) and len(s.asked) == len(s.missing) and all(hidden)


def keeps_known(s: Sampled) -> bool:
    return torch.equal(s.value[:, s.known], s.given[:, s.known])


# which probabilities the codes were drawn with


def in_order(s: Sampled, order: Sequence[int]) -> Tensor:
    """log p of every code as asked when places are visited in this order, (S, T, K)."""
    rows, log_p = s.given.clone(), torch.zeros_like(s.logits(s.value))
    for place in order:
        if s.known[place]:
            continue
        logits = s.logits(rows)[:, place] / s.temperature
        log_p[:, place] = torch.log_softmax(logits, -1)
        rows[:, place] = s.value[:, place]
    return log_p


def right(s: Sampled) -> Tensor:
    return torch.log_softmax(s.logits(s.value) / s.temperature, -1)


def temperature_ignored(s: Sampled) -> Tensor:
    return torch.log_softmax(s.logits(s.value), -1)


def temperature_multiplied(s: Sampled) -> Tensor:
    return torch.log_softmax(s.logits(s.value) * s.temperature, -1)


def temperature_squared(s: Sampled) -> Tensor:
    return torch.log_softmax(s.logits(s.value) / s.temperature**2, -1)


def temperature_root(s: Sampled) -> Tensor:
    return torch.log_softmax(s.logits(s.value) / s.temperature**0.5, -1)


def two_softmaxes(s: Sampled) -> Tensor:
    return torch.log_softmax(torch.softmax(s.logits(s.value), -1) / s.temperature, -1)


def uniform(s: Sampled) -> Tensor:
    return torch.log_softmax(0 * s.logits(s.value), -1)


def no_feedback(s: Sampled) -> Tensor:
    return torch.log_softmax(s.logits(s.given) / s.temperature, -1)


def column_by_column(s: Sampled) -> Tensor:
    height, width = s.model.shape
    return in_order(s, torch.arange(height * width).reshape(height, width).T.flatten().tolist())


def rows_from_the_right(s: Sampled) -> Tensor:
    height, width = s.model.shape
    return in_order(
        s, torch.arange(height * width).reshape(height, width).flip(1).flatten().tolist()
    )


def place_before(s: Sampled) -> Tensor:
    """The logits of the place before; those of the first place are its own."""
    log_p = right(s)
    return torch.cat([log_p[:, :1], log_p[:, :-1]], 1)


def transposed_place(s: Sampled) -> Tensor:
    """The logits at (j, i), when the place (i, j) is drawn."""
    height, width = s.model.shape
    rows, log_p = s.given.clone(), torch.zeros_like(s.logits(s.value))
    for place in s.missing.tolist():
        i, j = divmod(place, width)
        if j >= height or i >= width:
            return right(s)
        log_p[:, place] = torch.log_softmax(s.logits(rows)[:, j * width + i] / s.temperature, -1)
        rows[:, place] = s.value[:, place]
    return log_p


def first_map_for_all(s: Sampled) -> Tensor:
    return right(s)[:1].expand(len(s.value), -1, -1)


def sigmoids(s: Sampled) -> Tensor:
    shares = torch.sigmoid(s.logits(s.value) / s.temperature)
    return torch.log(shares / shares.sum(-1, keepdim=True))


HYPOTHESES: tuple[Shares, ...] = (
    temperature_ignored,
    temperature_multiplied,
    temperature_squared,
    temperature_root,
    two_softmaxes,
    uniform,
    no_feedback,
    column_by_column,
    rows_from_the_right,
    place_before,
    transposed_place,
    first_map_for_all,
    sigmoids,
)


def drawn_with(shares: Shares) -> Sign:
    """Of all known probabilities, the right ones included, these explain the codes best."""

    def sign(calls: Sequence[Call]) -> bool:
        large = [s for s in answered(calls) if len(s.value) > 1000]
        if not large or not all(_fits(s, shares(s)) for s in large):
            return False
        scores = {other: sum(_score(s, other(s)) for s in large) for other in (right, *HYPOTHESES)}
        return max(scores, key=scores.get) is shares and scores[shares] > scores[right] + 12

    return sign


def _score(s: Sampled, log_p: Tensor) -> float:
    chosen = log_p.gather(-1, s.value[..., None])[..., 0]
    return chosen[:, s.missing].sum().item()


def _fits(s: Sampled, log_p: Tensor) -> bool:
    """Whether each place holds each code as often as these probabilities say."""
    shares = log_p.exp()[:, s.missing]
    counts = torch.nn.functional.one_hot(s.value[:, s.missing], shares.shape[-1]).sum(0)
    spread = (shares * (1 - shares)).sum(0).sqrt()
    return bool(((counts - shares.sum(0)).abs() <= 6 * spread + 1e-6).all())


def wrong_only_with(shares: Shares, keep: Condition) -> Sign:
    """Some answers are drawn with these probabilities, and all others with the right ones."""

    def sign(calls: Sequence[Call]) -> bool:
        large = [s for s in answered(calls) if len(s.value) > 1000]
        wrong = [s for s in large if keep(s)]
        gain = sum(_score(s, shares(s)) - _score(s, right(s)) for s in wrong)
        return gain > 12 and all(_fits(s, (shares if keep(s) else right)(s)) for s in large)

    return sign


def on_chains(wrong: Callable[..., Tensor]) -> Sign:
    """The frequencies are right, and a prior without chance is answered as this function does."""

    def sign(calls: Sequence[Call]) -> bool:
        large = [s for s in answered(calls) if len(s.value) > 1000]
        chains = [c for c in calls if hasattr(c.args[0].function, "only") and len(c.args[1]) > 1]
        return (
            bool(large and chains)
            and all(_fits(s, right(s)) for s in large)
            and all(torch.equal(c.value, _answer(wrong, c)) for c in chains)
        )

    return sign


def _answer(function: Callable[..., Tensor], call: Call) -> Tensor:
    oracle, given, known, temperature, seed = call.args
    generator = torch.Generator().manual_seed(seed.value)
    return function(oracle.function, given, known, temperature, generator)


# the rest


def always_best(s: Sampled) -> bool:
    """Every code is the most probable one, also where chance would have chosen another."""
    best = s.logits(s.value).argmax(-1)
    return torch.equal(best[:, s.missing], s.value[:, s.missing])


def rounded_mean(s: Sampled) -> bool:
    shares = right(s).exp()
    mean = (shares * torch.arange(shares.shape[-1])).sum(-1)
    return bool(((mean - s.value).abs() <= 0.5 + 1e-6)[:, s.missing].all())


def one_number_for_all_places(s: Sampled) -> bool:
    """One uniform number explains all codes of a map, each as the inverse of its own cumulative
    probabilities."""
    upper = right(s).exp().cumsum(-1)
    lower = upper - right(s).exp()
    index = s.value[..., None]
    low, high = (part.gather(-1, index)[:, s.missing, 0] for part in (lower, upper))
    return bool((low.amax(1) <= high.amin(1) + 1e-6).all())


def same_for(calls: Sequence[Call], *, same_seed: bool, used: bool = False) -> bool | None:
    """Whether two answers to one question, with these seeds, are equal; None without such two."""
    found = answered(calls)
    for n, one in enumerate(found):
        for other in found[n + 1 :]:
            if one.model is not other.model or one.known.all():
                continue
            same = one.seed.value == other.seed.value
            if same == same_seed and other.seed.used == used and not one.seed.used:
                return torch.equal(one.value, other.value)
    return None


def only_harsh_raises(calls: Sequence[Call]) -> bool:
    """Errors appear for extreme logits only."""
    failed = [c for c in calls if c.error is not None]
    harsh = [c for c in failed if getattr(c.args[0].function, "harsh", False)]
    return bool(failed) and len(harsh) == len(failed)


def only_harsh_fails(calls: Sequence[Call]) -> bool:
    """Errors appear for extreme logits only, and otherwise the codes have the right shares."""
    large = [s for s in answered(calls) if len(s.value) > 1000]
    return only_harsh_raises(calls) and bool(large) and all(_fits(s, right(s)) for s in large)
