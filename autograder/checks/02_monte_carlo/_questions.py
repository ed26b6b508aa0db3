"""What a student's code asked of a density: which z for which point, and what it was told."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from autograder.candidate import Oracle
from autograder.expect import Failure


@dataclass(frozen=True)
class Asked:
    """The questions of one call, sorted by point.

    Attributes:
        z: For each point the hidden values that were asked for, (S, M) in float64.
        values: For each point the answers, (S,).
    """

    z: Sequence[Tensor]
    values: Sequence[Tensor]

    @property
    def counts(self) -> list[int]:
        return [len(value) for value in self.values]


def asked(oracle: Oracle, x: Tensor) -> Asked:
    """Read an oracle's questions; chunks of samples and of points are put together.

    Raises:
        Failure: If a point was asked about that is none of `x`.
    """
    z: list[list[Tensor]] = [[] for _ in x]
    values: list[list[Tensor]] = [[] for _ in x]
    for points, hidden in list(oracle.questions):
        answer = oracle.function(points, hidden).double()
        hidden = hidden.double().expand(*answer.shape, hidden.shape[-1])
        for column, n in enumerate(_rows(points.double(), x)):
            z[n].append(hidden[:, column])
            values[n].append(answer[:, column])
    if any(not value for value in values):
        raise Failure("log_joint was not asked about every point of x")
    return Asked([torch.cat(part) for part in z], [torch.cat(part) for part in values])


def _rows(points: Tensor, x: Tensor) -> list[int]:
    """Which row of x each point is."""
    distance = (points[:, None] - x.double()).abs().amax(-1)
    if len(points) and (distance.amin(1) > 1e-4).any():
        raise Failure("log_joint was asked about points that are not in x")
    return distance.argmin(1).tolist()
