"""How mistakes in `LinearVAE` show in what its methods answer, before and after training."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from autograder.candidate import Call
from autograder.exercise import Sign

from ._linear import Linear, best, read_decoder, read_encoder
from .linear_vae import TOLERANCE

Loss = Callable[[Linear, Tensor, Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Group:
    """All that one module was asked, in order."""

    calls: list[Call]

    def answers(self, method: str) -> list[Call]:
        return [c for c in self.calls if c.verb == "method" and c.args[0] == method and not c.error]

    @property
    def maps(self) -> Linear:
        """What the module computes; an error if that cannot be read."""
        (decode,), (encode,) = self.answers("decode"), self.answers("encode")
        z, x = decode.args[1], encode.args[1]
        decoder = read_decoder(decode.value, z, x.shape[1])
        return Linear(*decoder, *read_encoder(encode.value, x, z.shape[1]))

    @property
    def is_trained(self) -> bool:
        return any(c.verb == "optimise" and len(c.args[1]) > 10 for c in self.calls)

    @property
    def data(self) -> Tensor:
        return next(c.args[1][0][0] for c in self.calls if c.verb == "optimise").double()


def groups(calls: Sequence[Call]) -> list[Group]:
    """The calls of each module that was built."""
    found: list[Group] = []
    for call in calls:
        if call.verb == "construct":
            found.append(Group([]))
        elif found:
            found[-1].calls.append(call)
    return found


def loss_is(formula: Loss) -> Sign:
    """Every loss is this function of the module's maps, its data and its noise."""

    def sign(calls: Sequence[Call]) -> bool:
        asked = [(g.maps, call) for g in groups(calls) for call in g.answers("loss")]
        return bool(asked) and all(_gives(formula, *one) for one in asked)

    return sign


def loss_is_wrongly(formula: Loss) -> Sign:
    """The same, where it makes a difference."""
    wrong, right = loss_is(formula), loss_is(Linear.loss)
    return lambda calls: wrong(calls) and not right(calls)


def _gives(formula: Loss, maps: Linear, call: Call) -> bool:
    expected = formula(maps, *(part.double() for part in call.args[1:]))
    given = torch.as_tensor(call.value).double()
    return torch.allclose(given, expected, rtol=1e-3, atol=1e-3)


def answered(method: str, condition: Callable[[object, Tensor], bool]) -> Sign:
    """Every answer of a method, with the argument it had, meets a condition."""

    def sign(calls: Sequence[Call]) -> bool:
        found = [call for g in groups(calls) for call in g.answers(method)]
        return bool(found) and all(condition(call.value, call.args[1]) for call in found)

    return sign


def is_bent(values: Tensor, places: Tensor) -> bool:
    """Whether a map is no matrix plus an offset."""
    size = places.shape[1]
    straight = places @ (values[1 : size + 1] - values[0]) + values[0]
    return bool((straight - values).abs().max() > 1e-3 * (1 + values.abs().max()))


def trained(condition: Callable[[Linear], bool]) -> Sign:
    """The loss is the right one, training falls short, and the trained maps meet a condition."""

    def sign(calls: Sequence[Call]) -> bool:
        maps = [(g.maps, g.data) for g in groups(calls) if g.is_trained]
        right = loss_is(Linear.loss)
        return (
            bool(maps)
            and right(calls)
            and all(
                best(x, m.weight.shape[1])[0] - m.elbo(x) > TOLERANCE and condition(m)
                for m, x in maps
            )
        )

    return sign


def never_moves(read: Callable[[Linear], Tensor | float]) -> Sign:
    """A quantity is the same in every module of a size, whatever it was trained on."""

    def sign(calls: Sequence[Call]) -> bool:
        found = [torch.as_tensor(read(g.maps)).double().flatten()[0] for g in groups(calls)]
        return len(found) > 1 and all(torch.equal(found[0], value) for value in found)

    return sign


def not_repeatable(calls: Sequence[Call]) -> bool:
    """The same data and the same noise give two losses."""
    pairs = [g.answers("loss") for g in groups(calls) if len(g.answers("loss")) == 2]
    return bool(pairs) and all(not torch.allclose(one.value, two.value) for one, two in pairs)


def no_scalar(calls: Sequence[Call]) -> bool:
    """The loss has the shape (N,), which no optimiser takes."""
    errors = [c for c in calls if c.verb == "optimise" and c.error]
    return bool(errors) and any("scalar" in c.error_text for c in errors)
