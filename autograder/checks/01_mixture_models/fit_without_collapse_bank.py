"""Wrong answers to `fit_without_collapse`."""

from collections.abc import Callable

import torch
from torch import Tensor

from ._parameters import Parameters, log_joint
from .em_step import m_step, scatter
from .fit_without_collapse import (
    FIT_WITHOUT_COLLAPSE,
    floored_em,
    plain_em,
    raise_eigenvalues,
)
from .fit_without_collapse_signs import Ending, Endings


def _misconception(message: str, shows: Callable[[Endings], bool]) -> Callable:
    return FIT_WITHOUT_COLLAPSE.misconception(
        message, sign=lambda calls: bool(shows(Endings(calls)))
    )


def _all_sound(endings: list[Ending]) -> bool:
    return all(ending.sound for ending in endings)


def _run(repair: Callable, args: tuple) -> Parameters:
    """EM in which `repair(x, weights, loc, covariance)` follows every step."""
    x, *params, num_steps = args
    for _ in range(num_steps):
        params = repair(x, *m_step(x, torch.softmax(log_joint(x, *params), 1)))
    return tuple(params)


def _eye(x: Tensor) -> Tensor:
    return torch.eye(x.shape[1], dtype=x.dtype)


@_misconception(
    "The parameters come back as you got them: no step was made.", lambda e: e.minutes.unchanged
)
def start_returned(x, weights, loc, covariance, num_steps):
    return weights, loc, covariance


@_misconception(
    "You dropped a component. Return as many as you were given: an empty one keeps its place, "
    "with a weight near zero.",
    lambda e: any(
        s.parts is not None and s.parts[0].numel() == len(s.start[0]) - 1 for s in e.sick
    ),
)
def component_dropped(x, weights, loc, covariance, num_steps):
    weights, loc, covariance = floored_em(x, weights, loc, covariance, num_steps)
    kept = weights > 1e-6
    return weights[kept], loc[kept], covariance[kept]


@_misconception(
    "Your weights do not sum to one. After a weight was set or bounded, divide all by their sum.",
    lambda e: any(
        s.finite and abs(s.parts[0].sum() - 1) > 1e-4 for s in [*e.long, *e.short, *e.sick]
    ),
)
def weights_not_renormalised(x, weights, loc, covariance, num_steps):
    weights, loc, covariance = floored_em(x, weights, loc, covariance, num_steps)
    return weights.clamp_min(0.05), loc, covariance


@_misconception(
    "You replace NaN by zero. The error is gone but not the collapse: a covariance of zeros is "
    "none. Keep the covariance from becoming singular.",
    lambda e: any(s.finite and (s.parts[2] == 0).all((1, 2)).any() for s in e.sick),
)
def nan_replaced(x, weights, loc, covariance, num_steps):
    def repair(x, weights, loc, covariance):
        good = covariance.isfinite().all((1, 2)) & (torch.linalg.cholesky_ex(covariance).info == 0)
        return weights, loc.nan_to_num(), torch.where(good[:, None, None], covariance, 0)

    for _ in range(num_steps):
        info = torch.linalg.cholesky_ex(covariance).info
        if (info > 0).any():
            break
        step = m_step(x, torch.softmax(log_joint(x, weights, loc, covariance), 1))
        weights, loc, covariance = repair(x, *step)
    return weights, loc, covariance


@_misconception(
    "In trouble you give back the start. The healthy part of the data must still be fitted: keep "
    "the covariances from collapsing, and go on.",
    lambda e: e.minutes.like_em and any(s.unchanged for s in e.sick),
)
def start_returned_in_trouble(x, weights, loc, covariance, num_steps):
    try:
        result = plain_em((x, weights, loc, covariance, num_steps))
        torch.linalg.cholesky(result[2])
    except RuntimeError:
        return weights, loc, covariance
    return result if all(r.isfinite().all() for r in result) else (weights, loc, covariance)


@_misconception(
    "Nothing protects your fit: it is plain EM, and on a degenerate data set a covariance becomes "
    "singular or NaN. Bound the variances from below in every step.",
    lambda e: (
        e.minutes.like_em
        and not any(s.finite and s.sound for s in [*e.twins, *e.line])
        and not any(s.finite for s in e.stray)
    ),
)
def no_protection(x, weights, loc, covariance, num_steps):
    return plain_em((x, weights, loc, covariance, num_steps))


@_misconception(
    "An empty component divides zero by zero. Bound N_k from below before you divide, and keep "
    "the mean where it was.",
    lambda e: _all_sound([*e.twins, *e.line]) and not any(s.finite for s in e.stray),
)
def empty_component_divides_by_zero(x, weights, loc, covariance, num_steps):
    floor = 1e-6 * x.var(0).mean()
    return _run(
        lambda x, w, m, c: (w, m, c + floor * _eye(x)), (x, weights, loc, covariance, num_steps)
    )


@_misconception(
    "Copies of a point are survived, points on a line are not. You bound the variances of the "
    "columns; on a sloping line both are large, and the variance across the line is still zero. "
    "Bound every direction.",
    lambda e: _all_sound(e.twins) and not _all_sound(e.line),
)
def diagonal_only_bounded(x, weights, loc, covariance, num_steps):
    floor = 1e-6 * x.var(0).mean()

    def repair(x, weights, loc, covariance):
        short = (floor - covariance.diagonal(dim1=1, dim2=2)).clamp_min(0)
        return weights, loc, covariance + short.diag_embed()

    return _run(repair, (x, weights, loc, covariance, num_steps))


