"""How mistakes in `Autoencoder` show in what the modules answered.

Every check builds modules of a size of its own, so the recorded requests can be told apart.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from autograder.candidate import Call
from autograder.exercise import Sign

from . import autoencoder as sizes


def requests(calls: Sequence[Call], settings: dict[str, int]) -> list[Call]:
    """What a module of this size was asked, without its construction."""
    found, inside = [], False
    for call in calls:
        if call.verb == "construct":
            inside = call.options == settings
        elif inside:
            found.append(call)
    return found


def answers(calls: Sequence[Call], settings: dict[str, int], name: str) -> list[Tensor]:
    """What `forward`, or another method of that name, gave to a module of this size."""
    return [
        call.value
        for call in requests(calls, settings)
        if (call.verb == "call" and name == "forward")
        or (call.verb == "method" and call.args[0] == name)
    ]


def raised(*words: str) -> Sign:
    """The first request ends in an error whose text holds one of these."""

    def sign(calls: Sequence[Call]) -> bool:
        errors = [call.error_text for call in calls if call.error is not None]
        return bool(errors) and any(word in errors[0] for word in words)

    return sign


def shape_of(name: str, expected: Callable[[dict[str, int], int], tuple[int, ...]]) -> Sign:
    """The first answer of a method, for nine points, has this shape."""

    def sign(calls: Sequence[Call]) -> bool:
        value = answers(calls, sizes.SHAPES, name)[0]
        return tuple(value.shape) == expected(sizes.SHAPES, 9)

    return sign


def forward_is_tuple(calls: Sequence[Call]) -> bool:
    return isinstance(answers(calls, sizes.SHAPES, "forward")[0], (tuple, list))


def forward_is_code(calls: Sequence[Call]) -> bool:
    given = answers(calls, sizes.THROUGH, "forward")[0]
    return not isinstance(given, (tuple, list)) and given.shape[1] == sizes.THROUGH["latent_dim"]


def _rank(calls: Sequence[Call]) -> int:
    """The highest rank of the Jacobian of forward."""
    asked = [call for call in requests(calls, sizes.NARROW) if call.verb == "gradient"]
    dim = sizes.NARROW["dim"]
    return int(sizes.ranks(asked[0].value[0].double().reshape(-1, dim, dim)).max())


def passes_beside(calls: Sequence[Call]) -> bool:
    """forward(x) has more than decode(encode(x)), and the rank is too high."""
    if is_random(calls):  # then they differ without a shortcut
        return False
    whole = answers(calls, sizes.THROUGH, "forward")[0]
    parts = answers(calls, sizes.THROUGH, "decode")[0]
    return _rank(calls) > sizes.NARROW["latent_dim"] and sizes.differ(whole, parts)


def remembers(calls: Sequence[Call]) -> bool:
    """decode(z) changes when other points were encoded in between."""
    whole = answers(calls, sizes.THROUGH, "forward")[0]
    parts, again = answers(calls, sizes.THROUGH, "decode")[:2]
    return not sizes.differ(whole, parts) and sizes.differ(parts, again)


def uses_part_of_the_code(calls: Sequence[Call]) -> bool:
    return _rank(calls) < sizes.NARROW["latent_dim"]


def lies(name: str, low: float, high: float) -> Sign:
    """All values of a method on points of both signs lie between two bounds."""

    def sign(calls: Sequence[Call]) -> bool:
        value = answers(calls, sizes.FREE, name)[0]
        inside = (value >= low) & (value <= high)
        return bool(inside.all() and value.max() > value.min())

    return sign


def sums_to_one(calls: Sequence[Call]) -> bool:
    total = answers(calls, sizes.FREE, "encode")[0].sum(1)
    return torch.allclose(total, torch.ones_like(total), atol=1e-4)


def is_relu(name: str) -> Sign:
    """Never negative, and often exactly zero."""

    def sign(calls: Sequence[Call]) -> bool:
        value = answers(calls, sizes.FREE, name)[0]
        return bool((value >= 0).all() and (value == 0).any() and (value > 0).any())

    return sign


def output_stops_at_one(calls: Sequence[Call]) -> bool:
    """After training on points beyond ±1 no value is beyond ±1, and some are close to it."""
    value = answers(calls, sizes.LEARN, "forward")[-1]
    return bool((value.abs() <= 1).all() and value.abs().max() > 0.9)


def is_linear(*, encoder: bool, decoder: bool) -> Sign:
    """Which halves send middles to middles."""

    def sign(calls: Sequence[Call]) -> bool:
        images = (answers(calls, sizes.BENT, name)[0] for name in ("encode", "decode"))
        return [sizes.bend(value) < 1e-3 for value in images] == [encoder, decoder]

    return sign


def is_random(calls: Sequence[Call]) -> bool:
    """Two equal points of one batch have different codes or reconstructions."""
    values = [v for name in ("encode", "forward") for v in answers(calls, sizes.ALONE, name)[:1]]
    return any(sizes.differ(value[:5], value[:1].expand(5, -1)) for value in values)


def stops(name: str) -> Sign:
    """All columns of a method stop at the same size, far away."""
    return lambda calls: sizes.common_bound(answers(calls, sizes.FREE, name)[1]) is not None


def starts_alike(calls: Sequence[Call]) -> bool:
    one, other = (c.value for c in requests(calls, sizes.TWICE) if c.verb == "parameters")
    return bool(one) and all(torch.equal(one[name], other[name]) for name in one)


def sees_the_batch(calls: Sequence[Call]) -> bool:
    """Equal points have equal codes, but other ones in another batch."""
    whole, part = answers(calls, sizes.ALONE, "encode")[:2]
    return not is_random(calls) and sizes.differ(whole[:6], part)


def loss_is(measure: Callable[[Tensor], Tensor]) -> Sign:
    """The loss is another function of the errors x̂ − x, (N, D)."""

    def sign(calls: Sequence[Call]) -> bool:
        asked = requests(calls, sizes.LOSS)
        x = next(call.args[0] for call in asked if call.verb == "call")
        error = answers(calls, sizes.LOSS, "forward")[0].double() - x.double()
        given = torch.as_tensor(answers(calls, sizes.LOSS, "loss")[0]).double()
        expected, exact = measure(error), error.square().mean()
        return (
            given.shape == expected.shape
            and torch.allclose(given, expected, rtol=1e-3)
            and not (expected.shape == exact.shape and torch.allclose(expected, exact, rtol=1e-3))
        )

    return sign


def _training(calls: Sequence[Call]) -> tuple[bool, list[dict[str, Tensor]]]:
    """Whether the codes moved in training, and the parameters before and after."""
    before, after = answers(calls, sizes.LEARN, "encode")[:2]
    states = [call.value for call in requests(calls, sizes.LEARN) if call.verb == "parameters"]
    return sizes.differ(before, after), states


def _stayed(states: list[dict[str, Tensor]]) -> list[str]:
    before, after = states[:2]  # of the first start
    return [name for name in before if torch.equal(before[name], after[name])]


def is_cut_at_the_code(calls: Sequence[Call]) -> bool:
    """The decoder learns; the encoder has parameters, and they stay where they are."""
    moved, states = _training(calls)
    return not moved and bool(_stayed(states)) and len(_stayed(states)) < len(states[0])


def hides_parameters(calls: Sequence[Call]) -> bool:
    """The module knows none of its parameters, or only those of one half."""
    states = [call.value for call in calls if call.verb == "parameters"]
    if any(not state for state in states):
        return True
    moved, states = _training(calls)
    return not moved and not _stayed(states)


def gradient_is_missing(calls: Sequence[Call]) -> bool:
    return any(getattr(call.error, "code", "") == "no_gradient" for call in calls)


def hidden_is_ignored(calls: Sequence[Call]) -> bool:
    sizes_found = [
        sum(weight.numel() for weight in call.value.values())
        for settings in (sizes.SHAPES, sizes.WIDER)
        for call in requests(calls, settings)
        if call.verb == "parameters"
    ]
    narrow, wide = sizes_found
    return wide / sizes.WIDER["dim"] <= 1.2 * narrow / sizes.SHAPES["dim"]


def weights_start_alike(calls: Sequence[Call]) -> bool:
    """Every matrix of a new module holds one number throughout, such as zero."""
    (state,) = [c.value for c in requests(calls, sizes.TWICE) if c.verb == "parameters"][:1]
    matrices = [weight for weight in state.values() if weight.ndim > 1]
    return bool(matrices) and all(bool((w == w.flatten()[0]).all()) for w in matrices)


def a_half_is_constant(calls: Sequence[Call]) -> bool:
    """Before any training one half gives the same for every argument, with a gradient of zero."""
    halves = (answers(calls, sizes.FREE, name)[0] for name in ("encode", "decode"))
    return _rank(calls) == 0 and any(bool(value.std(0).max() < 1e-7) for value in halves)


def is_fresh(calls: Sequence[Call]) -> bool:
    """Equal points in one batch have equal images, but each call has other weights."""
    if is_random(calls):
        return False
    whole = answers(calls, sizes.THROUGH, "forward")[0]
    parts, again = answers(calls, sizes.THROUGH, "decode")[:2]
    codes, some = answers(calls, sizes.ALONE, "encode")[:2]
    changes = sizes.differ(parts, again) or sizes.differ(codes[:6], some)
    return sizes.differ(whole, parts) and changes


def goes_another_way(calls: Sequence[Call]) -> bool:
    """forward(x) is not decode(encode(x)), although no more than M numbers get through."""
    whole = answers(calls, sizes.THROUGH, "forward")[0]
    parts = answers(calls, sizes.THROUGH, "decode")[0]
    return sizes.differ(whole, parts) and not is_random(calls) and not is_fresh(calls)


def codes_have_one_length(calls: Sequence[Call]) -> bool:
    lengths = answers(calls, sizes.FREE, "encode")[0].norm(dim=1)
    return bool(lengths.max() < 1.01 * lengths.min())


def is_positive(calls: Sequence[Call]) -> bool:
    """Codes or reconstructions of points of both signs are never negative."""
    return any(
        bool((answers(calls, sizes.FREE, name)[0] >= 0).all()) for name in ("encode", "decode")
    )


def is_clamped_to_one(calls: Sequence[Call]) -> bool:
    """Reconstructions end exactly at 0 and, far out, exactly at 1."""
    near, far = answers(calls, sizes.FREE, "decode")[:2]
    return bool((near == 0).any() and far.min() == 0 and far.max() == 1)


def is_frozen(calls: Sequence[Call]) -> bool:
    """Gradients reach the points, and still some parameters do not move in training."""
    passes = _rank(calls) == sizes.NARROW["latent_dim"] and not gradient_is_missing(calls)
    return passes and bool(_stayed(_training(calls)[1]))


def code_is_tuple(calls: Sequence[Call]) -> bool:
    return isinstance(answers(calls, sizes.SHAPES, "encode")[0], (tuple, list))


def lacks_a_method(calls: Sequence[Call]) -> bool:
    return any(getattr(call.error, "code", "") == "no_method" for call in calls)


def loss_is_something_else(calls: Sequence[Call]) -> bool:
    """The networks do what they should, and the loss is another number."""
    asked = requests(calls, sizes.LOSS)
    x = next(call.args[0] for call in asked if call.verb == "call")
    exact = (answers(calls, sizes.LOSS, "forward")[0] - x).square().mean()
    given = torch.as_tensor(answers(calls, sizes.LOSS, "loss")[0])
    return not is_random(calls) and not is_fresh(calls) and sizes.differ(given, exact)
