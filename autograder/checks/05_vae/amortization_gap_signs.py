"""How mistakes in `amortization_gap` show: each leads to a gap of its own with a closed form."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from autograder.candidate import Call, Seed
from autograder.exercise import Sign

from ._exact import ExactModel
from .amortization_gap import FEW_STEPS, SHARE, SLACK, STEPS, exact, num_different


@dataclass(frozen=True, eq=False)
class Climbed:
    """One call and its answer, with what other climbs would have given."""

    model: ExactModel
    num_steps: int
    given: Tensor
    asked: list[Tensor]

    @property
    def end(self) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation of the draws in the last steps of the climb, (N, M)."""
        climb = [z for z in self.asked if len(z) == len(self.asked[0])][-15:]
        means = torch.stack([z.mean(0) for z in climb]).mean(0)
        variances = torch.stack([z.var(0) for z in climb]).mean(0)
        return means, 0.5 * variances.log()

    @property
    def exact(self) -> Tensor:
        return exact(self.model)

    @property
    def log_marginal(self) -> Tensor:
        return self.model.log_marginal()

    @property
    def inference_gap(self) -> Tensor:
        return self.model.gap(self.model.loc, self.model.log_var)

    @property
    def approximation_gap(self) -> Tensor:
        return self.inference_gap - self.exact

    @property
    def entropy_won(self) -> Tensor:
        return 0.5 * (self.model.best_log_var - self.model.log_var).sum(-1)

    @property
    def gap_to_wide(self) -> Tensor:
        """With twice the entropy, in the climb and in the comparison: σ² = 2/Λ_mm."""
        wide = self.model.best_log_var + torch.log(torch.tensor(2.0))
        wider = 0.5 * (wide - self.model.log_var).sum(-1)
        return self.gap_to(self.model.posterior_mean, wide) + wider

    @property
    def gap_shared(self) -> Tensor:
        """With one shift and one factor for all points, both the best there are."""
        model = self.model
        shift = (model.posterior_mean - model.loc).mean(0)
        wider = model.best_log_var[0] - model.log_var.exp().mean(0).log()
        return self.gap_to(model.loc + shift, model.log_var + wider)

    def gap_to(self, loc: Tensor, log_var: Tensor) -> Tensor:
        """What this q wins over the encoder's."""
        return self.inference_gap - self.model.gap(loc, log_var)

    def gap_from(self, loc: Tensor, log_var: Tensor) -> Tensor:
        """What the best q wins over this one."""
        return self.model.gap(loc, log_var) - self.approximation_gap


def climbs(calls: Sequence[Call]) -> list[Climbed]:
    """All calls in which enough steps were taken to arrive."""
    return [
        Climbed(
            call.args[1].function.__self__,
            call.args[3],
            torch.as_tensor(call.value).double(),
            [z for _, z in call.args[2].questions],
        )
        for call in calls
        if call.args[3] > FEW_STEPS
    ]


def near(given: Tensor, right: Tensor) -> bool:
    return given.shape == right.shape and bool(
        ((given - right).abs() <= SLACK + SHARE * right.abs()).all()
    )


RIVALS: tuple[Callable[[Climbed], Tensor], ...] = (
    lambda c: c.gap_to(c.model.posterior_mean, c.model.log_var),
    lambda c: c.gap_to(c.model.loc, c.model.best_log_var),
    lambda c: c.gap_to_wide,
    lambda c: c.gap_shared,
    lambda c: c.exact - c.entropy_won,
)


def distance(found: Sequence[Climbed], value: Callable[[Climbed], Tensor]) -> float:
    return sum((c.given - value(c)).abs().sum().item() for c in found)


def gives(value: Callable[[Climbed], Tensor]) -> Sign:
    """Each answer is near this value, nearer than to any rival, and not always near the right one.

    Different mistakes may lead to much the same gap.
    """

    def sign(calls: Sequence[Call]) -> bool:
        found = climbs(calls)
        return (
            bool(found)
            and all(near(c.given, value(c)) for c in found)
            and not all(near(c.given, c.exact) for c in found)
            and distance(found, value) <= min(distance(found, r) for r in RIVALS) + 1e-6
        )

    return sign


def shaped(shape: Callable[[int], tuple[int, ...]]) -> Sign:
    return lambda calls: all(c.given.shape == shape(len(c.model.x)) for c in climbs(calls))


def all_fall(calls: Sequence[Call]) -> bool:
    """Every point lost by the climb, and more than noise explains."""
    return all(bool((c.given < -1).all()) for c in climbs(calls))


def not_finite(calls: Sequence[Call]) -> bool:
    return any(not torch.isfinite(c.given).all() for c in climbs(calls))


def short(calls: Sequence[Call]) -> list[Call]:
    """The calls with few steps, in which the draws themselves are looked at."""
    return [c for c in calls if c.args[3] == FEW_STEPS and c.error is None]


def repeats(related: Callable[[Seed, Seed], bool], same: bool) -> Sign:
    """Two short calls with seeds so related began with the same draws, or did not."""

    def sign(calls: Sequence[Call]) -> bool:
        return any(
            torch.equal(first_draws(one), first_draws(two)) == same
            for one, two in itertools.combinations(short(calls), 2)
            if related(one.args[4], two.args[4])
        )

    return sign


def first_draws(call: Call) -> Tensor:
    return call.args[2].questions[0][1]


def noise_reused(calls: Sequence[Call]) -> bool:
    """The same few sets of noise stand behind all questions of a call."""
    asked = [[z for _, z in call.args[2].questions] for call in short(calls)]
    return any(num_different(draws) <= FEW_STEPS / 2 < len(draws) for draws in asked)


def few_steps_taken(calls: Sequence[Call]) -> bool:
    """`log_joint` was asked much less often than steps were wanted."""
    long = [call for call in calls if call.args[3] == STEPS and call.error is None]
    return bool(long) and all(len(call.args[2].questions) < STEPS / 2 for call in long)


def without_steps(condition: Callable[[Tensor, Tensor], bool]) -> Sign:
    """What was won in no step at all, and the exact gap, meet a condition."""

    def sign(calls: Sequence[Call]) -> bool:
        none = [call for call in calls if call.args[3] == 0 and call.error is None]
        return bool(none) and all(
            bool(c.value.abs().max() > 1e-6)
            and condition(c.value.double(), exact(c.args[1].function.__self__))
            for c in none
        )

    return sign


def ends(condition: Callable[[Climbed], bool]) -> Sign:
    """The q at the end of the longest climb meets a condition, and the gap is wrong."""

    def sign(calls: Sequence[Call]) -> bool:
        found = [
            c for c in climbs(calls) if c.num_steps == STEPS and c.given.shape == c.exact.shape
        ]
        wrong = any(not near(c.given, c.exact) for c in found)
        return bool(found) and wrong and all(map(condition, found))

    return sign


def on_its_way(climbed: Climbed) -> bool:
    """The last point's mean and width are both far from their best."""
    (loc, log_scale), best = climbed.end, 0.5 * climbed.model.best_log_var
    away = (loc - climbed.model.posterior_mean) / best.exp()
    return bool(away[-1].abs().max() > 0.4 and (log_scale - best)[-1].abs().max() > 0.2)