@_misconception(
    "Your covariances are always the same multiple of the identity: that cannot collapse, and "
    "cannot fit either.",
    lambda e: torch.allclose(
        e.minutes.parts[2], e.minutes.parts[2][0, 0, 0] * torch.eye(2, dtype=torch.float64)
    ),
)
def fixed_covariance(x, weights, loc, covariance, num_steps):
    fixed = x.var(0).mean() * _eye(x).expand_as(covariance)
    return _run(
        lambda x, w, m, c: (w.nan_to_num(), m.nan_to_num(), fixed),
        (x, weights, loc, fixed, num_steps),
    )


@_misconception(
    "Your covariances are diagonal. That narrows the ways to collapse, but it changes the healthy "
    "fit: keep the entries beside the diagonal.",
    lambda e: (e.minutes.parts[2][:, [0, 1], [1, 0]] == 0).all(),
)
def diagonal_covariance(x, weights, loc, covariance, num_steps):
    for _ in range(num_steps):
        params = floored_em(x, weights, loc, covariance, 1)
        weights, loc, covariance = *params[:2], params[2].diagonal(dim1=1, dim2=2).diag_embed()
    return weights, loc, covariance.clone()


@_misconception(
    "`num_steps` does not count: where one step was asked for, you made many.",
    lambda e: e.minutes.like_em and e.short[0].like(e.minutes.parts),
)
def num_steps_ignored(x, weights, loc, covariance, num_steps):
    return floored_em(x, weights, loc, covariance, 100)


@_misconception(
    "You make one step too few: where one was asked for, the start comes back.",
    lambda e: e.minutes.like_em and e.short[0].unchanged,
)
def one_step_too_few(x, weights, loc, covariance, num_steps):
    return floored_em(x, weights, loc, covariance, num_steps - 1)


@_misconception(
    "You make one step only. Repeat it `num_steps` times.",
    lambda e: e.minutes.like(plain_em((*e.minutes.call.args[:-1], 1))) and not e.minutes.like_em,
)
def one_step_only(x, weights, loc, covariance, num_steps):
    return floored_em(x, weights, loc, covariance, 1)


def _larger(ending: Ending) -> bool:
    """Whether the covariances exceed those of EM, and fall short of them in no direction."""
    right = ending.by_em[2]
    factor = torch.linalg.cholesky(right)
    half = torch.linalg.solve_triangular(factor, ending.parts[2] - right, upper=False)
    excess = torch.linalg.eigvalsh(torch.linalg.solve_triangular(factor, half.mT, upper=False))
    return bool(excess.max() > 0.01 and excess.min() > -0.2 * excess.max())


@_misconception(
    "Your bound is a fixed number. In other units it is far too much (it swamps the data times "
    "0.001) or nothing (times 1000). Take it in proportion to the variance of the data.",
    lambda e: (
        [s.like_em for s in e.long] == [True, False, True]
        or (e.minutes.like_em and _all_sound([e.twins[0], e.twins[2]]) and not e.twins[1].sound)
    ),
)
def fixed_floor(x, weights, loc, covariance, num_steps):
    tiny = torch.finfo(x.dtype).tiny
    for _ in range(num_steps):
        resp = torch.softmax(log_joint(x, weights, loc, covariance), 1)
        counts = resp.sum(0)
        held = counts + tiny
        loc = resp.T @ x / held[:, None]
        covariance = scatter(x, resp, loc) / held[:, None, None] + 1e-6 * _eye(x)
        weights = counts / len(x)
    return weights, loc, covariance


@_misconception(
    "Your bound is too small to help: the covariances are singular up to rounding. A millionth of "
    "the variance of the data is safe.",
    lambda e: (
        e.minutes.like_em
        and not any(s.sound for s in e.twins)
        and all(s.finite or s.call.error is not None for s in e.twins)
    ),
)
def floor_too_small(x, weights, loc, covariance, num_steps):
    floor = 1e-15 * x.var(0).mean()
    for _ in range(num_steps):
        resp = torch.softmax(log_joint(x, weights, loc, covariance), 1)
        counts = resp.sum(0).clamp_min(1e-10)
        loc = resp.T @ x / counts[:, None]
        covariance = scatter(x, resp, loc) / counts[:, None, None] + floor * _eye(x)
        weights = resp.mean(0)
    return weights, loc, covariance


@_misconception(
    "Your bound is so high that it changes the healthy fit: the covariances are larger than those "
    "of EM. It should lie far below any real cluster, at a millionth of the variance of the data "
    "say.",
    lambda e: all(_larger(s) and not s.like_em for s in e.long),
)
def floor_too_high(x, weights, loc, covariance, num_steps):
    floor = 0.01 * x.var(0).mean()
    for _ in range(num_steps):
        weights, loc, covariance = floored_em(x, weights, loc, covariance, 1)
        covariance = raise_eigenvalues(covariance, floor)
    return weights, loc, covariance


@_misconception(
    "All components share one covariance. That protects them, but it changes the healthy fit: "
    "each has its own.",
    lambda e: torch.allclose(e.minutes.parts[2][0], e.minutes.parts[2][1]),
)
def shared_covariance(x, weights, loc, covariance, num_steps):
    for _ in range(num_steps):
        weights, loc, covariance = floored_em(x, weights, loc, covariance, 1)
        covariance = torch.einsum("k,kde->de", weights, covariance).expand_as(covariance)
    return weights, loc, covariance.clone()


@_misconception(
    "Your weights are fixed at the same value for all components. They must be fitted as in EM.",
    lambda e: (e.minutes.parts[0] - e.minutes.parts[0].mean()).abs().max() < 1e-6,
)
def equal_weights(x, weights, loc, covariance, num_steps):
    fitted = floored_em(x, weights, loc, covariance, num_steps)
    return torch.full_like(weights, 1 / len(weights)), *fitted[1:]
