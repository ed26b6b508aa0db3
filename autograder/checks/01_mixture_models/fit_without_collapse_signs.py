"""How the fits ended: what the signs of `fit_without_collapse` read.

Remedies differ in their constants, so nothing can be replayed. A sign reads how each data set
ended: as in plain EM, soundly but otherwise, or broken (an error, NaN, or no covariance).
"""

from collections.abc import Sequence
from functools import cached_property

import torch

from autograder.candidate import Call
from autograder.expect import Failure

from ._parameters import Parameters, expect_mixture
from .fit_without_collapse import (
    HEALTHY_STEPS,
    NUM_HEALTHY,
    NUM_ON_LINE,
    NUM_SCALARS,
    NUM_TWINS,
    NUM_WITH_STRAY,
    least_eigenvalue,
    near_em,
    plain_em,
)


class Ending:
    """How one fit ended."""

    def __init__(self, call: Call):
        self.call = call
        self.x, *start, self.num_steps = call.args
        self.start: Parameters = tuple(start)
        self.parts = [part.double() for part in call.value] if call.error is None else None

    @property
    def finite(self) -> bool:
        return self.parts is not None and all(part.isfinite().all() for part in self.parts)

    @property
    def sound(self) -> bool:
        try:
            expect_mixture(self.call.value, *self.start[1].shape, "", least_eigenvalue(self.x))
        except Failure:
            return False
        return True

    @property
    def unchanged(self) -> bool:
        return self.finite and all(
            now.shape == old.shape and torch.allclose(now, old, rtol=1e-6, atol=0)
            for now, old in zip(self.parts, self.start, strict=True)
        )

    @cached_property
    def by_em(self) -> Parameters:
        return plain_em(self.call.args)

    @property
    def like_em(self) -> bool:
        return self.finite and self.like(self.by_em)

    def like(self, right: Parameters) -> bool:
        return self.finite and near_em(tuple(self.parts), right)


class Endings:
    """All fits of one answer, by what was wrong with the data."""

    def __init__(self, calls: Sequence[Call]):
        every = [Ending(call) for call in calls]
        healthy = [e for e in every if len(e.x) == NUM_HEALTHY]
        self.long = [e for e in healthy if e.num_steps == HEALTHY_STEPS]
        self.short = [e for e in healthy if e.num_steps != HEALTHY_STEPS]
        self.twins = [e for e in every if len(e.x) in (NUM_TWINS, NUM_SCALARS)]
        self.line = [e for e in every if len(e.x) == NUM_ON_LINE]
        self.stray = [e for e in every if len(e.x) == NUM_WITH_STRAY]
        self.minutes = self.long[0]
        self.sick = [*self.twins, *self.line, *self.stray]
