"""How mistakes in `fit_gaussian_vi` show in the fitted Gaussians, whatever climbed there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from autograder.candidate import Call
from autograder.exercise import Sign

from ._targets import CountTarget, LinearGaussianTarget, Target

Condition = Callable[["Fitted"], bool]


@dataclass(frozen=True, eq=False)
class Fitted:
    """One answer, beside the target that it was asked for and the best q of the same kind."""

    target: Target
    full: bool
    loc: Tensor
    tril: Tensor

    @property
    def covariance(self) -> Tensor:
        return self.tril @ self.tril.T

    def best(self, full: bool | None = None) -> tuple[Tensor, Tensor]:
        return self.target.optimum(self.full if full is None else full)

    @property
    def is_right(self) -> bool:
        return self.target.shortfall(self.loc, self.tril, self.full) <= 0.05

    @property
    def loc_is_right(self) -> bool:
        return bool(torch.allclose(self.loc, self.best()[0], atol=0.25))


def fits(calls: Sequence[Call]) -> list[Fitted]:
    """All answers; a sign that cannot read one does not apply."""
    found = []
    for call in calls:
        loc, tril = call.value
        if tuple(tril.shape) != (call.args[1],) * 2:
            raise ValueError("no matrix of the right shape")
        found.append(Fitted(call.args[0].function, call.args[2], loc.double(), tril.double()))
    return found


def near(given: Tensor, model: Tensor, share: float = 0.2) -> bool:
    """Whether two arrays agree up to a share of the larger one's size."""
    return bool((given - model).abs().max() <= share * model.abs().max())


def is_nearly_right(f: Fitted) -> bool:
    """Less than half a nat below the best."""
    return f.target.shortfall(f.loc, f.tril, f.full) < 0.5


def every(condition: Condition) -> Sign:
    """Each fit meets a condition."""
    return lambda calls: all(map(condition, fits(calls)))


def on_linear(condition: Condition, full: bool | None = None, rest_right: bool = False) -> Sign:
    """Each fit of the linear-Gaussian models, of one kind or of both, meets a condition.

    With `rest_right` the fits of the other kind must be right.
    """

    def sign(calls: Sequence[Call]) -> bool:
        linear = [f for f in fits(calls) if isinstance(f.target, LinearGaussianTarget)]
        chosen = [f for f in linear if full in (None, f.full)]
        rest = [f for f in linear if f not in chosen]
        return (
            bool(chosen)
            and not all(f.is_right for f in chosen)
            and all(map(condition, chosen))
            and (not rest_right or all(f.is_right for f in rest))
        )

    return sign


def shaped(latent: Callable[[int], tuple[int, ...]], part: int) -> Sign:
    """Part 0 or 1 of each mean-field answer has this shape."""

    def sign(calls: Sequence[Call]) -> bool:
        chosen = [call for call in calls if not call.args[2]]
        return bool(chosen) and all(
            tuple(call.value[part].shape) == latent(call.args[1]) for call in chosen
        )

    return sign


def diverged(calls: Sequence[Call]) -> bool:
    """Some fit is not finite, or a thousand standard deviations away."""
    return any(
        not torch.isfinite(torch.as_tensor(part)).all() or torch.as_tensor(part).abs().max() > 500
        for call in calls
        for part in call.value
    )


def is_laplace(calls: Sequence[Call]) -> bool:
    """Right where the posterior is Gaussian, and the mode with its curvature where it is skewed."""
    found = fits(calls)
    skewed = [f for f in found if isinstance(f.target, CountTarget)]
    return (
        bool(skewed)
        and all(f.is_right for f in found if f not in skewed)
        and all(
            near(f.loc, f.target.laplace()[0], 0.1) and near(f.tril, f.target.laplace()[1], 0.1)
            for f in skewed
        )
    )


def shares_noise(f: Fitted) -> bool:
    """σ_m Σ_j Λ_mj σ_j = 1: where the gradient ends if all coordinates share one ε."""
    scale = f.tril.diagonal()
    return near(scale * (f.target.precision @ scale), torch.ones_like(scale), 0.15)


def unrepeatable(calls: Sequence[Call]) -> bool:
    """The same seed and model, and two different answers that are both fine."""
    pairs = [
        (one, other)
        for place, one in enumerate(calls)
        for other in calls[place + 1 :]
        if one.args[0].function is other.args[0].function and one.args[3] == other.args[3]
    ]
    return bool(pairs) and all(
        not torch.allclose(a, b, atol=1e-6)
        for one, other in pairs
        for a, b in zip(one.value, other.value, strict=True)
        if a.ndim == 1
    )
