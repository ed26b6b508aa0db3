"""How mistakes in `reparameterize` show in the draws, whatever order they were drawn in."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import scipy.stats
import torch
from torch import Tensor

from autograder.candidate import Call, Seed
from autograder.exercise import Sign

from .reparameterize import MANY

Scale = Callable[[Tensor], Tensor]
Condition = Callable[["Drawn"], bool]


@dataclass(frozen=True, eq=False)
class Drawn:
    """One call of the student's function that gave a tensor."""

    loc: Tensor
    log_var: Tensor
    z: Tensor

    def noise(self, scale: Scale | None = None) -> Tensor:
        """(z − μ) in units of a scale; of the right one without a scale."""
        scale = scale or (lambda log_var: (log_var / 2).exp())
        return (self.z - self.loc) / scale(self.log_var)


def draws(calls: Sequence[Call], large_only: bool = True) -> list[Drawn]:
    """The ordinary draws; a value of another shape does not count."""
    found = []
    for call in calls:
        if call.verb != "call" or not isinstance(call.value, Tensor):
            continue
        loc, log_var = (part.double() for part in call.args[:2])
        usual = call.value.shape == loc.shape and log_var.abs().max() < 50
        if usual and (len(loc) == MANY or not large_only):
            found.append(Drawn(loc, log_var, call.value.double()))
    return found


def large(condition: Condition) -> Sign:
    """Every large sample meets a condition."""
    return lambda calls: bool(draws(calls)) and all(map(condition, draws(calls)))


def anywhere(condition: Condition) -> Sign:
    """Every draw of ordinary size meets a condition."""

    def sign(calls: Sequence[Call]) -> bool:
        found = draws(calls, large_only=False)
        return bool(found) and all(map(condition, found))

    return sign


def follows(values: Tensor, name: str = "norm", args: tuple[float, ...] = ()) -> bool:
    """Whether numbers could come from this distribution."""
    distance = scipy.stats.kstest(values.flatten().numpy(), name, args).statistic
    return bool(distance < 2.2 / math.sqrt(values.numel()))  # one in ten thousand is missed


def scaled_by(scale: Scale) -> Sign:
    """In units of this scale the draws are normal, and as large where q is narrow as elsewhere."""

    def fits(drawn: Drawn) -> bool:
        noise = drawn.noise(scale)
        return all(
            follows(noise[part]) and _unrelated(noise[part].abs(), drawn.log_var[part])
            for part in (drawn.log_var > 0, drawn.log_var < 0)
        )

    return large(fits)


def _unrelated(one: Tensor, other: Tensor) -> bool:
    correlation = torch.corrcoef(torch.stack((one, other)))[0, 1]
    return bool(correlation.abs() < 5 / math.sqrt(len(one)))


def independent(drawn: Drawn) -> bool:
    noise = drawn.noise()
    return len(noise.flatten().unique()) > 0.99 * noise.numel()


def shared_over(dim: int) -> Sign:
    """All values along this axis have one noise, and the others do not."""

    def fits(drawn: Drawn) -> bool:
        noise = drawn.noise()
        return all(_spread(noise, axis) == (axis != dim) for axis in (0, 1))

    return large(fits)


def one_for_all(drawn: Drawn) -> bool:
    return not any(_spread(drawn.noise(), axis) for axis in (0, 1))


def _spread(noise: Tensor, dim: int) -> bool:
    return bool((noise - noise.select(dim, 0).unsqueeze(dim)).abs().max() > 1e-6)


def gradients(condition: Callable[[Tensor, Tensor, Tensor], bool]) -> Sign:
    """The two gradients, and the displacement z − μ of the same draw, meet a condition.

    Such a mistake does not show in the values, so the draws themselves must be right.
    """

    def sign(calls: Sequence[Call]) -> bool:
        asked = [call for call in calls if call.verb == "gradient" and call.error is None]
        plain = [call for call in calls if call.verb == "call" and call.error is None]
        pairs = [
            (call.value, other.value.double() - other.args[0].double())
            for call in asked
            for other in plain
            if other.args[2] == call.args[2] and torch.equal(other.args[0], call.args[0])
        ]
        right = large(lambda drawn: follows(drawn.noise()))(calls)
        return right and bool(pairs) and all(condition(*v, shift) for v, shift in pairs)

    return sign


def no_path(calls: Sequence[Call]) -> bool:
    """Right draws, and no gradient at all."""
    codes = [getattr(call.error, "code", "") for call in calls if call.verb == "gradient"]
    right = large(lambda drawn: independent(drawn) and follows(drawn.noise()))
    return bool(codes) and set(codes) == {"no_gradient"} and right(calls)


def repeats(related: Callable[[Seed, Seed], bool], equal: bool) -> Sign:
    """Draws at the same place with seeds so related are equal, or are not."""

    def sign(calls: Sequence[Call]) -> bool:
        plain = [call for call in calls if call.verb == "call" and call.error is None]
        pairs = [
            torch.allclose(one.value, two.value)
            for place, one in enumerate(plain)
            for two in plain[place + 1 :]
            if torch.equal(one.args[0], two.args[0])
            and torch.equal(one.args[1], two.args[1])
            and related(one.args[2], two.args[2])
            and len(one.args[0]) < 50  # the extreme draws have the same arguments too
        ]
        return bool(pairs) and all(found == equal for found in pairs)

    return sign
