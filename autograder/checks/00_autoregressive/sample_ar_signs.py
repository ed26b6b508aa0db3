"""How mistakes in `sample_ar` show: in the questions to the network, and in the frequencies."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from autograder.candidate import Call
from autograder.exercise import Sign

from .sample_ar import COPIES, FEW, Transform, at, follows, log_joint


def answered(calls: Sequence[Call]) -> list[Call]:
    """The calls that gave a value."""
    return [c for c in calls if c.error is None and c.value is not None]


def free(call: Call) -> int:
    """How many pixels are to be drawn."""
    return int((call.args[4] < 0).sum())


def asked(call: Call) -> list[Tensor]:
    """The images that the network was asked about."""
    return [question[0] for question in call.args[0].questions]


def has_images(call: Call) -> bool:
    """Whether the answer has the shape of the images."""
    value = call.value
    return isinstance(value, torch.Tensor) and value.shape == (call.args[2], *call.args[1])


def always(test: Callable[[Call], bool]) -> Sign:
    """The test holds for every answered call in which something was drawn."""

    def sign(calls):
        drawn = [c for c in answered(calls) if free(c) > 0]
        return bool(drawn) and all(test(c) for c in drawn)

    return sign


def alternative(transform: Callable[[float], Transform] = at, **options: Any) -> Sign:
    """The draws follow another distribution, and in one call at least not the right one."""

    def sign(calls):
        large = [c for c in answered(calls) if has_images(c) and c.args[2] > 500]
        is_wrong = False
        for call in large:
            model, temperature, init = (
                call.args[0].function.__self__.model,
                call.args[3],
                call.args[4],
            )
            x = call.value.double()
            other = log_joint(model, init, transform(temperature), **options)
            if not follows(x, other, 1e-6):
                return False
            is_wrong |= not follows(x, log_joint(model, init, at(temperature)))
        return is_wrong

    return sign


def sample_with(logits_fn, shape, num_samples, init, draw, *, by_columns=False, x=None) -> Tensor:
    """The frame of the loop; `draw` gets the logits of one pixel."""
    x = init.clamp(min=0).repeat(num_samples, 1, 1) if x is None else x
    places = [(i, j) for i in range(shape[0]) for j in range(shape[1])]
    for i, j in sorted(places, key=lambda p: p[::-1]) if by_columns else places:
        if init[i, j] < 0:
            x[:, i, j] = draw(logits_fn(x)[:, i, j]).to(x.dtype)
    return x


def is_most_probable(c: Call) -> bool:
    """Whether every image is the one that takes the likelier value at each pixel."""
    model = c.args[0].function.__self__.model
    top = sample_with(model.logits, c.args[1], 1, c.args[4], lambda a: a > 0)
    return has_images(c) and bool((c.value.double() == top).all())


def varies(draws: torch.Tensor) -> bool:
    """Whether most images differ; else equal batches say nothing about the generator."""
    return len(draws.unique(dim=0)) > len(draws) // 2


def forgets_the_state(calls: Sequence[Call]) -> bool:
    """Same images from a fresh and from a used generator, but others for another seed."""
    fresh = {c.args[5].value: c.value for c in answered(calls) if not c.args[5].used}
    used = [c for c in answered(calls) if c.args[5].used]
    return bool(used) and all(
        torch.equal(c.value, fresh[c.args[5].value]) and varies(c.value) for c in used
    )


def same_for_other_seeds(calls: Sequence[Call]) -> bool:
    """Whether two seeds gave the same images."""
    few = [c for c in answered(calls) if c.args[2] == FEW]
    return len(few) >= 3 and torch.equal(few[0].value, few[2].value) and varies(few[0].value)


def is_binary(c: Call) -> bool:
    """Whether the answer has the shape of the images and holds zeros and ones only."""
    return has_images(c) and bool(((c.value == 0) | (c.value == 1)).all())


def holds_copies(calls: Sequence[Call]) -> bool:
    """Whether, of the few large images, every one comes at least twice, but not all are equal."""
    few = [c for c in answered(calls) if c.args[2] == FEW and has_images(c)]
    counts = [c.value.unique(dim=0, return_counts=True)[1] for c in few]
    return bool(counts) and all(1 < len(n) <= FEW - COPIES and n.min() > 1 for n in counts)
